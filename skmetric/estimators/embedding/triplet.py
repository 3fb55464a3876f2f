"""TripletEmbedder: learn an embedding in which anchors are closer to positives than to negatives."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from skmetric._sklearn_compat import Interval, StrOptions
from skmetric.estimators.embedding._data import EmbedderData
from skmetric.estimators.embedding._embedder import Embedder, EmbedderChoice
from skmetric.estimators.embedding._objectives import GivenTriplets, MinedTriplets
from skmetric.estimators.points import Preprocessor
from skmetric.estimators.training_data import Batches
from skmetric.losses.distance import DISTANCES
from skmetric.losses.triplet.loss import MININGS

__all__ = ["TripletEmbedder"]


class TripletEmbedder(Embedder):
    r"""Embedding learned from class labels or from triplets of points, with a triplet loss.

    A network :math:`f` is trained so that an anchor a is closer to a positive p than to a negative n, by a margin m:

    .. math:: \max(0, d(f(a), f(p)) - d(f(a), f(n)) + m).

    ``fit`` takes one of two kinds of data:

    - rows with class labels. A positive is another row of the anchor's class, a negative is a row of another class, and
      triplets are mined in batches of P classes x K rows. ``predict`` is a nearest-neighbor classifier in the
      embedding, which can also be used for search, clustering, plots, or as features of other estimators.
    - triplets of points (anchor, positive, negative), without labels. ``predict`` then says whether the second point is
      closer to the first than the third is.

    Parameters
    ----------
    n_components : int, default=16
        Number of dimensions of the embedding.
    margin : float, default=0.5
        Margin by which a positive should be closer than a negative, in units of ``distance``. With unit length and
        "euclidean", distances lie between 0 and 2. This is the first parameter to tune.
    mining : {"semihard", "all", "hard", "easy", "random"}, default="semihard"
        Which triplets in a batch of labeled rows enter the loss; see :func:`skmetric.losses.batch_triplet_loss`.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance between embeddings. "cosine" implies ``normalize=True``.
    normalize : bool, default=True
        If True, scale embeddings to unit length. In two dimensions they then lie on a circle, in one dimension at two
        points: use False for plots.
    soft : bool, default=False
        If True, use softplus instead of the hinge, so that triplets beyond the margin still contribute a little.
    hidden_layer_sizes : int or sequence of int, default=(256,)
        Widths of the hidden layers; an int is one layer. With an empty sequence, the embedding is a linear function of
        the scaled columns (see ``inputs``).
    init : {"random", "identity"}, default="random"
        Initial weights. "identity" is for ``hidden_layer_sizes=()`` and as many ``n_components`` as columns: training
        starts at the encoded columns themselves. With few epochs and a low ``learning_rate``, this keeps what their
        distance knows already, for example if the columns are the embeddings of another model. With ``inputs="none"``,
        training starts at the raw columns; with the other encodings, at the scaled columns. With ``normalize=True``,
        points have unit length from the start, so the first distances are those of the cosine.
    dropout : float, default=0.2
        Probability of setting a hidden activation to zero during training.
    inputs : str, default="bounded"
        Encoding of the columns of ``X``. The user guide lists all encodings; the basic ones are:

        - "bounded": standardize each column in float64, then smoothly bend values beyond about three standard
          deviations, so that neither units, offsets nor outliers matter.
        - "standard": standardize each column only, so that ``hidden_layer_sizes=()`` is a linear model.
        - "none": use the columns as given, in float32.

        A custom ``module`` always gets the columns as given. When training continues from an earlier fit
        (``warm_start``; ``partial_fit`` of embedders), columns that varied before keep their scaling.
    module : callable, optional
        Function ``(n_features_in, n_components) -> torch.nn.Module`` that builds a custom network in place of the
        layers above. The module gets the columns as given. If ``X`` holds tuples, training also calls it with rows
        that only fill up a batch, or with all points of ``X``, including held-out ones. This matters if the rows of a
        batch affect each other, as in batch normalization.
    preprocessor : array-like, dict, callable or Rows, optional
        Source of the points if ``X`` holds indices: a table of points, a dict of ids and points, a function from
        indices (or other keys, such as file names) to points, or :class:`skmetric.Rows`, which the candidates of a
        search share. A pandas DataFrame whose index is not the default is read by the labels of its index. ``X`` may
        then have shape (n_triplets, 3), or (n_samples,) with labels.
    unlabeled : object, optional
        Label of rows of unknown class, such as -1; ``np.nan`` stands for all missing values. These rows take part in
        scaling the inputs, but they are in no batch, are not neighbors in ``predict``, and are left out of ``score``.
        If None, all classes are known.
    batch_size : int, default=64
        Maximum number of rows per batch. A tuple counts as many rows as it has points. If there are fewer rows, it is
        cut to their number, rounded up to a multiple of 64.
    samples_per_class : int, default=4
        Minimum number of rows per class in a batch of labeled rows. With few classes, more rows of each fill the batch.
    max_iter : int, default=100
        Maximum number of epochs. An epoch has as many draws as there are rows. If all classes fit into a batch, they
        are drawn equally often; otherwise each row is drawn about once. Each tuple is drawn once per epoch.
    learning_rate : float, default=0.005
        Peak learning rate. A one-cycle schedule warms up to it over the first 30% of steps, then decays to near zero.
    weight_decay : float, default=0.05
        Weight decay of the AdamW optimizer. Each step multiplies the weights by 1 minus the learning rate times this
        number, so ``learning_rate * weight_decay`` must be below 2.
    early_stopping : bool, default=False
        If True, hold out ``validation_fraction`` of each class (or of the tuples), stop when their ``score`` no longer
        increases, and keep the weights of the best epoch.
    validation_fraction : float, default=0.1
        Fraction of the training data held out for early stopping, if ``fit`` gets no ``X_val``.
    n_iter_no_change : int, default=10
        Number of epochs without a better validation score after which early stopping stops training.
    n_neighbors : int, default=5
        Number of nearest training rows that vote in ``predict``.
    device : str or torch.device, default="auto"
        Device for training and prediction: "cpu", "cuda", "cuda:1", "mps", ..., or a torch.device. "auto" uses a GPU
        if there is one.
    random_state : int, RandomState instance or None, default=None
        Controls all randomness: initial weights, batches, dropout and held-out data. The same int gives the same
        result, bit for bit on a CPU. If None, each fit differs.
    warm_start : bool, default=False
        If True, ``fit`` continues from the weights of the last fit, and keeps its scaling of the inputs (and of the
        targets, if the estimator scales them).
    callbacks : list of skorch callbacks, optional
        Callbacks are notified at the beginning and the end of training and of each epoch. They see the history
        (``history``), the network (``module_``) and the optimizer (``optimizer_``, whose "lr" is a factor on
        ``learning_rate``). Callbacks that act within an epoch are an error. ``Checkpoint`` needs ``monitor=None``. Set
        callbacks of scikit-learn by ``set_callbacks``.
    verbose : int, default=0
        If above 0, print one line per epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes in ``y`` of ``fit``; -1 and 1 after ``fit`` on triplets.
    tuple_size_ : int or None
        3 after ``fit`` on triplets, None after ``fit`` on rows.
    n_features_in_ : int
        Number of columns of ``X``.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``, if it has names.
    n_iter_ : int
        Number of epochs run.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``train_loss``, the fractions of ``easy``, ``semihard`` and ``hard`` triplets in
        the last batch, ``valid_score`` with early stopping, and ``dur`` in seconds. Mining works as long as hard
        triplets become easy.

    See Also
    --------
    ContrastiveEmbedder : Embedding learned from labels or pairs with other losses.
    skmetric.losses.batch_triplet_loss : The loss, and which triplets are mined.
    sklearn.neighbors.NeighborhoodComponentsAnalysis : A linear embedding, learned without batches.

    Notes
    -----
    ``score`` is MAP@R for rows, not accuracy: it evaluates the embedding, also for classes that are not in the training
    data. Because the estimator is a classifier, an integer ``cv`` is stratified. After ``fit`` on triplets,
    ``predict``, ``decision_function`` and ``score`` (accuracy) take triplets; ``transform`` always takes points. If a
    batch has more rows than there are distinct points, each point is embedded once per batch, even if it is in several
    triplets.

    Defaults were chosen once on three tables (``python -m benchmarks defaults``).

    References
    ----------
    Schroff, Kalenichenko, Philbin (2015). FaceNet: A Unified Embedding for Face Recognition and Clustering. CVPR.

    Hermans, Beyer, Leibe (2017). In Defense of the Triplet Loss for Person Re-Identification.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import train_test_split
    >>> from skmetric import TripletEmbedder
    >>> X, y = load_wine(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> embedder = TripletEmbedder(n_components=4, device="cpu", random_state=0).fit(X_train, y_train)
    >>> embedder.transform(X_test).shape
    (45, 4)
    >>> bool(embedder.score(X_test, y_test) > 0.9)
    True
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **Embedder._embedder_constraints,
        # A wide range whose squares are within the limits of float32.
        "margin": [Interval(Real, 0, 1e15, closed="right")],
        "mining": [StrOptions(set(MININGS))],
        "distance": [StrOptions(set(DISTANCES))],
        "soft": ["boolean"],
    }

    distance: str

    _tuple_size = 3
    _instead_of_collapse = "use mining='semihard' or 'all'"

    def __init__(
        self,
        n_components: int = 16,
        *,
        margin: float = 0.5,
        mining: str = "semihard",
        distance: str = "euclidean",
        normalize: bool = True,
        soft: bool = False,
        hidden_layer_sizes: int | Sequence[int] = (256,),
        init: str = "random",
        dropout: float = 0.2,
        inputs: str = "bounded",
        module: Callable[[int, int], torch.nn.Module] | None = None,
        preprocessor: Preprocessor | None = None,
        unlabeled: Any = None,
        batch_size: int = 64,
        samples_per_class: int = 4,
        max_iter: int = 100,
        learning_rate: float = 0.005,
        weight_decay: float = 0.05,
        early_stopping: bool = False,
        validation_fraction: float = 0.1,
        n_iter_no_change: int = 10,
        n_neighbors: int = 5,
        device: str | torch.device = "auto",
        random_state: int | np.random.RandomState | None = None,
        warm_start: bool = False,
        callbacks: Sequence[Any] | None = None,
        verbose: int = 0,
    ) -> None:
        self.n_components = n_components
        self.margin = margin
        self.mining = mining
        self.distance = distance
        self.normalize = normalize
        self.soft = soft
        self.hidden_layer_sizes = hidden_layer_sizes
        self.init = init
        self.dropout = dropout
        self.inputs = inputs
        self.module = module
        self.preprocessor = preprocessor
        self.unlabeled = unlabeled
        self.batch_size = batch_size
        self.samples_per_class = samples_per_class
        self.max_iter = max_iter
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.n_neighbors = n_neighbors
        self.device = device
        self.random_state = random_state
        self.warm_start = warm_start
        self.callbacks = callbacks
        self.verbose = verbose

    def _objective(
        self, data: EmbedderData, choice: EmbedderChoice, batches: Batches
    ) -> tuple[MinedTriplets | GivenTriplets, dict[str, float]]:
        numbers = {"margin": float(self.margin)}
        if batches.block_length is None:
            return GivenTriplets(self.distance, self.soft), numbers
        return MinedTriplets(batches.block_length, self.mining, self.distance, self.soft), numbers

    def _resolved_distance(self, choice: EmbedderChoice) -> str:
        return self.distance

    def _length_scale(self, choice: EmbedderChoice) -> float:
        return float(np.sqrt(self.margin) if self.distance == "sqeuclidean" else self.margin)

    def _predict_tuples(self, X: ArrayLike) -> NDArray[np.bool_]:
        return self.decision_function(X) > 0

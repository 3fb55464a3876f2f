"""Embedders trained by triplets: an anchor closer to its positive than to its negative."""

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
from skmetric.estimators.preparation import Batches
from skmetric.losses.distance import DISTANCES
from skmetric.losses.triplet.loss import MININGS

__all__ = ["TripletEmbedder"]


class TripletEmbedder(Embedder):
    r"""Embedding of a table, learned from class labels or from triplets of points with a triplet loss.

    A network :math:`f` is trained so that an anchor a is closer to a positive p than to a negative n, by a margin m:

    .. math:: \max(0, d(f(a), f(p)) - d(f(a), f(n)) + m).

    With labels, a positive is a row of the anchor's class, a negative one of another, and triplets are mined in
    batches of P classes x K rows; the embedding serves neighbors search, clustering, retrieval, pictures, and as
    features for other estimators, and ``predict`` is a nearest-neighbors classifier in it. Without labels, ``fit``
    takes triplets, "a is more like p than like n", of points or of places in a table; ``predict`` then says which of
    two points is closer.

    Parameters
    ----------
    n_components : int, default=16
        Width of the embedding.
    margin : float, default=0.5
        How much closer a positive should be than a negative, in units of ``distance``: with unit length and
        "euclidean", distances lie between 0 and 2. The one parameter most worth a search.
    mining : {"semihard", "all", "hard", "easy", "random"}, default="semihard"
        Which triplets of a batch of labeled rows count; see :func:`skmetric.losses.batch_triplet_loss`.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance in the embedding. "cosine" implies ``normalize=True``.
    normalize : bool, default=True
        Scale embeddings to unit length. In two dimensions that leaves a circle, in one only two points: for a map, use
        False.
    soft : bool, default=False
        Softplus in place of the hinge: triplets beyond the margin still count a little.
    hidden_layer_sizes : int or sequence of int, default=(256,)
        Widths of the hidden layers; an empty one gives a linear embedding.
    dropout : float, default=0.2
        Share of the hidden activations set to zero while training.
    scale_inputs : bool, default=True
        Standardize each column inside the network and bend values beyond about three standard deviations smoothly;
        then neither the units of a column nor its outliers matter. False takes the columns as given.
    module : callable, optional
        ``(n_features_in, n_components) -> torch.nn.Module``: a network of your own in place of the layers above; it
        gets the rows as given.
    preprocessor : array-like, callable or Rows, optional
        Turns indices into points: a table, a function from indices (or names, of files say) to points, or
        :class:`skmetric.Rows`, which the candidates of a search share. ``X`` then holds triplets of indices, of shape
        (n, 3), or for labels one index a row, of shape (n,).
    unlabeled : object, optional
        The label, -1 say, of rows whose class is not known. They help to scale the inputs, and are in no triplet, no
        neighbors of ``predict``, and left out of ``score``.
    batch_size : int, default=64
        Most rows in a batch.
    samples_per_class : int, default=4
        Fewest rows of a class in a batch. With few classes, more rows of each fill the batch.
    max_iter : int, default=100
        Epochs, of as many draws as there are rows. With more classes than fit into a batch, every row is drawn about
        once; with fewer, every class equally often. Every triplet is drawn once.
    learning_rate : float, default=0.005
        Highest rate of AdamW; it rises to it over the first 30% of the steps and falls to nearly zero after them.
    weight_decay : float, default=0.05
        Of AdamW.
    early_stopping : bool, default=False
        Hold out ``validation_fraction`` of each class (of the triplets), stop when their ``score`` no longer rises, and
        keep the best weights.
    validation_fraction : float, default=0.1
        What early stopping holds out.
    n_iter_no_change : int, default=10
        Epochs without a better score after which early stopping stops.
    n_neighbors : int, default=5
        Neighbors that ``predict`` asks.
    device : str or torch.device, default="auto"
        "cpu", "cuda", "cuda:1", "mps", ..., or a torch.device; "auto" takes a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, batches and dropout. The same int gives the same embedding, bit for bit on a CPU.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights and the input scaling of the last fit.
    callbacks : list of skorch callbacks, optional
        Notified of training and epochs, not of batches; they see the history, the network (``module_``) and the
        optimizer (``optimizer_``, whose "lr" is a factor on the rate above). Those that act within an epoch are an
        error; ``Checkpoint`` wants ``monitor=None``. scikit-learn's own callbacks are set by ``set_callbacks``.
    verbose : int, default=0
        Above 0, one line an epoch is printed.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes of ``fit``; -1 and 1 for triplets.
    tuple_size_ : int or None
        3 where ``fit`` had triplets, None where it had rows.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of str
        Their names, where ``X`` had names.
    n_iter_ : int
        Epochs run.
    history_ : list of dict
        One an epoch: ``train_loss``, the shares of ``easy``, ``semihard`` and ``hard`` triplets in its last batch,
        ``valid_score`` where there is early stopping, and ``dur`` in seconds. Mining works as long as triplets turn
        from hard to easy.

    See Also
    --------
    ContrastiveEmbedder : Other losses, and pairs.
    skmetric.losses.batch_triplet_loss : The loss and its minings.
    sklearn.neighbors.NeighborhoodComponentsAnalysis : A linear embedding without batches.

    Notes
    -----
    ``score`` is MAP@R, not accuracy: it judges the embedding, also on classes that were never trained on. As a
    classifier, the estimator makes an integer ``cv`` stratify. Fitted on triplets, ``predict``,
    ``decision_function`` and ``score`` (accuracy) take triplets; ``transform`` always takes points. Where there
    are fewer points than places in a batch, each is embedded once a batch, however many triplets it is in.

    Defaults were chosen once on three tables (``python -m benchmarks defaults``). Inputs are float32; values whose
    differences are lost at that precision (timestamps, say) want scaling before.

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
        "margin": [Interval(Real, 0, None, closed="neither")],
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

    def _predict_tuples(self, X: ArrayLike) -> NDArray[np.integer]:
        return np.where(self.decision_function(X) > 0, 1, -1)

"""ContrastiveEmbedder: learn an embedding from similar and dissimilar points."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from numpy.typing import NDArray

from skmetric._sklearn_compat import Interval, StrOptions
from skmetric._warnings import warn_caller
from skmetric.estimators._base import Head
from skmetric.estimators.embedding._data import EmbedderBatching, EmbedderData
from skmetric.estimators.embedding._embedder import EmbedderChoice
from skmetric.estimators.embedding._losses import LOSSES, refuse_unused
from skmetric.estimators.embedding._objectives import ClassContrast, PairContrast, ProxyContrast
from skmetric.estimators.embedding._pair_classifier import PairClassifier
from skmetric.estimators.points import Preprocessor
from skmetric.estimators.training_data import Batches, Indices, Prepared
from skmetric.losses.distance import DISTANCES

__all__ = ["ContrastiveEmbedder"]


class ContrastiveEmbedder(PairClassifier):
    r"""Embedding learned from class labels or from pairs of points, with a contrastive loss.

    A network is trained so that similar points are close to each other and dissimilar points are not. ``fit`` takes
    one of three kinds of data:

    - rows with class labels, where rows of one class are similar;
    - pairs of points with ``y`` = 1 (similar) or -1 (dissimilar);
    - similar pairs only, such as users and the items that they chose. The negatives are then the other pairs of the
      batch, or random points.

    Parameters
    ----------
    n_components : int, default=16
        Number of dimensions of the embedding.
    loss : str, default="auto"
        Loss over the positives and negatives of an anchor, with distance d, margin m and temperature t:

        - "contrastive": d for positives, and :math:`\max(0, m - d)` for negatives
          (:func:`skmetric.losses.batch_contrastive_loss`).
        - "info_nce": softmax of each positive against the negatives (:func:`skmetric.losses.info_nce_loss`).
        - "sup_con": like "info_nce", with all positives in the denominator (:func:`skmetric.losses.sup_con_loss`).
        - "nce": logistic regression that separates positive from negative pairs by (m - d) / t
          (:func:`skmetric.losses.batch_nce_loss`).
        - "nca": negative log-probability that a neighbor drawn by a softmax is a positive
          (:func:`skmetric.losses.nca_loss`).
        - "multi_similarity": positives and negatives that an anchor confuses, weighted by how far off they are
          (:func:`skmetric.losses.multi_similarity_loss`).
        - "proxy_anchor": one learned point per class pulls the rows of its class and pushes the others; for labels only
          (:func:`skmetric.losses.proxy_anchor_loss`).
        - "auto": "sup_con" for labels, "nce" for pairs of both kinds, "info_nce" for similar pairs only.

        For pairs of both kinds, "contrastive" and "nce" use exactly the given pairs. The other losses compare each
        similar pair with the second points of all pairs in its batch; a dissimilar pair only adds one more such point.
    margin : float, optional
        Margin of the loss, in units of ``distance``. If None, it is 1.0 for "contrastive", 0.7 for "nce", and 0.1 for
        "multi_similarity" and "proxy_anchor". The other losses have no margin.
    temperature : float, optional
        Temperature of the loss. A lower temperature gives more weight to the nearest negatives. If None, it is 0.1 for
        "info_nce" and "sup_con", 0.3 for "nce", 0.2 for "nca", 1/32 for "proxy_anchor", and 0.02 for
        "multi_similarity", where 1 / temperature is the scale of negatives and 25 times the scale of positives.
        "contrastive" has no temperature.
    distance : {"euclidean", "sqeuclidean", "cosine"}, optional
        Distance between embeddings. If None, the loss uses "euclidean" for "contrastive" and "nce", "sqeuclidean" for
        "nca", and "cosine" for the others ("sqeuclidean" if ``normalize=False``), while ``pair_distance`` and
        ``threshold_`` are Euclidean. "cosine" implies ``normalize=True``.
    normalize : bool, default=True
        If True, scale embeddings to unit length. In two dimensions they then lie on a circle, in one dimension at two
        points: use False for plots.
    n_negatives : int, optional
        Number of random negatives per batch, for similar pairs only. Each batch draws new ones, uniformly from the
        second points of all pairs, and all its pairs share them. They are part of ``batch_size``. If None, the
        negatives of a pair are the second points of the other pairs in the batch, except those that belong to the same
        anchor; frequent points are then frequent negatives.
    memory_size : int, default=0
        Number of embeddings of earlier batches that are kept in a memory, for labels only. A second loss, which is
        added, compares the rows of a batch with them. This gives more negatives, which are slightly outdated.
    cached_batch_size : int, optional
        Number of rows of a batch that are embedded at once. Each batch is then embedded in pieces, and a second time
        for the gradient, so that only the loss limits ``batch_size``, at the price of a second pass.
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
        then have shape (n_pairs, 2), or (n_samples,) with labels.
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
        The classes in ``y`` of ``fit``; -1 and 1 after ``fit`` on pairs.
    tuple_size_ : int or None
        2 after ``fit`` on pairs, None after ``fit`` on rows.
    loss_ : str
        Name of the loss that was used, with "auto" resolved.
    threshold_ : float
        Largest distance at which ``predict`` calls a pair similar. After ``fit`` on pairs of both kinds, it is the
        threshold of highest accuracy on these pairs. It is too small if the network is overfitted: see
        ``calibrate_threshold``.
    n_features_in_ : int
        Number of columns of ``X``.
    feature_names_in_ : ndarray of str
        Names of the columns of ``X``, if it has names.
    n_iter_ : int
        Number of epochs run.
    history_ : list of dict
        One dict per epoch: ``epoch``, ``train_loss``, the means ``positive_distance`` and ``negative_distance`` over
        the last batch, ``valid_score`` with early stopping, and ``dur`` in seconds.

    See Also
    --------
    TripletEmbedder : Embedding learned from labels or triplets with a triplet loss.

    Notes
    -----
    ``score`` is MAP@R for rows, and the area under the ROC curve for pairs. After ``fit`` on pairs, ``predict``,
    ``decision_function``, ``predict_proba`` and ``score`` take pairs; ``transform`` always takes points. If a batch has
    more rows than there are distinct points, each point is embedded once per batch, even if it is in many pairs.

    References
    ----------
    Hadsell, Chopra, LeCun (2006). Dimensionality Reduction by Learning an Invariant Mapping. CVPR.

    Khosla et al. (2020). Supervised Contrastive Learning. NeurIPS.

    Wang, Zhang, Huang, Scott (2020). Cross-Batch Memory for Embedding Learning. CVPR.

    Gao, Zhang, Han, Callan (2021). Scaling Deep Contrastive Learning Batch Size under Memory Limited Setup.

    Examples
    --------
    >>> from sklearn.datasets import load_wine
    >>> from sklearn.model_selection import train_test_split
    >>> from skmetric import ContrastiveEmbedder
    >>> X, y = load_wine(return_X_y=True)
    >>> X_train, X_test, y_train, y_test = train_test_split(X, y, stratify=y, random_state=0)
    >>> embedder = ContrastiveEmbedder(n_components=4, device="cpu", random_state=0).fit(X_train, y_train)
    >>> bool(embedder.score(X_test, y_test) > 0.9)
    True

    Pairs of indices into a table:

    >>> import numpy as np
    >>> pairs = np.random.default_rng(0).integers(0, len(X), (300, 2))
    >>> similar = np.where(y[pairs[:, 0]] == y[pairs[:, 1]], 1, -1)
    >>> embedder = ContrastiveEmbedder(preprocessor=X, max_iter=20, device="cpu", random_state=0)
    >>> embedder.fit(pairs[:200], similar[:200]).predict(pairs[200:204]), similar[200:204]
    (array([-1, -1,  1, -1]), array([-1, -1,  1, -1]))
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PairClassifier._embedder_constraints,
        "loss": [StrOptions({*LOSSES, "auto"})],
        # Wide ranges whose squares are within the limits of float32.
        "margin": [Interval(Real, 0, 1e15, closed="right"), None],
        "temperature": [Interval(Real, 1e-15, 1e15, closed="both"), None],
        "distance": [StrOptions(set(DISTANCES)), None],
        "n_negatives": [Interval(Integral, 1, None, closed="left"), None],
        "memory_size": [Interval(Integral, 0, None, closed="left")],
        "cached_batch_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    _tuple_size = 2
    _instead_of_collapse = "increase temperature or margin, try another loss"

    def __init__(
        self,
        n_components: int = 16,
        *,
        loss: str = "auto",
        margin: float | None = None,
        temperature: float | None = None,
        distance: str | None = None,
        normalize: bool = True,
        n_negatives: int | None = None,
        memory_size: int = 0,
        cached_batch_size: int | None = None,
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
        self.loss = loss
        self.margin = margin
        self.temperature = temperature
        self.distance = distance
        self.normalize = normalize
        self.n_negatives = n_negatives
        self.memory_size = memory_size
        self.cached_batch_size = cached_batch_size
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

    def _choose(self, data: EmbedderData, train: Indices, last: EmbedderChoice | None) -> EmbedderChoice:
        loss = self.loss
        if loss == "auto":
            loss = "sup_con" if data.tuple_size is None else "nce" if data.has_both else "info_nce"
        classes = data.classes
        has_proxies = LOSSES[loss].has_proxies
        if has_proxies and last is not None and not np.array_equal(last.classes, classes):
            raise ValueError(
                "y must hold the classes of the last fit, whose proxies warm_start=True keeps, "
                f"{last.classes.tolist()}, got {classes.tolist()}. Set warm_start=False."
            )
        if data.has_both and LOSSES[loss].is_of_pairs:
            return EmbedderChoice(classes, loss, "given")
        return EmbedderChoice(classes, loss, "batch" if self.n_negatives is None else "random")

    def _check_choice(self, data: EmbedderData, choice: EmbedderChoice) -> None:
        refuse_unused(choice.loss, margin=self.margin, temperature=self.temperature)
        if data.tuple_size is not None:
            self._check_for_pairs(data.has_both, data.has_similar, choice)
        elif self.n_negatives is not None:
            raise ValueError(
                f"n_negatives must be None for labels, got n_negatives={self.n_negatives}. Leave it out: rows of other "
                "classes are the negatives."
            )
        elif self.memory_size and LOSSES[choice.loss].has_proxies:
            raise ValueError(
                f"memory_size must be 0 for loss={choice.loss!r}, which compares rows only with proxies, got "
                f"memory_size={self.memory_size}. Set it to 0, or use another loss."
            )

    def _check_for_pairs(self, has_both: bool, has_similar: bool, choice: EmbedderChoice) -> None:
        loss = LOSSES[choice.loss]
        if loss.has_proxies:
            raise ValueError(
                f"loss must not be {choice.loss!r} for pairs, because it needs labels, one proxy per class. Use "
                "another loss."
            )
        if self.memory_size:
            raise ValueError(
                f"memory_size must be 0 for pairs, got memory_size={self.memory_size}. Set it to 0. For more "
                "negatives, increase batch_size, with cached_batch_size if memory is short."
            )
        if not has_similar and choice.negatives != "given":
            raise ValueError("y must hold similar pairs, 1, got only -1. Add similar pairs.")
        if has_both and self.n_negatives is not None:
            raise ValueError(
                f"n_negatives must be None if y has dissimilar pairs, -1, got n_negatives={self.n_negatives}. Leave it "
                "out, or leave these pairs out."
            )
        if self.n_negatives is not None and self.batch_size < self.n_negatives + 4:
            raise ValueError(
                f"batch_size must hold n_negatives and two pairs, got batch_size={self.batch_size} and "
                f"n_negatives={self.n_negatives}. Set it to several times n_negatives, such as {4 * self.n_negatives}."
            )
        if has_both and not loss.is_of_pairs:
            warn_caller(
                f"loss={choice.loss!r} compares similar pairs with the rest of the batch, and does not push the given "
                "pairs apart if they are dissimilar, -1. To do so, use loss='contrastive' or 'nce'."
            )

    def _batching(self, choice: EmbedderChoice) -> EmbedderBatching:
        return replace(
            super()._batching(choice),
            n_negatives=self.n_negatives or 0,
            chunk_length=self.cached_batch_size,
            memory_size=self.memory_size,
            # Blocks of rows define the classes within a batch; a memory and proxies need class codes.
            with_codes=bool(self.memory_size) or LOSSES[choice.loss].has_proxies,
        )

    def _objective(
        self, data: EmbedderData, choice: EmbedderChoice, batches: Batches
    ) -> tuple[ClassContrast | ProxyContrast | PairContrast, dict[str, float]]:
        loss, distance = LOSSES[choice.loss], self._resolved_distance(choice)
        numbers = loss.numbers(self.margin, self.temperature)
        if loss.has_proxies:
            return ProxyContrast(loss.form, distance), numbers
        if batches.block_length is not None:
            return ClassContrast(loss.form, distance, batches.block_length), numbers
        return PairContrast(loss.form, distance, choice.negatives, self.n_negatives or 0), numbers

    def _head(self, data: EmbedderData, choice: EmbedderChoice, input_width: int) -> Head:
        head = super()._head(data, choice, input_width)
        n_proxies = len(choice.classes) if LOSSES[choice.loss].has_proxies else None
        return head._replace(options={**head.options, "n_proxies": n_proxies})

    def _resolved_distance(self, choice: EmbedderChoice) -> str:
        default = LOSSES[choice.loss].distance
        return self.distance or ("sqeuclidean" if default == "cosine" and not self.normalize else default)

    def _length_scale(self, choice: EmbedderChoice) -> float:
        loss = LOSSES[choice.loss]
        scale = self.margin or loss.margin or self.temperature or loss.temperature or 1.0
        return float(np.sqrt(scale) if self._resolved_distance(choice) == "sqeuclidean" else scale)

    def _decided(
        self, prepared: Prepared[EmbedderData, EmbedderChoice], embeddings: NDArray[np.float32]
    ) -> dict[str, Any]:
        return {**super()._decided(prepared, embeddings), "loss_": prepared.choice.loss}

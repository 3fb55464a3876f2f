"""Embedders trained by what is alike and what is not: contrastive losses."""

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
from skmetric.estimators.preparation import Batches, Indices, Prepared
from skmetric.losses.distance import DISTANCES

__all__ = ["ContrastiveEmbedder"]


class ContrastiveEmbedder(PairClassifier):
    r"""Embedding of a table, learned from class labels or from pairs of points with a contrastive loss.

    A network is trained so that points that are alike are close, and others are not. ``fit`` takes rows with labels
    (rows of one class are alike), pairs of points with y = 1 where they are alike and -1 where they are not, or pairs
    that are all alike, such as users and what they chose: what else is in the batch, or random points, then stand for
    what is not.

    Parameters
    ----------
    n_components : int, default=16
        Width of the embedding.
    loss : str, default="auto"
        With the distance d, margin m and temperature t, over an anchor's positives p and negatives n:

        - "contrastive": distances of positives, and :math:`\max(0, m - d)` of negatives
          (:func:`skmetric.losses.batch_contrastive_loss`).
        - "info_nce": each positive against the negatives, by softmax (:func:`skmetric.losses.info_nce_loss`).
        - "sup_con": the same with positives in the denominator (:func:`skmetric.losses.sup_con_loss`).
        - "nce": a logistic regression of positive against negative pairs by (m - d) / t
          (:func:`skmetric.losses.batch_nce_loss`).
        - "nca": the probability that the neighbor picked by a softmax is a positive
          (:func:`skmetric.losses.nca_loss`).
        - "multi_similarity": pairs that are confused, weighed by how far off they are
          (:func:`skmetric.losses.multi_similarity_loss`).
        - "proxy_anchor": one learned point a class pulls its rows and pushes the others; for labels only
          (:func:`skmetric.losses.proxy_anchor_loss`).
        - "auto": "sup_con" for labels, "nce" for pairs of both kinds, "info_nce" for pairs that are all alike.

        Of pairs of both kinds, "contrastive" and "nce" use exactly those that are given. The others tell each pair that
        is alike from the second points of all pairs of its batch; a pair that is not alike only adds one.
    margin : float, optional
        For "contrastive" (by default 1.0), "nce" (0.7), "multi_similarity" (0.1) and "proxy_anchor" (0.1), in units of
        ``distance``; the other losses have none.
    temperature : float, optional
        For all but "contrastive": "info_nce" and "sup_con" (by default 0.1), "nce" (0.3), "nca" (0.2),
        "multi_similarity" (0.02: one over the scale of negatives, 25 times that of positives) and "proxy_anchor"
        (1/32). The lower, the more only the nearest negatives count.
    distance : {"euclidean", "sqeuclidean", "cosine"}, optional
        Distance in the embedding. By default the loss takes "euclidean" for "contrastive" and "nce", "sqeuclidean" for
        "nca", and "cosine" for the others ("sqeuclidean" where ``normalize=False``), and ``pair_distance`` and
        ``threshold_`` are Euclidean. "cosine" implies ``normalize=True``.
    normalize : bool, default=True
        Scale embeddings to unit length. In two dimensions that leaves a circle, in one only two points: for a map, use
        False.
    n_negatives : int, optional
        For pairs that are all alike: negatives of each pair, drawn uniformly from the points that come second, and
        anew for every batch, whose pairs share them. By default the second points of the batch's other pairs are the
        negatives (but for those that go with the same anchor), so that frequent points are frequent negatives.
    memory_size : int, default=0
        For labels: how many of the latest items, as they were embedded in their batches, the items of a batch are
        compared with too, in a second loss that is added. More negatives, which lag a little behind.
    cached_batch_size : int, optional
        Embed so many rows of a batch at a time, and once more for the gradient: ``batch_size`` may then be as large as
        the loss alone allows, at the price of a second pass.
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
        :class:`skmetric.Rows`, which the candidates of a search share. ``X`` then holds pairs of indices, of shape
        (n, 2), or for labels one index a row, of shape (n,).
    unlabeled : object, optional
        The label, -1 say, of rows whose class is not known. They help to scale the inputs, and are in no batch, no
        neighbors of ``predict``, and left out of ``score``.
    batch_size : int, default=64
        Most rows in a batch: two a pair, and ``n_negatives``.
    samples_per_class : int, default=4
        Fewest rows of a class in a batch. With few classes, more rows of each fill the batch.
    max_iter : int, default=100
        Epochs, of as many draws as there are rows. With more classes than fit into a batch, every row is drawn about
        once; with fewer, every class equally often. Every pair is drawn once.
    learning_rate : float, default=0.005
        Highest rate of AdamW; it rises to it over the first 30% of the steps and falls to nearly zero after them.
    weight_decay : float, default=0.05
        Of AdamW.
    early_stopping : bool, default=False
        Hold out ``validation_fraction`` of each class (of the pairs), stop when their ``score`` no longer rises, and
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
        The classes of ``fit``; -1 and 1 for pairs.
    tuple_size_ : int or None
        2 where ``fit`` had pairs, None where it had rows.
    loss_ : str
        The loss that was trained.
    threshold_ : float
        For pairs: the distance up to which ``predict`` calls them alike. ``fit`` takes the one of highest accuracy on
        its own pairs, which is too small where the network knows them by heart: see ``calibrate_threshold``.
    n_features_in_ : int
        Columns of ``X``.
    feature_names_in_ : ndarray of str
        Their names, where ``X`` had names.
    n_iter_ : int
        Epochs run.
    history_ : list of dict
        One an epoch: ``train_loss``, the mean ``positive_distance`` and ``negative_distance`` of its last batch,
        ``valid_score`` where there is early stopping, and ``dur`` in seconds.

    See Also
    --------
    TripletEmbedder : Triplets, mined or given.

    Notes
    -----
    ``score`` is MAP@R for labels, the area under the ROC curve for pairs. Fitted on pairs, ``predict``,
    ``decision_function``, ``predict_proba`` and ``score`` take pairs; ``transform`` always takes points. Where
    there are fewer points than places in a batch, each is embedded once a batch, however many pairs it is in.

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

    Pairs, of places in a table:

    >>> import numpy as np
    >>> pairs = np.random.default_rng(0).integers(0, len(X), (300, 2))
    >>> alike = np.where(y[pairs[:, 0]] == y[pairs[:, 1]], 1, -1)
    >>> embedder = ContrastiveEmbedder(preprocessor=X, max_iter=20, device="cpu", random_state=0)
    >>> embedder.fit(pairs[:200], alike[:200]).predict(pairs[200:204]), alike[200:204]
    (array([-1, -1,  1, -1]), array([-1, -1,  1, -1]))
    """

    _parameter_constraints: ClassVar[dict[str, list]] = {
        **PairClassifier._embedder_constraints,
        "loss": [StrOptions({*LOSSES, "auto"})],
        "margin": [Interval(Real, 0, None, closed="neither"), None],
        "temperature": [Interval(Real, 0, None, closed="neither"), None],
        "distance": [StrOptions(set(DISTANCES)), None],
        "n_negatives": [Interval(Integral, 1, None, closed="left"), None],
        "memory_size": [Interval(Integral, 0, None, closed="left")],
        "cached_batch_size": [Interval(Integral, 1, None, closed="left"), None],
    }

    _tuple_size = 2
    _instead_of_collapse = "raise temperature or margin, try another loss"

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
                "y must hold the classes of the last fit, whose proxies warm_start=True goes on with, "
                f"{last.classes.tolist()}; got {classes.tolist()}. Set warm_start=False."
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
                f"n_negatives is for pairs that are all alike; got n_negatives={self.n_negatives} and labels, which "
                "bring negatives of their own. Leave it None."
            )
        elif self.memory_size and LOSSES[choice.loss].has_proxies:
            raise ValueError(
                f"memory_size must be 0 for loss={choice.loss!r}, which compares rows with proxies only; got "
                f"memory_size={self.memory_size}."
            )

    def _check_for_pairs(self, has_both: bool, has_similar: bool, choice: EmbedderChoice) -> None:
        loss = LOSSES[choice.loss]
        if loss.has_proxies:
            raise ValueError(
                f"loss={choice.loss!r} needs labels, one proxy a class; pairs have none. Use another loss."
            )
        if self.memory_size:
            raise ValueError(
                f"memory_size is for labels; got memory_size={self.memory_size} and pairs. Set it to 0, and raise "
                "batch_size (with cached_batch_size where memory is short) for more negatives."
            )
        if not has_similar and choice.negatives != "given":
            raise ValueError("y must hold pairs that are alike, 1; all are -1, and nothing would be close to anything.")
        if has_both and self.n_negatives is not None:
            raise ValueError(
                f"n_negatives is for pairs that are all alike; got n_negatives={self.n_negatives} and pairs that are "
                "not alike, -1. Leave it None, or leave those pairs out."
            )
        if self.n_negatives is not None and self.batch_size < self.n_negatives + 4:
            raise ValueError(
                f"batch_size must hold n_negatives and two pairs; got batch_size={self.batch_size} and "
                f"n_negatives={self.n_negatives}. Make it several times n_negatives: {4 * self.n_negatives}, say."
            )
        if has_both and not loss.is_of_pairs:
            warn_caller(
                f"loss={choice.loss!r} tells pairs that are alike from the rest of their batch, and does not push the "
                "given pairs apart that are not alike, -1. For that, use loss='contrastive' or 'nce'."
            )

    def _batching(self, choice: EmbedderChoice) -> EmbedderBatching:
        return replace(
            super()._batching(choice),
            n_negatives=self.n_negatives or 0,
            chunk_length=self.cached_batch_size,
            memory_size=self.memory_size,
            # Blocks tell the classes of a batch apart, but not from what is remembered, nor by number.
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
        own = LOSSES[choice.loss].distance
        return self.distance or ("sqeuclidean" if own == "cosine" and not self.normalize else own)

    def _length_scale(self, choice: EmbedderChoice) -> float:
        loss = LOSSES[choice.loss]
        scale = self.margin or loss.margin or self.temperature or loss.temperature or 1.0
        return float(np.sqrt(scale) if self._resolved_distance(choice) == "sqeuclidean" else scale)

    def _decided(
        self, prepared: Prepared[EmbedderData, EmbedderChoice], embeddings: NDArray[np.float32]
    ) -> dict[str, Any]:
        return {**super()._decided(prepared, embeddings), "loss_": prepared.choice.loss}

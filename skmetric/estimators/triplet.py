"""Embedders: rows of a table to points whose distances mean something."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from numbers import Integral, Real
from typing import Any, ClassVar, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.exceptions import ConvergenceWarning

from skmetric._sklearn_compat import Interval, StrOptions, fit_context
from skmetric.engine import (
    FitPlan,
    FitResult,
    Stream,
    TrainedNetwork,
    Validation,
    constant,
    open_stream,
)
from skmetric.estimators._base import TorchEstimator, all_or_nothing, not_fitted
from skmetric.estimators._classes import check_classes, hold_out, map_at_r_validation
from skmetric.estimators._embedder import EmbedderMixin
from skmetric.estimators._neighbors import NeighborVote
from skmetric.estimators._triplets import TripletObjective
from skmetric.losses.distance import DISTANCES
from skmetric.losses.triplet import MININGS
from skmetric.nn import NetworkSpec
from skmetric.sampling import ClassBatchSampler

__all__ = ["TripletEmbedder"]

# An embedding whose rows are this much closer together than they should be has collapsed.
COLLAPSED = 0.01


class TripletEmbedder(EmbedderMixin, TorchEstimator):
    r"""Embedding of a table, learned from class labels with a triplet loss.

    A network :math:`f` is trained so that an anchor a is closer to a positive p, a row of its class, than to a negative
    n, a row of another class, by a margin m:

    .. math:: \max(0, d(f(a), f(p)) - d(f(a), f(n)) + m),

    over triplets mined in batches of P classes x K rows. The embedding serves neighbours search, clustering,
    retrieval, pictures, and as features for other estimators; ``predict`` is a nearest-neighbours classifier in it.

    Parameters
    ----------
    n_components : int, default=16
        Width of the embedding.
    margin : float, default=0.5
        How much closer a positive should be than a negative, in units of ``distance``: with unit length and
        "euclidean", distances lie between 0 and 2. The one parameter most worth a search.
    mining : {"semihard", "all", "hard", "easy", "random"}, default="semihard"
        Which triplets of a batch count; see :func:`skmetric.losses.batch_triplet_loss`.
    distance : {"euclidean", "sqeuclidean", "cosine"}, default="euclidean"
        Distance in the embedding. "cosine" implies ``normalize=True``.
    normalize : bool, default=True
        Scale embeddings to unit length. In two dimensions that leaves a circle, in one only two points: for a map, use
        False.
    soft : bool, default=False
        Softplus in place of the hinge: triplets beyond the margin still count a little.
    hidden_layer_sizes : sequence of int, default=(256,)
        Widths of the hidden layers; an empty one gives a linear embedding.
    dropout : float, default=0.2
        Share of the hidden activations set to zero while training.
    scale_inputs : bool, default=True
        Standardise each column inside the network and bend values beyond about three standard deviations smoothly;
        then neither the units of a column nor its outliers matter. False takes the columns as given.
    module : callable, optional
        ``(n_features_in, n_components) -> torch.nn.Module``: a network of your own in place of the layers above; it
        gets the rows as given.
    batch_size : int, default=64
        Most rows in a batch.
    samples_per_class : int, default=4
        Fewest rows of a class in a batch. With few classes, more rows of each fill the batch.
    max_iter : int, default=100
        Epochs, of as many draws as there are rows. With more classes than fit into a batch, every row is drawn about
        once; with fewer, every class equally often.
    learning_rate : float, default=0.005
        Highest rate of AdamW; it rises to it over the first 30% of the steps and falls to nearly zero after them.
    weight_decay : float, default=0.05
        Of AdamW.
    early_stopping : bool, default=False
        Hold out ``validation_fraction`` of each class, stop when their MAP@R no longer rises, and keep the best
        weights.
    validation_fraction : float, default=0.1
        What early stopping holds out.
    n_iter_no_change : int, default=10
        Epochs without a better MAP@R after which early stopping stops.
    n_neighbors : int, default=5
        Neighbours that ``predict`` asks.
    device : str or torch.device, default="auto"
        "cpu", "cuda", "cuda:1", "mps", ..., or a torch.device; "auto" takes a GPU where there is one.
    random_state : int, RandomState instance or None, default=None
        Decides initial weights, batches and dropout. The same int gives the same embedding, bit for bit on a CPU.
    warm_start : bool, default=False
        Let ``fit`` go on from the weights and the input scaling of the last fit.
    callbacks : list of skorch callbacks, optional
        Notified of training and epochs, not of batches; they see the history, the network (``module_``) and the
        optimiser (``optimizer_``, whose "lr" is a factor on the rate above). Those that act within an epoch are an
        error; ``Checkpoint`` wants ``monitor=None``. scikit-learn's own callbacks are set by ``set_callbacks``.
    verbose : int, default=0
        Above 0, one line an epoch is printed.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The classes of ``fit``.
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
    skmetric.losses.batch_triplet_loss : The loss and its minings.
    sklearn.neighbors.NeighborhoodComponentsAnalysis : A linear embedding without batches.

    Notes
    -----
    ``score`` is MAP@R, not accuracy: it judges the embedding, also on classes that were never trained on. As a
    classifier, the estimator makes an integer ``cv`` stratify.

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
        **TorchEstimator._parameter_constraints,
        "n_components": [Interval(Integral, 1, None, closed="left")],
        "margin": [Interval(Real, 0, None, closed="neither")],
        "mining": [StrOptions(set(MININGS))],
        "distance": [StrOptions(set(DISTANCES))],
        "normalize": ["boolean"],
        "soft": ["boolean"],
        "samples_per_class": [Interval(Integral, 2, None, closed="left")],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        n_components: int = 16,
        *,
        margin: float = 0.5,
        mining: str = "semihard",
        distance: str = "euclidean",
        normalize: bool = True,
        soft: bool = False,
        hidden_layer_sizes: Sequence[int] = (256,),
        dropout: float = 0.2,
        scale_inputs: bool = True,
        module: Callable[[int, int], torch.nn.Module] | None = None,
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
        self.scale_inputs = scale_inputs
        self.module = module
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

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def fit(
        self, X: ArrayLike, y: ArrayLike, *, X_val: ArrayLike | None = None, y_val: ArrayLike | None = None
    ) -> Self:
        """Learn an embedding in which rows of one class are closer to each other than to other rows.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows, converted to float32.
        y : array-like of shape (n,)
            Their classes: numbers, strings or booleans. At least two classes, one of them with two rows.
        X_val, y_val : array-like, optional
            Rows and classes to stop early by, in place of rows held out from X; they need ``early_stopping=True``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For bad input, and when the loss becomes NaN or infinite. The estimator is then as it was before.

        Warns
        -----
        ConvergenceWarning
            When the embedding has collapsed to a point.
        """
        plan = self._plan(X, y, X_val=X_val, y_val=y_val)
        self._finish(plan, self._train(plan))
        self.__dict__.pop("_moments", None)
        return self

    @all_or_nothing
    @fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None = None) -> Self:
        """Learn from some more rows, for one epoch at a constant learning rate.

        ``predict`` then looks for neighbours among these rows, embedded after the epoch. A column is scaled by the
        rows of the first call in which it varies: let the first call's rows be typical. Nothing is held out.

        Parameters
        ----------
        X : array-like of shape (n, n_features)
            The rows.
        y : array-like of shape (n,)
            Their classes.
        classes : array-like of shape (n_classes,), optional
            All classes that will ever come, in the first call; without it, the classes of the first call's ``y``.

        Returns
        -------
        self

        Raises
        ------
        ValueError
            For bad input, and for a class that the first call did not announce.
        """
        plan = self._plan_more(X, y, classes)
        result = self._train(plan)
        self._finish(plan, result, getattr(self, "history_", []))
        self._moments = result.moments
        return self

    def _plan(
        self, X: ArrayLike, y: ArrayLike, *, X_val: ArrayLike | None = None, y_val: ArrayLike | None = None
    ) -> FitPlan:
        rows, labels = self._check_rows(X, y)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        seed = self._seed_sequence()
        train: NDArray[np.integer] = np.arange(len(codes))
        validation = None
        if self.early_stopping and X_val is None and y_val is None:
            train, validation = hold_out(rows, codes, self.validation_fraction, open_stream(seed, Stream.HOLDOUT))
        elif self.early_stopping:
            validation = self._check_validation(X_val, y_val)
        elif X_val is not None or y_val is not None:
            raise ValueError("X_val and y_val are for early stopping; set early_stopping=True, or leave them out.")
        spec = self._spec()
        return self._plan_for(
            rows,
            labels,
            codes[train],
            train if self.early_stopping else None,
            spec=spec,
            seed=seed,
            validation=validation,
            initial_weights=self._initial_weights(spec, go_on=self.warm_start),
        )

    def _plan_more(self, X: ArrayLike, y: ArrayLike, classes: ArrayLike | None) -> FitPlan:
        is_first = not hasattr(self, "_network")
        rows, labels = self._check_rows(X, y, reset=is_first)
        if is_first:
            self.classes_ = np.unique(labels if classes is None else classes)
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise ValueError(
                f"classes must be the same in every call of partial_fit, {self.classes_.tolist()}; "
                f"got {np.unique(classes).tolist()}. Call fit to start anew."
            )
        unknown = np.setdiff1d(labels, self.classes_)
        if len(unknown):
            raise ValueError(
                f"y must hold the classes that the first call of partial_fit announced, {self.classes_.tolist()}; "
                f"got {unknown.tolist()} too. Pass all of them as classes= in the first call."
            )
        spec = self._spec()
        plan = self._plan_for(
            rows,
            labels,
            np.searchsorted(self.classes_, labels),
            None,
            spec=spec,
            # Each call draws from a stream of its own, or every epoch would see the same batches.
            seed=np.random.SeedSequence(self._seed_sequence().entropy, spawn_key=(len(getattr(self, "history_", [])),)),
            initial_weights=self._initial_weights(spec, go_on=True),
        )
        return replace(plan, max_iter=1, schedule=constant, stopping=None, moments=getattr(self, "_moments", None))

    def _plan_for(
        self, X: NDArray, y: NDArray, codes: NDArray[np.integer], rows: NDArray[np.integer] | None, **decided: Any
    ) -> FitPlan:
        spec: NetworkSpec = decided.pop("spec")
        sampler = ClassBatchSampler(
            codes, batch_size=self.batch_size, samples_per_class=self.samples_per_class, rows=rows
        )
        return FitPlan(
            network=spec,
            objective=TripletObjective(sampler.samples_per_class, self.mining, self.distance, self.soft),
            hyperparameters={"margin": float(self.margin)},
            sampler=sampler,
            X=X,
            row_weights=None if rows is None else np.bincount(rows, minlength=len(X)),
            targets=y,
            **self._training(),
            **decided,
        )

    def _spec(self) -> NetworkSpec:
        # A cosine does not see lengths: rows of unit length are the same embedding, ready for Euclidean neighbours.
        normalize = self.normalize or self.distance == "cosine"
        return self._network_spec(
            self.n_features_in_, self.n_components, hidden_layer_sizes=self.hidden_layer_sizes, normalize=normalize
        )

    def _check_rows(self, X: ArrayLike, y: ArrayLike, *, reset: bool = True) -> tuple[NDArray, NDArray]:
        rows, labels = self._check_input(X, y, reset=reset, ensure_min_samples=2)
        check_classes(labels)
        return rows, labels

    def _check_validation(self, X_val: ArrayLike | None, y_val: ArrayLike | None) -> Validation:
        if X_val is None or y_val is None:
            raise ValueError("X_val and y_val must be given together; got only one of them.")
        rows, labels = self._check_input(X_val, y_val, reset=False)
        return map_at_r_validation(rows, labels)

    def _finish(self, plan: FitPlan, result: FitResult, history: Sequence[dict[str, Any]] = ()) -> None:
        self._adopt(plan, result, history)
        self._warn_if_collapsed(self._neighbors.embeddings)

    def _fitted_attributes(self, network: TrainedNetwork, plan: FitPlan) -> dict[str, Any]:
        # The rows that predict looks for neighbours among are kept as embeddings only.
        embeddings = network.apply(plan.X, self.device)
        if not np.isfinite(embeddings).all():
            raise ValueError(not_fitted(self, "the embedding of its training rows is not finite"))
        neighbors = NeighborVote(embeddings, np.searchsorted(self.classes_, plan.targets))
        return {**super()._fitted_attributes(network, plan), "_neighbors": neighbors, "_distance": self.distance}

    def _warn_if_collapsed(self, embeddings: NDArray[np.float32]) -> None:
        spread = float(np.sqrt(np.square(embeddings - embeddings.mean(axis=0)).sum(axis=1).mean()))
        # Unit length spans the unit sphere; otherwise the margin is the only scale there is.
        margin = np.sqrt(self.margin) if self.distance == "sqeuclidean" else self.margin
        if spread < COLLAPSED * (1.0 if self._network.spec.normalize else margin):
            warnings.warn(
                f"{type(self).__name__}'s embedding has collapsed to a point (spread {spread:.1e}): every distance is "
                "near 0 and nothing can be told apart. Lower learning_rate, use mining='semihard' or 'all', or look "
                "for columns that tell the classes apart.",
                ConvergenceWarning,
                stacklevel=6,  # past the decorators, to the call of fit
            )

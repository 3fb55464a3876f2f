"""Early stopping, warm starts, partial fits and callbacks."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.callback import ProgressBar, ScoringMonitor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import (
    Callback,
    Checkpoint,
    EarlyStopping,
    EpochScoring,
    GradientNormClipping,
    LoadInitState,
    LRScheduler,
    TrainEndCheckpoint,
)

from skmetric.estimators.embedding.triplet import TripletEmbedder
from skmetric.metrics import map_at_r_scorer


def make(**params):
    return TripletEmbedder(**{"n_components": 4, "max_iter": 4, "device": "cpu", "random_state": 0, **params})


# Early stopping


def test_early_stopping_keeps_the_best_weights(blobs):
    X, y = blobs
    embedder = make(early_stopping=True, n_iter_no_change=5, max_iter=200).fit(
        X[::2], y[::2], X_val=X[1::2], y_val=y[1::2]
    )
    scores = [epoch["valid_score"] for epoch in embedder.history_]
    assert embedder.n_iter_ == len(scores) < 200
    assert embedder.score(X[1::2], y[1::2]) == pytest.approx(max(scores), abs=1e-9)
    assert np.argmax(scores) == embedder.n_iter_ - 1 - 5


def test_held_out_rows_are_not_trained_on_but_remembered(blobs):
    X, y = blobs
    embedder = make(early_stopping=True, validation_fraction=0.2).fit(X, y)
    assert len(embedder._neighbors) == len(y)
    assert {"valid_score"} <= embedder.history_[0].keys()


def test_validation_rows_pass_a_pipeline(blobs):
    from sklearn import config_context

    X, y = blobs
    with config_context(enable_metadata_routing=True):
        embedder = make(early_stopping=True).set_fit_request(X_val=True, y_val=True)
        pipeline = make_pipeline(StandardScaler(), embedder, transform_input=["X_val"])
        pipeline.fit(X[::2], y[::2], X_val=X[1::2], y_val=y[1::2])
    scaled = StandardScaler().fit(X[::2])
    direct = make(early_stopping=True).fit(
        scaled.transform(X[::2]), y[::2], X_val=scaled.transform(X[1::2]), y_val=y[1::2]
    )
    assert [e["valid_score"] for e in pipeline[-1].history_] == [e["valid_score"] for e in direct.history_]


@pytest.mark.parametrize(
    ("params", "given", "message"),
    [
        ({}, {"X_val": "X", "y_val": "y"}, "early_stopping=True"),
        ({"early_stopping": True}, {"X_val": "X"}, "given together"),
        ({"early_stopping": True}, {"y_val": "y"}, "given together"),
        ({"early_stopping": True}, {"X_val": "X", "y_val": "singletons"}, "y_val must hold two classes"),
        ({"early_stopping": True, "validation_fraction": 0.001}, {}, "validation_fraction must hold out two rows"),
    ],
)
def test_validation_that_cannot_be_scored_is_an_error(blobs, params, given, message):
    X, y = blobs
    values = {"X": X, "y": y, "singletons": np.arange(len(y))}
    with pytest.raises(ValueError, match=message):
        make(**params).fit(X, y, **{name: values[value] for name, value in given.items()})


# Continued training


def test_warm_start_goes_on(blobs):
    X, y = blobs
    embedder = make(warm_start=True).fit(X, y)
    first = embedder.history_[0]["train_loss"]
    embedder.fit(X, y)
    assert embedder.history_[0]["train_loss"] < first
    assert embedder.n_iter_ == 4


def test_a_second_fit_starts_anew(blobs):
    X, y = blobs
    embedder = make().fit(X, y)
    first = embedder.transform(X)
    np.testing.assert_array_equal(embedder.fit(X, y).transform(X), first)


def test_warm_start_with_another_shape_is_an_error(blobs):
    embedder = make(warm_start=True).fit(*blobs)
    with pytest.raises(ValueError, match="parameters must keep the network of the last fit"):
        embedder.set_params(n_components=5).fit(*blobs)


def test_warm_start_needs_the_columns_of_the_last_fit(blobs):
    X, y = blobs
    table = pd.DataFrame(X, columns=[f"x{i}" for i in range(X.shape[1])])
    embedder = make(warm_start=True, max_iter=1).fit(table, y)
    before = embedder.transform(table)
    with pytest.raises(ValueError, match=r"X must have the columns of the last fit in their order .*warm_start=True"):
        embedder.fit(table[table.columns[::-1]], y)
    with pytest.raises(ValueError, match=r"X must have the columns of the last fit .*, got 1 columns"):
        embedder.fit(X[:, :1], y)
    np.testing.assert_array_equal(embedder.transform(table), before)
    assert embedder.set_params(warm_start=False).fit(table[table.columns[::-1]], y).n_iter_ == 1


def test_partial_fit_learns_epoch_by_epoch(blobs):
    X, y = blobs
    embedder = make()
    losses = []
    for _ in range(20):
        embedder.partial_fit(X, y)
        losses.append(embedder.history_[-1]["train_loss"])
    assert embedder.n_iter_ == 20
    assert len(embedder.history_) == 20
    assert np.mean(losses[-5:]) < np.mean(losses[:5])
    assert embedder.score(X, y) > make().partial_fit(X, y).score(X, y)


def test_partial_fit_predicts_from_its_last_rows(blobs):
    X, y = blobs
    embedder = make().partial_fit(X, y, classes=[0, 1, 2])
    embedder.partial_fit(X[y != 2], y[y != 2])
    assert set(embedder.predict(X)) == {0, 1}
    np.testing.assert_array_equal(embedder.classes_, [0, 1, 2])


def test_partial_fit_goes_on_from_fit(blobs):
    X, y = blobs
    embedder = make(max_iter=30).fit(X, y)
    before = embedder.score(X, y)
    embedder.set_params(learning_rate=1e-4).partial_fit(X, y)
    assert embedder.n_iter_ == 31
    assert embedder.score(X, y) == pytest.approx(before, abs=0.05)


def test_partial_fit_scales_a_column_when_it_first_varies(blobs):
    X, y = blobs
    constant = X.copy()
    constant[:, 2:] = 7
    streamed = make().partial_fit(constant, y)
    assert (streamed.transform(X) == streamed.transform(constant)).all()
    for _ in range(30):
        streamed.partial_fit(X, y)
    assert streamed.score(X, y) > make(max_iter=30).fit(X[:, :2], y).score(X[:, :2], y) + 0.02


def test_read_only_validation_rows(blobs):
    X, y = blobs
    frozen = X.copy()
    frozen.flags.writeable = False
    assert "valid_score" in make(early_stopping=True).fit(X, y, X_val=frozen, y_val=y).history_[0]


def test_partial_fit_names_classes_it_was_not_told_of(blobs):
    X, y = blobs
    embedder = make().partial_fit(X, y)
    with pytest.raises(
        ValueError, match=r"classes of the first call .*\[0, 1, 2\], got also \[7\]. Pass all classes as classes="
    ):
        embedder.partial_fit(X, np.where(y == 2, 7, y))
    with pytest.raises(ValueError, match="classes must be the same in every call"):
        embedder.partial_fit(X, y, classes=[0, 1])


# Callbacks


class Recorder(Callback):
    def __init__(self):
        self.seen = []

    def on_train_begin(self, net, **kwargs):
        self.seen.append("train")

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(net.history[-1, "train_loss"])
        net.history.record("learning_rate_factor", net.optimizer_.param_groups[0]["lr"])

    def on_train_end(self, net, **kwargs):
        self.seen.append("end")


def test_skorch_callbacks_look_on(blobs):
    recorder = Recorder()
    embedder = make(callbacks=[recorder]).fit(*blobs)
    assert recorder.seen == ["train", *[epoch["train_loss"] for epoch in embedder.history_], "end"]
    assert [epoch["learning_rate_factor"] for epoch in embedder.history_] == [1.0] * 4


def test_a_skorch_callback_may_stop_training(blobs):
    stop = EarlyStopping(
        monitor="train_loss", patience=2, threshold=100.0, threshold_mode="abs", sink=lambda text: None
    )
    embedder = make(max_iter=50, callbacks=[stop]).fit(*blobs)
    assert embedder.n_iter_ == 3


class SlowDown(Callback):
    def on_epoch_begin(self, net, **kwargs):
        net.optimizer_.param_groups[0]["lr"] = 0.0


def test_a_callback_may_change_the_rate(blobs):
    X, y = blobs
    still = make(callbacks=[SlowDown()]).fit(X, y).transform(X)
    np.testing.assert_allclose(still, make(learning_rate=1e-12).fit(X, y).transform(X), atol=1e-5)


class SetRate(Callback):
    """Changes the learning rate as documented by skorch."""

    def __init__(self, name):
        self.name = name

    def on_train_begin(self, net, **kwargs):
        net.set_params(**{self.name: 0.0})


@pytest.mark.parametrize("name", ["lr", "optimizer__lr"])
def test_a_callback_may_change_the_rate_by_set_params(blobs, name):
    X, y = blobs
    still = make(callbacks=[SetRate(name)]).fit(X, y).transform(X)
    np.testing.assert_allclose(still, make(learning_rate=1e-12).fit(X, y).transform(X), atol=1e-5)


@pytest.mark.parametrize("kind", [Checkpoint, TrainEndCheckpoint])
def test_checkpoints_hold_the_weights(blobs, tmp_path, kind):
    settings = {} if kind is TrainEndCheckpoint else {"monitor": None}
    checkpoint = kind(dirname=str(tmp_path), f_pickle=None, **settings)
    embedder = make(callbacks=[checkpoint]).fit(*blobs)
    (saved,) = tmp_path.glob("*params.pt")
    weights = torch.load(saved, weights_only=True)
    np.testing.assert_array_equal(weights["layers.0.weight"][0], embedder._network.weights["layers.0.weight"])


def test_a_scheduler_of_torch_turns_the_rate(blobs):
    X, y = blobs
    recorder = Recorder()
    embedder = make(callbacks=[recorder, LRScheduler("StepLR", step_size=1, gamma=0.5)]).fit(X, y)
    assert [epoch["learning_rate_factor"] for epoch in embedder.history_] == [1.0, 0.5, 0.25, 0.125]
    # The learning rate that callbacks see is the one that is used: the same result by hand, epoch by epoch.
    by_hand = make(callbacks=[Halve()]).fit(X, y)
    np.testing.assert_array_equal(embedder.transform(X), by_hand.transform(X))
    assert not np.allclose(embedder.transform(X), make().fit(X, y).transform(X), atol=1e-3)


class Halve(Callback):
    def on_epoch_end(self, net, **kwargs):
        net.progress.stack.optimizer.param_groups[0]["lr"] /= 2


def test_a_scheduler_that_turns_momentum_too_finds_it(blobs):
    embedder = make(callbacks=[LRScheduler("CyclicLR", base_lr=0.1, max_lr=1.0)]).fit(*blobs)
    assert np.isfinite(embedder.history_[-1]["train_loss"])


@pytest.mark.filterwarnings("ignore::skorch.exceptions.DeviceWarning")
def test_a_loaded_state_of_the_optimizer_still_turns_the_rate(blobs, tmp_path):
    X, y = blobs
    checkpoint = TrainEndCheckpoint(dirname=str(tmp_path), f_pickle=None)
    stopped = LRScheduler("StepLR", step_size=1, gamma=0.0)
    make(callbacks=[checkpoint, stopped]).fit(X, y)
    embedder = make(callbacks=[LoadInitState(checkpoint), Recorder()]).fit(X, y)
    assert embedder.history_[0]["learning_rate_factor"] == 0.0
    # With a learning rate of 0, no epoch changes the weights.
    losses = make(callbacks=[LoadInitState(checkpoint)], max_iter=1).fit(X, y).transform(X)
    np.testing.assert_array_equal(embedder.transform(X), losses)


@pytest.mark.parametrize(
    "callback",
    [
        GradientNormClipping(1.0),
        GradientNormClipping,
        ("named", EpochScoring("accuracy")),
        LRScheduler(step_every="batch"),
    ],
)
def test_a_callback_without_effect_is_an_error(blobs, callback):
    with pytest.raises(ValueError, match="acts on single batches and would have no effect"):
        make(callbacks=[callback]).fit(*blobs)


def test_scikit_learn_callbacks_may_predict(blobs):
    X, y = blobs
    monitor = ScoringMonitor(scoring=["accuracy"])
    embedder = make().set_callbacks(monitor).fit(X, y)
    assert monitor.get_logs().data[-1]["accuracy"] == (embedder.predict(X) == y).mean()


def test_scikit_learn_callbacks_see_every_epoch(blobs):
    X, y = blobs
    monitor = ScoringMonitor(scoring={"map": map_at_r_scorer})
    embedder = make().set_callbacks(monitor).fit(X, y)
    scores = [task["map"] for task in monitor.get_logs().data]
    assert len(scores) == embedder.n_iter_
    assert scores[-1] == embedder.score(X, y)
    assert scores[0] != scores[-1]


def test_a_progress_bar_reaches_the_end(blobs, capsys):
    make().set_callbacks(ProgressBar()).fit(*blobs)
    assert "100%" in capsys.readouterr().out


def test_verbose_prints_a_line_an_epoch(blobs, capsys):
    make(verbose=1).fit(*blobs)
    printed = capsys.readouterr().out.splitlines()
    assert printed[0].split()[0] == "epoch"
    assert "train_loss" in printed[0]
    assert len(printed) == 2 + 4
    make().fit(*blobs)
    assert capsys.readouterr().out == ""


def test_a_fit_without_callbacks_loads_no_compiler():
    script = (
        "import sys, numpy as np\n"
        "from skmetric import TripletEmbedder\n"
        "TripletEmbedder(max_iter=1, device='cpu').fit(np.eye(8), [0, 1] * 4)\n"
        "sys.exit('torch._dynamo' in sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0

import json

import pytest

from benchmarks.__main__ import main
from benchmarks.harness import Figure, alternate, at_least, at_most, compare, stopwatch


def test_sides_take_turns():
    order = []
    sides = {name: lambda name=name: order.append(name) or len(order) for name in "ab"}
    assert alternate(sides, 3) == {"a": [1, 3, 5], "b": [2, 4, 6]}
    assert order == list("ababab")


def test_a_ratio_is_that_of_medians():
    figure = compare("time", {"a": [4.0, 2.0, 30.0], "b": [1.0, 2.0, 3.0]}, "a", "b", target=at_most(1.5))
    assert (figure.value, figure.is_met) == (2.0, False)
    assert figure.details["rounds_s"] == {"a": [4.0, 2.0, 30.0], "b": [1.0, 2.0, 3.0]}


@pytest.mark.parametrize(
    ("target", "value", "is_met"),
    [
        (at_least(2), 2, True),
        (at_least(2), 1, False),
        (at_most(2), 2, True),
        (at_most(2), 3, False),
        (at_least(2), float("nan"), False),
        (at_most(2), float("nan"), False),
        (None, 1, None),
    ],
)
def test_targets(target, value, is_met):
    assert Figure("", value, target=target).is_met is is_met


def test_a_stopwatch_repeats_a_short_call():
    calls = []
    measure = stopwatch(lambda: calls.append(None), shortest=1e-3)
    warm_up = len(calls)
    assert 0 < measure() < 1e-3
    assert len(calls) > warm_up + 1


def test_a_missed_target_is_printed_and_written(tmp_path, capsys):
    def benchmark(*, quick):
        yield Figure("slow", 3.0, "x", at_most(1), details={"quick": quick})

    main(["stub", "--quick", "--output", str(tmp_path / "results.json")], benchmarks={"stub": benchmark})
    assert "NO" in capsys.readouterr().out
    results = json.loads((tmp_path / "results.json").read_text())
    (run,) = results["benchmarks"]
    assert run["figures"][0]["is_met"] is False
    assert run["figures"][0]["details"] == {"quick": True}
    assert {"versions", "cpu_count", "torch_threads"} <= results["machine"].keys()


def test_an_unknown_name_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["stub"], benchmarks={"other": None})
    assert "NAME must be any of other" in capsys.readouterr().err

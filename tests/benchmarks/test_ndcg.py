import numpy as np

from benchmarks.ndcg import draw_lists, our_values, peer_values, run


def test_both_sides_compute_the_same():
    lists = draw_lists(200)
    peer = peer_values(lists, 150)
    assert (peer == 0).any()  # nothing relevant
    assert (np.diff(np.sort(lists.score.reshape(200, 10), axis=1)) == 0).any()  # ties
    for each in (lists, lists.shuffled()):
        assert np.abs(our_values(each)[:150] - peer).max() < 1e-10


def test_figures(monkeypatch):
    monkeypatch.setattr("benchmarks.ndcg.QUICK_N_LISTS", 300)
    monkeypatch.setattr("benchmarks.ndcg.in_fresh_process", lambda *_: "0.25 0.5\n")
    ratios, memory = (list(part) for part in np.split(np.array(list(run(quick=True)), dtype=object), 2))
    assert [figure.name for figure in ratios] == [
        f"300 lists, {name}: loop / ours" for name in ("in order", "shuffled")
    ]
    assert [figure.value for figure in memory] == [0.5, 0.5]

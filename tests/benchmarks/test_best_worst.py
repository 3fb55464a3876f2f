import csv
import gzip

import numpy as np
import pytest

from benchmarks.__main__ import main
from benchmarks.best_worst import FOLDER, JUDGMENTS, PUBLISHED, run
from skmetric.preferences import best_worst_scores


@pytest.fixture
def data(tmp_path):
    """A small table in the format of the published one, whose scores have three decimals."""
    rng = np.random.default_rng(0)
    tuples = np.repeat([rng.choice(20, size=4, replace=False) for _ in range(60)], 6, axis=0)
    best, worst = tuples[:, 0], tuples[:, 3]
    (tmp_path / FOLDER).mkdir()
    with gzip.open(tmp_path / FOLDER / JUDGMENTS, "wt", newline="") as file:
        rows = np.column_stack([tuples, best, worst])
        csv.writer(file).writerows([["Item1", "Item2", "Item3", "Item4", "BestItem", "WorstItem"], *rows.tolist()])
    with (tmp_path / FOLDER / PUBLISHED).open("w", newline="") as file:
        scores = best_worst_scores(tuples, best, worst).round(3)[:-1]
        lines = [[item, "post", score] for item, score in enumerate(scores.tolist())]
        csv.writer(file).writerows([["comment_id", "post_id", "offensiveness_score"], *lines])
    return tmp_path


def test_scores_are_reproduced(data):
    figures = {figure.name: figure for figure in run(data / FOLDER, quick=True)}
    assert figures["largest difference from the published, 1e-3"].value <= 0.5
    assert all(figure.is_met is not False for figure in figures.values())


def test_runs_with_data_only(data, capsys):
    main(["best_worst", "--quick", "--data", str(data)])
    assert "split-half reliability" in capsys.readouterr().out
    main(["best_worst", "--quick"])
    assert "best_worst: skipped, it needs --data FOLDER with ruddit_bws/ inside" in capsys.readouterr().out
    main(["best_worst", "--quick", "--data", str(data / FOLDER)])
    assert "best_worst: skipped" in capsys.readouterr().out

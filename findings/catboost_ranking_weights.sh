#!/usr/bin/env bash
# CatBoostRanker 1.2.10: half of the groups get weight 100, the others 1, equal within each group. With QueryRMSE, the
# leaves of one tree move. With YetiRank, the default loss, sample_weight hardly moves them, while group_weight does.
# With LambdaMart, no weights move them at all.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet catboost==1.2.10 numpy==2.4.6
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import numpy as np
from catboost import CatBoostRanker, __version__

rng = np.random.default_rng(0)
X = rng.integers(0, 2, size=(400, 1)).astype(float)
y = np.clip(np.round(X[:, 0] + 0.8 * rng.normal(size=400) + 1.5), 0, 3)
groups = np.repeat(np.arange(40), 10)
weights = np.where(groups < 20, 100.0, 1.0)


def leaves(loss, **weighting):
    model = CatBoostRanker(
        loss_function=loss, iterations=1, depth=1, learning_rate=1, l2_leaf_reg=0, random_strength=0,
        bootstrap_type="No", random_seed=0, verbose=False, allow_writing_files=False, thread_count=1,
    )
    return model.fit(X, y, group_id=groups, **weighting).predict([[0.0], [1.0]])


moves = {}
for loss in ("QueryRMSE", "YetiRank", "LambdaMart"):
    plain = leaves(loss)
    for name in ("sample_weight", "group_weight"):
        weighted = leaves(loss, **{name: weights})
        moves[loss, name] = np.abs(weighted - plain).max()
        print(f"catboost {__version__} {loss:10} {name:13} {plain.round(3)} -> {weighted.round(3)}")
assert moves["QueryRMSE", "sample_weight"] > 0.02
assert moves["YetiRank", "sample_weight"] < 0.01 < 0.05 < moves["YetiRank", "group_weight"]
assert moves["LambdaMart", "sample_weight"] == moves["LambdaMart", "group_weight"] == 0
PYTHON

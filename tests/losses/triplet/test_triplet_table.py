"""Hand-computed values for each loss function, mining, distance and soft.

The gaps d_ap - d_an + margin of the chosen triplets are written out. A loss is the mean of max(0, gap), or of softplus.
"""

import math

import pytest
import torch

from skmetric.losses import batch_triplet_loss, block_triplet_loss, block_triplet_shares, triplet_shares
from skmetric.losses.triplet.loss import MININGS
from tests.losses.triplet.enumeration import EVERY_MINING

# Class 0 is A, B, C and class 1 is D, E. Distances on the line: AB 2, AC 6, BC 4, AD 3, AE 7, BD 1, BE 5, CD 3, CE 1,
# DE 4. Cosines: AB .6, AC 0, AD .8, AE -1, BC .8, BD .96, BE -.6, CD .6, CE 0, DE -.8.
LINE = [[0.0, 0.0], [2.0, 0.0], [6.0, 0.0], [3.0, 0.0], [7.0, 0.0]]
ANGLES = [[1.0, 0.0], [3.0, 4.0], [0.0, 2.0], [4.0, 3.0], [-1.0, 0.0]]
POINTS = {"euclidean": LINE, "sqeuclidean": LINE, "cosine": ANGLES}
MARGIN = {"euclidean": 2.0, "sqeuclidean": 10.0, "cosine": 0.5}
LABELS = [0, 0, 0, 1, 1]

# "all": pair by pair AB, AC, BA, BC, CA, CB with negatives D, E; then DE and ED with negatives A, B, C.
# "hard", "easy": anchors A to E. "semihard": pairs AB, AC, BA, BC, CA, CB, DE, ED.
GAPS = {
    ("euclidean", "all"): [1, -3, 5, 1, 3, -1, 5, 1, 5, 7, 3, 5, 3, 5, 3, -1, 1, 5],
    ("euclidean", "hard"): [5, 5, 7, 5, 5],
    ("euclidean", "easy"): [1, 3, 5, 5, 5],
    ("euclidean", "semihard"): [1, 1, -1, 1, 5, 3, 3, 1],
    ("sqeuclidean", "all"): [5, -35, 37, -3, 13, -11, 25, 1, 37, 45, 17, 25, 17, 25, 17, -23, 1, 25],
    ("sqeuclidean", "hard"): [37, 25, 45, 25, 25],
    ("sqeuclidean", "easy"): [5, 13, 25, 25, 25],
    ("sqeuclidean", "semihard"): [5, -3, -11, 1, 37, 17, 17, 1],
    ("cosine", "all"): [.7, -1.1, 1.3, -.5, .86, -.7, .66, -.9, 1.1, .5, .3, -.3, 2.1, 2.26, 1.9, .3, .7, 1.3],
    ("cosine", "hard"): [1.3, 0.86, 1.1, 2.26, 1.3],
    ("cosine", "easy"): [0.7, 0.66, 0.3, 2.26, 1.3],
    ("cosine", "semihard"): [-1.1, -0.5, -0.7, -0.9, 0.5, 0.3, 1.9, 0.3],
}  # fmt: skip

# The block form needs classes of equal size: row E is drawn twice. Its copy is one more negative of A, B and C, one
# more positive of D, and one more anchor. The two copies are not a pair. These triplets are added:
TWICE = {
    "all": lambda gaps: gaps[1:12:2] + gaps[12:18],
    "hard": lambda gaps: gaps[4:],
    "easy": lambda gaps: gaps[4:],
    "semihard": lambda gaps: gaps[6:],
}

# Random mining without a choice: D is the only negative and has no positive. Pairs AB, AC, BA, BC, CA, CB.
ONLY_D = {
    "euclidean": [1, 5, 3, 5, 5, 3],
    "sqeuclidean": [5, 37, 13, 25, 37, 17],
    "cosine": [0.7, 1.3, 0.86, 0.66, 1.1, 0.3],
}

TABLE = [(distance, mining, gaps) for (distance, mining), gaps in GAPS.items()]
RANDOM = [(distance, "random", gaps) for distance, gaps in ONLY_D.items()]


def test_each_mining_is_in_the_table():
    assert {mining for _, mining, _ in TABLE + RANDOM} == set(EVERY_MINING) == set(MININGS)


def value(gaps, mining, soft):
    if soft:
        return sum(math.log1p(math.exp(gap)) for gap in gaps) / len(gaps)
    counted = [gap for gap in gaps if gap > 0] if mining == "all" else gaps
    return sum(max(0.0, gap) for gap in counted) / len(counted)


def points(distance, letters="ABCDE"):
    rows = [POINTS[distance]["ABCDE".index(letter)] for letter in letters]
    return torch.tensor(rows, dtype=torch.float64, requires_grad=True)


def check(loss, x, expected):
    assert loss.shape == ()
    assert loss.item() == pytest.approx(expected, rel=1e-12)
    loss.backward()
    assert x.grad.isfinite().all()


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("distance", "mining", "gaps"), TABLE)
def test_batch(distance, mining, gaps, soft):
    x = points(distance)
    loss = batch_triplet_loss(
        x, torch.tensor(LABELS), margin=MARGIN[distance], mining=mining, distance=distance, soft=soft
    )
    check(loss, x, value(gaps, mining, soft))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("distance", "mining", "gaps"), TABLE)
def test_block(distance, mining, gaps, soft):
    x = points(distance, "ABCDEE")
    rows = torch.tensor([0, 1, 2, 3, 4, 4])
    loss = block_triplet_loss(
        x, rows, samples_per_class=3, margin=MARGIN[distance], mining=mining, distance=distance, soft=soft
    )
    check(loss, x, value(gaps + TWICE[mining](gaps), mining, soft))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("distance", "mining", "gaps"), RANDOM)
def test_batch_random_without_a_choice(distance, mining, gaps, soft):
    x = points(distance, "ABCD")
    loss = batch_triplet_loss(
        x,
        torch.tensor([0, 0, 0, 1]),
        margin=MARGIN[distance],
        mining=mining,
        distance=distance,
        soft=soft,
        generator=torch.Generator().manual_seed(0),
    )
    check(loss, x, value(gaps, mining, soft))


@pytest.mark.parametrize("soft", [False, True])
@pytest.mark.parametrize(("distance", "mining", "gaps"), RANDOM)
def test_block_random_without_a_choice(distance, mining, gaps, soft):
    x = points(distance, "ABCDDD")
    loss = block_triplet_loss(
        x,
        torch.tensor([0, 1, 2, 3, 3, 3]),
        samples_per_class=3,
        margin=MARGIN[distance],
        mining=mining,
        distance=distance,
        soft=soft,
        generator=torch.Generator().manual_seed(0),
    )
    check(loss, x, value(gaps, mining, soft))


# gap <= 0 is easy, gap >= margin is hard; in the cosine row CA with negative E is a tie, which is hard
SHARES = [
    ("euclidean", 2.0, [3, 4, 11]),
    ("euclidean", 3.0, [3, 4, 11]),
    ("euclidean", 4.0, [1, 6, 11]),
    ("sqeuclidean", 10.0, [4, 3, 11]),
    ("cosine", 0.5, [5, 2, 11]),
]


@pytest.mark.parametrize(("distance", "margin", "counts"), SHARES)
def test_shares(distance, margin, counts):
    actual = triplet_shares(points(distance), torch.tensor(LABELS), margin=margin, distance=distance)
    torch.testing.assert_close(actual.detach(), torch.tensor(counts, dtype=torch.float64) / 18)


def test_block_shares():
    # ABC against D, E, E and back: the 12 gaps of TWICE["all"] are added
    gaps = GAPS["euclidean", "all"] + TWICE["all"](GAPS["euclidean", "all"])
    counts = [sum(g <= 0 for g in gaps), sum(0 < g < 2 for g in gaps), sum(g >= 2 for g in gaps)]
    actual = block_triplet_shares(
        points("euclidean", "ABCDEE"),
        torch.tensor([0, 1, 2, 3, 4, 4]),
        samples_per_class=3,
        margin=2.0,
        distance="euclidean",
    )
    torch.testing.assert_close(actual.detach(), torch.tensor(counts, dtype=torch.float64) / len(gaps))

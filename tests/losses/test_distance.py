import itertools
import math

import pytest
import torch

from skmetric.losses import cross_distance, pairwise_distance, triplet_margin_loss
from skmetric.losses import distance as distances
from tests.losses.triplet import enumeration
from tests.losses.triplet.enumeration import DISTANCES


def seeded(*shape, seed=0, dtype=torch.float64):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=dtype)


def test_margin_loss_is_its_formula():
    d_ap = torch.tensor([1.0, 1.0, 1.0, 3.0])
    d_an = torch.tensor([0.5, 1.25, 2.0, 1.0])
    expected = torch.tensor([1.0, 0.25, 0.0, 2.5])
    assert torch.equal(triplet_margin_loss(d_ap, d_an, margin=0.5), expected)


def test_margin_loss_broadcasts_and_takes_a_margin_tensor():
    d_ap = torch.tensor([[1.0], [2.0]])
    d_an = torch.tensor([1.0, 2.0, 4.0])
    margin = torch.tensor([[0.0], [1.0]])
    expected = torch.tensor([[0.0, 0.0, 0.0], [2.0, 1.0, 0.0]])
    assert torch.equal(triplet_margin_loss(d_ap, d_an, margin=margin), expected)


def test_margin_loss_does_not_hide_a_nan():
    nan, one = torch.tensor(math.nan), torch.tensor(1.0)
    assert triplet_margin_loss(nan, one, margin=0.5).isnan()
    assert triplet_margin_loss(one, nan, margin=0.5).isnan()


@pytest.mark.parametrize(
    ("distance", "expected"),
    [("euclidean", [[0, 5], [5, 0]]), ("sqeuclidean", [[0, 25], [25, 0]]), ("cosine", [[0, 0.4], [0.4, 0]])],
)
def test_hand_computed(distance, expected):
    x = torch.tensor([[2.0, 0.0], [5.0, 4.0]]) if distance != "cosine" else torch.tensor([[2.0, 0.0], [3.0, 4.0]])
    torch.testing.assert_close(pairwise_distance(x, distance=distance), torch.tensor(expected, dtype=torch.float32))


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("leading", [(), (2,), (2, 3), (0,)])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_shape_and_values(distance, leading, n):
    x = seeded(*leading, n, 4)
    actual = pairwise_distance(x, distance=distance)
    assert actual.shape == (*leading, n, n)
    for index in itertools.product(*(range(size) for size in leading)):
        one, d = x[index], actual[index]
        torch.testing.assert_close(d, enumeration.distances(one, distance), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("n", "d"), [(9, 1), (9, 3), (33, 17), (70, 64), (300, 5)])
@pytest.mark.parametrize("offset", [0.0, 100.0])
def test_equal_rows_are_exactly_equal(distance, dtype, n, d, offset):
    unique = seeded(n, d, dtype=dtype) + offset
    copies = torch.randint(n, (n,), generator=torch.Generator().manual_seed(1))
    x = torch.cat([unique, unique[copies]])
    origin = torch.cat([torch.arange(n), copies])
    actual = pairwise_distance(x, distance=distance)
    equal_pairs = origin[:, None] == origin[None, :]
    assert (actual[equal_pairs] == 0).all()
    # copies of one row have equal rows and equal columns of distances
    assert torch.equal(actual, actual[origin][:, origin])
    assert (actual >= 0).all()


@pytest.mark.parametrize("distance", DISTANCES)
def test_dtype_is_kept(distance):
    for dtype in (torch.float32, torch.float64):
        assert pairwise_distance(seeded(5, 3, dtype=dtype), distance=distance).dtype == dtype


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradcheck(distance):
    x = seeded(2, 5, 3).requires_grad_()
    assert torch.autograd.gradcheck(lambda x: pairwise_distance(x, distance=distance), x)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("n", [3, 70])
def test_gradient_with_duplicate_rows(distance, n):
    weight = seeded(2 * n, 2 * n, seed=1)
    grads = []
    for function in (pairwise_distance, enumeration.distances):
        x = seeded(n, 4).repeat(2, 1).requires_grad_()
        value = function(x, distance=distance) if function is pairwise_distance else function(x, distance)
        (value * weight).sum().backward()
        grads.append(x.grad)
    assert grads[0].isfinite().all()
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("distance", DISTANCES)
def test_all_rows_equal_has_zero_gradient(distance):
    x = torch.full((4, 3), 0.7, dtype=torch.float64).requires_grad_()
    pairwise_distance(x, distance=distance).sum().backward()
    torch.testing.assert_close(x.grad, torch.zeros_like(x), rtol=0, atol=1e-15)


@pytest.mark.parametrize("distance", DISTANCES)
def test_nan_stays_in_its_row_and_column(distance):
    x = seeded(5, 3)
    x[2, 1] = math.nan
    actual = pairwise_distance(x, distance=distance)
    others = torch.tensor([0, 1, 3, 4])
    assert actual[2, others].isnan().all()
    assert actual[others, 2].isnan().all()
    assert actual[others][:, others].isfinite().all()


def test_unknown_distance():
    with pytest.raises(ValueError, match="distance") as caught:
        pairwise_distance(torch.zeros(3, 2), distance="manhattan")
    for word in ("manhattan", *DISTANCES):
        assert word in str(caught.value)


@pytest.mark.parametrize("distance", DISTANCES)
@pytest.mark.parametrize("differences", [1, 40, 70])
def test_rows_may_take_turns(monkeypatch, distance, differences):
    x, others = (seeded(2, n, 5, seed=n).requires_grad_() for n in (9, 4))
    slopes = {n: seeded(2, 9, n, seed=n) for n in (9, 4)}

    def values_and_gradients():
        d, across = pairwise_distance(x, distance=distance), cross_distance(x, others, distance=distance)
        return d, *torch.autograd.grad(d, x, slopes[9]), across, *torch.autograd.grad(across, (x, others), slopes[4])

    together = values_and_gradients()
    monkeypatch.setattr(distances, "DIFFERENCES", differences)
    for whole, in_turns in zip(together, values_and_gradients(), strict=True):
        torch.testing.assert_close(in_turns, whole, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("distance", ["sqeuclidean", "cosine"])
def test_distances_can_be_filled_in_place(distance):
    x = seeded(5, 3).requires_grad_()
    pairwise_distance(x, distance=distance).fill_diagonal_(9.0).sum().backward()
    other = seeded(5, 3).requires_grad_()
    pairwise_distance(other, distance=distance).sum().backward()
    torch.testing.assert_close(x.grad, other.grad)

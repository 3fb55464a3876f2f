from dataclasses import dataclass

import numpy as np
import pytest
import torch

from skmetric._core.engine import fit_stack, split_into_stacks
from skmetric._core.engine.tables import open_table, share_table
from skmetric._core.engine.training import TrainingStack
from skmetric._core.nn import Columns, EncodedRows, PlainInputs
from tests._core.engine.plans import CPU, FEATURES, Shuffled, assert_same, make_items_plan, with_dropout


def rows_through_the_network(plan, n_models=2):
    """Return the number of rows that each call of the first step embeds."""
    stack = TrainingStack([plan] * n_models, CPU)
    represent, seen = stack.network.represent, []

    def counted(x, keep=None):
        seen.append((x.shape[1], keep if keep is None else keep.shape[1]))
        return represent(x, keep)

    stack.network.represent = counted
    stack.train_step(next(stack.draw_epoch(0)))
    return seen


@pytest.mark.parametrize("on_disk", [False, True])
def test_items_find_their_rows(on_disk):
    tables = [np.arange(2 * n, dtype=np.float32).reshape(n, 2) + 100 * n for n in (3, 5)]
    if on_disk:
        tables = [EncodedRows(PlainInputs().fit(Columns(table), None), Columns(table)) for table in tables]
    rows = np.array([[[0, 2, 1, 1, -1, 2], [4, -1, 0, 3, 3, 3]], [[2] * 6, [4] * 6]])
    steps = list(share_table(tables, 8, CPU).batches(rows))
    assert len(steps) == 2
    for step, plain in zip(steps, open_table(tables, CPU).batches(rows), strict=True):
        assert step.x.shape == (2, 8, 2)
        np.testing.assert_array_equal(step.indices, plain.indices)
        found, is_item = step.x.flatten(0, 1)[step.positions].view_as(plain.x), plain.indices >= 0
        np.testing.assert_array_equal(found[is_item], plain.x[is_item])


def test_a_step_embeds_each_row_once():
    plain, shared = ({"share_rows": share} for share in (False, True))
    assert rows_through_the_network(make_items_plan(**plain)) == [(100, None)]
    assert rows_through_the_network(make_items_plan(**shared)) == [(64, None)]
    assert rows_through_the_network(make_items_plan(**with_dropout(shared))) == [(64, 64)]
    pieces = make_items_plan(**shared, chunk_length=40)
    assert rows_through_the_network(pieces) == [(40, None), (24, None)] * 2


@dataclass(frozen=True)
class Holes(Shuffled):
    """The first three slots of each batch hold no item."""

    def draw_epoch(self, rng):
        items = super().draw_epoch(rng)
        items[:, :3] = -1
        return items


@pytest.mark.parametrize("sampler", [Shuffled(400, 100), Holes(400, 100)], ids=["items", "holes"])
@pytest.mark.parametrize("more", [{}, {"spec": {"n_scores": 2}}, FEATURES["memory"], FEATURES["pieces"]], ids=str)
def test_embedding_rows_once_changes_rounding_only(sampler, more):
    plain, shared = (
        fit_stack([make_items_plan(seed, sampler=sampler, share_rows=share, **more) for seed in range(2)], device=CPU)
        for share in (False, True)
    )
    for result, other in zip(plain, shared, strict=True):
        for name, value in result.network.weights.items():
            np.testing.assert_allclose(other.network.weights[name], value, rtol=1e-3, atol=1e-4)


def test_where_it_makes_for_no_fewer_rows_nothing_changes():
    X = np.random.default_rng(0).normal(size=(65, 5)).astype(np.float32)
    plans = [make_items_plan(0, X, share_rows=share, **with_dropout({})) for share in (False, True)]
    assert plans[1].n_embedded == 100
    assert_same(*(fit_stack([plan], device=CPU)[0] for plan in plans))


def test_what_a_table_is_filled_up_with_has_no_part():
    # 20 rows padded to 64: the gradient is the same as without padding.
    plan = make_items_plan(share_rows=True)
    stack, other = TrainingStack([plan], CPU), TrainingStack([plan], CPU)
    step = next(stack.draw_epoch(0))
    shorter = step._replace(x=step.x[:, :20])
    before = stack.network.weights_of(0)
    for each, of in ((stack, step), (other, shorter)):
        each.train_step(of)
    for name, value in stack.network.weights_of(0).items():
        np.testing.assert_allclose(other.network.weights_of(0)[name], value, rtol=1e-5, atol=1e-6)
        assert not np.array_equal(value, before[name])


def test_tables_of_about_one_size_make_one_stack():
    rng = np.random.default_rng(0)

    def plan(seed, n):
        changes = with_dropout({"share_rows": True, "sampler": Shuffled(400, 200)})
        return make_items_plan(seed, rng.normal(size=(n, 5)).astype(np.float32), **changes)

    plans = [plan(0, 40), plan(1, 64), plan(2, 65), plan(3, 128), plan(4, 129)]
    assert [p.n_embedded for p in plans] == [64, 64, 128, 128, 192]
    assert sorted(split_into_stacks(plans, CPU, None)) == [[0, 1], [2, 3], [4]]
    for result, each in zip(fit_stack(plans[2:4], device=CPU), plans[2:4], strict=True):
        assert_same(result, fit_stack([each], device=CPU)[0])


def test_a_users_module_sees_each_row_once():
    seen = []

    class Watching(torch.nn.Linear):
        def forward(self, x):
            seen.append(len(x))
            return super().forward(x)

    plan = make_items_plan(share_rows=True, spec={"module": Watching}, max_iter=1)
    fit_stack([plan], device=CPU)
    assert seen == [2, *[64] * 4]

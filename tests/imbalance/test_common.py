"""The estimator checks of scikit-learn for LabelDensityWeighter, which learns from targets alone."""

import pytest
from sklearn.exceptions import SkipTestWarning
from sklearn.preprocessing import LabelEncoder
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import (
    check_estimator,
    check_estimator_cloneable,
    check_estimator_repr,
    check_estimator_tags_renamed,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
    check_valid_tag_types,
)

from skmetric.imbalance import LabelDensityWeighter

# All other checks fit rows.
WITHOUT_ROWS = [
    check_estimator_cloneable,
    check_estimator_repr,
    check_estimator_tags_renamed,
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
    check_valid_tag_types,
]


@pytest.mark.parametrize("check", WITHOUT_ROWS, ids=lambda check: check.__name__)
def test_scikit_learn_check(check):
    check("LabelDensityWeighter", LabelDensityWeighter())


def test_its_tags_say_that_it_takes_targets():
    """scikit-learn then knows that its checks of rows do not apply, as for its own LabelEncoder."""
    ours, like = get_tags(LabelDensityWeighter()), get_tags(LabelEncoder())
    assert not ours.input_tags.two_d_array
    assert (ours.input_tags.two_d_array, ours.target_tags.one_d_labels) == (
        like.input_tags.two_d_array,
        like.target_tags.one_d_labels,
    )
    assert ours.transformer_tags is not None
    with pytest.warns(SkipTestWarning, match="Can't test estimator LabelDensityWeighter which requires input"):
        check_estimator(LabelDensityWeighter())

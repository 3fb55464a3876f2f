"""Docstrings of the estimators: shared parameters have one text, and everything public is documented."""

import re
from ast import literal_eval
from inspect import getmembers, isfunction, signature
from itertools import groupby

import pytest
from numpydoc.docscrape import ClassDoc
from numpydoc.validate import validate
from sklearn.utils._testing import assert_docstring_consistency

from skmetric.estimators import all_estimators

ESTIMATORS = dict(all_estimators())
each_estimator = pytest.mark.parametrize("name", ESTIMATORS)

# Parameters with one text per task (embedding, ranking, regression), and why the tasks differ.
BY_TASK = {
    "n_components": "the width of the embedding, or of a hidden layer before the predictions",
    "hidden_layer_sizes": "a linear embedding, or linear predictions",
    "module": "replaces the whole network, or only the hidden layers",
    "max_iter": "embedders draw rows by class",
    "early_stopping": "the tasks hold out different data and have different scores",
    "metric": "rankings, or regression",
    "unlabeled": "rows of unknown class, or rows that are not judged",
    "temperature": "the losses of ContrastiveEmbedder have different temperatures, and one has none",
}
# Parameters with different texts within a task, and why.
BY_ESTIMATOR = {
    "loss": "each estimator has another table of losses",
    "margin": "the losses of ContrastiveEmbedder have different margins, and some have none",
    "distance": "the default of ContrastiveEmbedder depends on the loss",
    "preprocessor": "pairs, or triplets",
    "batch_size": "batches of PairwiseRanker and ListwiseRanker hold whole groups",
    "max_group_size": "memory depends on the losses",
}
# Attributes with one text in all estimators that have them.
ATTRIBUTES = ["feature_names_in_", "n_iter_", "has_groups_"]

# Errors of numpydoc's validation: parameters, types, descriptions and returned values that are missing or wrong.
CODES = {"GL01", "GL02", "GL03", "GL05", "GL06", "GL07", "GL08", "GL10", "SS01", "SS02", "SS03", "SS04", "SS06"}
CODES |= {"PR01", "PR02", "PR03", "PR04", "PR05", "PR07", "PR08", "PR09", "PR10", "RT01", "RT03", "RT04", "RT05"}
CODES |= {"SA02", "SA03", "SA04"}


def constructor_of(estimator):
    return signature(estimator).parameters


def estimators_with(parameter):
    return [each for each in ESTIMATORS.values() if parameter in constructor_of(each)]


def task_of(estimator):
    return estimator.__module__.split(".")[2]


def tasks_with(parameter):
    return [list(group) for _, group in groupby(sorted(estimators_with(parameter), key=task_of), key=task_of)]


def assert_one_text(parameter, estimators):
    """Only defaults may differ between estimators."""
    defaults = {repr(constructor_of(each)[parameter].default) for each in estimators}
    ignored = (parameter,) if len(defaults) > 1 else ()
    assert_docstring_consistency(estimators, include_params=[parameter], ignore_types=ignored)


def documented(estimator):
    return ClassDoc(estimator)["Parameters"]


SHARED = sorted(
    name
    for name in {name for each in ESTIMATORS.values() for name in constructor_of(each)}
    if len(estimators_with(name)) > 1
)


@pytest.mark.parametrize("parameter", [name for name in SHARED if name not in BY_TASK | BY_ESTIMATOR])
def test_a_shared_parameter_has_one_text(parameter):
    assert_one_text(parameter, estimators_with(parameter))


@pytest.mark.parametrize("parameter", BY_TASK)
def test_a_parameter_of_a_task_has_one_text(parameter):
    for estimators in tasks_with(parameter):
        assert_one_text(parameter, estimators)


@pytest.mark.parametrize("parameter", BY_TASK | BY_ESTIMATOR)
def test_a_listed_exception_is_needed(parameter):
    compared = [estimators_with(parameter)] if parameter in BY_TASK else tasks_with(parameter)
    assert not all(has_one_text(parameter, estimators) for estimators in compared)


def has_one_text(parameter, estimators):
    try:
        assert_one_text(parameter, estimators)
    except AssertionError:
        return False
    return True


@pytest.mark.parametrize("attribute", ATTRIBUTES)
def test_a_shared_attribute_has_one_text(attribute):
    having = [each for each in ESTIMATORS.values() if attribute in [a.name for a in ClassDoc(each)["Attributes"]]]
    assert len(having) > 1
    assert_docstring_consistency(having, include_attrs=[attribute])


@each_estimator
def test_parameters_are_documented_in_the_order_of_the_signature(name):
    assert [each.name for each in documented(ESTIMATORS[name])] == list(constructor_of(ESTIMATORS[name]))


@each_estimator
def test_documented_defaults_are_those_of_the_signature(name):
    in_signature = constructor_of(ESTIMATORS[name])
    for each in documented(ESTIMATORS[name]):
        written = re.search(r"default=(.+)$", each.type)
        default = in_signature[each.name].default
        if written is None:
            assert each.type.endswith(", optional"), f"{each.name} : {each.type}"
            assert default is None
        else:
            assert literal_eval(written.group(1)) == default, f"{each.name} : {each.type}"


@each_estimator
def test_each_loss_is_described_and_each_described_encoding_exists(name):
    """A new row of a table of losses needs a new line in the docstring of its estimator.

    A new encoding needs none: the user guide lists all encodings, by their own summaries.
    """
    for each in documented(ESTIMATORS[name]):
        if each.name in ("loss", "inputs"):
            (choices,) = ESTIMATORS[name]._parameter_constraints[each.name]
            described = re.findall(r'^- "(\w+)":', "\n".join(each.desc), re.MULTILINE)
            assert described
            assert choices.options >= set(described) if each.name == "inputs" else choices.options == set(described)


def public_methods(estimator):
    """Public methods that this package defines."""
    return [
        method
        for method, value in getmembers(estimator, isfunction)
        if not method.startswith("_") and value.__module__.startswith("skmetric")
    ]


NAMES = [f"skmetric.{name}" for name in ESTIMATORS]
NAMES += [f"skmetric.{name}.{method}" for name, each in ESTIMATORS.items() for method in public_methods(each)]


@pytest.mark.parametrize("name", NAMES)
def test_numpydoc_finds_no_error(name):
    errors = [(code, text) for code, text in validate(name)["errors"] if code in CODES]
    assert not errors

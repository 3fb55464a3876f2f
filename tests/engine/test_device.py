import pytest
import torch

from skmetric.engine import resolve_device


def test_the_cpu_is_always_there():
    assert resolve_device("cpu") == torch.device("cpu")


def test_auto_takes_what_is_there():
    assert resolve_device("auto").type == (
        "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    )


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "xla", "cpu:x"])
def test_what_is_not_there_is_an_error_that_lists_what_is(name):
    with pytest.raises(ValueError, match=r"device must be 'auto' or a device of this machine.*'cpu'"):
        resolve_device(name)

import pytest
import torch

from skmetric._core.engine import device as devices
from skmetric._core.engine import randomness, resolve_device


@pytest.fixture
def two_gpus(monkeypatch):
    """Pretend that there are two GPUs, and that the second is the current one of this thread."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    monkeypatch.setattr(torch.cuda, "current_device", lambda: 1)
    monkeypatch.setattr(torch.cuda, "init", lambda: None)
    monkeypatch.setattr(torch.cuda, "default_generators", ("of the first", "of the second"))


def test_the_cpu_is_always_there():
    assert resolve_device("cpu") == torch.device("cpu")


def test_auto_takes_what_is_there():
    others = {"mps", "cpu"} if torch.backends.mps.is_available() else {"cpu"}
    assert resolve_device("auto").type in ({"cuda"} if torch.cuda.is_available() else others)


@pytest.mark.parametrize("can_train", [True, False])
def test_auto_leaves_out_what_cannot_train(monkeypatch, can_train):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    monkeypatch.setattr(devices, "_mps_differentiates_distances", lambda: can_train)
    assert resolve_device("auto") == torch.device("mps" if can_train else "cpu")
    assert resolve_device("mps") == torch.device("mps")


def test_a_device_that_fails_cannot_train(monkeypatch):
    def not_implemented(*args, **kwargs):
        raise NotImplementedError("aten::_cdist_backward is not implemented for the MPS device")

    monkeypatch.setattr(torch, "cdist", not_implemented)
    devices._mps_differentiates_distances.cache_clear()
    assert not devices._mps_differentiates_distances()
    devices._mps_differentiates_distances.cache_clear()


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "", "xla", "cpu:x"])
def test_what_is_not_there_is_an_error_that_lists_what_is(name):
    with pytest.raises(ValueError, match=r"device must be 'auto' or a device of this machine.*'cpu'"):
        resolve_device(name)


@pytest.mark.parametrize(("name", "index"), [("auto", 1), ("cuda", 1), ("cuda:0", 0), ("cuda:1", 1)])
def test_a_gpu_comes_with_its_number(two_gpus, name, index):
    assert resolve_device(name) == torch.device("cuda", index)


@pytest.mark.parametrize(("name", "generator"), [("cuda", "of the second"), ("cuda:0", "of the first")])
def test_the_global_generator_is_that_of_the_device(two_gpus, name, generator):
    assert randomness.global_generators(torch.device(name)) == [torch.default_generator, generator]


def test_what_torch_holds_in_reserve_is_free_too(monkeypatch):
    for name, value in {"mem_get_info": (10, 100), "memory_reserved": 50, "memory_allocated": 20}.items():
        monkeypatch.setattr(torch.cuda, name, lambda device, value=value: value)
    assert devices.free_memory(torch.device("cuda", 0)) == 40
    assert devices.free_memory(torch.device("cpu")) > 1 << 20

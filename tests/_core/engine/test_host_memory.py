import pytest

from skmetric._core.engine.host_memory import UNKNOWN, free_host_memory

GIB = 1 << 30
MEMORY = (
    "MemTotal:       33554432 kB\nMemFree:         1048576 kB\nMemAvailable:    8388608 kB\nHugePages_Total:       0\n"
)
NEW, OLD = "sys/fs/cgroup/memory.", "sys/fs/cgroup/memory/memory."


def write(root, files):
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, 8 * GIB),
        ({f"{NEW}max": "max\n", f"{NEW}current": f"{GIB}\n"}, 8 * GIB),
        ({f"{NEW}max": f"{4 * GIB}\n", f"{NEW}current": f"{GIB}\n"}, 3 * GIB),
        (
            {f"{NEW}max": str(4 * GIB), f"{NEW}current": str(GIB), f"{NEW}stat": f"anon 5\ninactive_file {GIB}\n"},
            4 * GIB,
        ),
        ({f"{NEW}max": str(GIB), f"{NEW}current": str(2 * GIB)}, 0),
        ({f"{NEW}max": str(20 * GIB), f"{NEW}current": str(GIB)}, 8 * GIB),
        ({f"{OLD}limit_in_bytes": str(2 * GIB), f"{OLD}usage_in_bytes": str(GIB)}, GIB),
        ({f"{OLD}limit_in_bytes": "9223372036854771712", f"{OLD}usage_in_bytes": str(GIB)}, 8 * GIB),
    ],
)
def test_what_is_available_within_the_limit_of_a_container(tmp_path, limits, expected):
    write(tmp_path, {"proc/meminfo": MEMORY} | limits)
    assert free_host_memory(tmp_path) == expected


def test_other_systems_say_what_they_can(tmp_path, monkeypatch):
    pages = {"SC_AVPHYS_PAGES": 1000, "SC_PAGE_SIZE": 4096}
    monkeypatch.setattr("os.sysconf", pages.__getitem__)
    assert free_host_memory(tmp_path) == 4096000
    monkeypatch.delattr("os.sysconf")
    assert free_host_memory(tmp_path) == UNKNOWN


def test_this_machine_has_some():
    assert free_host_memory() > 1 << 20

from pathlib import Path

import skmetric


def test_it_is_of_this_version():
    lines = (Path(__file__).parents[1] / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f'version: "{skmetric.__version__}"' in lines

"""Tools: a begun stage is written whole, once, and as the house writes."""

from __future__ import annotations

import pathlib
import subprocess
import sys

import pytest
from tools import stage


def _house(root: pathlib.Path) -> pathlib.Path:
    for path in stage.FILES:
        (root / path).parent.mkdir(parents=True)
    return root


def test_a_begun_stage_is_clean(tmp_path: pathlib.Path) -> None:
    files = stage.begin("fog", _house(tmp_path))
    assert [f.name for f in files] == ["fog.py", "fog.py", "test_fog.py"]
    text = "".join(f.read_text() for f in files)
    assert "NAME" not in text and 'kernels.call("fog"' in text and "class Fog(Stage)" in text
    subprocess.run([sys.executable, "-m", "compileall", "-q", tmp_path], check=True)


@pytest.mark.parametrize(("name", "word"), [("", "small letters"), ("Fog", "small letters"), ("2", "small letters")])
def test_a_name_that_is_none_is_refused(name: str, word: str, tmp_path: pathlib.Path) -> None:
    with pytest.raises(SystemExit, match=word):
        stage.begin(name, _house(tmp_path))


def test_nothing_is_replaced(tmp_path: pathlib.Path) -> None:
    kept = _house(tmp_path) / "kernels" / "fog.py"
    kept.write_text("mine")
    with pytest.raises(SystemExit, match=r"kernels.fog\.py exists"):
        stage.begin("fog", tmp_path)
    assert kept.read_text() == "mine" and not (tmp_path / "src/lichtbild/develop/fog.py").exists()

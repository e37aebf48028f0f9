"""The wheels: built for both processors, installed where there is no compiler, and used."""

from __future__ import annotations

import os
import pathlib
import struct
import subprocess
import sys
import venv
import zipfile

import pytest
from conftest import ROOT

pytestmark = pytest.mark.slow

MACHINES = {"x86-64-linux": ("x86_64", 62), "arm-64-linux": ("aarch64", 183)}  # of an ELF file


@pytest.fixture(scope="module", params=MACHINES)
def wheel(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, pathlib.Path]:
    folder = tmp_path_factory.mktemp("dist")
    line = [sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(folder), str(ROOT)]
    subprocess.run(line, check=True, env={**os.environ, "LICHTBILD_TARGET": request.param})
    (made,) = folder.glob("*.whl")
    return request.param, made


def test_what_is_in_it(wheel: tuple[str, pathlib.Path]) -> None:
    target, made = wheel
    platform, machine = MACHINES[target]
    assert "-py3-none-manylinux_2_" in made.name and made.name.endswith(f"_{platform}.whl")
    with zipfile.ZipFile(made) as archive:
        names = archive.namelist()
        library = archive.read("lichtbild/_kernels.so")
    assert library[:5] == b"\x7fELF\x02" and struct.unpack_from("<H", library, 18)[0] == machine
    held = {name for name in names if name.startswith("lichtbild/")}
    for folder in ("modes", "look/data", "sensor/data"):
        for path in (ROOT / "src/lichtbild" / folder).glob("*.toml"):
            assert f"lichtbild/{folder}/{path.name}" in held
    assert not [n for n in names if n.startswith(("tests/", "kernels/", "src/")) or n.endswith(".part")]
    assert made.stat().st_size < 12e6


def test_it_works_where_there_is_no_compiler(wheel: tuple[str, pathlib.Path], tmp_path: pathlib.Path) -> None:
    target, made = wheel
    if MACHINES[target][0] != os.uname().machine:
        pytest.skip("a wheel for another processor; its kernels run under emulation in test_arm.py")
    venv.create(tmp_path / "venv", with_pip=True)
    home = tmp_path / "venv/bin"
    bare = {"PATH": str(home), "HOME": str(tmp_path), "TMPDIR": str(tmp_path)}
    pip = {k: v for k, v in os.environ.items() if k.startswith("PIP_") or k.lower().endswith("_proxy")}
    subprocess.run([home / "pip", "install", "-q", str(made)], check=True, env={**pip, **bare})

    def lichtbild(*words: str) -> str:
        line = [str(home / "lichtbild"), *words]
        done = subprocess.run(line, cwd=tmp_path, env=bare, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    photograph = tmp_path / lichtbild("demo", "-o", "out").split()[-1]
    assert photograph.suffix == ".jpg" and photograph.stat().st_size > 50_000
    raw = next((tmp_path / "out").rglob("*.dng"))
    assert "DNG" in lichtbild("info", str(raw))
    lichtbild("develop", str(raw), "-o", "again.png")
    assert (tmp_path / "again.png").stat().st_size > 100_000

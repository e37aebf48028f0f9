"""What looks cost: compiling one, a table of one, and the kernels that apply look, table and grain, per core.

python -m bench.look [rows columns]        kernels on one thread, milliseconds per megapixel
python -m bench.look full                  all that a look does to a photograph of 12 MP on all cores, milliseconds
"""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Callable

import numpy as np

from lichtbild import kernels, look, recipe
from lichtbild.develop import film, micro, shading
from lichtbild.look import grain, lut, spec, tables
from lichtbild.types import Frame, Vignette

from . import clock
from . import finish as finish_bench

Work = Callable[[], object]


def picture(rows: int, columns: int) -> np.ndarray:
    """Smooth colours with some noise, (rows, columns, 3) uint16: as pictures are, neighbours are alike."""
    rng = np.random.default_rng(1)
    coarse = rng.random((rows // 40 + 1, columns // 40 + 1, 3)).repeat(40, 0).repeat(40, 1)[:rows, :columns]
    return np.clip((coarse * 0.95 + 0.03 * rng.random(coarse.shape)) * 65535, 0, 65535).astype(np.uint16)


def peer(coded: np.ndarray, values: np.ndarray) -> Work:
    """The same table over the same picture by OpenColorIO: tetrahedra, 32-bit floats with alpha, its fastest way."""
    import PyOpenColorIO as ocio

    table = ocio.Lut3DTransform(len(values))
    table.setInterpolation(ocio.INTERP_TETRAHEDRAL)
    table.setData(values.transpose(2, 1, 0, 3).ravel())
    processor = ocio.Config.CreateRaw().getProcessor(table).getDefaultCPUProcessor()
    rgba = np.ones((*coded.shape[:2], 4), np.float32)
    rgba[..., :3] = coded / np.float32(65535)
    out = rgba.copy()
    images = [ocio.PackedImageDesc(a, a.shape[1], a.shape[0], 4) for a in (rgba, out)]
    return lambda: processor.apply(*images)


def run(rows: int = 1500, columns: int = 2000, repeats: int = 12) -> dict[str, dict[str, float]]:
    """Best CPU and wall milliseconds per megapixel of the kernels on one thread, and milliseconds of the rest."""
    classic, negative = look.load("classic"), look.load("negative")
    made = look.compile(classic)
    coded = picture(rows, columns)
    scene = np.ascontiguousarray(np.moveaxis(coded, -1, 0) / np.float32(65535), np.float32)
    points = lut.grid(33)
    values = tables.display(made, points).astype(np.float32).reshape(33, 33, 33, 3)
    small = np.ascontiguousarray(points.T.reshape(3, 33 * 33, 33), np.float32)

    def compile_anew() -> None:
        tables.compile.cache_clear()
        look.compile(classic)

    def slider() -> None:
        tables.compile.cache_clear()
        look.apply(small, look.compile(classic, saturation=1.1))

    works = {
        "look (analytic)": (lambda: look.apply(scene, made), rows * columns / 1e6),
        "lut 33, 8 bits": (lambda: lut.apply(coded, lut.Table(values)), rows * columns / 1e6),
        "lut 33, 16 bits": (lambda: lut.apply(coded, lut.Table(values), bits=16), rows * columns / 1e6),
        "lut 33, OpenColorIO": (peer(coded, values), rows * columns / 1e6),
        "grain": (lambda: grain.apply(coded, negative), rows * columns / 1e6),
        "compile, ms": (compile_anew, 1.0),
        "slider to 33^3, ms": (slider, 1.0),
    }
    kernels.set_threads(1)
    try:
        found = {name: clock.best(work, repeats, scale) for name, (work, scale) in works.items()}
        for name in works:
            if not name.endswith("ms"):
                found[name]["mpix_s"] = round(1e3 / found[name]["cpu_ms_mp"])
        return found
    finally:
        kernels.set_threads(0)


def full(rows: int = 3000, columns: int = 4000, repeats: int = 10) -> dict[str, dict[str, float]]:
    """Best wall and CPU milliseconds of everything a look does, from the negative to the picture, and of its parts."""
    plain, values = finish_bench.negative(rows, columns), recipe.resolve().values
    wanted = dataclasses.replace(
        look.load("negative"),
        spatial=spec.Spatial(vignette_ev=-0.5, retain_lens=0.3, halation=1.0, grain=11.0),
        micro=spec.Micro(1.1, 1.2, 1.3, 1.3),
    )
    lens = shading.prepare(Frame(pathlib.Path(), "RGGB", np.zeros((rows, columns), np.uint16), None,
                                 np.zeros((1, 1, 1), np.float32), (1.0,),
                                 vignettes=(Vignette((0.5, 0.2, 0.0, 0.0, 0.0), (0.5, 0.5)),)))  # fmt: skip
    proxy = np.random.default_rng(1).random((3, rows // 4, columns // 4), np.float32)
    bare, made = dataclasses.replace(wanted, spatial=spec.Spatial(), micro=spec.Micro()), look.compile(wanted)
    assert plain.tone is not None
    tone = plain.tone

    def everything() -> None:
        mapped = micro.apply(tone, proxy, wanted, columns, 0.5)
        negative = film.halation(dataclasses.replace(plain, tone=mapped), wanted)
        film.picture(film.falloff(negative, wanted, 1.0, lens), wanted, made, values)

    works: dict[str, Work] = {
        "full look": everything,
        "tone and colour alone": lambda: film.picture(plain, bare, made, values),
        "with grain": lambda: film.picture(plain, wanted, made, values),
        "halation": lambda: film.halation(plain, wanted),
        "textures": lambda: micro.apply(tone, proxy, wanted, columns, 0.5),
        "falloff": lambda: film.falloff(plain, wanted, 1.0, lens),
    }
    found = clock.in_turn(works, repeats, 1.0)
    return {name: {"wall_ms": f["wall_ms_mp"], "cpu_ms": f["cpu_ms_mp"]} for name, f in found.items()}


if __name__ == "__main__":
    measured = full() if sys.argv[1:2] == ["full"] else run(*map(int, sys.argv[1:3]))
    for name, costs in measured.items():
        print(f"{name:22s}", costs)

"""A chart for the lab: slanted edges, colour patches from spectra, a grey wedge, dead leaves, a star, flat fields.

Everything is known in closed form: where an edge runs, what a patch reflects at each wavelength. `Scene.regions` names
the parts (top, left, height, width in canvas pixels); `Scene.spectra` holds the light and what the patches reflect.
Sources: edges [ISO12233], dead leaves [Cao2010].
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import spectra
from ..light import rgb_to_xyz
from ..stage import param
from ..types import F32, F64
from ._grid import pulses
from .spec import Canvas, Place, scene
from .types import Layer, Scene, SceneError

Region = tuple[int, int, int, int]  # top, left, height, width in canvas pixels
KINDS = ("page", "edge", "patches", "wedge", "leaves", "star", "flat")
LIGHTS = {"daylight": spectra.daylight(6504.0), "overcast": spectra.daylight(7500.0), "sun": spectra.daylight(5000.0),
          "tungsten": spectra.planck(2855.5), "warm": spectra.planck(3500.0)}  # fmt: skip
EDGE_DEG = 5.0  # from the vertical or horizontal
EDGE = (0.60, 0.15)  # reflectance left (or above) and right: a contrast of 4, so that no lens or sensor clips
GREY = 0.18
WEDGE_STEPS = 20  # 0.1 in density each
CYCLES = 72
# Smooth reflectances 1/(1+e^-(a + b·t + c·(t²-1/4))), t = (λ-560 nm)/160 nm: lightness, tilt to red, hollow or hump.
# The numbers are ours, chosen to look like the things they are named after.
PATCHES = {
    "dark skin": (-1.9, 1.6, 0.0), "light skin": (-0.1, 1.3, 0.6), "sky": (-1.2, -1.8, 0.0),
    "leaf": (-1.5, 0.3, -3.5), "lavender": (-0.7, -0.6, 1.8), "aqua": (0.0, -1.4, -2.2),
    "orange": (-0.6, 4.2, 0.0), "cornflower": (-2.0, -3.6, 1.0), "brick": (-1.7, 3.6, 1.0),
    "plum": (-2.4, 0.2, 3.6), "lime": (-0.1, 1.3, -5.0), "marigold": (0.3, 4.2, -1.2),
    "ultramarine": (-3.0, -5.0, 1.0), "grass": (-1.6, -0.8, -6.0), "poppy": (-2.4, 5.5, 2.0),
    "lemon": (0.9, 4.6, -2.8), "orchid": (-0.7, 1.6, 5.0), "lagoon": (-1.3, -3.8, -3.0),
}  # fmt: skip
GREYS = (0.90, 0.59, 0.36, 0.198, 0.09, 0.031)


def reflectances() -> F64:
    """(24, 81): the patches, row by row on the grid of `spectra.NM`; the last six are grey."""
    t = (spectra.NM - 560.0) / 160.0
    a, b, c = (v[:, None] for v in np.array(list(PATCHES.values())).T)
    coloured = 1 / (1 + np.exp(-(a + b * t + c * (t * t - 0.25))))
    return np.concatenate([coloured, np.array(GREYS)[:, None] * np.ones_like(t)])


def edge_line(region: Region, upright: bool) -> tuple[float, float, float]:
    """(a, b, d): the edge of a region is where a·x + b·y = d in canvas pixels (pixel centres at whole numbers).

    It runs through the middle of the region, EDGE_DEG off the vertical (or the horizontal); a² + b² = 1.
    """
    top, left, h, w = region
    angle = math.radians(EDGE_DEG)
    a, b = (math.cos(angle), math.sin(angle)) if upright else (-math.sin(angle), math.cos(angle))
    return a, b, a * (left + (w - 1) / 2) + b * (top + (h - 1) / 2)


def half_plane(a: float, b: float, d: float, x: F64, y: F64) -> F64:
    """Exact share of each pixel (square, 1 wide, centred at x, y) that lies where a·x + b·y > d; a² + b² = 1."""
    inside = a * x + b * y - d
    wide, narrow = max(abs(a), abs(b)), max(min(abs(a), abs(b)), 1e-9)

    def ramp(v: F64) -> F64:
        return np.asarray(np.maximum(v, 0) ** 2 / 2, np.float64)

    high, low = (wide + narrow) / 2, (wide - narrow) / 2
    area = ramp(inside + high) - ramp(inside + low) - ramp(inside - low) + ramp(inside - high)
    return np.asarray(area / (wide * narrow), np.float64)


@dataclass
class _Page:
    """The chart in the making: reflectance (H, W) or (3, H, W) of white's light, and its regions."""

    rgb: F32
    canvas: Canvas
    rng: np.random.Generator
    patch_rgb: F64  # (24, 3)
    regions: dict[str, Region]

    def place(self, name: str, u: float, v: float, wide: float, high: float) -> Region:
        """A region by its centre and size in shares of the frame's width and height; named unless the name is empty."""
        c = self.canvas
        h, w = max(2, round(high * c.height)), max(2, round(wide * c.width))
        top, left = round(v * c.height - h / 2) + c.margin, round(u * c.width - w / 2) + c.margin
        region = (max(top, 0), max(left, 0), h, w)
        if name:
            self.regions[name] = region
        return region

    def put(self, region: Region, value: F32 | F64 | float) -> None:
        """Fill a region with reflectance, (3, h, w) or what broadcasts to it."""
        top, left, h, w = region
        self.rgb[:, top : top + h, left : left + w] = value


def _edge(page: _Page, region: Region, upright: bool) -> None:
    top, left, h, w = region
    y, x = np.arange(top, top + h, dtype=np.float64)[:, None], np.arange(left, left + w, dtype=np.float64)[None, :]
    share = half_plane(*edge_line(region, upright), x, y)
    page.put(region, EDGE[0] + (EDGE[1] - EDGE[0]) * share)


def _patches(page: _Page, u: float, v: float, wide: float, high: float) -> None:
    for i, rgb in enumerate(page.patch_rgb):
        row, column = divmod(i, 6)
        at = (u + wide * ((column + 0.5) / 6 - 0.5), v + high * ((row + 0.5) / 4 - 0.5))
        page.put(page.place(f"patch_{i:02d}", *at, wide / 6 * 0.86, high / 4 * 0.86), rgb[:, None, None])


def _wedge(page: _Page, u: float, v: float, wide: float, high: float) -> None:
    for i in range(WEDGE_STEPS):
        at = u + wide * ((i + 0.5) / WEDGE_STEPS - 0.5)
        region = page.place(f"wedge_{i:02d}", at, v, wide / WEDGE_STEPS, high)
        page.put((region[0], region[1], region[2], region[3] + 1), 0.9 * 10 ** (-0.1 * i))  # no seam to the next


def _star(page: _Page, region: Region) -> None:
    """Black and white sectors, mixed where a pixel sees more than one."""
    h, w = region[2:]
    y, x = np.arange(h)[:, None] - (h - 1) / 2, np.arange(w)[None, :] - (w - 1) / 2
    radius = np.sqrt(x * x + y * y)
    turn = np.arctan2(y, x) * (CYCLES / math.tau)
    width = CYCLES / math.tau / np.maximum(radius, 0.5)
    share = pulses(turn.astype(np.float32), 0.5, np.minimum(width, 8).astype(np.float32))
    outside = np.clip(radius - (min(h, w) / 2 - 1.5), 0, 1)
    page.put(region, (EDGE[1] + (EDGE[0] - EDGE[1]) * share) * (1 - outside) + GREY * outside)


def _leaves(page: _Page, region: Region) -> None:
    """Overlapping discs whose radii fall as r⁻³: detail of every size, as a photograph of the world has."""
    h, w = region[2:]
    rng, height = page.rng, page.canvas.height
    smallest, largest = 0.0012, 0.10  # of the frame's height
    area = h * w / height**2
    count = math.ceil(6.0 * area / (2 * math.pi * smallest**2 * math.log(largest / smallest)))
    u = rng.random(count)
    radii = 1 / np.sqrt(smallest**-2 + u * (largest**-2 - smallest**-2)) * height
    x, y = rng.random(count) * w, rng.random(count) * h
    tone = rng.uniform(0.06, 0.62, (count, 1)) * rng.uniform(0.75, 1.25, (count, 3))
    patch = np.full((3, h, w), GREY, np.float32)
    seen = radii > 0.4  # px; what is smaller is grain far below the pixel
    for r, cx, cy, t in zip(radii[seen], x[seen], y[seen], tone[seen].astype(np.float32), strict=True):
        i0, i1 = max(0, int(cy - r - 1)), min(h, int(cy + r + 2))
        j0, j1 = max(0, int(cx - r - 1)), min(w, int(cx + r + 2))
        dy, dx = np.arange(i0, i1)[:, None] + 0.5 - cy, np.arange(j0, j1)[None, :] + 0.5 - cx
        share = np.clip(r - np.sqrt(dx * dx + dy * dy) + 0.5, 0, 1) * min(1.0, math.pi * r * r)
        part = patch[:, i0:i1, j0:j1]
        part += share.astype(np.float32) * (t[:, None, None] - part)
    page.put(region, patch)


def _page(page: _Page) -> None:
    """Everything on one sheet."""
    for name, u, v in (("centre", 0.5, 0.5), ("corner", 0.08, 0.11), ("far_corner", 0.92, 0.89)):
        _edge(page, page.place(f"edge_upright_{name}", u - 0.035, v, 0.07, 0.14), True)
        _edge(page, page.place(f"edge_level_{name}", u + 0.04, v, 0.07, 0.14), False)
    _patches(page, 0.24, 0.34, 0.34, 0.30)
    _wedge(page, 0.5, 0.67, 0.82, 0.08)
    _leaves(page, page.place("leaves", 0.76, 0.34, 0.34, 0.30))
    _star(page, page.place("star", 0.24, 0.86, 0.24, 0.24))
    for i, value in enumerate((0.72, GREY, 0.04)):
        page.put(page.place(f"flat_{i}", 0.45 + 0.12 * i, 0.86, 0.10, 0.18), value)
    for i in range(4):  # bars from 2 to 16 pixels a pair
        region = page.place(f"bars_{2 << i}", 0.34 + 0.11 * i, 0.10, 0.09, 0.10)
        phase = (np.arange(region[3]) + 0.5) / (2 << i)
        page.put(region, (EDGE[1] + (EDGE[0] - EDGE[1]) * (phase % 1 < 0.5))[None, None, :])


def _whole(page: _Page, kind: str, level: float) -> None:
    """One thing that fills the frame, and for flats and leaves the canvas."""
    c = page.canvas
    whole = (0, 0, *c.shape)
    parts: dict[str, Callable[[], None]] = {
        "edge": lambda: _edge(page, whole, True),
        "patches": lambda: _patches(page, 0.5, 0.5, 0.96, 0.94),
        "wedge": lambda: _wedge(page, 0.5, 0.5, 1.0, 1.0),
        "leaves": lambda: _leaves(page, whole),
        "star": lambda: _star(page, page.place("star", 0.5, 0.5, 1.0, 1.0)),
        "flat": lambda: page.put(whole, level),
    }
    parts[kind]()
    if kind in ("edge", "leaves", "flat"):
        page.regions[kind] = whole


@scene("chart", "slanted edges, colour patches, a grey wedge, dead leaves, a star, flat fields")
class Chart(Place):
    """One layer, flat, evenly lit."""

    kind: str = param("page", doc="the whole page, or one of its parts over the whole frame", choices=KINDS)
    light: str = param("daylight", doc="what it is lit by", choices=tuple(LIGHTS))
    lux: float = param(500.0, 0.001, 200000.0, "lx", "illuminance")
    level: float = param(GREY, 0.0, 1.0, "", "reflectance of kind = 'flat'")
    distance_m: float = param(2.0, 0.05, 1000.0, "m", "distance")

    def build(self, canvas: Canvas, seed: int) -> Scene:
        """Draw it."""
        if self.kind not in ("flat", "edge", "leaves") and min(canvas.height, canvas.width) < 48:
            raise SceneError(f"scene: chart needs a frame of at least 48x48, got {canvas.height}x{canvas.width}")
        light, shine = LIGHTS[self.light], reflectances()
        to_rgb = np.linalg.inv(rgb_to_xyz("rec2020"))
        white = _times(to_rgb, spectra.xyz(light, light)[None])[0]
        tints = np.maximum(_times(to_rgb, spectra.xyz(shine * light, light)) / white, 0)
        rgb = np.full((3, *canvas.shape), GREY, np.float32)
        page = _Page(rgb, canvas, np.random.default_rng([seed, 41]), tints, {})
        if self.kind == "page":
            _page(page)
        else:
            _whole(page, self.kind, self.level)
        rgb *= (white * self.lux / math.pi).astype(np.float32)[:, None, None]
        card = (white * self.lux / math.pi).astype(np.float32)[:, None, None]
        table = {"wavelength_nm": spectra.NM, "illuminant": light, "reflectance": shine}
        depth = np.full((1, 1), self.distance_m, np.float32)
        return Scene("chart", (Layer("chart", rgb, depth),), canvas.margin, card, self.lux, table, page.regions)


def _times(matrix: NDArray[Any], rows: NDArray[Any]) -> F64:
    """(n, 3): `matrix` times each row, summed in one order on every machine."""
    return np.asarray(sum(matrix[:, k] * rows[:, k : k + 1] for k in range(3)), np.float64)

"""Form the image: the light of a scene through a lens onto the image plane.

in    light (3, H + 2m, W + 2m) float32   the ideal image in cd/m², m pixels beyond the frame on each side
out   light (3, H, W) float32             on the image plane, in lux (neutral light of L lux is (L, L, L))

Order: distortion and lateral colour in one resampling, blur by a kernel that changes over the field, shading, and the
light that goes astray. Pixels are squares that collect light: the scene is drawn with each pixel's mean, which is the
pixel's own aperture; the kernels add the lens's.
"""

from __future__ import annotations

import functools

import numpy as np

from .. import kernels
from ..types import F32
from . import stray
from .fit import mixture
from .plane import Plane, bent_in, ideal, light_of
from .polynomials import coefficients
from .spec import Lens, LensError
from .tables import CELL, Tables, border, prepare


def reach(lens: Lens, plane: Plane) -> int:
    """Pixels of light that `apply` would like to have beyond each side of the frame: what is bent in, and blur.

    Raises LensError where the lens does not cover the frame.
    """
    return bent_in(lens, plane) + border(plane)


def apply(light: F32, lens: Lens, plane: Plane, out: F32 | None = None) -> F32:
    """The scene's `light` (3, H + 2m, W + 2m) in cd/m² → (3, H, W) in lux on the image plane. See the module.

    With less than `reach` pixels beyond the frame the border is repeated first, which costs a copy. `out`: an array
    to fill, for callers who form many images. Raises LensError where the lens does not cover the
    frame, or asks for light beyond what there is.
    """
    down, across = light_of(light.shape, plane)
    tables = prepare(lens, plane)
    if tables.bent_in > min(down, across):
        raise LensError(
            f"{lens.origin}: distortion.k = {list(lens.distortion.k)} maps outside the image: it asks for "
            f"{tables.bent_in} px of light beyond the frame, got {min(down, across)}; draw the scene with a margin of "
            f"{tables.bent_in}, or bend less"
        )
    if min(down, across) < tables.bent_in + border(plane):
        more = tables.bent_in + border(plane) - min(down, across)
        light = np.pad(light, ((0, 0), (more, more), (more, more)), mode="edge")
        down, across = down + more, across + more
    skirt, veil = glow(light, lens, plane, tables)
    out = np.empty((3, plane.height, plane.width), np.float32) if out is None else out
    kernels.call(
        "lens_fine" if plane.fine else "lens",
        light=light, across=tables.across, down=tables.down, gain=tables.gain, bank=tables.bank,
        taps=coefficients(), skirt=skirt, veil=veil, dense=tables.dense, margin_x=across, margin_y=down,
        first=tables.first, slack=tables.slack, width=plane.width, height=plane.height, output=out,
    )  # fmt: skip
    return out


def summed(image: F32, times: int) -> F32:
    """Means over `times` x `times` pixels of an image (…, H, W): what the sensor's pixels get of one drawn finer."""
    if times == 1:
        return image
    *planes, height, width = image.shape
    cut = image.reshape(*planes, height // times, times, width // times, times)
    return np.asarray(cut.mean((-3, -1)), np.float32)


@functools.lru_cache(maxsize=4)
def _sources(lens: Lens, plane: Plane) -> tuple[F32, F32]:
    """Pixels u, v (3, sh, sw) of the ideal image whose light lands at the nodes of the skirt."""
    nodes = [np.arange((n - 1) // stray.SKIRT + 2, dtype=np.float64) * stray.SKIRT for n in (plane.width, plane.height)]
    x, y = np.meshgrid(*nodes)
    places = np.stack([ideal(lens, plane, c, x, y) for c in range(3)]).astype(np.float32)
    return places[:, 0], places[:, 1]


def glow(light: F32, lens: Lens, plane: Plane, tables: Tables) -> tuple[F32, F32]:
    """Light spread over the skirts, at nodes every SKIRT pixels (3, sh, sw), and lux of the veil (3,)."""
    down, across = light_of(light.shape, plane)
    u, v = _sources(lens, plane)
    skirt = stray.at_nodes(stray.blobs(stray.reduced(light), mixture(lens, plane)), u + across, v + down)
    step = CELL // stray.SKIRT
    seen = skirt[:, ::step, ::step]
    gain = tables.gain[:, 1 : 1 + seen.shape[1], 1 : 1 + seen.shape[2]]
    return skirt, (lens.glare.veil * (seen * gain).mean((1, 2), dtype=np.float64)).astype(np.float32)

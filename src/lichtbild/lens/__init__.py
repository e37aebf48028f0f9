"""Lens — the glass: where light lands, how far it spreads, how much of it arrives.

    glass = lens.load("phone-main")
    plane = lens.Plane(3072, 4096, pitch_um=3.2)
    margin = lens.reach(glass, plane)            # pixels of scene wanted beyond the frame
    lux = lens.apply(light, glass, plane)        # light (3, 3072 + 2·margin, 4096 + 2·margin) in cd/m²

For exact sharpness draw twice as fine: `summed(apply(light, glass, plane.finer(2)), 2)`.
`ideal` and `image` are the exact way of a pixel through the distortion, back and forth: what truth needs.
"""

from .form import apply, reach, summed
from .plane import Plane, gain_maps, ideal, image, shading, warp
from .spec import Lens, LensError, load, names
from .spread import PointSpread, psf

__all__ = [
    "Lens", "LensError", "Plane", "PointSpread", "apply", "gain_maps", "ideal", "image", "load", "names", "psf",
    "reach", "shading", "summed", "warp",
]  # fmt: skip

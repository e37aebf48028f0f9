"""Merge: the frames of a handheld burst are laid over each other and become one picture with less noise.

in    codes (3, H, W) uint16 of each frame: square-root codes, in which noise is equally strong everywhere
out   codes of the reference's view, and what part of one frame's noise power is left where
Every frame is aligned to the reference, to a fraction of a pixel, moved into place and averaged. It is believed where
it differs from the reference by no more than noise and edges explain, so what moves is taken from the reference alone.
The frames are demosaiced first, in much noise by linear filters: what these get wrong falls elsewhere in each frame,
because the hand trembles, and averages out. (Averaging the samples of the mosaics by kernel regression instead, without
demosaicing, lost 2.4 dB on the burst of `make bench-night`: it blurs, and each colour goes alone.) What is kept does
not grow with the number of frames.
Sources: [Hasinoff2016] alignment in tiles; [Wronski2019] the robustness from noise and local variance.
"""

from __future__ import annotations

from ..stage import Stage, param, stage


@stage("merge", "the frames of a burst become one picture with less noise")
class Merge(Stage):
    """Parameters of merging."""

    frames: int = param(30, 1, 100, "", "frames that are merged at most")
    caution: float = param(1.0, 0.25, 4.0, "", "how readily a frame is doubted where it differs from the reference")
    zoom: float = param(1.0, 1.0, 2.0, "", "size of the picture: 2 = twice the pixels each way")

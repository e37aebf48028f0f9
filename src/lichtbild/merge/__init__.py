"""Merge: a handheld burst becomes one picture in three colours, without demosaicing the frames.

in    mosaics of half codes (H, W) uint16: square-root codes in 15 bits, in which noise is equally strong everywhere
out   codes (3, H, W) uint16 of the reference's view, and what part of one frame's noise power is left where
Every frame is aligned to the reference, to a fraction of a pixel. Around each pixel of the reference the samples of all
frames are averaged per colour, weighted by their distance and by how far the frame can be believed there: the
trembling hand brings the colours that a mosaic leaves out. A frame is believed where it differs from the reference by
no more than noise and texture explain, so what moves is taken from the reference alone, demosaiced, which counts as one
frame among the others. Memory does not grow with the number of frames.
Sources: [Wronski2019] kernel regression of a burst and its robustness; [Hasinoff2016] alignment in tiles.
"""

from __future__ import annotations

from ..stage import Stage, param, stage


@stage("merge", "the frames of a burst become one picture with less noise")
class Merge(Stage):
    """Parameters of merging."""

    frames: int = param(30, 1, 100, "", "frames that are merged at most")
    radius: float = param(1.5, 1.0, 2.0, "px", "how far around a pixel samples are taken")
    caution: float = param(1.0, 0.25, 4.0, "", "how readily a frame is doubted where it differs from the reference")

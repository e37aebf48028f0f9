"""What stands before the lens: layers of light that move, and what is known of them.

Scene light is linear Rec.2020 in cd/m²: its Y is luminance, a neutral of L cd/m² under D65 is (L, L, L).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ..types import F32, F64, LichtbildError


class SceneError(LichtbildError):
    """A scene that does not exist, a key that does not fit, or a picture that cannot be one."""


@dataclass(frozen=True)
class Sway:
    """A swing about the resting place, as of leaves in wind: amplitude·(sin(2πft + phase) - sin(phase))."""

    amplitude_px: tuple[float, float] = (0.0, 0.0)  # x, y
    frequency_hz: float = 0.5
    phase: float = 0.0


@dataclass(frozen=True)
class Motion:
    """How a layer moves in the image, in pixels of the reference frame; at t = 0 it is where it was drawn."""

    velocity_px_s: tuple[float, float] = (0.0, 0.0)  # x, y
    sway: Sway = Sway()
    angular_deg_s: float = 0.0  # counter-clockwise as seen, about `pivot_px`
    growth_s: float = 0.0  # what comes nearer grows by exp(growth·t) about `pivot_px`
    pivot_px: tuple[float, float] = (0.0, 0.0)  # x, y on the canvas

    def path(self, t_s: float | F64) -> F64:
        """(…, 2, 3): canvas position (x, y, 1) at t = 0 → position at `t_s` (…)."""
        t = np.asarray(t_s, np.float64)
        angle, scale = np.radians(-self.angular_deg_s * t), np.exp(self.growth_s * t)
        c, s = scale * np.cos(angle), scale * np.sin(angle)  # y points down: counter-clockwise is negative
        swing = np.sin(math.tau * self.sway.frequency_hz * t + self.sway.phase) - math.sin(self.sway.phase)
        px, py = self.pivot_px
        (vx, vy), (ax, ay) = self.velocity_px_s, self.sway.amplitude_px
        x = px - c * px + s * py + vx * t + ax * swing
        y = py - s * px - c * py + vy * t + ay * swing
        return np.stack([np.stack([c, -s, x], -1), np.stack([s, c, y], -1)], -2)

    @property
    def still(self) -> bool:
        """Whether nothing moves at any time."""
        return self == Motion(pivot_px=self.pivot_px)


@dataclass(frozen=True)
class Layer:
    """A sheet of light. `light` (3, h, w) cd/m², not multiplied by `alpha` (h, w) 0..1 (None = opaque).

    It covers the rows from `top` and the columns from `left` of the canvas and is empty outside: a walker need not
    fill a picture. `depth_m` broadcasts to (h, w); what is beyond all measure (the sky) lies at 1e5 m.
    """

    name: str
    light: F32
    depth_m: F32
    alpha: F32 | None = None
    motion: Motion = Motion()
    flicker_hz: float = 0.0  # of its lamps' light, 100 or 120; 0 = steady
    top: int = 0
    left: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of this layer."""
        return int(self.light.shape[1]), int(self.light.shape[2])


@dataclass(frozen=True)
class Scene:
    """Layers from far to near on one canvas (H, W), which exceeds the frame by `margin` pixels on each side.

    The first layer is opaque and fills the canvas. `illuminant` (3, h, w) is the light of a white card standing in
    each place, facing the camera, on a coarse grid over the canvas: Rec.2020, cd/m², its Y times π is the illuminance
    in lux. `spectra` holds tables of charts: "wavelength_nm" (n,), "illuminant" (n,), "reflectance" (patches, n).
    """

    name: str
    layers: tuple[Layer, ...]
    margin: int
    illuminant: F32
    lux: float  # in the middle of the scene
    spectra: Mapping[str, F64] = field(default_factory=dict)
    regions: Mapping[str, tuple[int, int, int, int]] = field(default_factory=dict)  # chart parts: top, left, h, w

    @property
    def canvas(self) -> tuple[int, int]:
        """Rows and columns of the canvas."""
        return self.layers[0].shape

    @property
    def frame(self) -> tuple[int, int]:
        """Rows and columns of the frame."""
        return self.canvas[0] - 2 * self.margin, self.canvas[1] - 2 * self.margin

    def flat(self) -> tuple[F32, F32]:
        """Light (3, H, W) and depth (H, W) of the whole canvas at t = 0; depth of the nearest that covers half."""
        light = self.layers[0].light.copy()
        depth = np.broadcast_to(self.layers[0].depth_m, self.canvas).copy()
        for layer in self.layers[1:]:
            rows, columns = (slice(o, o + n) for o, n in zip((layer.top, layer.left), layer.shape, strict=True))
            alpha = np.float32(1) if layer.alpha is None else layer.alpha
            light[:, rows, columns] += alpha * (layer.light - light[:, rows, columns])
            depth[rows, columns] = np.where(alpha >= 0.5, layer.depth_m, depth[rows, columns])
        return light, depth

    def cropped(self) -> F32:
        """Light (3, h, w) of the frame at t = 0, without the margin."""
        m, (h, w) = self.margin, self.frame
        return self.flat()[0][:, m : m + h, m : m + w]

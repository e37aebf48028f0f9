"""The burst "SB-1" of the project's notes, with truth: eight frames of one picture, shaken, with a moving disc.

Shifts N(0, 6 px) and rotation N(0, 0.08 deg) about the centre, seed 1; noise 2.89e-3·x + 8.18e-4 of camera light
(ISO 1600), 10 bits, black 64, white 1023; a textured disc of radius 140 px that moves 40 px per frame. The camera's
colours are those of the picture, so the truth is the picture itself.
"""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from lichtbild import cfa as patterns
from lichtbild import types
from lichtbild.export import dng
from lichtbild.light import WHITE_D65, eotf, rgb_to_xyz
from lichtbild.simulate.truth import Truth
from lichtbild.types import Calibration, CameraColour, Exposure, Frame, Noise, Shot

NOISE = Noise((2.89e-3,) * 3, (8.18e-4,) * 3)
BLACK, WHITE = 64, 1023
MARGIN = 48  # pixels of the picture beyond each side of the frame
RADIUS, STEP = 140.0, 40.0


def load(path: pathlib.Path) -> Any:
    """A picture with sRGB encoding as linear light (3, H, W) in 0..1."""
    from PIL import Image

    v = np.asarray(Image.open(path).convert("RGB"), np.float32).transpose(2, 0, 1) / 255
    return eotf(v).astype(np.float32)


def _poses(frames: int, size: tuple[int, int], rng: Any, shift: float, turn: float) -> list[Any]:
    """(2, 3) per frame: pixel → picture without margin; the first stays where it is."""
    centre = np.array([size[1] - 1, size[0] - 1]) / 2
    found = []
    for i in range(frames):
        by, angle = rng.normal(0, shift, 2) * (i > 0), np.radians(rng.normal(0, turn)) * (i > 0)
        matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        found.append(np.column_stack([matrix, centre + by - matrix @ centre]))
    return found


def _taken(smooth: list[Any], pose: Any, size: tuple[int, int], fine: int) -> Any:
    """Light (3, H, W) of a frame: means over the pixels of the picture that each of its own sees."""
    yx = ((_places(pose, size, fine) + (MARGIN + 0.5)) * fine - 0.5).astype(np.float32)
    seen = [ndimage.map_coordinates(p, yx, order=3, prefilter=False, mode="mirror") for p in smooth]
    return np.stack([s.reshape(size[0], fine, size[1], fine).mean((1, 3)) for s in seen]).clip(0)


def _places(pose: Any, size: tuple[int, int], fine: int = 1) -> Any:
    y, x = ((np.arange(n * fine) + 0.5) / fine - 0.5 for n in size)
    x, y = x[None, :], y[:, None]
    return np.stack([pose[1, 0] * x + pose[1, 1] * y + pose[1, 2], pose[0, 0] * x + pose[0, 1] * y + pose[0, 2]])


def _disc(yx: Any, at: Any) -> tuple[Any, Any]:
    """Cover and light of the disc, whose centre lies at picture place `at` (x, y): rings and stripes on warm grey."""
    x, y = yx[1] - at[0], yx[0] - at[1]
    r = np.hypot(x, y)
    tone = 0.5 + 0.22 * np.cos(r / 4.0) + 0.2 * np.sin(x / 3.1) * np.sin(y / 7.3)
    return np.clip(RADIUS + 0.5 - r, 0, 1), np.array([0.62, 0.50, 0.38])[:, None, None] * tone


def make(
    light: Any, frames: int = 8, seed: int = 1, exposure: float = 0.55, noise: Noise = NOISE, cfa: str = "RGGB",
    disc: bool = True, shift_px: float = 6.0, turn_deg: float = 0.08, bracket_ev: Sequence[float] = (0.0,),
    fine: int = 1,
) -> tuple[Shot, Truth]:  # fmt: skip
    """The burst of `light` (3, H, W), linear with sRGB primaries; its frames are 2·MARGIN smaller, and even.

    `exposure` scales light to camera light, 1.0 = saturation; frames take the offsets `bracket_ev` in turn by their
    time. `truth.rgb` is camera light of the first frame. A pixel of a frame sees the mean of `fine`² pixels of `light`.
    """
    rng = np.random.default_rng(seed)
    size = ((light.shape[1] // fine - 2 * MARGIN) // 2 * 2, (light.shape[2] // fine - 2 * MARGIN) // 2 * 2)
    poses = _poses(frames, size, rng, shift_px, turn_deg)
    smooth = [ndimage.spline_filter(plane, 3, np.float32, "mirror") for plane in light * np.float32(exposure)]
    shots, owners, maps = [], [], []
    truth = np.empty(0, np.float32)
    for i, pose in enumerate(poses):
        yx = _places(pose, size).astype(np.float32)
        rgb = _taken(smooth, pose, size, fine)
        by = np.array([STEP * i, 0.25 * STEP * i])
        cover, tone = _disc(yx, np.array([0.3 * size[1], 0.45 * size[0]]) + by)
        rgb = rgb + (tone * exposure - rgb) * (cover * disc)
        owners.append(((cover > 0.5) & disc).astype(np.uint8))
        moved = pose.copy()
        moved[:, 2] -= by
        both = [np.vstack([m, [0, 0, 1]]) for m in (pose, moved)]
        maps.append(np.broadcast_to(np.stack(both)[:, None], (2, size[0], 3, 3)))
        truth = rgb.astype(np.float32) if i == 0 else truth
        shots.append(_frame(rgb, noise, cfa, rng, i, bracket_ev[i % len(bracket_ev)]))
    return Shot(shots, pathlib.Path("sb1")), Truth(truth, np.stack(owners), tuple(maps), (False, True))


def apart(light: Any, frames: int = 8, exposure: float = 0.55) -> Any:
    """(frames - 1, 3, H, W): what the further frames of `make` saw, without noise, laid over the first by the motion of
    the hand: of what stands still there is no difference left."""
    size = ((light.shape[1] - 2 * MARGIN) // 2 * 2, (light.shape[2] - 2 * MARGIN) // 2 * 2)
    still = light[:, MARGIN : MARGIN + size[0], MARGIN : MARGIN + size[1]] * np.float32(exposure)
    found = []
    for i in range(1, frames):
        by = np.array([STEP * i, 0.25 * STEP * i])
        cover, tone = _disc(np.mgrid[: size[0], : size[1]], np.array([0.3 * size[1], 0.45 * size[0]]) + by)
        found.append((still + (tone * exposure - still) * cover).astype(np.float32))
    return np.stack(found)


def _frame(rgb: Any, noise: Noise, cfa: str, rng: Any, number: int, ev: float = 0.0) -> Frame:
    clean = np.take_along_axis(rgb, patterns.at(cfa, rgb.shape[1:])[None], 0)[0].astype(np.float64) * 2.0**ev
    noisy = clean + rng.standard_normal(clean.shape) * np.sqrt(noise.scale[0] * clean + noise.offset[0])
    return frame(np.rint(BLACK + noisy * (WHITE - BLACK)).clip(0, WHITE).astype(np.uint16), noise, number, cfa, ev)


def frame(counts: Any, noise: Noise, number: int, cfa: str = "RGGB", ev: float = 0.0) -> Frame:
    """A frame of the camera: raw numbers (H, W) uint16 with its words; `ev`: its time against 1/30 s."""
    colour = CameraColour((Calibration(21, np.linalg.inv(rgb_to_xyz("srgb")), white_xy=WHITE_D65),),
                          as_shot_neutral=(1.0, 1.0, 1.0))  # fmt: skip
    return Frame(
        path=pathlib.Path(f"sb1_{number:02}.dng"), cfa=cfa, mosaic=counts, rgb=None,
        black=np.full((1, 1, 1), BLACK, np.float32), white=(float(WHITE),), colour=colour, noise=noise,
        make="lichtbild", model="SB-1", exposure=Exposure(1600, 2.0**ev / 30, 1.9, 8.7, "2026-11-21T16:42:00"),
    )  # fmt: skip


def write(frames: Iterable[Frame], folder: pathlib.Path, seconds: Iterable[int]) -> None:
    """The frames as DNGs 0.dng … in a new folder, taken at these seconds of a minute."""
    folder.mkdir()
    for i, (frame, at) in enumerate(zip(frames, seconds, strict=True)):
        exposure = Exposure(1600, 1 / 30, 1.9, 8.7, f"2026-11-21T16:42:{at:02}")
        dng.write_frame(folder / f"{i}.dng", types.replace(frame, exposure=exposure))

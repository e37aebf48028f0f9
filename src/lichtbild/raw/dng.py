"""A DNG as a Frame: pick the raw image, decode, linearise, crop, and say what every tag said.

The order is that of [DNG1.7.1] chapter 5: samples as stored → opcode list 1 → LinearizationTable → active area, black
and white → opcode list 2 → (demosaic) → opcode list 3. Where a list changes values, that is done here; what has a stage
of its own travels in the Frame.
"""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .. import cfa as patterns
from ..types import F32, Frame, RawError, Shut
from . import apply, codecs, colour, crop, exif, levels, segments, tags
from .apply import Plan
from .levels import Box
from .opcodes import Opcode, parse
from .segments import Layout
from .tiff import Buffer, Ifd, Tiff

_CFA, _LINEAR = 32803, 34892


def main_image(ifds: list[Ifd]) -> Ifd:
    """The directory of the raw image itself: the largest mosaic or LinearRaw that is no preview or mask."""
    raws = [i for i in ifds if i.integer(tags.PHOTOMETRIC, 0) in (_CFA, _LINEAR)]
    full = [i for i in raws if i.integer(tags.SUBFILE_TYPE, 0) == 0]
    if not raws:
        raise RawError("a DNG without a raw image; nothing can be developed from its previews")
    return max(full or raws, key=lambda i: i.integer(tags.WIDTH, 0) * i.integer(tags.HEIGHT, 0))


def read(path: pathlib.Path, data: Buffer, tiff: Tiff, shut: Callable[[], Frame] | None = None) -> Frame:
    """Read the DNG in `data`. Raises RawError (without the file's name) for what is damaged or not yet read.

    With `shut`, which reads the frame later, its pixels are left where they are, unless what is said of them depends
    on them; a black level that is measured on masked pixels is then not known yet.
    """
    ifds = tiff.all()
    first, raw = ifds[0], main_image(ifds)
    guesses: list[str] = []
    if raw.integer(tags.COMPRESSION, 1) == 9:
        raise RawError(
            "is compressed with VC-5, which lichtbild cannot read yet; convert it with Adobe's or GoPro's tool"
        )
    layout = segments.layout(raw)
    cfa = levels.cfa(raw, layout.samples)
    lists = [_opcodes(raw, tag) for tag in tags.OPCODES]
    plan = Plan()
    apart = shut is not None and layout.coding.kind != "f" and not any(apply.looks_at_pixels(ops) for ops in lists)
    if apart:
        planes = np.broadcast_to(np.uint16(1), (layout.samples, layout.height, layout.width))
        apply.collect(lists[0], planes.shape[1:], plan, planes)
    else:
        planes = _samples(data, raw, layout, lists[0], plan)
    frame = _levelled(path, planes, raw, layout, cfa, lists, plan, guesses)
    if apart and shut is not None:
        frame.shut, frame.mosaic, frame.rgb = Shut(frame.shape, shut), None, None
    _describe(frame, tiff, first, raw, layout, lists)
    return frame


def _opcodes(raw: Ifd, tag: int) -> list[Opcode]:
    data = raw.raw(tag)
    return parse(data) if data is not None else []


def _samples(data: Buffer, raw: Ifd, layout: Layout, ops: list[Opcode], plan: Plan) -> NDArray[Any]:
    """The stored image (planes, H, W) with opcode list 1 and LinearizationTable applied."""
    table = _linearization(raw, layout)
    early = [o for o in ops if o.what is not None]
    image = segments.read(data, layout, None if early else table)
    image = _deinterlaced(image.reshape(layout.samples, layout.height, layout.width), raw)
    if early:
        if apply.changes_values(early, shading=True):
            values = apply.on_image(image, early, 65535.0, plan)
            image = np.clip(values + 0.5, 0, 65535).astype(np.uint16) if image.dtype == np.uint16 else values
        else:
            apply.collect(early, image.shape[1:], plan, image)
        if table is not None:
            image = table(image)
    return image


def _linearization(raw: Ifd, layout: Layout) -> segments.Curve | None:
    values = raw.integers(tags.LINEARIZATION)
    if values is None:
        return None
    if not 1 <= len(values) <= 65536 or layout.coding.kind == "f":
        raise RawError(f"LinearizationTable of {len(values)} entries cannot be; the file is damaged")
    table = np.clip(values, 0, 65535).astype(np.uint16)
    return lambda piece: np.take(table, piece, mode="clip")


def _deinterlaced(image: NDArray[Any], raw: Ifd) -> NDArray[Any]:
    """Undo Row- and ColumnInterleaveFactor: rows 0, n, 2n … are stored first, then 1, n + 1 …"""
    for axis, tag in ((1, tags.ROW_INTERLEAVE), (2, tags.COLUMN_INTERLEAVE)):
        n = raw.integer(tag, 1)
        if n == 1:
            continue
        if not 1 < n <= 16:
            raise RawError(f"interleaves {n} fields; the file is damaged")
        size = image.shape[axis]
        order = np.concatenate([np.arange(field, size, n) for field in range(n)])
        image = np.take(image, np.argsort(order), axis=axis)
    return image


def _levelled(
    path: pathlib.Path, planes: NDArray[Any], raw: Ifd, layout: Layout, cfa: str, lists: list[list[Opcode]], plan: Plan,
    guesses: list[str],
) -> Frame:  # fmt: skip
    """Active area, black, white and opcode list 2; the Frame without its descriptions."""
    area = _area(raw, planes.shape[1:], plan)
    black = levels.black(raw, len(planes), guesses)
    if black is None and len(planes) == 1:
        black = levels.masked_black(raw, planes[0], area, guesses)
    if black is None:
        guesses.append("no BlackLevel: 0 is taken for black")
        black = np.zeros((1, 1, len(planes)), np.float32)
    ceiling = 1.0 if layout.coding.kind == "f" else 2.0**layout.coding.bits - 1
    if tags.LINEARIZATION in raw and tags.WHITE not in raw:
        ceiling = float(max(raw.integers(tags.LINEARIZATION) or [1]))
    white = levels.white(raw, len(planes), ceiling, guesses)
    if min(w - b for w, b in zip(white, black.max(axis=(0, 1)), strict=True)) <= 0:
        raise RawError(
            f"its white level {white[0]:g} is not above its black level {black.max():g}; the file is damaged"
        )
    top, left, bottom, right = area
    planes = planes[:, top:bottom, left:right]
    column = levels.delta(raw, tags.BLACK_DELTA_H, right - left, guesses)
    row = levels.delta(raw, tags.BLACK_DELTA_V, bottom - top, guesses)
    if planes.dtype != np.uint16:
        planes, black, white = _whole(planes, black, white, guesses)
    cfa = patterns.shifted(cfa, top, left)
    bad = apply.bad_pixels(plan, area, guesses)
    plan.bad, plan.box = [], None
    return _second(Frame(path, cfa, None, None, black, white, row, column, bad_pixels=bad, guesses=guesses),
                   planes, lists[1:], plan)  # fmt: skip


def _area(raw: Ifd, shape: tuple[int, ...], plan: Plan) -> Box:
    """ActiveArea in what list 1 left of the image."""
    area = levels.active_area(raw, (shape[0], shape[1]))
    if plan.box is None:
        return area
    top, left, bottom, right = plan.box
    box = max(area[0], top), max(area[1], left), min(area[2], bottom), min(area[3], right)
    if box[0] >= box[2] or box[1] >= box[3]:
        raise RawError("TrimBounds leaves nothing of the active area; the file is damaged")
    return box


def _whole(
    planes: NDArray[Any], black: F32, white: tuple[float, ...], guesses: list[str]
) -> tuple[NDArray[np.uint16], F32, tuple[float, ...]]:
    """Floating-point samples as uint16, white at 65535."""
    guesses.append("floating-point samples: rounded to 16 bits, what is above white is clipped")
    scale = 65535 / max(white)
    with np.errstate(invalid="ignore"):
        image = np.clip(np.nan_to_num(planes, nan=0.0) * scale + 0.5, 0, 65535).astype(np.uint16)
    return image, (black * scale).astype(np.float32), tuple(w * scale for w in white)


def _second(frame: Frame, planes: NDArray[Any], lists: list[list[Opcode]], plan: Plan) -> Frame:
    """Opcode lists 2 and 3: apply what changes values, pass on the rest; puts the pixels into the frame."""
    second, third = lists
    last = max((i for i, o in enumerate(second) if isinstance(o.what, apply.Pixelwise)), default=-1)
    if last >= 0:
        steady = frame.black_row is None and frame.black_column is None and frame.black.shape[:2] == (1, 1)
        ops = second[: last + 1]
        if steady and all(apply.everywhere(o.what, planes.shape) for o in ops):
            # One value is one light at each place: what becomes of all values says what becomes of all pixels.
            ramp = np.tile(np.arange(int(planes.max()) + 1, dtype=np.uint16), (len(planes), 1, 1))
            light = apply.linear(ramp, _black_planes(frame, ramp.shape), frame.white)
            table, black, white = apply.requantised(apply.on_image(light, apply.widened(ops), 1.0, plan))
            planes = np.stack([table[i, 0][plane] for i, plane in enumerate(planes)])
        else:
            light = apply.linear(planes, _black_planes(frame, planes.shape), frame.white)
            planes, black, white = apply.requantised(apply.on_image(light, ops, 1.0, plan))
        frame.black = np.full((1, 1, len(planes)), black, np.float32)
        frame.white = (white,) * len(planes)
        frame.black_row = frame.black_column = None
        frame.guesses.append("opcodes of list 2 change values: applied, and the result rounded to 16 bits")
    apply.collect(second[last + 1 :], planes.shape[1:], plan, planes)
    if apply.changes_values(third):
        frame.guesses.append("list 3 changes values after demosaicing (tables or lines): left out")
    after = Plan()
    apply.collect(third, planes.shape[1:], after, planes)
    plan.gain_maps += [g for m in after.gain_maps for g in apply.per_phase(m, frame.cfa)]
    plan.vignettes += after.vignettes
    plan.warps += after.warps
    plan.bad += after.bad
    _finish(frame, planes, plan, after.box)
    return frame


def _finish(frame: Frame, planes: NDArray[Any], plan: Plan, inner: Box | None) -> None:
    shape = planes.shape[1:]
    box = plan.box or (0, 0, *shape)
    late = apply.bad_pixels(plan, box, frame.guesses)
    if late is not None:
        early = frame.bad_pixels if frame.bad_pixels is not None else np.empty((0, 2), np.int32)
        frame.bad_pixels = np.unique(np.concatenate([early - np.asarray(box[:2], np.int32), late]), axis=0)
    frame.gain_maps = tuple(plan.gain_maps)
    if plan.box:
        top, left, bottom, right = box
        planes = planes[:, top:bottom, left:right]
        frame.cfa = patterns.shifted(frame.cfa, top, left)
        frame.black = np.roll(frame.black, (-top, -left), (0, 1))
        frame.black_row = None if frame.black_row is None else frame.black_row[top:bottom]
        frame.black_column = None if frame.black_column is None else frame.black_column[left:right]
        frame.gain_maps = tuple(apply.trimmed(g, box, shape) for g in plan.gain_maps)
    frame.vignettes, frame.warps = tuple(plan.vignettes), tuple(plan.warps)
    if inner is not None:
        frame.crop = (inner[0], inner[1], inner[2] - inner[0], inner[3] - inner[1])
    if planes.strides[-1]:  # else it only stands for pixels
        planes = np.ascontiguousarray(planes)
    if len(planes) == 1:
        frame.mosaic = planes[0]
    else:
        frame.rgb = planes


def _black_planes(frame: Frame, shape: tuple[int, ...]) -> F32:
    rows, columns, _ = frame.black.shape
    tiled = np.tile(frame.black.transpose(2, 0, 1), (1, -(-shape[1] // rows), -(-shape[2] // columns)))
    tiled = tiled[:, : shape[1], : shape[2]]
    if frame.black_row is not None:
        tiled = tiled + frame.black_row[:, None]
    return tiled + frame.black_column if frame.black_column is not None else tiled


def _describe(frame: Frame, tiff: Tiff, first: Ifd, raw: Ifd, layout: Layout, lists: list[list[Opcode]]) -> None:
    """All that is not pixels: colour, exposure, EXIF, XMP and the facts for `info`."""
    guesses = frame.guesses
    crop.default(frame, raw)
    crop.user(frame, raw)
    orientation = first.integer(tags.ORIENTATION, raw.integer(tags.ORIENTATION, 1))
    if not 1 <= orientation <= 8:
        guesses.append(f"orientation {orientation} is unknown: taken as upright")
        orientation = 1
    frame.orientation = orientation
    frame.colour = colour.colour(first if tags.COLOUR_MATRIX[0] in first else raw, guesses)
    frame.noise = colour.noise(raw if tags.NOISE_PROFILE in raw else first, guesses)
    ev = first.numbers(tags.BASELINE_EXPOSURE)
    if ev is not None and len(ev) and np.isfinite(ev[0]) and abs(ev[0]) < 20:
        frame.baseline_exposure_ev = float(ev[0])
    frame.make, frame.model = first.text(tags.MAKE), first.text(tags.MODEL) or first.text(tags.CAMERA)
    shot, place = exif.directories(tiff, first, guesses)
    frame.exposure = exif.exposure([shot, first])
    frame.exif = exif.block(first, shot, place)
    frame.xmp = first.raw(tags.XMP) or b""
    scale = raw.numbers(tags.SCALE)
    if scale is not None and len(scale) == 2 and np.isfinite(scale).all() and scale[0] != scale[1]:
        guesses.append("its pixels are not square: they are taken as square")
    rows, columns = layout.grid
    frame.facts = {
        "format": "DNG",
        "dng_version": ".".join(str(v) for v in first.integers(tags.DNG_VERSION) or []),
        "stored_size": [layout.width, layout.height],
        "active_area": list(levels.active_area(raw, (layout.height, layout.width))),
        "bits": layout.coding.bits,
        "sample_format": "float" if layout.coding.kind == "f" else "unsigned",
        "compression": codecs.NAMES[layout.coding.compression],
        "segments": {"kind": "tiles" if layout.tiled else "strips", "size": list(layout.segment[::-1]),
                     "count": rows * columns},
        "linearization_table": len(raw.integers(tags.LINEARIZATION) or []),
        "opcodes": [[{"name": o.name, "optional": o.optional, "used": o.what is not None} for o in ops]
                    for ops in lists],
    }  # fmt: skip
    for ops in lists:
        guesses += [f"{o.name} is optional and unknown to us: left out" for o in ops if o.what is None]

"""A mosaic without a header of its own: .raw bytes or a PNG, described by a JSON file beside it.

Keys: width, height, dtype ("<u2"), cfa, bits, black, white, channel_gain or awb ({"r", "gr", "gb", "b"}: gains that
make a neutral neutral), xyz_to_cam (3x3, D65), orientation. Without the JSON file, its name may say the pattern, bits
and size (x_640x480_12bit_rggb.raw); what is read out of a name is told as a guess.
"""

from __future__ import annotations

import json
import pathlib
import re
import struct
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..types import BAYER, Calibration, CameraColour, Frame, RawError
from .segments import MAX_PIXELS, MAX_SIDE
from .tiff import Buffer

_D65 = 21
_NEEDED = "put a JSON file beside it with width, height, dtype, cfa, bits, black and white"
_PATTERN = re.compile(r"(?i)(?:^|[_\-. ])(rggb|bggr|grbg|gbrg|mono)(8|1[0246])?(?=$|[_\-. ])")
_MAX_JSON = 1 << 20
# Clipped pixels pile up in the topmost part of the range: this share of all, this
# much more than its neighbours, and no accident.
_PILE_FROM, _PILE_PART, _PILE_HEIGHT, _PILE_LEAST = 0.85, 0.002, 20, 64
_RATIO = 1100  # deflate cannot do better


def headerless(path: pathlib.Path, data: Buffer) -> Frame:
    """A .raw file: rows of samples and nothing else."""
    said, guesses = _description(path)
    width, height = _number(said, "width"), _number(said, "height")
    if width != int(width) or height != int(height) or not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise RawError(f"a size of {width:g}x{height:g} pixels cannot be; correct the JSON file beside it")
    dtype = _dtype(str(said.get("dtype", "<u2" if said.get("bits", 16) > 8 else "u1")))
    shape = int(height), int(width)
    if shape[0] * shape[1] * dtype.itemsize > len(data):
        raise RawError(f"holds {len(data)} bytes, too few for {shape[1]}x{shape[0]} of {dtype}; it is cut short")
    mosaic = np.frombuffer(data, dtype, shape[0] * shape[1]).reshape(shape).astype(np.uint16)
    return _frame(path, mosaic, said, guesses, "headerless raw")


def _dtype(name: str) -> np.dtype[Any]:
    known = {"u1": "u1", "|u1": "u1", "uint8": "u1", "<u2": "<u2", "u2": "<u2", "uint16": "<u2", ">u2": ">u2"}
    if name not in known:
        raise RawError(f"dtype '{name}' in the JSON file beside it: expected u1, <u2 or >u2")
    return np.dtype(known[name])


def png(path: pathlib.Path, data: Buffer) -> Frame:
    """A PNG that holds a mosaic: one channel, or three that are equal."""
    said, guesses = _description(path)
    if len(data) < 33 or bytes(data[12:16]) != b"IHDR":
        raise RawError("a PNG without a header; the file is damaged")
    width, height, bits, kind = struct.unpack(">IIBB", data[16:26])
    channels = {0: 1, 2: 3, 4: 2, 6: 4}.get(kind, 0)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        raise RawError(f"a PNG of {width}x{height} pixels is absurd; the file is damaged")
    if not channels or width * height * channels * bits // 8 > _RATIO * len(data):
        raise RawError(f"a PNG of {width}x{height} pixels does not fit into {len(data)} bytes, or it has a palette")
    import imagecodecs

    try:
        image = np.asarray(imagecodecs.png_decode(bytes(data)))
    except Exception as e:
        raise RawError(f"its PNG data is damaged ({str(e)[:80]})") from e
    if image.ndim == 3:
        if image.shape[2] >= 3 and not (np.ptp(image[:, :, :3], axis=2) == 0).all():
            raise RawError("is a PNG in colour, not a mosaic; give the camera's raw file")
        image = image[:, :, 0]
    for key, size in (("width", image.shape[1]), ("height", image.shape[0])):
        if key in said and said[key] != size:
            raise RawError(f"is {image.shape[1]}x{image.shape[0]}, but the JSON file beside it says {key} {said[key]}")
    said.setdefault("bits", 8 if image.dtype == np.uint8 else None)
    return _frame(path, np.array(image, np.uint16), said, guesses, "PNG mosaic")


def _description(path: pathlib.Path) -> tuple[dict[str, Any], list[str]]:
    """What the JSON file says, else what the name says, and which guesses that took."""
    beside = path.with_suffix(".json")
    if beside.is_file():
        try:
            if beside.stat().st_size > _MAX_JSON:
                raise ValueError("too long")
            said = json.loads(beside.read_text("utf-8"))
            if not isinstance(said, dict):
                raise ValueError("not an object")
        except (ValueError, RecursionError) as e:
            raise RawError(f"{beside.name} beside it is not readable JSON ({str(e)[:60]})") from None
        return said, []
    m = _PATTERN.search(path.stem)
    if m is None:
        raise RawError(f"does not say what it is; {_NEEDED}")
    found: dict[str, Any] = {"cfa": m[1].upper()}
    bits = m[2] or next(iter(re.findall(r"(?i)(?:^|[_\-. ])(8|1[0246])[ -]?bit", path.stem)), None)
    if bits:
        found["bits"] = int(bits)
    size = re.search(r"(?<!\d)(\d{2,6})x(\d{2,6})(?!\d)", path.stem)
    if size and path.suffix.lower() == ".raw":
        found |= {"width": int(size[1]), "height": int(size[2])}
    return found, [f"no JSON file beside it: {', '.join(f'{k} {v}' for k, v in found.items())} read out of its name"]


def _number(said: dict[str, Any], key: str) -> float:
    value = said.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or not np.isfinite(value):
        raise RawError(f"the key '{key}' is missing or no number; {_NEEDED}")
    return float(value)


def _white_level(mosaic: NDArray[np.uint16], bits: float) -> tuple[float, str]:
    """The value at which the pixels pile up as a clipped sensor's do, or the greatest that `bits` hold; and why."""
    count = np.bincount(mosaic.ravel())
    top = int(_PILE_FROM * (count.size - 1))
    pile = top + int(count[top:].argmax())
    enough = max(_PILE_LEAST, _PILE_PART * mosaic.size, _PILE_HEIGHT * float(np.median(count[top:])))
    if count[pile] > enough:
        return float(pile), ", where its brightest pixels pile up"
    return 2.0**bits - 1, ""


def _frame(
    path: pathlib.Path, mosaic: NDArray[np.uint16], said: dict[str, Any], guesses: list[str], what: str
) -> Frame:
    cfa = str(said.get("cfa", "")).upper()
    if cfa not in (*BAYER, "MONO"):
        raise RawError(
            f"the key 'cfa' is '{said.get('cfa', '')}', expected one of {', '.join((*BAYER, 'MONO'))}; {_NEEDED}"
        )
    if said.get("bits") is None:
        peak = int(mosaic.max())
        said["bits"] = next(b for b in (8, 10, 12, 14, 16) if peak < 1 << b)
        guesses.append(f"bits are not given: {said['bits']} taken, as the largest value is {peak}")
    bits = _number(said, "bits")
    if not 1 <= bits <= 16:
        raise RawError(f"bits {bits:g} in the JSON file beside it: expected 1 to 16")
    if "black" not in said:
        said["black"] = 0.0
        guesses.append("no black level given: 0 is taken")
    if "white" not in said:
        said["white"], why = _white_level(mosaic, bits)
        guesses.append(f"no white level given: {said['white']:g} is taken{why}")
    black, white = _number(said, "black"), _number(said, "white")
    if white <= black:
        raise RawError(
            f"its white level {white:g} is not above its black level {black:g}; correct the JSON file beside it"
        )
    frame = Frame(path, cfa, mosaic, None, np.full((1, 1, 1), black, np.float32), (white,), guesses=guesses)
    frame.colour = _colour(said, guesses)
    turned = said.get("orientation", 1)
    frame.orientation = turned if turned in range(1, 9) else 1
    frame.facts = {"format": what, "stored_size": list(mosaic.shape[::-1]), "bits": int(bits), "compression": "none"
                   if what == "headerless raw" else "PNG", "note": str(said.get("note", ""))}  # fmt: skip
    return frame


def _colour(said: dict[str, Any], guesses: list[str]) -> CameraColour:
    calibrations: tuple[Calibration, ...] = ()
    neutral = None
    try:
        if "xyz_to_cam" in said:
            matrix = np.array(said["xyz_to_cam"], np.float64)
            if matrix.shape != (3, 3) or not np.isfinite(matrix).all() or abs(np.linalg.det(matrix)) < 1e-9:
                raise ValueError("xyz_to_cam")
            calibrations = (Calibration(_D65, matrix),)
            guesses.append("the light of xyz_to_cam is not named: taken as D65")
        gains = said.get("channel_gain", said.get("awb"))
        if gains is not None:
            r, g, b = float(gains["r"]), (float(gains["gr"]) + float(gains["gb"])) / 2, float(gains["b"])
            if not (np.isfinite([r, g, b]).all() and min(r, g, b) > 0):
                raise ValueError("gains")
            neutral = (g / r, 1.0, g / b)
    except (ValueError, TypeError, KeyError):
        raise RawError(
            "the colour keys in the JSON file beside it are not usable: xyz_to_cam is 3x3 numbers, channel_gain and "
            "awb have r, gr, gb and b above 0"
        ) from None
    if not calibrations:
        guesses.append("no colour matrix: a generic sensor is assumed")
    if neutral is None:
        guesses.append("the file does not say what was white")
    return CameraColour(calibrations, as_shot_neutral=neutral)

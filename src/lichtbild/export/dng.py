"""DNG: frames as raw files that other raw converters open with the right colours.

Mosaics and integer RGB are stored in tiles of lossless JPEG with predictor 1, the only one that all readers know. A
mosaic goes in as two components per sample, so that each is predicted from its left neighbour of the same colour: a
third smaller than as one. Float RGB is deflated after the floating-point predictor.
Source: [DNG17] chapters 2 and 4; [T81] Annex H; [TIFFTN3] for floating-point prediction.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .. import types
from ..types import F32, U8, U16, Frame
from . import dng_tags, ifd, ljpeg, stripes, threads, tiff, write_bytes, xmp
from .rendition import ExportError, Options, Rendition

_TILE = 512  # rows and columns; a multiple of 16 as TIFF demands
_CFA, _LINEAR_RAW = 32803, 34892
_LOSSLESS_JPEG, _DEFLATE = 7, 8
_PREVIEW = 1024  # pixels of the longer side
_PREVIEW_QUALITY = 85
_FLOAT_PREDICTOR = 3


def write_frame(path: str | os.PathLike[str], frame: Frame, preview: U8 | None = None, workers: int = 0) -> None:
    """Write a frame so that reading it gives the same frame: samples bit for bit, metadata to a millionth.

    `preview` (h, w, 3) uint8 sRGB becomes the file's first picture, as file browsers like it. Raises ExportError where
    the file cannot be written, ValueError for a frame that contradicts itself.
    """
    data = frame.mosaic if frame.mosaic is not None else frame.rgb
    if data is None or (frame.mosaic is not None) == (frame.rgb is not None):
        raise ValueError("frame: expected either a mosaic or RGB planes")
    if data.dtype != np.uint16:
        raise ValueError(f"frame: expected uint16 samples, got {data.dtype}")
    samples = data if data.ndim == 2 else np.moveaxis(data, 0, -1)
    write_bytes(path, _pieces(frame, samples, preview, workers))


def write_cfa(path: str | os.PathLike[str], mosaic: U16, like: Frame, preview: U8 | None = None) -> None:
    """Write another mosaic (H, W) uint16 with everything else as in `like`, whose size it must have."""
    write_frame(path, types.replace(like, mosaic=mosaic, rgb=None, cfa=_same(like, mosaic.shape)), preview)


def write_linear(path: str | os.PathLike[str], rgb: U16 | F32, like: Frame, preview: U8 | None = None) -> None:
    """Write demosaiced camera light (3, H, W) with colour, white and words of `like`, but no shading, defects or noise.

    uint16 is full scale: 0 is black, 65535 is sensor saturation. float32 is camera light itself, 1.0 = saturation, and
    may go beyond it; LibRaw and darktable read that, RawTherapee 5.9 develops it black. Lens shading and defects must
    have been corrected, white balance must not.
    """
    if rgb.ndim != 3 or rgb.shape[0] != 3:
        raise ValueError(f"rgb: expected (3, H, W), got {rgb.shape}")
    if rgb.dtype not in (np.uint16, np.float32):
        raise ValueError(f"rgb: expected uint16 or float32, got {rgb.dtype}")
    frame = types.replace(_bare(like, rgb.shape), white=(1.0 if rgb.dtype == np.float32 else 65535.0,) * 3)
    write_bytes(path, _pieces(frame, np.moveaxis(rgb, 0, -1), preview))


def _bare(like: Frame, shape: tuple[int, ...]) -> Frame:
    """The words of a frame for linear RGB (3, H, W) in which black, shading, defects and noise are dealt with."""
    done: dict[str, Any] = {"black": np.zeros((1, 1, 3), np.float32), "black_row": None, "black_column": None}
    done |= {"gain_maps": (), "vignettes": (), "bad_pixels": None, "noise": None, "mosaic": None, "rgb": None}
    done |= {"cfa": "RGB", "white": (65535.0,) * 3, "crop": _cropped(like, shape[1:])}
    return types.replace(like, **done)


def _cropped(like: Frame, size: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """The crop of a frame in its picture of `size`, which may have been enlarged."""
    if like.crop is None or size == like.shape:
        return like.crop
    top, left, height, width = like.crop
    y, x = (n / have for n, have in zip(size, like.shape, strict=True))
    first, last = (round(top * y), round(left * x)), (round((top + height) * y), round((left + width) * x))
    return (*first, last[0] - first[0], last[1] - first[1])


def encode(rendition: Rendition, options: Options) -> tuple[list[bytes], list[str]]:
    """The file of a photograph's light, linear RGB in 16 bits, and what had to be left out of it.

    Light above saturation, which shading has raised, is kept: all is divided by the highest value, and BaselineExposure
    says so. The photograph itself is the preview. Raises ExportError for a rendition without light.
    """
    frame = rendition.frame
    if rendition.light is None or frame is None:
        raise ExportError("a DNG needs the camera light of the photograph: develop it with Wanted(raw=True)")
    peak = max(1.0, float(rendition.light.max(initial=0)))
    samples = np.clip(rendition.light * np.float32(65535 / peak) + 0.5, 0, 65535).astype(np.uint16)
    words, reason = xmp.packet(rendition.recipe, rendition.description, "", rendition.xmp, options.private)
    ev = frame.baseline_exposure_ev + math.log2(peak)
    like = types.replace(frame, xmp=words, exif=rendition.exif, baseline_exposure_ev=ev)
    preview = _as_stored(_reduced(rendition.bits8()), frame.orientation)
    made = _pieces(_bare(like, samples.shape), np.moveaxis(samples, 0, -1), preview, options.threads, options.private)
    return made, [reason] if reason else []


def _reduced(pixels: U8) -> U8:
    """Every n-th pixel of boxes, so that no side is longer than _PREVIEW."""
    n = -(-max(pixels.shape[:2]) // _PREVIEW)
    rows, columns = (max(1, size // n) for size in pixels.shape[:2])
    cut = pixels[: rows * n, : columns * n] if min(pixels.shape[:2]) >= n else pixels
    return np.asarray(Image.fromarray(cut).reduce(n) if n > 1 else cut)


def _as_stored(upright: U8, orientation: int) -> U8:
    """An upright picture turned and mirrored as the samples lie, which readers of the file turn back."""
    turned = {5: upright.swapaxes(0, 1), 6: np.rot90(upright), 7: np.rot90(upright, 2).swapaxes(0, 1)}
    turned |= {2: upright[:, ::-1], 3: np.rot90(upright, 2), 4: upright[::-1], 8: np.rot90(upright, -1)}
    return np.ascontiguousarray(turned.get(orientation, upright))


def _same(like: Frame, shape: tuple[int, ...]) -> str:
    if shape != like.shape or like.cfa == "RGB":
        raise ValueError(f"mosaic: expected {like.shape} with a CFA like '{like.cfa}', got {shape}")
    return like.cfa


def _pieces(
    frame: Frame, samples: NDArray[Any], preview: U8 | None, workers: int = 0, private: bool = False
) -> list[bytes]:
    """The file of samples (H, W) or (H, W, 3) with the words of a frame."""
    planes = 1 if samples.ndim == 2 else 3
    height, width = samples.shape[:2]
    # LibRaw breaks the lines of a frame narrower than its tile and refuses float frames lower than it.
    strip = width < _TILE or height < 16
    tile = (height, width) if strip else (min(_TILE, height // 16 * 16), _TILE)
    real = samples.dtype == np.float32
    coder: Callable[[NDArray[Any]], bytes] = _float if real else _lossless
    corners = [(y, x) for y in range(0, height, tile[0]) for x in range(0, width, tile[1])]
    chunks = threads.spread(lambda at: coder(_cut(samples, at, tile)), corners, workers)
    raw: ifd.Ifd = {
        254: ifd.long(0),
        256: ifd.long(width),
        257: ifd.long(height),
        258: ifd.short(*([32 if real else 16] * planes)),
        259: ifd.short(_DEFLATE if real else _LOSSLESS_JPEG),
        262: ifd.short(_CFA if planes == 1 and frame.cfa != "MONO" else _LINEAR_RAW),
        277: ifd.short(planes),
        284: ifd.short(1),
        **({278: ifd.long(height)} if strip else {322: ifd.long(tile[1]), 323: ifd.long(tile[0])}),
        339: ifd.short(*([3 if real else 1] * planes)),
        **({317: ifd.short(_FLOAT_PREDICTOR)} if real else {}),
        **dng_tags.layout(frame, (height, width)),
        **dng_tags.black_and_white(frame, planes),
    }
    words = dng_tags.general(frame, (height, width), private)
    raw |= {tag: words.pop(tag) for tag in dng_tags.OF_RAW if tag in words}
    where = (273, 279) if strip else (324, 325)
    if preview is None:
        parts = [tiff.Part(raw | words, chunks, *where)]
    else:
        parts = [_preview(preview, words), tiff.Part(raw, chunks, *where)]
    return tiff.assemble(parts)


def _preview(pixels: U8, words: ifd.Ifd) -> tiff.Part:
    height, width = pixels.shape[:2]
    jpeg = stripes.SOI + stripes.encode(np.ascontiguousarray(pixels), _PREVIEW_QUALITY, "444")
    entries: ifd.Ifd = {
        254: ifd.long(1),
        256: ifd.long(width),
        257: ifd.long(height),
        258: ifd.short(8, 8, 8),
        259: ifd.short(_LOSSLESS_JPEG),  # in a preview: baseline JPEG
        262: ifd.short(6),
        277: ifd.short(3),
        278: ifd.long(height),
        284: ifd.short(1),
        530: ifd.short(1, 1),
        50970: ifd.long(2),  # PreviewColorSpace: sRGB
    }
    return tiff.Part(entries | words, [jpeg], 273, 279)


def _cut(samples: NDArray[Any], corner: tuple[int, int], tile: tuple[int, ...]) -> NDArray[Any]:
    """One tile; what lies beyond the frame repeats its last row and column."""
    (y, x), (rows, columns) = corner, tile
    part = samples[y : y + rows, x : x + columns]
    missing = [(0, rows - part.shape[0]), (0, columns - part.shape[1])] + [(0, 0)] * (part.ndim - 2)
    return np.ascontiguousarray(np.pad(part, missing, mode="edge"))


def _lossless(tile: NDArray[Any]) -> bytes:
    rows, columns = tile.shape[:2]
    # A mosaic's two components: each sample follows its own colour.
    components = 3 if tile.ndim == 3 else 2 if columns % 2 == 0 else 1
    return ljpeg.encode(tile.reshape(rows, -1), components)


def _float(tile: NDArray[Any]) -> bytes:
    """Bytes of a row by significance, highest first, each minus the byte of the pixel before; then deflate."""
    rows, channels = tile.shape[0], tile.shape[2] if tile.ndim == 3 else 1
    planes = tile.astype(">f4").reshape(rows, -1, 1).view(np.uint8).transpose(0, 2, 1).reshape(rows, -1)
    out = planes.copy()
    out[:, channels:] -= planes[:, :-channels]
    return zlib.compress(out.data, 6)

"""A scene from a picture file: EXR, HDR, TIFF or PNG, its numbers made light of stated strength and distance."""

from __future__ import annotations

import io
import pathlib

import numpy as np

from ..light import PRIMARIES, REC2020_LUMA, WHITE_D65, adapt, convert, eotf, rgb_to_xyz, xyz
from ..stage import param
from ..types import F32, F64
from . import _exr
from .spec import Canvas, Place, scene
from .types import Layer, Scene, SceneError

ENCODINGS = ("auto", "linear", "srgb")
KEY = 0.18  # of a white card: where the logarithmic mean of the picture is put


@scene("picture", "a picture file: EXR, HDR, TIFF, PNG")
class Picture(Place):
    """One still layer."""

    file: str = param("", doc="path of the picture; in a scene file relative to it")
    primaries: str = param("srgb", doc="RGB space of its numbers, unless the file says so", choices=tuple(PRIMARIES))
    encoding: str = param("auto", doc="linear light or the sRGB curve; auto: EXR, HDR and float are linear",
                          choices=ENCODINGS)  # fmt: skip
    clip: bool = param(False, doc="take negative radiance for 0 rather than refuse it")
    lux: float = param(100.0, 0.001, 200000.0, "lx", "illuminance that the picture is taken to stand in")
    distance_m: float = param(10.0, 0.05, 1e5, "m", "distance of all of it")

    def build(self, canvas: Canvas, seed: int) -> Scene:
        """Read it, fill the canvas with its middle, scale it so that its logarithmic mean is KEY·lux/π."""
        if not self.file:
            raise SceneError('scene: picture needs a file; write file = "picture.exr"')
        path = pathlib.Path(self.file)
        numbers, to_rec2020 = _open(path, self.encoding, self.primaries)
        _refuse(path, numbers, self.clip)
        light = np.stack([sum(to_rec2020[c, k] * numbers[k] for k in range(3)) for c in range(3)]).astype(np.float32)
        light = _fill(np.maximum(light, 0), canvas.shape)
        y = sum(w * light[c] for c, w in enumerate(REC2020_LUMA))
        seen = np.asarray(y)[np.asarray(y) > 0]
        if not seen.size:
            raise SceneError(f"{path}: black everywhere; nothing to take a picture of")
        light *= np.float32(KEY * self.lux / np.pi / np.exp(np.mean(np.log(seen.astype(np.float64)))))
        depth, white = (np.full((n, 1, 1), v, np.float32) for n, v in ((1, self.distance_m), (3, self.lux / np.pi)))
        return Scene("picture", (Layer("picture", light, depth[0]),), canvas.margin, white, self.lux)


def _open(path: pathlib.Path, encoding: str, primaries: str) -> tuple[F32, F64]:
    """(3, H, W) linear numbers and the matrix that makes Rec.2020 of them. Raises SceneError."""
    suffix = path.suffix.lower()
    matrix = convert(primaries, "rec2020")
    try:
        if suffix == ".exr":
            found = _exr.read(path)
            numbers = _channels(path, found.planes)
            matrix = matrix if found.chromaticities is None else _stated(path, found.chromaticities)
            linear = True
        else:
            array = _decode(path, suffix)
            linear = array.dtype.kind == "f"
            numbers = _planar(path, array)
    except OSError as e:
        raise SceneError(f"{path}: {e.strerror or e}; name a picture that exists with file = ...") from None
    if encoding == "srgb" or (encoding == "auto" and not linear):
        numbers = eotf(numbers)
    return numbers.astype(np.float32), matrix


def _decode(path: pathlib.Path, suffix: str) -> np.ndarray[tuple[int, ...], np.dtype[np.generic]]:
    """Numbers as they are stored. Raises SceneError for what is not read."""
    import imagecodecs
    import tifffile

    readers = {".hdr": imagecodecs.rgbe_decode, ".png": imagecodecs.png_decode}
    data = path.read_bytes()
    try:
        if suffix in readers:
            return np.asarray(readers[suffix](data))
        if suffix in (".tif", ".tiff"):
            return np.asarray(tifffile.imread(io.BytesIO(data)))
    except Exception as e:  # what others' readers raise on broken files is any of a dozen kinds
        why = " ".join(str(e).split()) or type(e).__name__
        raise SceneError(f"{path}: cannot be read as {suffix[1:].upper()}: {why}") from None
    raise SceneError(f"{path}: unknown kind of picture '{suffix}'; use .exr, .hdr, .tif or .png")


def _channels(path: pathlib.Path, planes: dict[str, F32]) -> F32:
    if all(c in planes for c in "RGB"):
        return np.stack([planes[c] for c in "RGB"])
    if "Y" in planes:
        return np.stack([planes["Y"]] * 3)
    raise SceneError(f"{path}: holds neither R, G, B nor Y but {', '.join(sorted(planes))}; save it as RGB")


def _planar(path: pathlib.Path, array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> F32:
    """(3, H, W), whole numbers divided by the largest of their type; alpha is dropped, grey is tripled."""
    if array.ndim == 3 and array.shape[2] in (3, 4):
        planar = np.moveaxis(array[:, :, :3], 2, 0)
    elif array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (1, 2)):
        planar = np.stack([array if array.ndim == 2 else array[:, :, 0]] * 3)
    else:
        raise SceneError(f"{path}: expected one picture of grey or RGB, got an array of shape {array.shape}")
    if array.dtype.kind not in "uf":
        raise SceneError(f"{path}: numbers of type {array.dtype} are not read; save it as 8 or 16 bit or float")
    most = 1.0 if array.dtype.kind == "f" else float(np.iinfo(array.dtype.str).max)
    return (planar.astype(np.float32) / np.float32(most)).astype(np.float32)


def _stated(path: pathlib.Path, chromaticities: F64) -> F64:
    """The matrix to Rec.2020 of a file that states its primaries and white (4, 2) xy."""
    columns = np.array([(x, y, 1 - x - y) for x, y in chromaticities[:3].tolist()]).T  # y may be negative
    x, y = chromaticities[3].tolist()
    if not y > 0 or not abs(np.linalg.det(columns)) > 1e-6:
        raise SceneError(f"{path}: its chromaticities cannot be primaries; save it with those of a known space")
    to_xyz = columns * np.linalg.solve(columns, xyz((x, y)))
    turned = adapt((x, y), WHITE_D65) @ to_xyz
    return np.asarray(np.linalg.solve(rgb_to_xyz("rec2020"), turned), np.float64)


def _refuse(path: pathlib.Path, numbers: F32, clip: bool) -> None:
    """Light is a positive finite number."""
    if not np.isfinite(numbers).all():
        raise SceneError(f"{path}: holds infinite or undefined radiance; clean it in the program that wrote it")
    least = float(numbers.min())
    if least < -1e-3 * float(numbers.max()) and not clip:
        raise SceneError(f"{path}: negative radiance ({least:.4g}); mend the file or allow it with clip = true")


def _fill(light: F32, shape: tuple[int, int]) -> F32:
    """`light` (3, h, w) resized to fill `shape`, what stands over cut off evenly."""
    from PIL import Image

    h, w = light.shape[1:]
    scale = max(shape[0] / h, shape[1] / w)
    tall, wide = shape[0] / scale, shape[1] / scale
    box = ((w - wide) / 2, (h - tall) / 2, (w + wide) / 2, (h + tall) / 2)
    kernel = Image.Resampling.BICUBIC if scale > 1 else Image.Resampling.BOX
    planes = [Image.fromarray(p).resize(shape[::-1], kernel, box) for p in light]
    return np.maximum(np.stack([np.asarray(p, np.float32) for p in planes]), 0)

"""`python -m bench.demosaic`: what demosaicing costs and how true it is, beside Menon 2007.

Mosaics are made of the pictures of ../shared/data as linear light, with the noise of a sensor at several ISO, coded
as the front pass codes them, demosaiced and decoded. The reference sees the same linear mosaics; `literature` is the
custom of papers: both see mosaics of gamma-encoded values. Numbers are means over pictures of the CPSNR in dB, without
a border of 8 pixels, linear and after the sRGB curve.
"""

from __future__ import annotations

import functools
import pathlib
import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lichtbild.develop import demosaic, front, shading
from lichtbild.lab import metrics
from lichtbild.light import eotf
from lichtbild.types import Encoding, Frame, Noise, White

from . import clock

SHARED = pathlib.Path(__file__).resolve().parents[2] / "shared" / "data"
WHITE = White((1.0, 1.0, 1.0), (0.3127, 0.329), 6504.0, 0.0, "as shot")
ISOS = (0, 400, 1600, 6400)
BORDER = 8
Image = NDArray[np.float64]


def noise_at(iso: float) -> Noise:
    """The sensor of these tests: a = 2.89e-3, b = 8.18e-4 at ISO 1600; almost none at 0."""
    return Noise((2.89e-3 * iso / 1600,) * 3, (8.18e-4 * (iso / 1600) ** 2,) * 3)


def pictures(folder: str, crop: int = 1024) -> list[Image]:
    """Linear light (H, W, 3), highest value 1, of all pictures in a folder; HDR ones are cropped to their middle."""
    found = []
    for path in sorted((SHARED / folder).rglob("*")):
        if path.suffix not in (".png", ".exr", ".hdr"):
            continue
        image = _read(path)
        if image is None:
            print(f"left out: {path.name} (subsampled chroma holds no truth)")
        elif path.suffix == ".png":
            found.append(eotf(image))
        else:
            top, left = (max((n - crop) // 2, 0) for n in image.shape[:2])
            image = np.nan_to_num(np.maximum(image[top : top + crop, left : left + crop], 0), posinf=0.0)
            # The brightest lamps would leave nothing but black: the 99.5th percentile becomes white.
            found.append(np.minimum(image / max(float(np.quantile(image, 0.995)), 1e-9), 1))
    return found


def _read(path: pathlib.Path) -> Image | None:
    """(H, W, 3) as stored, or None where the file has no three full channels."""
    import OpenImageIO as oiio

    source = oiio.ImageInput.open(str(path))
    if source is None or source.spec().nchannels < 3:
        oiio.geterror()
        return None
    pixels = source.read_image(0, 0, 0, 3, oiio.FLOAT)
    source.close()
    return np.asarray(pixels, np.float64)


def mosaic(rgb: Image) -> Image:
    """RGGB mosaic (H, W) of (H, W, 3)."""
    out = rgb[..., 1].copy()
    out[::2, ::2], out[1::2, 1::2] = rgb[::2, ::2, 0], rgb[1::2, 1::2, 2]
    return out


def cpsnr(found: Image, true: Image) -> float:
    return metrics.cpsnr(found.transpose(2, 0, 1), true.transpose(2, 0, 1), border=BORDER)


def ours(light: Image, method: str, noise: Noise) -> Image:
    """Linear mosaic → linear picture, through the code of its noise."""
    code: Encoding = front.encoding(WHITE, noise, 1.0)
    half = np.minimum(0.5 * code.scale * np.sqrt(np.maximum(light + code.offset[1], 0)) + 0.5, 32767)
    planes = demosaic.apply(half.astype(np.uint16), "RGGB", method, demosaic.epsilon(0.5 * code.sigma[1]))
    return code.decode(planes).transpose(1, 2, 0).astype(np.float64)


def menon(values: Image) -> Image:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from colour_demosaicing import demosaicing_CFA_Bayer_Menon2007

        return np.asarray(demosaicing_CFA_Bayer_Menon2007(values, "RGGB"), np.float64)


def quality(images: list[Image]) -> dict[str, dict[str, float]]:
    """Method → column → mean CPSNR."""
    rng = np.random.default_rng(1)
    sums: dict[str, dict[str, list[float]]] = {m: {} for m in (*demosaic.METHODS, "menon 2007")}
    for true in images:
        clean, gamma = mosaic(true), metrics.srgb(true)
        for iso in ISOS:
            noise = noise_at(iso)
            spread = np.sqrt(noise.scale[0] * clean + noise.offset[0])
            light = np.minimum(clean + rng.standard_normal(clean.shape) * spread, 1)
            for method, columns in sums.items():
                found = menon(light) if method == "menon 2007" else ours(light, method, noise)
                name = f"ISO {iso}" if iso else "clean"
                columns.setdefault(f"{name} lin", []).append(cpsnr(found, true))
                columns.setdefault(f"{name} gamma", []).append(cpsnr(metrics.srgb(found), gamma))
        for method, columns in sums.items():
            columns.setdefault("literature", []).append(cpsnr(_literature(gamma, method), gamma))
    return {m: {k: round(float(np.mean(v)), 2) for k, v in columns.items()} for m, columns in sums.items()}


def _literature(gamma: Image, method: str) -> Image:
    values = mosaic(gamma)
    if method == "menon 2007":
        return menon(values)
    planes = demosaic.apply(np.rint(32767 * values).astype(np.uint16), "RGGB", method)
    return planes.transpose(1, 2, 0) / 65534


def cost(size: tuple[int, int] = (3000, 4000)) -> dict[str, dict[str, float]]:
    """Milliseconds per megapixel of the whole front pass and of the proxy, memory to memory."""
    rng = np.random.default_rng(1)
    walk = np.clip(np.cumsum(rng.normal(0, 40, size), 1) + 4000 + rng.normal(0, 60, size), 64, 16000)
    frame = Frame(
        path=pathlib.Path("bench.dng"), cfa="RGGB", mosaic=walk.astype(np.uint16), rgb=None,
        black=np.full((1, 1, 1), 64, np.float32), white=(16383.0,),
    )  # fmt: skip
    values: dict[str, dict[str, Any]] = {
        "black": {"shift": 0.0, "banding": True}, "shading": {"strength": 1.0},
        "defects": {"strength": 1.0, "threshold": 5.0},
    }  # fmt: skip
    even, out, found = shading.prepare(frame), np.zeros((3, *size), np.uint16), {}
    for method in demosaic.METHODS:
        chosen = {**values, "demosaic": {"method": method}}
        work = functools.partial(front.run, frame, WHITE, noise_at(100), chosen, even, out)
        found[f"front, {method}"] = clock.best(work, 10, size[0] * size[1] / 1e6)
    found["proxy"] = clock.best(lambda: front.proxy(frame), 10, size[0] * size[1] / 1e6)
    return found


def main() -> dict[str, Any]:
    """Print all tables; returns them."""
    results: dict[str, Any] = {"cost": cost()}
    clock.table("front pass, 12 MP, ms/MP", results["cost"])
    for name, folder in (("Kodak", "scenes_ldr/kodak"), ("HDR scenes", "scenes_hdr")):
        images = pictures(folder)
        if images:
            results[name] = quality(images)
            conditions = list(next(iter(results[name].values())))
            by_condition = {c: {m: row[c] for m, row in results[name].items()} for c in conditions}
            clock.table(f"{name}, {len(images)} pictures, CPSNR dB", by_condition)
    return results


if __name__ == "__main__":
    main()

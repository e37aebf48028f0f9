"""How far white balance is from the truth at night: mixed lamps of 0.3..3 lux, on many scenes and four sensors.

    python -m bench.white [--scenes N]

Kodak's pictures (../shared/data) stand for surfaces, lit by two or three lamps that fall off with distance: candles,
sodium, tungsten, warm and neutral LEDs, a neon sign, a little sky. Streets of our own, where the true light is known
everywhere, are measured beside them. The truth is the mean light of the place, weighted by how much of it there is, no
spot counting more than the brightest twentieth. The error is the angle between the estimated and the true neutral in
camera light, the usual measure; grey world stands beside it.
"""

from __future__ import annotations

import argparse
import pathlib
from collections.abc import Sequence

import numpy as np

from lichtbild import scene, sensor
from lichtbild.develop import _illuminant, white
from lichtbild.light import REC2020_LUMA, Xy, convert, eotf, rgb_to_xyz, xy, xyz
from lichtbild.types import F32, F64

ROOT = pathlib.Path(__file__).resolve().parents[1]
KODAK = ROOT.parent / "shared/data/scenes_ldr/kodak"
SENSORS = ("phone-1-inch", "phone-1-2.55-inch", "imx477", "imx708")
# Chromaticities: kelvin and Duv, or (x, y). A neon sign never lights a place alone.
LAMPS: tuple[tuple[float, float], ...] = (
    (1900, 0.0), (2200, 0.002), (2700, 0.0), (2700, 0.004), (3000, -0.003), (3000, 0.006), (3500, 0.003), (4000, 0.004),
    (5000, 0.0),
)  # fmt: skip
SODIUM: Xy = (0.529, 0.411)
NEON: tuple[Xy, ...] = ((0.62, 0.34), (0.17, 0.20), (0.28, 0.55), (0.38, 0.20))
SKY: Xy = (0.28, 0.29)
SIZE = (128, 192)
SCENES = 96


def colour_of(at: Xy) -> F64:
    """(3,): Rec.2020 of a light of luminance 1."""
    return np.asarray(np.linalg.solve(rgb_to_xyz("rec2020"), xyz(at)), np.float64)


def lamps(rng: np.random.Generator) -> F64:
    """(3, h, w): light falling on each place: two or three lamps somewhere, one of them stronger, and the sky."""
    y, x = np.mgrid[0 : SIZE[0], 0 : SIZE[1]] / SIZE[1]
    total = np.zeros((3, *SIZE))
    kinds: list[Xy] = [_illuminant.cct_to_xy(*LAMPS[i]) for i in rng.permutation(len(LAMPS))[:2]]
    if rng.random() < 0.25:
        kinds[0] = SODIUM
    strength = [1.0, rng.uniform(0.1, 0.8)]
    if rng.random() < 0.4:
        kinds.append(NEON[rng.integers(len(NEON))])
        strength.append(rng.uniform(0.02, 0.15))
    for kind, power in zip(kinds, strength, strict=True):
        at = rng.uniform(-0.3, 1.3, 2) * (SIZE[0] / SIZE[1], 1)
        fall = 0.15 / ((y - at[0]) ** 2 + (x - at[1]) ** 2 + rng.uniform(0.05, 0.4))
        total += power * colour_of(kind)[:, None, None] * (fall / fall.mean())
    return total + 0.03 * colour_of(SKY)[:, None, None]


def surfaces(path: pathlib.Path) -> F64:
    """(3, h, w): linear Rec.2020 of a picture, taken for reflectances."""
    import imagecodecs

    code = imagecodecs.imread(path).astype(np.float64) / 255
    if code.shape[0] > code.shape[1]:
        code = code.transpose(1, 0, 2)
    linear = eotf(code)
    h, w = (n // m for n, m in zip(linear.shape[:2], SIZE, strict=True))
    small = linear[: h * SIZE[0], : w * SIZE[1]].reshape(SIZE[0], h, SIZE[1], w, 3).mean((1, 3))
    found: F64 = np.einsum("ij,hwj->ihw", convert("srgb", "rec2020"), small)
    return found


def truth(light: F64) -> Xy:
    """Chromaticity of the mean light of a place (3, h, w)."""
    luma = np.tensordot(REC2020_LUMA, light, 1)
    held = light * np.minimum(1, np.quantile(luma, 0.95) / np.maximum(luma, 1e-12))
    return xy(rgb_to_xyz("rec2020") @ held.mean((1, 2)))


def seen(radiance: F64, name: str, at: Xy, rng: np.random.Generator) -> F32:
    """What is left of a dim picture in a proxy: camera light, clipped lamps, noise of the highest ISO."""
    camera = sensor.load(name)
    light = np.einsum("ij,jhw->ihw", sensor.matrix(camera, at), radiance)
    light *= 0.5 / np.quantile(light[1], 0.98)
    noise = camera.noise(camera.max_iso)
    for c in range(3):
        spread = np.sqrt(np.maximum(noise.scale[c] * light[c] + noise.offset[c], 0) / 64)
        light[c] += spread * rng.normal(size=SIZE)
    return np.minimum(light, 1).astype(np.float32)


def angle(found: F64, true: F64) -> float:
    """Degrees between two neutrals."""
    return white.angle_deg(found, true)


def places(count: int) -> list[tuple[str, F64, F64]]:
    """(kind, radiance, light) of all scenes."""
    made = []
    for seed in range(count):
        rng = np.random.default_rng([7, seed])
        path = sorted(KODAK.glob("*.png"))
        light = lamps(rng)
        made.append(("pictures", surfaces(path[seed % len(path)]) * light, light))
    for seed in range(1, 1 + count // 4):
        rng = np.random.default_rng([8, seed])
        spec = {"name": "street", "lux": float(rng.uniform(0.3, 3)), "lit": float(rng.uniform(0.1, 0.6))}
        drawn = scene.render(spec, SIZE, seed, 0)
        made.append(("streets", drawn.cropped().astype(np.float64), drawn.illuminant.astype(np.float64)))
    return made


def measure(count: int, sensors: Sequence[str] = SENSORS) -> dict[str, dict[str, list[float]]]:
    """Kind of scene → method → errors in degrees, on some of SENSORS."""
    errors: dict[str, dict[str, list[float]]] = {}
    for n, (kind, radiance, light) in enumerate(places(count)):
        at = truth(light)
        for name in sensors:
            rng = np.random.default_rng([9, n, SENSORS.index(name)])
            proxy, camera = seen(radiance, name, at, rng), sensor.load(name)
            true = np.asarray(sensor.neutral(camera, at))
            found = white.prepare(sensor.camera_colour(camera, at), proxy, {"mode": "auto"}, None, 0.3)
            here = errors.setdefault(kind, {"auto": [], "grey world": []})
            here["auto"].append(angle(1 / np.asarray(found.gains), true))
            here["grey world"].append(angle(proxy.mean((1, 2)).astype(np.float64), true))
    return errors


def tell(who: str, kind: str, errors: list[float]) -> None:
    """Print median and 95 % of errors."""
    median, most = np.quantile(errors, [0.5, 0.95])
    print(f"{kind:9} {who:25} median {median:5.2f}°   95 % {most:5.2f}°   n {len(errors)}", flush=True)


def main() -> None:
    """Print medians and 95 % of the errors."""
    p = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    p.add_argument("--scenes", type=int, default=SCENES)
    for kind, methods in measure(p.parse_args().scenes).items():
        for method, found in methods.items():
            tell(method, kind, found)


if __name__ == "__main__":
    main()

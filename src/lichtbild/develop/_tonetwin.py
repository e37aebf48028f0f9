"""The NumPy twins of `tone`: slow and obviously right; used by tests only.

`twin_map` is the fast local Laplacian by its definition: one whole remapped picture and pyramid per reference level.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..light import REC2020_LUMA
from ..types import F32, F64
from ._tonecurve import bend

if TYPE_CHECKING:
    from .tone import ToneMap

LEVELS = 7  # the same as in kernels/local_laplacian.py


def along(function: Any, a: F64) -> F64:
    """`function` along columns, then along rows."""
    for axis in (-1, -2):
        a = np.moveaxis(function(np.moveaxis(a, axis, -1)), -1, axis)
    return a


def doubled(a: F64, like: F64) -> F64:
    """A level of a pyramid as large as the finer one `like`."""
    return along(_double, a)[: like.shape[0], : like.shape[1]]


def halve(a: F64) -> F64:
    """[1 3 3 1] / 8 at every other column."""
    n = a.shape[-1] + a.shape[-1] % 2
    e = np.pad(a, [(0, 0), (1, 1 + n - a.shape[-1])], mode="edge")
    result: F64 = (e[:, 0:n:2] + 3 * e[:, 1 : n + 1 : 2] + 3 * e[:, 2 : n + 2 : 2] + e[:, 3 : n + 3 : 2]) / 8
    return result


def _double(a: F64) -> F64:
    e = np.pad(a, [(0, 0), (1, 1)], mode="edge")
    out = np.empty((a.shape[0], 2 * a.shape[1]))
    out[:, 0::2] = 0.75 * a + 0.25 * e[:, :-2]
    out[:, 1::2] = 0.75 * a + 0.25 * e[:, 2:]
    return out


def _mean(a: F64) -> F64:
    n = a.shape[-1]
    e = np.pad(a, [(0, 0), (2, 2)], mode="edge")
    result: F64 = np.sum([w / 9 * e[:, i : i + n] for i, w in enumerate((1, 2, 3, 2, 1))], axis=0)
    return result


def _mapped(light: F64, k: dict[str, Any]) -> F64:
    """The local Laplacian: log2 luma → the same after tone mapping."""

    def curve(v: Any) -> Any:
        return bend(k["knees"], v)

    gauss = [light]
    for _ in range(LEVELS):
        gauss.append(along(halve, gauss[-1]))
    detail = [np.zeros_like(g) for g in gauss]

    def near(j: int, n: int) -> F64:
        place = np.clip((gauss[j] - k["first"]) / k["step"], 0, k["levels"] - 1)
        weight: F64 = np.maximum(1 - np.abs(place - n), 0)
        return weight

    for n in range(k["levels"]):
        level = k["first"] + n * k["step"]
        d = light - level
        window = np.maximum(1 - (d * k["reach"]) ** 2, 0) ** 2
        fine = curve(light) + window * (curve(level) + k["detail"] * d - curve(light))
        for j in range(LEVELS):
            coarse = along(halve, fine)
            detail[j] += near(j, n) * (fine - doubled(coarse, fine))
            fine = coarse
        detail[LEVELS] += near(LEVELS, n) * fine
    result = detail[LEVELS]
    for j in reversed(range(LEVELS)):
        result = doubled(result, detail[j]) + detail[j]
    return result


def twin_map(proxy: F32, **k: Any) -> F64:
    """Twin of the kernel `local_laplacian`: the same arguments → (2, h, w) a, b."""
    weight = [k["weight_r"], k["weight_g"], k["weight_b"]]
    light = np.log2(np.maximum(np.tensordot(weight, proxy.astype(np.float64), 1), k["floor"]))
    return fit(light, _mapped(light, k) - light, k["epsilon"])


def fit(light: F64, gain: F64, epsilon: float) -> F64:
    """(2, h, w): `gain` as a·light + b, least squares in 5x5 windows, then a mean of the windows."""
    mean_light, mean_gain = along(_mean, light), along(_mean, gain)
    variance = along(_mean, light * light) - mean_light**2
    a = (along(_mean, light * gain) - mean_light * mean_gain) / (np.maximum(variance, 0) + epsilon)
    return np.stack([along(_mean, a), along(_mean, mean_gain - a * mean_light)])


def _upsample(coarse: F32, height: int, width: int) -> F64:
    a = coarse.astype(np.float64)
    for axis, n in ((0, height), (1, width)):
        at = np.clip((np.arange(n) - 1.5) / 4, 0, a.shape[axis] - 1)
        i = at.astype(int)
        j = np.minimum(i + 1, a.shape[axis] - 1)
        part = (at - i).reshape((-1, 1) if axis == 0 else (1, -1))
        a = np.take(a, i, axis) * (1 - part) + np.take(a, j, axis) * part
    return a


def twin(rgb: F32, tone: ToneMap) -> F32:
    """Twin of `tone.apply`."""
    _, height, width = rgb.shape
    light = np.tensordot(REC2020_LUMA, rgb.astype(np.float64), 1)
    a, b = _upsample(tone.a, height, width), _upsample(tone.b, height, width)
    gain = np.exp2(np.clip(a * np.log2(np.maximum(light, tone.floor)) + b, tone.low, tone.high))
    result: F32 = (rgb * gain).astype(np.float32)
    return result

"""The door to the kernels: what fits runs, what does not is refused in words, and the processor levels agree."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import kernels

EVERY_WAY = [(s, x, y) for s in (False, True) for x in (False, True) for y in (False, True)]


def turned(image: np.ndarray, swap: bool, mirror_x: bool, mirror_y: bool) -> np.ndarray:
    out = image.transpose(1, 0, 2) if swap else image
    return out[:: -1 if mirror_y else 1, :: -1 if mirror_x else 1]


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (479, 641)])
@pytest.mark.parametrize(("swap", "mirror_x", "mirror_y"), EVERY_WAY)
@pytest.mark.parametrize("bits", [8, 16])
def test_orient(shape: tuple[int, int], swap: bool, mirror_x: bool, mirror_y: bool, bits: int) -> None:
    dtype = np.dtype(f"u{bits // 8}")
    image = np.random.default_rng(1).integers(0, 2**bits, (*shape, 3), dtype=dtype)
    expected = turned(image, swap, mirror_x, mirror_y)
    output = np.zeros(expected.shape, dtype)
    kernels.call(f"orient_u{bits}", image=image, swap=swap, mirror_x=mirror_x, mirror_y=mirror_y, output=output)
    assert np.array_equal(output, expected)


def orient(**changes: object) -> None:
    image, output = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6, 3), np.uint8)
    arguments = {"image": image, "swap": False, "mirror_x": False, "mirror_y": False, "output": output} | changes
    kernels.call("orient_u8", **arguments)


def test_wrong_type_is_named() -> None:
    with pytest.raises(ValueError, match="'image' expected a uint8 array of rank 3, got float32 array of shape"):
        orient(image=np.zeros((4, 6, 3), np.float32))


def test_wrong_rank_is_named() -> None:
    with pytest.raises(ValueError, match="'image' expected a uint8 array of rank 3"):
        orient(image=np.zeros((4, 18), np.uint8))


def test_strided_last_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous last axis"):
        orient(image=np.zeros((4, 6, 6), np.uint8)[:, :, ::2])


def test_missing_and_unknown_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="turn"):
        orient(turn=True)


def test_sizes_that_do_not_fit_raise_and_do_not_abort() -> None:
    with pytest.raises(kernels.KernelError, match=r"orient_u8: .*image"):
        orient(image=np.zeros((4, 6, 4), np.uint8))


def test_unknown_kernel() -> None:
    with pytest.raises(KeyError, match="no kernel 'orent'"):
        kernels.call("orent")


def test_threads_are_bounded_and_given_back() -> None:
    kernels.set_threads(1)
    orient()
    kernels.set_threads(0)
    with pytest.raises(ValueError, match="threads"):
        kernels.set_threads(-1)

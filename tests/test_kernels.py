"""The door to the kernels: what fits runs, what does not is refused in words, and the processor levels agree."""

from __future__ import annotations

import numpy as np
import pytest

from lichtbild import kernels


@pytest.mark.parametrize("shape", [(1, 1), (5, 7), (479, 641)])
@pytest.mark.parametrize("bits", [8, 16])
def test_transpose(shape: tuple[int, int], bits: int) -> None:
    dtype = np.dtype(f"u{bits // 8}")
    image = np.random.default_rng(1).integers(0, 2**bits, (*shape, 3), dtype=dtype)
    output = np.zeros((shape[1], shape[0], 3), dtype)
    kernels.call(f"transpose_u{bits}", image=image, output=output)
    assert np.array_equal(output, image.transpose(1, 0, 2))


def transpose(**changes: object) -> None:
    image, output = np.zeros((4, 6, 3), np.uint8), np.zeros((6, 4, 3), np.uint8)
    kernels.call("transpose_u8", **{"image": image, "output": output} | changes)


def test_wrong_type_is_named() -> None:
    with pytest.raises(ValueError, match="'image' expected a uint8 array of rank 3, got float32 array of shape"):
        transpose(image=np.zeros((4, 6, 3), np.float32))


def test_wrong_rank_is_named() -> None:
    with pytest.raises(ValueError, match="'image' expected a uint8 array of rank 3"):
        transpose(image=np.zeros((4, 18), np.uint8))


def test_strided_last_axis_is_refused() -> None:
    with pytest.raises(ValueError, match="contiguous last axis"):
        transpose(image=np.zeros((4, 6, 6), np.uint8)[:, :, ::2])


def test_missing_and_unknown_arguments_are_named() -> None:
    with pytest.raises(ValueError, match="turn"):
        transpose(turn=True)


def test_sizes_that_do_not_fit_raise_and_do_not_abort() -> None:
    with pytest.raises(kernels.KernelError, match=r"transpose_u8: .*image"):
        transpose(image=np.zeros((4, 6, 4), np.uint8))


def test_unknown_kernel() -> None:
    with pytest.raises(KeyError, match="no kernel 'transpos'"):
        kernels.call("transpos")


def test_threads_are_bounded_and_given_back() -> None:
    kernels.set_threads(1)
    transpose()
    kernels.set_threads(0)
    with pytest.raises(ValueError, match="threads"):
        kernels.set_threads(-1)

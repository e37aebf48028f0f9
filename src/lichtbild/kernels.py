"""The door to the compiled kernels: the only file that knows ctypes.

Every kernel carries its own description (names, kinds, types, ranks), so a call is checked against what was compiled:

    kernels.call("demosaic", mosaic=mosaic, ..., output=rgb)

Arrays are NumPy arrays whose last axis is contiguous, or repeats one value where a kernel asks for that: shape
(3, H, W) is Halide's (x, y, c). The GIL is released while a kernel runs. `set_threads(n)` bounds the threads; the
environment variable HL_NUM_THREADS does the same.

On x86-64 the library holds each kernel for three levels of processor and takes the best that this one has.
LICHTBILD_LEVEL=avx2 or =baseline in the environment takes none above it, to compare levels or to look for a fault.
"""

from __future__ import annotations

import ctypes as C
import functools
import os
import pathlib
import threading
from typing import Any, NamedTuple

import numpy as np

from .types import LichtbildError

# LICHTBILD_KERNELS names another library: a developer's own build, or one processor level under test.
_PATH = pathlib.Path(os.environ.get("LICHTBILD_KERNELS") or pathlib.Path(__file__).with_name("_kernels.so"))
_KINDS = {"i": 0, "u": 1, "f": 2}
_NAMES = {0: "int", 1: "uint", 2: "float"}
_INPUT_SCALAR = 0
# Levels, best first, and the bits that what a kernel asks for must not have (of halide_target_feature_t: AVX2 is 7,
# AVX-512 is 40).
_ABOVE = {"avx512": 0, "avx2": 1 << 40, "baseline": 1 << 40 | 1 << 7}
_M_TRIM_THRESHOLD, _M_MMAP_MAX, _M_ARENA_MAX = -1, -4, -8  # of glibc's mallopt(3)


class _Dim(C.Structure):
    _fields_ = [("min", C.c_int32), ("extent", C.c_int32), ("stride", C.c_int32), ("flags", C.c_uint32)]


class _Type(C.Structure):
    _fields_ = [("code", C.c_uint8), ("bits", C.c_uint8), ("lanes", C.c_uint16)]


class _Buffer(C.Structure):
    _fields_ = [
        ("device", C.c_uint64), ("interface", C.c_void_p), ("host", C.c_void_p), ("flags", C.c_uint64),
        ("type", _Type), ("dimensions", C.c_int32), ("dim", C.POINTER(_Dim)), ("padding", C.c_void_p),
    ]  # fmt: skip


class _Argument(C.Structure):
    _fields_ = [
        ("name", C.c_char_p), ("kind", C.c_int32), ("dimensions", C.c_int32), ("type", _Type),
        ("default", C.c_void_p), ("min", C.c_void_p), ("max", C.c_void_p), ("estimate", C.c_void_p),
        ("buffer_estimates", C.c_void_p),
    ]  # fmt: skip


class _Metadata(C.Structure):
    _fields_ = [
        ("version", C.c_int32), ("count", C.c_int32), ("arguments", C.POINTER(_Argument)),
        ("target", C.c_char_p), ("name", C.c_char_p),
    ]  # fmt: skip


class Argument(NamedTuple):
    """One argument of a kernel, as compiled."""

    name: str
    scalar: bool
    dtype: np.dtype[Any]
    rank: int


class KernelError(RuntimeError):
    """A kernel refused its buffers; the message is Halide's own."""


_failure = threading.local()
_Handler = C.CFUNCTYPE(None, C.c_void_p, C.c_char_p)


def _keep_words(_context: Any, message: bytes) -> None:
    # Halide's default handler aborts the process; ours keeps the words for `call` to raise.
    _failure.message = message.decode(errors="replace").strip()


_on_error = _Handler(_keep_words)  # alive as long as the module
_Chooser = C.CFUNCTYPE(C.c_int, C.c_int, C.POINTER(C.c_uint64))
_choosers: list[Any] = []  # alive as long as the library that asks them


@functools.cache
def _library() -> C.CDLL:
    if not _PATH.exists():
        raise ImportError(f"{_PATH.name} is missing: build the kernels with `make kernels` or reinstall lichtbild")
    library = C.CDLL(str(_PATH))
    library.halide_set_error_handler(_on_error)
    if level := os.environ.get("LICHTBILD_LEVEL"):
        _hold(library, level)
    return library


def _hold(library: C.CDLL, level: str) -> None:
    """Let each kernel choose, at its first call, among the levels up to `level` only."""
    if level not in _ABOVE:
        raise LichtbildError(f"LICHTBILD_LEVEL={level}: expected one of {', '.join(_ABOVE)}")
    able = library.halide_default_can_use_target_features

    def choose(count: int, words: Any) -> int:
        return 0 if words[0] & _ABOVE[level] else int(able(count, words))

    _choosers.append(_Chooser(choose))
    library.halide_set_custom_can_use_target_features(_choosers[-1])


@functools.cache
def describe(name: str) -> tuple[Argument, ...]:
    """Arguments of kernel `name` in calling order, as compiled into the library.

    Raises KeyError for a kernel that the library does not hold.
    """
    try:
        metadata = getattr(_library(), f"{name}_metadata")
    except AttributeError:
        raise KeyError(f"no kernel '{name}' in {_PATH.name}") from None
    metadata.restype = C.POINTER(_Metadata)
    found = metadata().contents
    return tuple(_argument(found.arguments[i]) for i in range(found.count))


def _argument(a: _Argument) -> Argument:
    kind = {0: "i", 1: "u", 2: "f"}[a.type.code]
    dtype = np.dtype(bool) if a.type.bits == 1 else np.dtype(f"{kind}{a.type.bits // 8}")
    return Argument(a.name.decode(), a.kind == _INPUT_SCALAR, dtype, a.dimensions)


def set_threads(n: int) -> None:
    """Bound the threads that kernels use, from now on, in this process. `n` ≥ 1; 0 gives back the default."""
    if n < 0:
        raise ValueError(f"threads: expected 0 or more, got {n}")
    _library().halide_set_num_threads(C.c_int(n))


def keep_memory() -> None:
    """Let this process keep the memory of large arrays that it has freed, for the next ones.

    Each photograph needs some twenty arrays of tens of megabytes. Fresh pages from the system cost about 0.2 ms per
    megabyte; kept ones cost nothing, which is worth a fifth of the whole development. It holds for the whole process
    and all its libraries, so only programs that own their process should ask for it, before the first picture.
    What has been freed before is given back. Does nothing where the C library is not glibc.
    """
    library = C.CDLL(None)
    mallopt = getattr(library, "mallopt", None)
    if mallopt is not None:
        library.malloc_trim(C.c_size_t(0))
        mallopt(_M_ARENA_MAX, 1)  # what one thread has freed is for all others: a tenth less memory and page faults
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)


def call(name: str, **arguments: Any) -> None:
    """Run kernel `name`. Scalars and arrays by the names of the generator; outputs are arrays that it fills.

    Raises ValueError where an argument is missing, unknown or does not fit (dtype, rank, contiguity), KernelError
    where the kernel itself refuses the sizes.
    """
    expected = describe(name)
    known = {a.name for a in expected}
    if arguments.keys() != known:
        odd = sorted(arguments.keys() ^ known)
        raise ValueError(f"{name}: expected the arguments {sorted(known)}, differing in {odd}")
    kept = [_pack(name, a, arguments[a.name]) for a in expected]
    pointers = (C.c_void_p * len(kept))(*[C.addressof(k) for k in kept])
    _failure.message = ""
    code = getattr(_library(), f"{name}_argv")(pointers)
    if code:
        raise KernelError(f"{name}: {_failure.message or f'Halide error {code}'}")


@functools.cache
def _scalar(dtype: np.dtype[Any]) -> Any:
    """The ctypes type of a number."""
    return C.c_bool if dtype.kind == "b" else np.ctypeslib.as_ctypes_type(dtype)


def _pack(kernel: str, a: Argument, value: Any) -> Any:
    if a.scalar:
        return _scalar(a.dtype)(value)
    if not isinstance(value, np.ndarray) or value.dtype != a.dtype or value.ndim != a.rank:
        got = f"{value.dtype} array of shape {value.shape}" if isinstance(value, np.ndarray) else type(value).__name__
        raise ValueError(f"{kernel}: '{a.name}' expected a {a.dtype} array of rank {a.rank}, got {got}")
    size, shape = value.itemsize, value.shape
    strides = [*value.strides[:-1], value.strides[-1] if shape[-1] > 1 else size]
    if strides[-1] not in (0, size) or any(s % size for s in strides):
        raise ValueError(f"{kernel}: '{a.name}' expected a contiguous last axis, got strides {value.strides}")
    if not value.flags.aligned:
        raise ValueError(f"{kernel}: '{a.name}' expected aligned memory")
    n = value.ndim
    dims = (_Dim * n)(*[_Dim(0, shape[i], strides[i] // size, 0) for i in reversed(range(n))])
    kind = _Type(_KINDS[value.dtype.kind], size * 8, 1)
    buffer = _Buffer(0, None, value.ctypes.data, 0, kind, n, dims, None)
    buffer.kept = (value, dims)  # alive as long as the buffer
    return buffer

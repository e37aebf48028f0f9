"""Lossless JPEG by our own kernel: tiles of 16 bits, predictor 1, a Huffman table made for each.

The kernel counts how many bits the differences take, here the best code for these counts is found, and the kernel
writes it: several times as fast as libjpeg-turbo, whose decoder gets the same samples back. Source: [T81] annexes H, K.
"""

from __future__ import annotations

import heapq

import numpy as np
from numpy.typing import NDArray

from .. import kernels
from ..types import U16
from . import stripes

_SIZES = 17  # of a difference, in bits: 0..16
_LONGEST = 16  # bits of a code


def encode(samples: U16, components: int) -> bytes:
    """The file of one tile (rows, columns · components) uint16, components interleaved."""
    counts = np.empty(_SIZES, np.int32)
    kernels.call("ljpeg_count", samples=samples, components=components, counts=counts)
    lengths = code_lengths(counts.tolist())
    sizes = sorted((s for s in range(_SIZES) if lengths[s]), key=lambda s: (lengths[s], s))
    taken = [lengths[s] + s % 16 for s in range(_SIZES)]  # a difference of 16 bits can only be one
    bits = int(np.dot(counts, taken))
    words = np.empty(bits // 64 + 2, np.uint64)
    kernels.call("ljpeg_encode", samples=samples, components=components, codes=_codes(sizes, lengths), words=words)
    stream = words.byteswap().view(np.uint8)[: -(-bits // 8)]
    stream[-1] |= (1 << -bits % 8) - 1
    return b"".join(
        [*_head(samples, components, sizes, lengths), stream.tobytes().replace(b"\xff", b"\xff\0"), stripes.EOI]
    )


def code_lengths(counts: list[int]) -> list[int]:
    """Bits of the best prefix code for symbols that occur so often; 0 for those that do not.

    No code is longer than 16 bits or all ones: a symbol is added that is never used, and gets the longest.
    """
    while True:
        lengths = [0] * len(counts)
        heap = [(n, i, [i]) for i, n in enumerate(counts) if n] + [(0, len(counts), [])]
        heapq.heapify(heap)
        while len(heap) > 1:
            (n, _, first), (m, i, second) = heapq.heappop(heap), heapq.heappop(heap)
            for symbol in (both := first + second):
                lengths[symbol] += 1
            heapq.heappush(heap, (n + m, i, both))
        if max(lengths) <= _LONGEST:
            return lengths
        counts = [-(-n // 2) for n in counts]  # flatter counts, shorter codes


def _codes(sizes: list[int], lengths: list[int]) -> NDArray[np.uint32]:
    """(17,): bits of code and difference << 16 | code, in the order of `sizes`, shortest first."""
    table, code, last = np.zeros(_SIZES, np.uint32), 0, 0
    for size in sizes:
        code <<= lengths[size] - last
        last = lengths[size]
        table[size] = (last + size % 16) << 16 | code
        code += 1
    return table


def _head(samples: U16, components: int, sizes: list[int], lengths: list[int]) -> list[bytes]:
    """Start, frame, table and scan."""
    rows, columns = samples.shape[0], samples.shape[1] // components
    counts = [sum(lengths[s] == n for s in sizes) for n in range(1, _LONGEST + 1)]
    frame = b"".join(bytes((i, 0x11, 0)) for i in range(components))
    scan = b"".join(bytes((i, 0)) for i in range(components))
    return [
        stripes.SOI,
        stripes.segment(
            0xC3, b"\x10" + rows.to_bytes(2, "big") + columns.to_bytes(2, "big") + bytes((components,)) + frame
        ),
        stripes.segment(0xC4, bytes((0, *counts, *sizes))),
        stripes.segment(0xDA, bytes((components,)) + scan + b"\x01\0\0"),
    ]

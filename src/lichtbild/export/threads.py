"""A handful of threads for encoders that release the GIL."""

from __future__ import annotations

import concurrent.futures
import functools
import os
from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def count(threads: int = 0) -> int:
    """`threads`, or as many as this process may use where it is 0."""
    return threads if threads > 0 else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 1


@functools.cache
def _pool(threads: int) -> concurrent.futures.ThreadPoolExecutor:
    # Kept: starting threads for each file costs as much as encoding a small one.
    return concurrent.futures.ThreadPoolExecutor(threads, thread_name_prefix="export")


def spread(work: Callable[[T], R], items: Iterable[T], threads: int = 0) -> list[R]:
    """`work` of every item, in order, on several threads."""
    many = list(items)
    n = min(count(threads), len(many))
    if n <= 1:
        return [work(item) for item in many]
    return list(_pool(count(threads)).map(work, many))

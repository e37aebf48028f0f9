"""Whatever a damaged file still opens as is developed, or refused in words: no crash, no warning, no other error."""

from __future__ import annotations

import pathlib
import time
from collections import Counter

import numpy as np
import pytest
from raw.test_fuzz import mutants, real, seeds

from lichtbild import raw, recipe
from lichtbild.develop import pipeline
from lichtbild.types import LichtbildError
from lichtbild.wanted import Wanted


@pytest.mark.slow
def test_what_opens_can_be_developed(tmp_path: pathlib.Path) -> None:
    made, tally = recipe.resolve(), Counter[str]()
    for i, (name, whole) in enumerate([*seeds(), *[f for f in real() if len(f[1]) < 200_000]]):
        for _, data in mutants(name, whole, 60, 77 + i):
            path = tmp_path / name
            path.write_bytes(data)
            try:
                frame = raw.open(path)
            except LichtbildError:
                tally["refused"] += 1
                continue
            started = time.process_time()
            done = pipeline.render(frame, made, Wanted(8, "srgb", True))
            assert done.sdr.dtype == np.uint8 and 0 not in done.sdr.shape and time.process_time() - started < 10
            tally["developed"] += 1
    assert tally["developed"] > 50 and tally["refused"] > 50

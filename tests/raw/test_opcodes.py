"""Opcode lists: what each opcode does to a frame, in which list, and lists that lie."""

from __future__ import annotations

import pathlib
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raw.dngs import LONG, SHORT, area, dng, gain_map, opcode, oplist, plain

from lichtbild import raw
from lichtbild.raw import opcodes
from lichtbild.types import Frame, RawError

H, W = 24, 36
FULL = (0, 0, H, W)
LIST1, LIST2, LIST3 = 51008, 51009, 51022


@pytest.fixture
def image(rng: np.random.Generator) -> np.ndarray[Any, np.dtype[np.uint16]]:
    return rng.integers(2000, 60000, (H, W)).astype(np.uint16)


def opened(tmp_path: pathlib.Path, image: np.ndarray[Any, np.dtype[np.uint16]], **lists: Any) -> Frame:
    path = tmp_path / "a.dng"
    tags = {"one": LIST1, "two": LIST2, "three": LIST3}
    more = lists.pop("extra", {})
    path.write_bytes(plain(image, {tags[k]: v for k, v in lists.items()} | more))
    return raw.open(path)


def light(frame: Frame) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The mosaic in 0..1."""
    assert frame.mosaic is not None
    black = float(frame.black.flat[0])
    return (frame.mosaic - black) / (frame.white[0] - black)


def test_gain_map_of_list_2_travels(tmp_path: pathlib.Path, image: Any) -> None:
    gains = np.arange(6).reshape(2, 3) / 4 + 1
    frame = opened(tmp_path, image, two=oplist(opcode(9, gain_map((1, 0, H, W), gains, (2, 2)))))
    (got,) = frame.gain_maps
    assert (got.top, got.left, got.bottom, got.right, got.row_pitch, got.col_pitch) == (1, 0, H, W, 2, 2)
    assert got.spacing == (1.0, 0.5) and got.origin == (0, 0)
    np.testing.assert_allclose(got.gains[:, :, 0], gains)
    np.testing.assert_array_equal(frame.mosaic, image)


def test_gain_map_of_list_3_is_said_of_the_mosaic(tmp_path: pathlib.Path, image: Any) -> None:
    gains = np.ones((2, 2, 3)) * [1.5, 1.0, 2.5]
    frame = opened(tmp_path, image, three=oplist(opcode(9, gain_map(FULL, gains, planes=3))))
    where = {(g.top, g.left): float(g.gains.mean()) for g in frame.gain_maps}
    assert where == {(0, 0): 1.5, (0, 1): 1.0, (1, 0): 1.0, (1, 1): 2.5}
    assert all(g.row_pitch == g.col_pitch == 2 and g.planes == 1 for g in frame.gain_maps)


def test_gain_map_of_list_1_changes_the_samples(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image // 4, one=oplist(opcode(9, gain_map(FULL, np.full((2, 2), 2.0)))))
    np.testing.assert_array_equal(frame.mosaic, image // 4 * 2)
    assert frame.gain_maps == ()


def test_warp_and_vignette(tmp_path: pathlib.Path, image: Any) -> None:
    warp = struct.pack(">I", 3) + struct.pack(">18d", *range(18)) + struct.pack(">2d", 0.5, 0.25)
    vignette = struct.pack(">7d", 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
    frame = opened(tmp_path, image, three=oplist(opcode(1, warp), opcode(3, vignette)))
    assert frame.warps[0].centre == (0.5, 0.25)
    np.testing.assert_array_equal(frame.warps[0].coefficients, np.arange(18).reshape(3, 6))
    assert frame.vignettes[0].k == (0.1, 0.2, 0.3, 0.4, 0.5) and frame.vignettes[0].centre == (0.6, 0.7)


def test_bad_pixels_by_value_and_by_list(tmp_path: pathlib.Path, image: Any) -> None:
    image[3, 5] = image[20, 30] = 1234
    listed = struct.pack(">3I", 0, 2, 1) + struct.pack(">4i", 7, 8, 100, 100) + struct.pack(">4i", 10, 11, 12, 13)
    ops = oplist(opcode(4, struct.pack(">2I", 1234, 0)), opcode(5, listed))
    got = opened(tmp_path, image, one=ops).bad_pixels
    expected = [[3, 5], [7, 8], [10, 11], [10, 12], [11, 11], [11, 12], [20, 30]]
    np.testing.assert_array_equal(got, expected)


def test_bad_pixels_follow_the_active_area(tmp_path: pathlib.Path, image: Any) -> None:
    image[3, 5] = 1234
    ops = oplist(opcode(4, struct.pack(">2I", 1234, 0)))
    got = opened(tmp_path, image, one=ops, extra={50829: (LONG, [2, 1, H, W])}).bad_pixels
    np.testing.assert_array_equal(got, [[1, 4]])


def test_too_many_bad_pixels_are_not_believed(tmp_path: pathlib.Path) -> None:
    frame = opened(tmp_path, np.full((H, W), 1234, np.uint16), one=oplist(opcode(4, struct.pack(">2I", 1234, 0))))
    assert frame.bad_pixels is None and any("too many" in g for g in frame.guesses)


def test_table_and_lines_of_list_1_change_integers(tmp_path: pathlib.Path, image: Any) -> None:
    table = np.minimum(np.arange(65536) * 2, 65535).astype(">u2")
    part = area((0, 0, H, W), pitch=(2, 1))
    halves = struct.pack(f">I{H // 2}f", H // 2, *[0.5] * (H // 2))
    ops = oplist(
        opcode(7, part + struct.pack(">I", 65536) + table.tobytes()),
        opcode(12, area((1, 0, H, W), pitch=(2, 1)) + halves),
    )
    got = opened(tmp_path, image, one=ops).mosaic
    assert got is not None
    np.testing.assert_array_equal(got[::2], np.minimum(image[::2].astype(int) * 2, 65535))
    np.testing.assert_allclose(got[1::2], image[1::2] / 2, atol=0.51)


def test_list_1_comes_before_the_linearization_table(tmp_path: pathlib.Path) -> None:
    image = np.full((H, W), 10, np.uint16)
    ops = oplist(opcode(12, area(FULL) + struct.pack(">I", H) + struct.pack(f">{H}f", *[2.0] * H)))
    square = (SHORT, [v * v for v in range(200)])
    frame = opened(tmp_path, image, one=ops, extra={50712: square})
    assert (frame.mosaic == 400).all()


@pytest.mark.parametrize("number", [10, 11, 12, 13])
def test_lines_of_list_2_change_light(tmp_path: pathlib.Path, image: Any, number: int) -> None:
    n = H if number in (10, 12) else W
    values = np.linspace(0.3, 0.6, n) if number >= 12 else np.linspace(-0.02, 0.01, n)
    ops = oplist(opcode(number, area(FULL) + struct.pack(f">I{n}f", n, *values)))
    frame = opened(tmp_path, image, two=ops, extra={50714: (LONG, 1000)})
    before = (image - 1000) / 64535
    along = values[:, None] if n == H else values
    np.testing.assert_allclose(light(frame), before * along if number >= 12 else before + along, atol=2e-5)


def test_polynomial_of_list_2(tmp_path: pathlib.Path, image: Any) -> None:
    ops = oplist(opcode(8, area(FULL) + struct.pack(">I3d", 2, 0.01, 0.2, 0.7)))
    frame = opened(tmp_path, image, two=ops)
    x = image / 65535
    np.testing.assert_allclose(light(frame), 0.01 + 0.2 * x + 0.7 * x * x, atol=1e-5)
    assert any("list 2" in g for g in frame.guesses)


def test_gain_map_before_a_polynomial_is_applied_first(tmp_path: pathlib.Path, image: Any) -> None:
    gains = np.array([[1.0, 1.5], [0.5, 1.0]])
    ops = oplist(opcode(9, gain_map(FULL, gains)), opcode(8, area(FULL) + struct.pack(">I3d", 2, 0, 0, 0.5)))
    frame = opened(tmp_path, image // 2, two=ops)
    y, x = (np.arange(H)[:, None] + 0.5) / H, (np.arange(W) + 0.5) / W
    gain = (1 - y) * (1 + 0.5 * x) + y * (0.5 + 0.5 * x)
    np.testing.assert_allclose(light(frame), 0.5 * (image // 2 / 65535 * gain) ** 2, atol=2e-5)
    assert frame.gain_maps == ()


def test_trim_in_list_1_and_the_pattern(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image, one=oplist(opcode(6, struct.pack(">4i", 1, 3, 21, 30))))
    assert frame.shape == (20, 27) and frame.cfa == "BGGR"
    np.testing.assert_array_equal(frame.mosaic, image[1:21, 3:30])


def test_trim_in_list_2_keeps_the_gains_in_place(tmp_path: pathlib.Path, image: Any) -> None:
    """The map said of the part gives each pixel the gain that the whole map gave it."""
    gains = np.array([[1.0, 2.0], [3.0, 5.0]])
    ops = oplist(opcode(9, gain_map(FULL, gains)), opcode(6, struct.pack(">4i", 4, 6, 20, 30)))
    frame = opened(tmp_path, image, two=ops)
    (g,) = frame.gain_maps
    h, w = frame.shape
    v = (((np.arange(h) + 0.5) / h - g.origin[0]) / g.spacing[0])[:, None]
    u = ((np.arange(w) + 0.5) / w - g.origin[1]) / g.spacing[1]
    y, x = (np.arange(4, 20)[:, None] + 0.5) / H, (np.arange(6, 30) + 0.5) / W
    np.testing.assert_allclose(v + 0 * u, y + 0 * x, atol=1e-9)
    np.testing.assert_allclose(u + 0 * v, x + 0 * y, atol=1e-9)


def test_trim_in_list_3_is_a_crop(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image, three=oplist(opcode(6, struct.pack(">4i", 2, 4, 20, 30))))
    assert frame.crop == (2, 4, 18, 26) and frame.shape == (H, W)


@pytest.mark.parametrize("gains", [[[1, -0.1]], [[1, 65]]])
def test_gains_of_no_lens_are_refused(tmp_path: pathlib.Path, image: Any, gains: Any) -> None:
    k = [gains[0][1] - 1, 0, 0, 0, 0, 0.5, 0.5]
    for shading in (opcode(9, gain_map(FULL, gains)), opcode(3, struct.pack(">7d", *k))):
        with pytest.raises(RawError, match="asks for gains of"):
            opened(tmp_path, image, two=oplist(shading))


def test_unknown_opcodes(tmp_path: pathlib.Path, image: Any) -> None:
    frame = opened(tmp_path, image, three=oplist(opcode(77, b"abcd", optional=True)))
    assert frame.facts["opcodes"][2] == [{"name": "opcode 77", "optional": True, "used": False}]
    assert any("opcode 77" in g for g in frame.guesses)
    with pytest.raises(RawError, match="WarpFisheye"):
        opened(tmp_path, image, three=oplist(opcode(2, b"abcd")))


@pytest.mark.parametrize(
    "lie",
    [
        oplist(opcode(9, gain_map(FULL, np.ones((2, 2))), size=2**31)),
        oplist(opcode(9, gain_map(FULL, np.ones((2, 2)))[:-4])),
        oplist(opcode(9, area(FULL) + struct.pack(">2I4dI", 2**31, 2**31, 1, 1, 0, 0, 1))),
        oplist(opcode(5, struct.pack(">3I", 0, 2**30, 2**30))),
        oplist(opcode(7, area(FULL) + struct.pack(">I", 70000))),
        oplist(opcode(8, area(FULL) + struct.pack(">I", 2**31))),
        oplist(opcode(8, area((5, 5, 5, 5)) + struct.pack(">I2d", 1, 0, 1))),
        oplist(opcode(8, area(FULL, pitch=(0, 1)) + struct.pack(">I2d", 1, 0, 1))),
        oplist(opcode(8, area(FULL) + struct.pack(">I2d", 1, float("nan"), 1))),
        oplist(opcode(6, struct.pack(">4i", -1, 0, H, W))),
        oplist(opcode(10, area(FULL) + struct.pack(">I1f", 1, 0.0))),
        oplist(opcode(3, bytes(8))),
        oplist(count=2**32 - 1),
        oplist(count=1),
        (7, b"\0\0"),
    ],
)
def test_lists_that_lie(tmp_path: pathlib.Path, image: Any, lie: tuple[int, bytes]) -> None:
    with pytest.raises(RawError, match="damaged"):
        opened(tmp_path, image, two=lie)


@settings(max_examples=300, deadline=None)
@given(
    numbers=st.lists(st.tuples(st.integers(0, 16), st.binary(max_size=120), st.booleans()), max_size=4),
    cut=st.integers(0, 60),
    count=st.integers(0, 6),
)
def test_any_bytes_are_opcodes_or_an_error(numbers: Any, cut: int, count: int) -> None:
    data = oplist(*[opcode(*n) for n in numbers], count=count)[1]
    try:
        found = opcodes.parse(data[: len(data) - cut])
    except RawError:
        return
    assert len(found) == count


def test_lists_of_a_three_plane_image(tmp_path: pathlib.Path, rng: np.random.Generator) -> None:
    image = rng.integers(0, 255, (H, W, 3)).astype(np.uint8)
    ops = oplist(opcode(8, area(FULL, 1, 1) + struct.pack(">I3d", 2, 0, 0, 1.0)))
    path = tmp_path / "a.dng"
    path.write_bytes(dng([image.tobytes()], (H, W), bits=8, samples=3, extra={LIST2: ops}))
    frame = raw.open(path)
    assert frame.rgb is not None
    x = image.transpose(2, 0, 1) / 255
    x[1] **= 2
    np.testing.assert_allclose(frame.rgb / 65535, x, atol=1e-5)

"""EXIF and XMP of other makers' files, wherever they keep them; damage is told and costs the words only."""

from __future__ import annotations

import struct

import numpy as np
import pytest
from raw.dngs import ASCII, BYTE, LONG, RATIONAL, SHORT, header, ifd

from lichtbild.export import ifd as readers
from lichtbild.raw import words

SHOT = {33434: (RATIONAL, [(1, 250)]), 33437: (RATIONAL, [(28, 10)]), 34855: (SHORT, [800])}
SHOT |= {36867: (ASCII, b"2024:05:06 07:08:09\0"), 37386: (RATIONAL, [(35, 1)])}
CANON, XMP = "85c0b687820f11e08111f4ce462b6a48", "be7acfcb97a942e89c71999491e3afac"


def tiff(order: str = "<", version: bytes = b"") -> bytes:
    """IFD0 with maker, model, XMP and an EXIF directory, from offset 8 on."""
    first = {271: (ASCII, b"Maker\0"), 272: (ASCII, b"Model X\0"), 700: (BYTE, b"<x/>"), 34665: (LONG, [0])}
    at = 8 + len(ifd(first, 8, order))
    data = header(8, order) + ifd(first | {34665: (LONG, [at])}, 8, order) + ifd(SHOT, at, order)
    return data[:2] + (version or data[2:4]) + data[4:]


def box(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(body), name) + body


def cr3() -> bytes:
    one = header(8) + ifd({271: (ASCII, b"Maker\0"), 272: (ASCII, b"Model X\0")}, 8)
    parts = box(b"CNCV", b"x") + box(b"CMT1", one) + box(b"CMT2", header(8) + ifd(SHOT, 8)) + box(b"CMT3", b"secret")
    moov = box(b"moov", box(b"free", b"") + box(b"uuid", bytes.fromhex(CANON) + parts))
    large = struct.pack(">I4sQ", 1, b"mdat", 16 + 99) + bytes(99)
    return box(b"ftyp", b"crx ") + moov + box(b"uuid", bytes.fromhex(XMP) + b"<x/>") + large


def raf() -> bytes:
    exif = b"Exif\0\0" + tiff()
    segments = struct.pack(">HH", 0xFFE0, 4) + b"ab" + struct.pack(">HH", 0xFFE1, 2 + len(exif)) + exif
    return b"FUJIFILMCCD-RAW ".ljust(84, b"\0") + struct.pack(">II", 100, 999) + bytes(8) + b"\xff\xd8" + segments


FILES = {
    "tiff": tiff(),
    "big-endian": tiff(">"),
    "rw2": tiff(version=b"U\0"),
    "orf": tiff(version=b"RO"),
    "cr3": cr3(),
    "raf": raf(),
}


@pytest.mark.parametrize("kind", FILES)
def test_what_a_file_says_is_found(kind: str) -> None:
    guesses: list[str] = []
    said = words.read(FILES[kind], guesses)
    assert guesses == [] and (said.make, said.model, said.xmp) == ("Maker", "Model X", b"<x/>")
    e = said.exposure
    assert (e.iso, e.time_s, e.aperture, e.focal_mm, e.taken) == (800, 1 / 250, 2.8, 35, "2024-05-06T07:08:09")
    block = readers.read(said.exif)
    assert readers.text(block[271]) == "Maker" and readers.numbers(block[readers.EXIF][34855]) == [800]
    assert b"secret" not in said.exif


def test_nothing_and_damage_are_told(rng: np.random.Generator) -> None:
    for data in (b"", b"FOVb" + bytes(60), b"\0\0\0\x08ftyp" + bytes(40), raf()[:105], raf()[:84]):
        guesses: list[str] = []
        assert words.read(data, guesses) == words.Words() and "EXIF" in guesses[0]
    for whole in FILES.values():
        for _ in range(200):
            bad = bytearray(whole)
            for at in rng.integers(0, len(bad), 4):
                bad[at] = rng.integers(256)
            words.read(bytes(bad[: rng.integers(1, len(bad) + 1)]), [])

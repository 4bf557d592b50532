"""The version of a language's data."""

from __future__ import annotations

import struct

from tasks.reading import engine, tessdata


def test_the_installed_english_has_a_version():
    """The data that is read with is named by its hash, and by its version where it says one."""
    file = engine.data_folder(("eng",)) / "eng.traineddata"
    assert "sha256:" in tessdata.version(file)


def made(path, offsets, body):
    path.write_bytes(struct.pack(f"<I{len(offsets)}q", len(offsets), *offsets) + body)
    return path


def test_the_part_with_the_version_is_found(tmp_path):
    """The version ends where the next part begins, and without the network's shape."""
    start = 4 + 8 * 24
    offsets = [-1] * 22 + [start + 20, start]
    file = made(tmp_path / "x.traineddata", offsets, b"4.1.0:xyz:[1,36,0,1]other parts")
    assert tessdata.version(file).startswith("4.1.0:xyz sha256:")


def test_data_without_a_version_has_its_hash(tmp_path):
    """Old or broken files are told apart all the same."""
    one = made(tmp_path / "one.traineddata", [-1] * 24, b"")
    two = tmp_path / "two.traineddata"
    two.write_bytes(b"\xff" * 3)
    assert tessdata.version(one).startswith("sha256:")
    assert tessdata.version(two).startswith("sha256:")
    assert tessdata.version(one) != tessdata.version(two)

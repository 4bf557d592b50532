"""Spoilt files of every kind: each ends as a document or with a code, within its limits.

The short form is the same every time; `make fuzz` tries others for as long as it is told.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest
from mutations import seeds, spoilt
from needs import needs
from oven import End

ROUNDS = int(os.environ.get("WATCHERD_FUZZ", "10"))
SEED = int(os.environ.get("WATCHERD_FUZZ_SEED", "0"))
MOST_MEMORY = 1 << 30
CODES = {"document", "corrupt", "unsupported", "too-large", "empty", "encrypted", "timeout"}


@contextmanager
def oven():
    """Start the program that does files; give a function that asks it."""
    root = Path(__file__).parent
    paths = os.pathsep.join((str(root.parent), str(root)))
    child = subprocess.Popen(
        [sys.executable, str(root / "oven.py")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONPATH": paths},
    )

    def ask(path: Path) -> End:
        child.stdin.write(f"{path}\n")
        child.stdin.flush()
        return End(**json.loads(child.stdout.readline()))

    try:
        yield ask
    finally:
        child.stdin.close()
        child.wait(30)
        child.stdout.close()


@pytest.fixture(scope="module")
def bake():
    needs("tesseract")
    with oven() as ask:
        yield ask


@pytest.mark.parametrize("name", seeds())
def test_a_sound_file_becomes_a_document(bake, tmp_path, name):
    """What is spoilt in these tests is a document before."""
    path = tmp_path / "file"
    path.write_bytes(seeds()[name])
    assert bake(path).how == "document"


@pytest.mark.timeout(60 + 20 * ROUNDS)
@pytest.mark.parametrize("name", seeds())
def test_a_spoilt_file_ends_well(bake, tmp_path, name):
    """A spoilt file is a document all the same, or refused with a code; nothing hangs or dies."""
    for n in range(ROUNDS):
        path = tmp_path / f"{name}-{n}"
        path.write_bytes(spoilt(name, SEED + n, 1 + n % 9))
        end = bake(path)
        assert end.good, (n, end)
        assert end.how in CODES, (n, end)
        assert end.peak < MOST_MEMORY, (n, end)
        path.unlink()

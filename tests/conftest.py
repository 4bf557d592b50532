"""Fixtures for every test: a desk with an inbox and a spool, folders elsewhere, real kills."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
from desks import Desk
from needs import needs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# How long one example takes depends on who else uses the machine.
hypothesis.settings.register_profile("patient", deadline=None)
hypothesis.settings.load_profile("patient")


@pytest.fixture
def desk(tmp_path) -> Desk:
    """Give a configuration with one inbox, its folders, and its spool beside them."""
    return Desk(tmp_path)


@pytest.fixture
def fast() -> Iterator[Path]:
    """Give a folder in memory, for tests that make many files durable."""
    root = Path("/dev/shm")  # noqa: S108 - a private folder is made in it
    folder = Path(tempfile.mkdtemp(dir=root if root.is_dir() else None))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def elsewhere(tmp_path) -> Iterator[Path]:
    """Give a folder on another filesystem than `tmp_path`."""
    needs("a second filesystem")
    folder = Path(tempfile.mkdtemp(dir="/dev/shm"))
    assert folder.stat().st_dev != tmp_path.stat().st_dev
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def desks(fast) -> Callable[..., Desk]:
    """Give a maker of desks in memory, each in a folder of its own."""
    made = 0

    def make(**keys: object) -> Desk:
        nonlocal made
        made += 1
        return Desk(fast / str(made), **keys)

    return make

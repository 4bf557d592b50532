"""What a test needs of its machine: missing means skip on a laptop, and failure in CI."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from watcherd import broker

if TYPE_CHECKING:
    from collections.abc import Callable

CI_MAY_SKIP = {
    "corpus",  # not part of the repository
    "rsync",
    "a second filesystem",
    "root",
    "a loop device",  # few containers have one
    "verapdf",  # in no package archive
}
"""Everything else CI has to bring."""


def _languages() -> set[str]:
    folders = [Path("/usr/share/tesseract-ocr"), Path("/usr/share/tessdata")]
    if prefix := os.environ.get("TESSDATA_PREFIX"):
        folders.append(Path(prefix))
    return {file.stem for folder in folders for file in folder.rglob("*.traineddata")}


def _second_filesystem() -> bool:
    shm = Path("/dev/shm")  # noqa: S108 - a folder of the test's own is made in it
    return shm.is_dir() and shm.stat().st_dev != Path(os.path.realpath("/tmp")).stat().st_dev  # noqa: S108


def corpus() -> Path | None:
    """Return the folder of real scans, None where there is none."""
    beside = Path(__file__).parent.parent.parent / "shared" / "corpus"
    folder = Path(os.environ.get("WATCHERD_CORPUS") or beside)
    return folder if (folder / "MANIFEST.tsv").is_file() else None


_ASKED: dict[str, Callable[[], object]] = {
    "redis-server": lambda: broker.server_binary() is not None,
    "corpus": lambda: corpus() is not None,
    "a second filesystem": _second_filesystem,
    "a loop device": lambda: os.access("/dev/loop-control", os.W_OK),
    "mfusepy": lambda: importlib.util.find_spec("mfusepy") is not None,
    "root": lambda: os.geteuid() == 0,
}


def missing(thing: str) -> bool:
    """Tell whether the machine lacks something: a program, `language:fra`, or one of the above."""
    if thing.startswith("language:"):
        return thing.removeprefix("language:") not in _languages()
    return not _ASKED.get(thing, lambda: shutil.which(thing))()


def needs(*things: str) -> None:
    """Skip the test, or the fixture's tests, where something is missing; in CI fail instead."""
    absent = [thing for thing in things if missing(thing)]
    if not absent:
        return
    says = f"this machine has no {', '.join(absent)}"
    if os.environ.get("CI") and not set(absent) <= CI_MAY_SKIP:
        pytest.fail(f"{says}; CI must bring it")
    pytest.skip(says)

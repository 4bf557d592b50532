"""What a test needs of its machine: missing means skip on a laptop, and failure in CI."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from watcherd import broker

CI_MAY_SKIP = {
    "corpus",  # not part of the repository
    "rsync",
    "a second filesystem",
    "root",
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


def missing(thing: str) -> bool:
    """Tell whether the machine lacks something: a program, `language:fra`, or one of the above."""
    if thing == "redis-server":
        return broker.server_binary() is None
    if thing.startswith("language:"):
        return thing.removeprefix("language:") not in _languages()
    if thing == "corpus":
        return corpus() is None
    if thing == "a second filesystem":
        return not _second_filesystem()
    if thing == "root":
        return os.geteuid() != 0
    return shutil.which(thing) is None


def needs(*things: str) -> None:
    """Skip the test, or the fixture's tests, where something is missing; in CI fail instead."""
    absent = [thing for thing in things if missing(thing)]
    if not absent:
        return
    says = f"this machine has no {', '.join(absent)}"
    if os.environ.get("CI") and not set(absent) <= CI_MAY_SKIP:
        pytest.fail(f"{says}; CI must bring it")
    pytest.skip(says)

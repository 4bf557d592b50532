"""The corpus of real scans, as its MANIFEST.tsv describes it."""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks import expectation

if TYPE_CHECKING:
    from benchmarks.expectation import Expectation

_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "corpus"


@dataclass(frozen=True, slots=True)
class Scan:
    """A file to read."""

    path: Path
    languages: tuple[str, ...]
    expected: Expectation
    truth: str | None = None  # what stands on it
    fold: bool = False  # capital and small letters count as the same

    @property
    def name(self) -> str:
        """The file's name, which no other of the corpus has."""
        return self.path.name


def scans() -> list[Scan]:
    """Return the corpus in $WATCHERD_CORPUS, else that beside the checkout.

    Raises `FileNotFoundError` if there is none.
    """
    folder = Path(os.environ.get("WATCHERD_CORPUS") or _BESIDE)
    with (folder / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return [_scan(folder, row) for row in rows]


def _scan(folder: Path, row: dict[str, str]) -> Scan:
    language, truth = row["language"], row["has_ground_truth"]
    return Scan(
        folder / row["path"],
        ("eng",) if language == "-" else tuple(language.split("+")),
        expectation.parse(row["expectation"], int(row["pages"])),
        None if truth == "-" else (folder / truth).read_text("utf-8"),
        "score case-insensitively" in row["note"],
    )

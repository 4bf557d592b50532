"""hOCR: words with their places."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks import hocr
from tasks.outputs.describe import clean

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.outputs import Work


def write(work: Work, target: Path) -> tuple[str, ...]:
    """Write one hOCR file; boxes are in each page's own pixels, as `bbox` of its page says."""
    version = next((facts.version for facts in work.facts if facts.version), "")
    pages = ((f / "page.hocr").read_text(encoding="utf-8") for f in work.folders)
    with target.open("w", encoding="utf-8") as file:
        file.writelines(hocr.document(clean(work.meta.title), version, pages))
    return ()

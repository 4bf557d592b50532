"""Plain text, a form feed between pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.outputs import Work


def write(work: Work, target: Path) -> tuple[str, ...]:
    """Write the text of all pages, in UTF-8."""
    text = "\f".join((f / "page.txt").read_text(encoding="utf-8") for f in work.folders)
    target.write_text(text, encoding="utf-8")
    return ()

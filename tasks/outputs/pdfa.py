"""PDF/A."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tasks.outputs import pdf

if TYPE_CHECKING:
    from pathlib import Path

    from tasks.outputs import Work


def write(work: Work, target: Path) -> tuple[str, ...]:
    """Write it."""
    return pdf.write(work, target)

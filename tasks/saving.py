"""Writing a PDF so that trouble with the disk is an OSError."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pikepdf
    from _typeshed import ReadableBuffer


class _Held(io.FileIO):
    """A file that keeps the error of a write to itself: qpdf ends the process on one."""

    error: OSError | None = None

    def fileno(self) -> int:
        """Hide the descriptor: else it is written to without asking us."""
        raise io.UnsupportedOperation

    def write(self, data: ReadableBuffer, /) -> int:
        """Write, or pretend to."""
        if self.error is None:
            try:
                return super().write(data)
            except OSError as error:
                self.error = error
        return memoryview(data).nbytes


def save(pdf: pikepdf.Pdf, target: Path, *, linearize: bool = False) -> None:
    """Write a PDF, `linearize` for web browsers; raise OSError where the disk is in the way.

    What is packed stays as it is, byte by byte; what is not, or only as letters, is deflated.
    """
    raw = _Held(target, "w")
    with io.BufferedWriter(raw) as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fields that no form names: they came like that
        pdf.save(file, min_version="1.5", deterministic_id=True, linearize=linearize)
    if raw.error is not None:
        raise raw.error

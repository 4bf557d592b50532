"""The output formats: one module each in `tasks.outputs`, and one line here.

A stranger adds a format by writing a module with a function `write` (see `tasks.outputs`) and
naming it below. Only workers import the module: here are names, for whoever checks a
configuration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

FORMATS: Mapping[str, tuple[str, str]] = {
    "pdf": ("tasks.outputs.pdf", "pdf"),
    "pdfa": ("tasks.outputs.pdfa", "pdf"),
    "txt": ("tasks.outputs.text", "txt"),
    "hocr": ("tasks.outputs.layout", "hocr"),
    "json": ("tasks.outputs.provenance", "json"),
}
"""The module and the file's extension of each format, in the order in which they are written."""


def chosen(formats: tuple[str, ...]) -> list[str]:
    """Return the formats in the order of writing; of two with one extension the later one."""
    wanted = [name for name in FORMATS if name in formats]
    last = {FORMATS[name][1]: name for name in wanted}
    return [name for name in wanted if last[FORMATS[name][1]] == name]

"""All parts of a PDF that can be reached, each once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Array, Dictionary, Stream

if TYPE_CHECKING:
    from collections.abc import Iterator


def parts(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Yield every object, numbers and strings included, that catalog and info lead to.

    A container comes before what it holds, so that what is taken out of it meanwhile never comes.
    """
    todo: list[Any] = [pdf.trailer.get("/Info"), pdf.Root]
    seen: set[tuple[int, int]] = set()
    while todo:
        part = todo.pop()
        if isinstance(part, pikepdf.Object):
            if part.is_indirect:
                if part.objgen in seen:
                    continue
                seen.add(part.objgen)
            yield part
            todo.extend(_inside(part))
        elif part is not None:
            yield part


def _inside(part: pikepdf.Object) -> list[Any]:
    if isinstance(part, Dictionary | Stream):
        return [value for _, value in part.items()]
    return list(part) if isinstance(part, Array) else []

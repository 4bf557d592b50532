"""The resources of a PDF page, which may be inherited, shared, or wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pikepdf import Dictionary, Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pikepdf

_HIGHEST = 64  # nodes above a page; a tree of pages that leads round in circles has no top


def of_page(page: pikepdf.Object) -> Dictionary:
    """Return a page's own resources, or those that it inherits."""
    found = (node.get("/Resources") for node in _nodes(page))
    return next((one for one in found if isinstance(one, Dictionary)), Dictionary())


def rotation(page: pikepdf.Object) -> int:
    """Return the degrees clockwise, 0, 90, 180 or 270, by which a page is shown turned."""
    for node in _nodes(page):
        if "/Rotate" in node:
            try:
                return int(float(node.Rotate) / 90) % 4 * 90  # as pdfium takes odd ones
            except (TypeError, ValueError, OverflowError):
                return 0
    return 0


def _nodes(page: pikepdf.Object) -> Iterator[Dictionary]:
    """Yield a page and the nodes above it."""
    node: Any = page
    for _ in range(_HIGHEST):
        if not isinstance(node, Dictionary):
            break
        yield node
        node = node.get(Name.Parent)


def added(resources: Dictionary, kind: str, more: Mapping[str, pikepdf.Object]) -> Dictionary:
    """Return a copy of resources with more of a kind; the names have their slash."""
    out, table = _copy(resources), _copy(resources.get(kind))
    for name, value in more.items():
        table[name] = value
    if more:
        out[kind] = table
    return out


def free_name(resources: Dictionary, kind: str, wish: str) -> str:
    """Return a name, without its slash, that no resource of the kind has."""
    table = _copy(resources.get(kind))
    while f"/{wish}" in table:
        wish += "X"
    return wish


def _copy(original: Any) -> Dictionary:
    return Dictionary(dict(original.items()) if isinstance(original, Dictionary) else {})

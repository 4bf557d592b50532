"""Taking hidden text out of a page, and nothing else."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pikepdf
from pikepdf import Dictionary, Name, Operator, Stream

from tasks.pdfs.resources import added, of_page

if TYPE_CHECKING:
    from collections.abc import Iterator

HIDDEN = 3  # text render mode that paints nothing (ISO 32000-1, table 106)
DEPTH = 28  # forms within forms; as deep as q and Q may be nested (ISO 32000-1, annex C.2)

_Form = tuple[int, int, int]  # its object's two numbers, the mode in which it is drawn
_PACKING = frozenset({"/Length", "/Filter", "/DecodeParms"})


def strip_hidden(pdf: pikepdf.Pdf, page: pikepdf.Page) -> None:
    """Take the hidden text out of a page's content and of the forms that it draws.

    Forms may be shared with other pages: they are changed in copies. Content without hidden text
    stays as it is, byte by byte, and so does content that cannot be taken apart. Painted text
    that has no place of its own, but follows hidden text on its line, would move: no layer is
    known to be mixed like that.
    """
    resources = of_page(page.obj)
    walk = _Walk(pdf, resources)
    with suppress(pikepdf.PdfError):
        steps = list(walk.through(page.obj))
        if walk.changed:
            page.obj.Contents = pdf.make_stream(pikepdf.unparse_content_stream(steps))
        if walk.forms:
            page.obj.Resources = added(resources, "/XObject", walk.forms)


@dataclass(slots=True)
class _Walk:
    """A way through one content stream, with the text render mode as it is at each step."""

    pdf: pikepdf.Pdf
    resources: Dictionary
    mode: int = 0
    above: tuple[_Form, ...] = ()  # forms that this one is drawn in
    made: dict[_Form, Stream | None] = field(default_factory=dict)  # what is drawn instead
    forms: dict[str, Stream] = field(default_factory=dict)  # the same by name, of this content
    changed: bool = False
    _saved: list[int] = field(default_factory=list)

    def through(self, content: pikepdf.Object) -> Iterator[Any]:
        """Yield the steps that are to stay."""
        for step in pikepdf.parse_content_stream(content):
            match str(step.operator):
                case "q":
                    self._saved.append(self.mode)
                case "Q" if self._saved:
                    self.mode = self._saved.pop()
                case "Tr" if step.operands and isinstance(step.operands[0], int):
                    self.mode = step.operands[0]
                case "Do" if step.operands and not self._draws(str(step.operands[0])):
                    continue
                case "Tj" | "TJ" | "'" | '"' as shows if self.mode == HIDDEN:
                    self.changed = True
                    yield from _beside(shows, step.operands)
                    continue
            yield step

    def _draws(self, name: str) -> bool:
        """Look after what is drawn; say no for a form within itself, which readers leave out."""
        drawn = _get(self.resources, "/XObject").get(name)
        if not isinstance(drawn, Stream) or drawn.get("/Subtype") != Name.Form:
            return True
        key = (*drawn.objgen, self.mode)
        if key in self.above:
            return False
        if len(self.above) < DEPTH and key not in self.made:
            self.made[key] = self._copy(drawn, key)
        copy = self.made.get(key)
        if copy is not None:
            self.forms.setdefault(name, copy)
        return True

    def _copy(self, form: Stream, key: _Form) -> Stream | None:
        """Return a form without its hidden text, None if it has none."""
        own = form.get("/Resources")
        inner = own if isinstance(own, Dictionary) else self.resources
        walk = _Walk(self.pdf, inner, self.mode, (*self.above, key), self.made)
        steps = list(walk.through(form))
        if not (walk.changed or walk.forms):
            return None
        keys = {k: v for k, v in form.items() if k not in _PACKING}
        copy = Stream(self.pdf, pikepdf.unparse_content_stream(steps), keys)
        copy.Resources = added(inner, "/XObject", walk.forms)
        return copy


def _beside(shows: str, operands: Any) -> Iterator[Any]:
    """Yield what an operator does beside showing text: begin a line, set the spaces."""
    if shows == '"':
        yield pikepdf.ContentStreamInstruction([operands[0]], Operator("Tw"))
        yield pikepdf.ContentStreamInstruction([operands[1]], Operator("Tc"))
    if shows in "'\"":
        yield pikepdf.ContentStreamInstruction([], Operator("T*"))


def _get(table: Dictionary, key: str) -> Dictionary:
    found = table.get(key)
    return found if isinstance(found, Dictionary) else Dictionary()

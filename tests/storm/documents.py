"""The storm's documents: each page carries a phrase of its own, which names it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from operator import ne
from typing import TYPE_CHECKING

from makers import encoded, sheet
from papers import dense

if TYPE_CHECKING:
    from collections.abc import Iterator
    from random import Random

    from PIL import Image

_TEXT = """
amber anchor apple arrow autumn bacon basket beach bottle bridge bronze butter cabin candle
carbon castle cheese cherry circle copper cotton dinner doctor dragon engine fabric family
farmer finger flower forest garden ginger guitar hammer harbor honey island jacket kitchen
ladder leather lemon market marble meadow mirror monkey morning mother number orange orchard
paper pencil pepper planet pocket potato rabbit silver summer ticket window
"""
WORDS = tuple(_TEXT.split())
_NUMBERS = {word: n for n, word in enumerate(WORDS)}
_SIZE = (600, 200)


def phrase(number: int) -> str:
    """Return four words that name a page: three digits to the base of 64, and a check."""
    digits = (number // 4096 % 64, number // 64 % 64, number % 64)
    check = (digits[0] * 3 + digits[1] * 5 + digits[2] * 7 + 11) % 64
    return " ".join(WORDS[d] for d in (*digits, check))


def numbers(text: str) -> list[int]:
    """Return the numbers of all pages whose phrases stand in a text, in order."""
    words = [_known(word) for word in text.split()]
    found = []
    at = 0
    while at < len(words) - 3:
        four = words[at : at + 4]
        a, b, c, _ = (_NUMBERS.get(word, -1) for word in four)
        number = a * 4096 + b * 64 + c
        known = min(a, b, c) >= 0 and phrase(number).split() == four
        found += [number] if known else []
        at += 4 if known else 1
    return found


def _known(word: str) -> str:
    """Return the word of ours that was meant: one letter may be misread, the check will tell."""
    if word in _NUMBERS or not word.isalpha():
        return word
    near = [w for w in WORDS if len(w) == len(word) and sum(map(ne, w, word)) == 1]
    return near[0] if len(near) == 1 else word


def small(number: int, size: tuple[int, int] = _SIZE) -> Image.Image:
    """Return a page of four words, quick to read."""
    words = phrase(number).split()
    rows = (" ".join(words[:2]), " ".join(words[2:]))
    return sheet(rows, size=size, font_size=44, left=40, top=30, leading=75).image


def full(number: int) -> Image.Image:
    """Return an A4 page at 300 dpi, full of words under its phrase."""
    page = dense(number).convert("L")
    page.paste(255, (0, 0, page.width, 420))
    page.paste(small(number).resize((1200, 400)), (100, 0))
    return page.convert("1")


@dataclass(frozen=True)
class Document:
    """One file to be dropped, and what must come of it."""

    name: str
    inbox: str
    numbers: tuple[int, ...]  # of its pages
    kind: str  # small, full, book, poison
    slow: bool  # written in pieces, under its own name
    size: tuple[int, int] = _SIZE  # of a poison's page
    sha256: list[str] = field(default_factory=list, compare=False)

    @property
    def stem(self) -> str:
        """The name without its extension."""
        return self.name.rpartition(".")[0]

    def data(self) -> bytes:
        """Draw the document and return the bytes of its file; remembers their hash."""
        if self.kind == "book":
            pages = [small(n) for n in self.numbers]
            made = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:], dpi=(200, 200))
        elif self.kind == "full":
            made = encoded(full(self.numbers[0]), "PNG", dpi=(300, 300))
        else:
            made = encoded(small(self.numbers[0], self.size), "PNG", dpi=(200, 200))
        self.sha256[:] = [hashlib.sha256(made).hexdigest()]
        return made


def plan(
    count: int, fulls: int, book_pages: int, poisons: tuple[tuple[int, int], ...], random: Random
) -> list[Document]:
    """Return the documents of a storm, in the order of their dropping."""
    inboxes = ("plain", "texts", "away")
    taken = set(random.sample(range(count), fulls))
    made = [
        Document(
            f"d{n:05}.png",
            "plain" if n in taken else random.choice(inboxes),
            (n,),
            "full" if n in taken else "small",
            random.random() < 0.15,
        )
        for n in range(count)
    ]
    pages = tuple(range(100_000, 100_000 + book_pages))
    made.insert(len(made) // 8, Document("book.tiff", "plain", pages, "book", slow=True))
    for n, size in enumerate(poisons):
        poison = Document(f"poison{n}.png", inboxes[n], (200_000 + n,), "poison", False, size)
        made.insert(len(made) * n // 20, poison)
    return made


def batches(documents: list[Document], count: int) -> Iterator[list[Document]]:
    """Give the documents in so many parts of about the same size."""
    for n in range(count):
        yield documents[len(documents) * n // count : len(documents) * (n + 1) // count]

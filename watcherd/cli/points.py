"""One point of `watcherd check`, and how a check says what it found."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Level = Literal["OK", "WARN", "FAIL"]


@dataclass(frozen=True, slots=True)
class Point:
    """What was found at one place; `remedy` is what to do about it."""

    level: Level
    place: str  # a key of the configuration, or a part of the machine
    says: str
    remedy: str = ""
    configuration: bool = False  # the remedy is to change the configuration

    def to_json(self) -> dict[str, Any]:
        """Return what `check --json` prints of it."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.place}: {self.says}" + (f"; {self.remedy}" if self.remedy else "")


def ok(place: str, says: str) -> Point:
    """Say that all is well."""
    return Point("OK", place, says)


def warn(place: str, says: str, remedy: str = "") -> Point:
    """Say that it works, but not as it should."""
    return Point("WARN", place, says, remedy)


def fail(place: str, says: str, remedy: str = "", *, configuration: bool = False) -> Point:
    """Say that it cannot work, because of the machine unless said to be the configuration."""
    return Point("FAIL", place, says, remedy, configuration)

"""Secrets come from files that only the service can read, never from the configuration itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from pathlib import Path


def lines(file: Path) -> tuple[str, ...]:
    """Return the lines of a file, each a secret; empty ones are none.

    Raises EnvironmentFault when it cannot be read: work that needs it waits until it can.
    """
    try:
        return tuple(line for line in file.read_text("utf-8").splitlines() if line)
    except (OSError, UnicodeDecodeError) as error:
        raise EnvironmentFault(f"the secrets in {file} cannot be read: {error}") from error

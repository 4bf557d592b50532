"""Files that travel with the program and are no modules: the example, the deployment's files.

In a checkout they lie at its root. Installed they are data files of the distribution, below
`share/watcherd` of the environment; the distribution's own list says where that is.
"""

from __future__ import annotations

import sysconfig
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = "config.example.toml"
"""The configuration file with every key."""


def find(name: str) -> Path:
    """Return where a file or folder of a checkout is, such as `deploy/systemd`.

    Raises `EnvironmentFault` where the installation lacks it.
    """
    tried = list(dict.fromkeys(_roots()))
    for root in tried:
        if (root / name).exists():
            return root / name
    places = ", ".join(map(str, tried))
    raise EnvironmentFault(f"{name} is missing from this installation ({places}); install it anew")


def _roots() -> Iterator[Path]:
    checkout = Path(__file__).resolve().parent.parent
    if (checkout / "pyproject.toml").is_file():
        yield checkout
    try:
        files = metadata.files("watcherd") or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.parts[-3:] == ("share", "watcherd", EXAMPLE):
            yield Path(str(file.locate())).resolve().parent
    yield Path(sysconfig.get_path("data"), "share", "watcherd")

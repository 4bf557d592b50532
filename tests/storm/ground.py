"""Where the storm takes place: folders of its own, one inbox on a small disk, one outbox afar."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SMALL_DISK = "160M"


@dataclass(frozen=True)
class Place:
    """The folders of one inbox."""

    inbox: Path
    outbox: Path
    archive: Path
    failed: Path
    formats: tuple[str, ...]


class Ground:
    """The folders and the configuration; `clear` removes all of it."""

    def __init__(self, lease: float, attempts: int) -> None:
        """Make everything; nothing is started."""
        # Not in pytest's folder: the path of a unix socket has at most 107 bytes.
        self.root = Path(tempfile.mkdtemp(prefix="ws-"))
        self._made = [self.root]
        self.disk = self.root / "disk"
        self.disk.mkdir()
        self.mounted = self._mount()
        self.socket = self.root / "redis.sock"
        self.config = self.root / "c.toml"
        self.state = self.root / "state"
        shm = Path("/dev/shm")  # noqa: S108 - a folder of the storm's own is made in it
        self.far = shm.is_dir() and shm.stat().st_dev != self.root.stat().st_dev
        if self.far:
            self._made.append(Path(tempfile.mkdtemp(prefix="ws-", dir=shm)))
        self.places = {
            "plain": self._place(self.root / "plain", self.root / "plain", ("pdf",)),
            # Its archive is not on the small disk: originals are filed by copying.
            "texts": self._place(self.disk, self.root / "texts", ("pdf", "txt")),
            # Its spool is elsewhere: files are claimed and published by copying.
            "away": self._place(self._made[-1] / "away", self.root / "away", ("pdf",)),
        }
        self.config.write_text(self._configuration(lease, attempts), "utf-8")

    @property
    def spools(self) -> list[Path]:
        """The spools that there are by now."""
        roots = (self.root / "plain", self.disk)
        found = [root / ".watcherd" for root in roots]
        found += [self.state / "spool", self.root / "away" / "spool"]
        return [spool for spool in found if (spool / "spool.json").is_file()]

    def _mount(self) -> bool:
        """Put a small filesystem under `disk`; False where that is not ours to do."""
        command = ["mount", "-t", "tmpfs", "-o", f"size={_SMALL_DISK}", "none", self.disk]
        try:
            return subprocess.run(command, capture_output=True, check=False).returncode == 0
        except OSError:
            return False

    def _place(self, work: Path, safe: Path, formats: tuple[str, ...]) -> Place:
        folders = (work / "inbox", work / "outbox", safe / "archive", safe / "failed")
        for folder in folders:
            folder.mkdir(parents=True)
        return Place(*folders, formats)

    def _configuration(self, lease: float, attempts: int) -> str:
        main = {
            "state_dir": str(self.state),
            "broker": f"redis+socket://{self.socket}",
            "lease": lease,
            "attempts": attempts,
            "rescan": 10,
            "min_free": 0,
            "log": "json",
            "log_level": "info",
        }
        text = [_table("[watcherd]", main)]
        for name, place in self.places.items():
            folders: dict[str, object] = {
                "path": str(place.inbox),
                "outbox": str(place.outbox),
                "archive": str(place.archive),
                "failed": str(place.failed),
                "formats": list(place.formats),
            }
            if name == "away":
                folders["spool"] = str(self.root / "away" / "spool")
            text.append(_table("[[inbox]]", {"name": name, **folders}))
        return "\n".join(text)

    # The small disk

    def fill(self) -> None:
        """Fill the small disk to its last byte."""
        with (self.disk / "ballast").open("wb", buffering=0) as file:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def free(self) -> None:
        """Give the small disk its room again."""
        (self.disk / "ballast").unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove everything."""
        if self.mounted:
            subprocess.run(["umount", "--lazy", self.disk], check=False)
        for path in self._made:
            shutil.rmtree(path, ignore_errors=True)


def _table(heading: str, keys: Mapping[str, object]) -> str:
    return "\n".join([heading, *(f"{k} = {json.dumps(v)}" for k, v in keys.items()), ""])


def names_in(folder: Path) -> list[str]:
    """Return the names of all files below a folder, hidden ones too."""
    return [
        os.path.relpath(os.path.join(where, name), folder)  # noqa: PTH118 - thousands of them
        for where, _, names in os.walk(folder)
        for name in names
    ]

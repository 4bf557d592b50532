"""Power loss at every step of a run: on every disk it could leave, all ends as it should.

The model of the disk is that of `powerloss.py`. What a scanner has written and not fsynced before
its file is claimed cannot be our promise; the seal makes the bytes durable, whoever wrote them.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import drive
import powerloss
import pytest
from makers import encoded, sheet
from needs import needs
from papers import text_of
from replay import Replay

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST = 40
"""States of one run that are recovered, besides the two plain ones after each step."""


@dataclass(frozen=True)
class Run:
    """One way of a document through the service."""

    name: str = "a.png"
    pages: int = 1
    elsewhere: tuple[str, ...] = ()  # folders on another filesystem
    sound: bool = True
    retried: bool = False


RUNS = {
    "done": Run(),
    "pages": Run("a.tif", pages=2),
    "copied": Run(elsewhere=("inbox", "outbox", "archive", "failed")),
    "failed and retried": Run(sound=False, retried=True),
    "failed and retried, copied": Run(sound=False, retried=True, elsewhere=("failed",)),
}


def _original(run: Run) -> bytes:
    if not run.sound:
        return b"\x89PNG\r\n\x1a\n and nothing more"
    images = [sheet((f"This is page {n}",), size=(800, 200)).image for n in range(1, run.pages + 1)]
    if run.pages == 1:
        return encoded(images[0], "PNG", dpi=(200, 200))
    return encoded(images[0], "TIFF", save_all=True, append_images=images[1:], dpi=(200, 200))


def _configure(run: Run, near: Path, far: Path) -> Path:
    keys = {"name": "scans", "settle": 0.5, "notify": ["office"],
            "formats": ["pdf", "txt"], "languages": ["eng"]}  # fmt: skip
    for folder in ("outbox", "archive", "failed", "spool"):
        keys[folder] = str((far if folder in run.elsewhere else near) / folder)
    keys["path"] = str((far if "inbox" in run.elsewhere else near) / "inbox")
    rows = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
    file = near / "c.toml"
    file.write_text(
        "\n".join([
            "[watcherd]", f'state_dir = "{near}/state"', "[[inbox]]", *rows,
            "[notify.office]", 'command = ["true"]', "",
        ]),
        "utf-8",
    )  # fmt: skip
    return file


@pytest.fixture
def places() -> Iterator[dict[str, Path]]:
    """Give a near and a far root for the run, and the same for its recoveries."""
    needs("strace", "a second filesystem")
    shm = "/dev/shm"  # noqa: S108 - private folders are made in it
    made = {
        name: Path(tempfile.mkdtemp(prefix="wd-", dir=shm if "near" in name else None))
        for name in ("near", "far", "near again", "far again")
    }
    yield made
    for path in made.values():
        shutil.rmtree(path)


def _holders(data: bytes, roots: list[Path]) -> list[Path]:
    """Return the files that hold the original; those on their way under hidden names are none."""
    found = {}
    for root in roots:
        for path in sorted(root.rglob("*")):
            if path.is_file() and not path.name.endswith(".part") and path.read_bytes() == data:
                found[path.stat().st_dev, path.stat().st_ino] = path
    return list(found.values())


class Recovery:
    """Sees that a disk as it was found comes to the one right end."""

    def __init__(self, run: Run, data: bytes, near: Path, far: Path) -> None:
        self.run, self.data, self.near, self.far = run, data, near, far

    def folder(self, name: str) -> Path:
        """Return one of the inbox's folders."""
        return (self.far if name in self.run.elsewhere else self.near) / name

    def names(self, name: str) -> list[str]:
        """Return what a folder shows to a person."""
        folder = self.folder(name)
        shown = os.listdir(folder) if folder.is_dir() else []
        return sorted(name for name in shown if not name.startswith("."))

    def check(self) -> None:
        """Check the state as it is found, recover, and check the end."""
        roots = [self.near, self.far]
        assert _holders(self.data, roots), "the original is gone"
        for name in self.names("outbox"):
            assert (self.folder("outbox") / name).stat().st_size, f"{name} is empty"
        drive.drive(_configure(self.run, self.near, self.far))
        (holder,) = _holders(self.data, roots)
        assert self.names("inbox") == []
        assert os.listdir(self.folder("spool") / "work") == []
        if self.run.sound:
            assert holder == self.folder("archive") / self.run.name
            assert self.names("outbox") == ["a.pdf", "a.txt"]
            outbox = self.folder("outbox")
            assert text_of(outbox / "a.pdf").count("page") == self.run.pages
            assert (outbox / "a.txt").read_text("utf-8").count("page") == self.run.pages
            assert self.names("failed") == []
        else:
            assert holder == self.folder("failed") / self.run.name
            says = json.loads((self.folder("failed") / f"{self.run.name}.error.json").read_bytes())
            assert says["code"] == "corrupt"
            assert self.names("failed") == [self.run.name, f"{self.run.name}.error.json"]
            assert self.names("outbox") == self.names("archive") == []
        assert os.listdir(self.folder("spool") / "notices"), "nobody is told"


def _recorded(run: Run, data: bytes, near: Path, far: Path) -> tuple[powerloss.Disk, list[str]]:
    """Record a run; return the disk as it was before it, and the calls."""
    for folder in ("inbox", "outbox"):
        ((far if folder in run.elsewhere else near) / folder).mkdir()
    ((far if "inbox" in run.elsewhere else near) / "inbox" / run.name).write_bytes(data)
    file = _configure(run, near, far)
    disk = powerloss.Disk()
    disk.load(near)
    disk.load(far)
    arguments = ["retry"] if run.retried else []
    log = file.parent.parent / f"{file.parent.name}.strace"
    try:
        return disk, powerloss.record(powerloss.program(file, *arguments), log, dict(os.environ))
    finally:
        log.unlink(missing_ok=True)


def _same(state: powerloss.State, roots: list[Path]) -> None:
    """See that the model knows all that the run has done to the disk."""
    real = {str(p) for root in roots for p in root.rglob("*")}
    assert state.keys() == real
    for path, found in state.items():
        if not found.node.folder:
            assert Path(path).read_bytes() == found.data, path


@pytest.mark.parametrize("name", RUNS)
def test_power_loss_at_every_step(name, places):
    """After each step of the run, every disk that could be found leads to the one right end."""
    run = RUNS[name]
    data = _original(run)
    disk, calls = _recorded(run, data, places["near"], places["far"])
    inode = next(node.inode for node in disk.now.values() if node.data == data)
    replay = Replay(disk)
    seen: dict[int, tuple[str, powerloss.State]] = {}
    later: dict[int, tuple[str, powerloss.State]] = {}
    for call in calls:
        if (says := replay.call(call)) is None:
            continue
        for number, state in enumerate(disk.states()):
            key = hash(frozenset((path, f.data) for path, f in state.items()))
            if key not in seen and key not in later:
                (seen if number < 2 else later)[key] = (says, state)
    _same(disk.found(disk.pending, "kept"), [places["near"], places["far"]])
    rest = [one for key, one in later.items() if key not in seen]
    chosen = [*seen.values(), *rest[:: max(1, -(-len(rest) // MOST))]]
    moved = {str(places[n]): places[f"{n} again"] for n in ("near", "far")}
    for says, state in chosen:
        powerloss.materialise(state, moved, inode)
        try:
            Recovery(run, data, *moved.values()).check()
        except Exception as error:
            error.add_note(f"power lost after: {says}")
            raise

"""A disk that loses power: what a run did to it, and every state in which it could be found.

`kill -9` keeps what the kernel has in memory, and so cannot show a missing fsync. Here strace
records a run of the real code, and a model replays it on a disk that keeps what POSIX promises
and no more:

* the bytes of a file are durable when that file was fsynced; else it is found empty, cut, or whole;
* an entry of a directory (made, renamed, linked, unlinked) is durable when that directory was
  fsynced; else each such step, alone, may have reached the disk or not;
* a rename is one step, also between two directories, so that syncing either makes it durable.

ext4 and XFS give more: their journals keep the order of all steps on one filesystem, so that
syncing one directory takes along what was done to others before. Btrfs does not in all cases, and
POSIX says nothing of it; so nothing here relies on it. What is there before the run is durable.
"""

from __future__ import annotations

import functools
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from needs import needs

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

CALLS = (
    *("openat", "open", "creat", "close", "write", "pwrite64", "lseek", "ftruncate", "truncate"),
    *("fsync", "fdatasync", "rename", "renameat", "renameat2", "link", "linkat", "unlink"),
    *("unlinkat", "mkdir", "mkdirat", "rmdir", "utimensat", "writev", "sendfile"),
    *("copy_file_range", "fallocate", "symlink", "symlinkat", "dup", "dup2", "dup3", "mknodat"),
)
_HALF = re.compile(r"(\d+) +(.*) <unfinished \.\.\.>")
_REST = re.compile(r"(\d+) +<\.\.\. \w+ resumed>(.*)")


def record(command: list[str | Path], log: Path, env: dict[str, str]) -> list[str]:
    """Run a program under strace; return its calls, one a line, in the order of their ends."""
    needs("strace")
    traced = ["strace", "-f", "-y", "-qq", "-xx", "-s", "9999999", "--seccomp-bpf", "-o", log,
              "-e", f"trace={','.join(CALLS)}", *command]  # fmt: skip
    done = subprocess.run(traced, capture_output=True, text=True, check=False, env=env)
    if "ptrace" in done.stderr and "not permitted" in done.stderr:
        pytest.skip("this machine lets no program trace another")
    assert done.returncode == 0, done.stderr
    lines, halves = [], {}
    for line in log.read_text("ascii").splitlines():
        if half := _HALF.fullmatch(line):
            halves[half[1]] = half[2]
        elif rest := _REST.fullmatch(line):
            lines.append(f"{rest[1]} {halves.pop(rest[1])}{rest[2]}")
        else:
            lines.append(line)
    return lines


@dataclass(eq=False)
class Node:
    """A file or a directory, whatever its names."""

    folder: bool
    data: bytes = b""
    mtime: int = 0
    durable: tuple[bytes, int] | None = None  # data and mtime as last fsynced
    inode: int = 0  # its number when the run began


Entry = tuple[Node, str]
Step = tuple[int, dict[Entry, Node | None]]


@dataclass(frozen=True)
class Found:
    """What one path holds after the power came back."""

    node: Node
    data: bytes
    mtime: int


State = dict[str, Found]
"""What is found on the disk, by path; a directory before what is in it."""


@dataclass
class Disk:
    """The disk: as programs see it, as it would be found, and the steps between the two."""

    roots: dict[str, Node] = field(default_factory=dict)
    now: dict[Entry, Node] = field(default_factory=dict)
    kept: dict[Entry, tuple[int, Node | None]] = field(default_factory=dict)
    pending: list[Step] = field(default_factory=list)
    steps: int = 0

    def load(self, root: Path) -> None:
        """Take what is below a folder as it is, and as durable."""
        self.roots[str(root)] = Node(folder=True)
        for path in sorted(root.rglob("*")):
            status = path.stat()
            data = b"" if path.is_dir() else path.read_bytes()
            node = Node(path.is_dir(), data, status.st_mtime_ns, (data, status.st_mtime_ns))
            node.inode = status.st_ino
            entry = self.entry(str(path))
            assert entry is not None
            self.now[entry], self.kept[entry] = node, (0, node)

    def entry(self, path: str) -> Entry | None:
        """Return the place of a path, None if it is on no disk of ours."""
        for root, top in self.roots.items():
            if path.startswith(f"{root}/"):
                *folders, name = path.removeprefix(f"{root}/").split("/")
                return functools.reduce(lambda at, f: self.now[at, f], folders, top), name
        return None

    def at(self, path: str) -> Node | None:
        """Return what a path names now."""
        entry = self.entry(path)
        return self.roots.get(path) if entry is None else self.now.get(entry)

    def step(self, change: dict[Entry, Node | None]) -> None:
        """Change directories, in one step."""
        self.steps += 1
        self.pending.append((self.steps, change))
        for entry, node in change.items():
            if node is None:
                del self.now[entry]
            else:
                self.now[entry] = node

    def sync(self, node: Node) -> None:
        """Make durable what an fsync does."""
        if not node.folder:
            node.durable = (node.data, node.mtime)
            return
        mine = [s for s in self.pending if any(folder is node for folder, _ in s[1])]
        self.pending = [s for s in self.pending if s not in mine]
        self.kept = self._with(mine)

    def _with(self, steps: Collection[Step]) -> dict[Entry, tuple[int, Node | None]]:
        kept = dict(self.kept)
        for number, change in steps:
            for entry, node in change.items():
                if number > kept.get(entry, (0, None))[0]:
                    kept[entry] = (number, node)
        return kept

    def found(self, steps: Collection[Step], data: str) -> State:
        """Return the state with these unsynced steps; unsynced `data` is lost, half or kept."""
        children: dict[int, list[tuple[str, Node]]] = {}
        for (folder, name), (_, node) in self._with(steps).items():
            if node is not None:
                children.setdefault(id(folder), []).append((name, node))
        state: State = {}
        stack = list(self.roots.items())
        while stack:
            path, node = stack.pop()
            for name, child in sorted(children.get(id(node), ()), key=lambda c: c[0]):
                below = f"{path}/{name}"
                state[below] = Found(child, *_bytes(child, data))
                if child.folder:
                    stack.append((below, child))
        return state

    def states(self) -> Iterator[State]:
        """Give the states in which the disk could be found now, the telling ones first."""
        yield self.found((), "lost")
        yield self.found(self.pending, "lost")
        yield self.found(self.pending, "half")
        yield self.found(self.pending, "kept")
        for one in self.pending:
            yield self.found([one], "lost")
        for one in self.pending:
            yield self.found([s for s in self.pending if s is not one], "lost")


def _bytes(node: Node, data: str) -> tuple[bytes, int]:
    known = node.durable or (b"", node.mtime)
    if node.folder or known[0] == node.data or data == "kept":
        return node.data, known[1] if known[0] == node.data else node.mtime
    return known if data == "lost" else (node.data[: len(node.data) // 2], node.mtime)


def materialise(state: State, moved: dict[str, Path], inode: int) -> None:
    """Make a state real below other roots, hard links included.

    Inode numbers are new; that of the original, which its claim recorded, is replaced with it.
    """
    for root in moved.values():
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir(parents=True)
    made: dict[int, Path] = {}
    for path, found in state.items():
        root = next(r for r in moved if path.startswith(f"{r}/"))
        there = Path(str(moved[root]) + path.removeprefix(root))
        if found.node.folder:
            there.mkdir()
        elif id(found.node) in made:
            os.link(made[id(found.node)], there)
        else:
            there.write_bytes(found.data)
            os.utime(there, ns=(found.mtime, found.mtime))
            made[id(found.node)] = there
    for root in moved.values():
        for folder, _, _ in os.walk(root):
            os.utime(folder, (0, 0))  # the machine was off for a while
    _renumber(state, made, inode)


def _renumber(state: State, made: dict[int, Path], inode: int) -> None:
    """Put the original's new inode number into its claim."""
    paths = {made[id(f.node)] for f in state.values() if f.node.inode == inode}
    for claim in (path for path in made.values() if path.name == "job.json"):
        for original in paths:
            text = claim.read_text("utf-8")
            new = f'"inode": {original.stat().st_ino}'
            claim.write_text(text.replace(f'"inode": {inode}', new), "utf-8")


def program(*arguments: object) -> list[str]:
    """Return the command that drives documents through the real code, see `__main__`."""
    return [sys.executable, str(Path(__file__).with_name("drive.py")), *map(str, arguments)]

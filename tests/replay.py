"""Replays the calls that strace recorded on the disk of `powerloss.py`."""

from __future__ import annotations

import os
import re
from typing import Any

from powerloss import Disk, Node

_UNKNOWN = {"writev", "sendfile", "copy_file_range", "fallocate", "symlink", "symlinkat", "mknodat"}
"""Not in use; a run that comes to use them must be modelled."""

_LINE = re.compile(r"\d+ +(\w+)\((.*)\) += (-?\d+)(<[^>]*>)?.*")
_STRING = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')
_TIMES = re.compile(r"\{tv_sec=(-?\d+), tv_nsec=(\d+)\}")


class Replay:
    """Replays recorded calls on a disk."""

    def __init__(self, disk: Disk) -> None:
        self.disk = disk
        self._open: dict[int, list[Any]] = {}  # the node, and the place in it

    def call(self, line: str) -> str | None:
        """Replay one line; return what it did to the disk in words, None if nothing."""
        match = _LINE.fullmatch(line)
        if match is None:
            return None  # a signal, an exit, or a call without an end
        name, arguments, result = match[1], match[2], int(match[3])
        if result < 0:
            return None
        act = getattr(self, f"_{'openat' if name == 'open' else name.rstrip('0123456789')}", None)
        if act is None:
            touched = name in _UNKNOWN and any(r in _plain(arguments) for r in self.disk.roots)
            assert not touched, f"{name} is not modelled"
            return None
        says = act(arguments, result)
        return f"{name} {says}" if says else None

    def _paths(self, arguments: str) -> list[str]:
        """Return the absolute paths that a call names, relative ones below their descriptor."""
        paths, here = [], ""
        for part in re.finditer(r'<((?:\\x[0-9a-f]{2})*)>|"((?:\\x[0-9a-f]{2})*)"', arguments):
            if part[1] is not None:
                here = _plain(part[1])
            else:
                paths.append(os.path.normpath(os.path.join(here, _plain(part[2]))))  # noqa: PTH118
        return paths

    def _openat(self, arguments: str, result: int) -> str | None:
        path = self._paths(arguments)[0]
        self._open.pop(result, None)
        entry = self.disk.entry(path) if "O_CREAT" in arguments else None
        made = entry is not None and entry not in self.disk.now
        if made:
            self.disk.step({entry: Node(folder=False)})
        node = self.disk.at(path)
        if node is None:
            return None
        if "O_TRUNC" in arguments:
            node.data = b""
        self._open[result] = [node, 0]
        return path if made or "O_TRUNC" in arguments else None

    def _close(self, arguments: str, _: int) -> None:
        self._open.pop(_fd(arguments), None)

    def _write(self, arguments: str, count: int) -> str | None:
        held = self._open.get(_fd(arguments))
        if held is None:
            return None
        self._put(held[0], held[1], _data(arguments)[:count])
        held[1] += count
        return _plain(arguments.partition(">")[0])

    def _pwrite(self, arguments: str, count: int) -> str | None:
        held = self._open.get(_fd(arguments))
        if held is None:
            return None
        self._put(held[0], int(arguments.rpartition(", ")[2]), _data(arguments)[:count])
        return _plain(arguments.partition(">")[0])

    @staticmethod
    def _put(node: Node, place: int, data: bytes) -> None:
        before = node.data.ljust(place, b"\0")
        node.data = before[:place] + data + before[place + len(data) :]

    def _lseek(self, arguments: str, place: int) -> None:
        if held := self._open.get(_fd(arguments)):
            held[1] = place

    def _ftruncate(self, arguments: str, _: int) -> str | None:
        held = self._open.get(_fd(arguments))
        if held is None:
            return None
        size = int(arguments.rpartition(", ")[2])
        held[0].data = held[0].data[:size].ljust(size, b"\0")
        return "a file"

    def _fsync(self, arguments: str, _: int) -> str | None:
        held = self._open.get(_fd(arguments))
        if held is None:
            return None
        self.disk.sync(held[0])
        return _plain(arguments)

    _fdatasync = _fsync

    def _rename(self, arguments: str, _: int) -> str | None:
        source, target = self._paths(arguments)
        old, new = self.disk.entry(source), self.disk.entry(target)
        if old is None or new is None:
            assert old is new, "a rename leaves the disk"
            return None
        self.disk.step({new: self.disk.now[old], old: None})
        return f"{source} {target}"

    _renameat = _rename

    def _link(self, arguments: str, _: int) -> str | None:
        source, target = self._paths(arguments)
        node, new = self.disk.at(source), self.disk.entry(target)
        if node is None or new is None:
            return None
        self.disk.step({new: node})
        return f"{source} {target}"

    _linkat = _link

    def _unlink(self, arguments: str, _: int) -> str | None:
        path = self._paths(arguments)[0]
        if (entry := self.disk.entry(path)) is None:
            return None
        self.disk.step({entry: None})
        return path

    _unlinkat = _rmdir = _unlink

    def _mkdir(self, arguments: str, _: int) -> str | None:
        path = self._paths(arguments)[0]
        if (entry := self.disk.entry(path)) is None:
            return None
        self.disk.step({entry: Node(folder=True)})
        return path

    _mkdirat = _mkdir

    def _utimensat(self, arguments: str, _: int) -> str | None:
        node = self.disk.at(self._paths(arguments)[0])
        times = _TIMES.findall(arguments)
        if node is None or node.folder or not times:
            return None
        node.mtime = int(times[1][0]) * 1_000_000_000 + int(times[1][1])
        return None  # the state that follows tells no more


def _fd(arguments: str) -> int:
    return int(re.match(r"\d+", arguments)[0])


def _data(arguments: str) -> bytes:
    return bytes.fromhex(_STRING.search(arguments)[1].replace("\\x", ""))


def _plain(text: str) -> str:
    return os.fsdecode(
        re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes.fromhex(m[1].decode()), text.encode())
    )

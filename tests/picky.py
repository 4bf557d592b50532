"""Names that not every filesystem takes, and such filesystems, mounted for a test.

NTFS and exFAT are a distribution's FUSE drivers on an image. The others are served by `fat.py`.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from needs import needs

if TYPE_CHECKING:
    from collections.abc import Iterator

NASTY = (
    b"-rf.png", b'"quoted".png', b"it's.png", b"two\nlines.png", b"a:b.png", b"a?b.png",
    b"a_b.png", b"back\\slash.png", b"bell\a.png", b"del\x7f.png", b"dot..png", b"blank .png",
    b"trailing.", b"trailing ", b" . .", b"CON", b"con.png", b"NUL.tar.png", b"$MFT", b"\xff",
    b"L\xfcbeck.png", "Übersicht.png".encode(), "U\u0308bersicht.png".encode(),
    "\U0001f600\U0001f3fd.png".encode(), b"x" * 255, "é".encode() * 125 + b".png", b"\xff" * 255,
    b"NAME.png", b"name.png", b"%s{stem}.png", b"$(id).png", b"f:/a:b.png", b"nul/\xff/x.png",
)  # fmt: skip
"""Documents' names that a Linux filesystem holds."""

SIZE = 16 << 20
"""Bytes of an image; enough for each kind of filesystem."""

KINDS = {
    "ntfs": ("mkntfs", "ntfs-3g"),
    "ntfs without case": ("mkntfs", "lowntfs-3g"),
    "exfat": ("mkfs.exfat", "mount.exfat-fuse", "losetup", "a loop device"),
    "fat": ("mfusepy",),
}
"""What there is, and what each needs."""

NOTHING = r"\0"
"""A regular expression that no name matches."""


def _run(*command: str | Path) -> str:
    """Run a program and return what it printed; skip the test where it is not allowed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"this machine allows no mounts: {command[0]}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def mounted(kind: str, error: str = "ENOENT", never: str = NOTHING) -> Iterator[Path]:
    """Have an empty filesystem of that kind; `error` and `never` are what `fat.py` is told."""
    needs("root", "fusermount3", *KINDS[kind])
    with tempfile.TemporaryDirectory(prefix="wd-") as folder:
        place = Path(folder, "place")
        place.mkdir()
        server = _serve(Path(folder), place, error, never) if kind == "fat" else None
        if server is None:
            _mount(Path(folder, "image"), place, kind)
        try:
            yield place
        finally:
            subprocess.run(["umount", place], check=True)
            if server is not None:
                server.wait(10)


def _mount(image: Path, place: Path, kind: str) -> None:
    with image.open("wb") as file:
        file.truncate(SIZE)
    if kind == "exfat":
        _run("mkfs.exfat", image)
        device = _run("losetup", "--find", "--show", image)
        _run("mount.exfat-fuse", device, place)
        _run("losetup", "--detach", device)  # comes true when it is unmounted
    else:
        _run("mkntfs", "--quick", "--force", "--quiet", image)
        options = "windows_names" + (",ignore_case" if kind != "ntfs" else "")
        _run(KINDS[kind][1], "-o", options, image, place)


def _serve(folder: Path, place: Path, error: str, never: str) -> subprocess.Popen[bytes]:
    backing, program = folder / "backing", Path(__file__).with_name("fat.py")
    backing.mkdir()
    server = subprocess.Popen([sys.executable, program, backing, place, error, never])
    while not place.is_mount():
        if server.poll() is not None:
            pytest.skip("this machine allows no FUSE")
        time.sleep(0.01)
    return server

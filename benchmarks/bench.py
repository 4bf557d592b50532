"""What the benchmarks share: a service on a fresh folder, pages to feed it, statistics."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, ImageDraw, ImageFont

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TEXT = (
    "the quick brown fox jumps over a lazy dog while seven wise scanners feed paper to the "
    "patient folder that keeps every letter invoice and receipt in its proper place"
)
_WORDS = _TEXT.split()


def office_page(path: Path, seed: int = 0, dpi: int = 300) -> Path:
    """Write an A4 office page of about 400 words as a JPEG; equal seeds give equal pages."""
    scale = dpi / 300
    page = Image.new("L", (int(2480 * scale), int(3508 * scale)), 250)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=42 * scale)
    for row in range(40):
        words = [_WORDS[(seed + row * 11 + column * 7) % len(_WORDS)] for column in range(10)]
        draw.text((240 * scale, (260 + row * 74) * scale), " ".join(words), font=font, fill=30)
    page.save(path, "JPEG", quality=85, dpi=(dpi, dpi))
    return path


@contextmanager
def folder() -> Iterator[Path]:
    """Give a fresh folder with a short name: a unix socket lies below it."""
    path = Path(tempfile.mkdtemp(prefix="wd-"))
    try:
        yield path
    finally:
        shutil.rmtree(path)


@contextmanager
def running(root: Path, *verb: str, settings: str = "", inbox: str = "") -> Iterator[int]:
    """Run the service (or one verb of it) on `root`; give the pid of what was started."""
    (root / "inbox").mkdir(exist_ok=True)
    config = root / "c.toml"
    config.write_text(
        f'[watcherd]\nstate_dir = "s"\nlog = "json"\nlog_level = "warning"\n{settings}\n'
        f'[[inbox]]\nname = "bench"\npath = "inbox"\noutbox = "outbox"\n{inbox}\n'
    )
    command = [sys.executable, "-m", "watcherd", "-c", str(config), *(verb or ("up",))]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield child.pid
    finally:
        child.terminate()
        child.wait(30)


def until(condition: Callable[[], bool], seconds: float = 60.0) -> float:
    """Wait for a condition, looking a thousand times a second; return when it was seen."""
    start = time.perf_counter()
    while not condition():
        if time.perf_counter() - start > seconds:
            raise TimeoutError(f"waited {seconds} s in vain")
        time.sleep(0.001)
    return time.perf_counter()


def children(pid: int) -> list[int]:
    """Return the pids of a program's children, and theirs."""
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in (task / "children").read_text().split():
            found += [int(child), *children(int(child))]
    return found


def cpu_seconds(pid: int) -> float:
    """Return the processor time a program has used so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def spread(values: Sequence[float]) -> str:
    """Return median and 95th percentile, in milliseconds."""
    ordered = sorted(values)
    p95 = ordered[min(int(len(ordered) * 0.95), len(ordered) - 1)]
    return f"median {statistics.median(values) * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms"

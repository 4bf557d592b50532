"""The memory of a worker process that has read a thousand pages."""

from __future__ import annotations

from pathlib import Path

import img2pdf
from PIL import Image, ImageDraw, ImageFont

from benchmarks.bench import children, folder, running, until

_PAGES = 1000
_LIMIT = 400  # MiB


def main() -> None:
    """Print the resident memory after a tenth of the pages and after all of them."""
    with folder() as root, running(root, settings="in_flight = 2") as pid:
        until((root / "outbox").is_dir)
        early = _after(root, pid, _PAGES // 10, "early")
        late = _after(root, pid, _PAGES, "late")
    print(f"the largest worker process after {_PAGES // 10} pages: {early} MiB")
    print(f"after {_PAGES} more: {late} MiB, {late / early:.2f} times as much")
    print(f"against its limit:  {late / _LIMIT:.2f} of {_LIMIT} MiB")


def _after(root: Path, pid: int, pages: int, name: str) -> int:
    """Have a document of so many pages read; return the memory of the largest process, in MiB."""
    images = [str(_page(root / f"{n}.png", n)) for n in range(50)]
    data = img2pdf.convert([images[n % len(images)] for n in range(pages)])
    (root / f"{name}.pdf").write_bytes(data)
    (root / f"{name}.pdf").rename(root / "inbox" / f"{name}.pdf")
    until((root / "outbox" / f"{name}.pdf").exists, 1800)
    return max(_resident(child) for child in children(pid) if _is_worker(child))


def _page(path: Path, seed: int) -> Path:
    """Write a half page of a letter, whose size and place vary as those of scans do."""
    image = Image.new("L", (1240 + 8 * seed, 900 + 5 * seed), 250)
    draw = ImageDraw.Draw(image)
    font = ImageFont.load_default(size=30 + seed % 15)
    for row in range(6):
        draw.text((60 + seed, 80 + row * 120), f"Line {row} of page {seed}, paid", font=font)
    image.save(path, dpi=(150, 150))
    return path


def _is_worker(pid: int) -> bool:
    return b"worker" in Path(f"/proc/{pid}/cmdline").read_bytes()


def _resident(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    main()

"""The demonstration: a sample scan goes through the real pipeline, and the result is shown.

Draws a letter as a scanner would deliver it (300 dpi, a little askew, grey and grainy), drops it
into an inbox, runs `watcherd up --until-idle`, and prints where the searchable PDF is.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from PIL import Image, ImageChops, ImageDraw, ImageFont

PAGE = (2480, 3508)  # A4 at 300 dpi
ROOT = Path("var/demo")
LETTER = [
    "Hopper & Lovelace, Paper Merchants",
    "14 Foundry Lane, Millbrook",
    "",
    "",
    "To the archive of the Millbrook Library",
    "",
    "Dear keepers of paper,",
    "",
    "this letter was put on a scanner, and nobody stayed to watch.",
    "The scanner dropped a picture into a folder. The folder noticed",
    "it, waited until the last byte had come, took it, read it, and",
    "laid a document into another folder: the very same picture, with",
    "words behind it that can be searched, selected and copied.",
    "",
    "The original went to the archive. Had something failed, it would",
    "lie in a third folder, with the reason beside it.",
    "",
    "Invoice number 2048, due on the 31st of January: 1,024.00 EUR.",
    "",
    "Yours faithfully,",
    "",
    "G. Hopper",
]


def letter() -> Image.Image:
    """Return the sample: grey, a degree askew, with the grain of a scanner."""
    page = Image.new("L", PAGE, 244)
    draw = ImageDraw.Draw(page)
    font = ImageFont.load_default(size=50)
    for row, line in enumerate(LETTER):
        draw.text((300, 380 + row * 88), line, font=font, fill=38)
    turned = page.rotate(0.7, resample=Image.Resampling.BICUBIC, fillcolor=244)
    grain = Image.effect_noise(PAGE, 14)
    return ImageChops.add(turned, grain, scale=1.0, offset=-128)


def main() -> int:
    """Run the demonstration; return 0 if a searchable PDF came out."""
    inbox, outbox = ROOT / "inbox", ROOT / "outbox"
    inbox.mkdir(parents=True, exist_ok=True)
    config = ROOT / "config.toml"
    config.write_text(
        '[watcherd]\nstate_dir = "state"\nlog = "console"\n\n'
        '[[inbox]]\nname = "demo"\npath = "inbox"\noutbox = "outbox"\nformats = ["pdf", "txt"]\n'
    )
    before = set(outbox.rglob("*.pdf"))
    sample = inbox / "letter.jpg"
    letter().save(sample.with_suffix(".part"), "JPEG", quality=88, dpi=(300, 300))
    sample.with_suffix(".part").rename(sample)
    print(f"dropped {sample}, {sample.stat().st_size // 1024} KiB", flush=True)
    command = [sys.executable, "-m", "watcherd", "--config", str(config), "up", "--until-idle"]
    code = subprocess.run(command, check=False).returncode
    made = sorted(set(outbox.rglob("*.pdf")) - before)
    if code != 0 or not made:
        print(f"the demonstration failed (exit code {code}); see the lines above", file=sys.stderr)
        return code or 1
    text = made[0].with_suffix(".txt").read_text("utf-8")
    print(f"\nsearchable PDF: {made[0].resolve()}")
    print(f"original:       {(ROOT / 'archive').resolve()}\n")
    print("its first lines of text:")
    for line in [line for line in text.splitlines() if line.strip()][:6]:
        print(f"    {line}")
    return 0


if __name__ == "__main__":
    os.chdir(Path(__file__).resolve().parent.parent)
    sys.exit(main())

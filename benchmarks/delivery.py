"""Files through the real service: dropped, served until nothing is left, found in the folders."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from benchmarks import pdftext
from benchmarks.expectation import Ended

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_SECONDS = 1800
"""When to stop waiting: the corpus takes about a minute; a page may take three times 120 s."""


@dataclass(frozen=True, slots=True)
class Drop:
    """A file for the inbox of its languages. No other has its name."""

    path: Path
    languages: tuple[str, ...]

    @property
    def inbox(self) -> str:
        """The inbox's name."""
        return "-".join(self.languages)


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of a file."""

    ended: Ended
    pdf: Path | None


def deliver(drops: Sequence[Drop], root: Path) -> list[Delivery]:
    """Run a service on fresh folders below `root` until it is idle; return what became of each.

    Raises `RuntimeError`, with the service's last words, if the service itself fails, and
    `subprocess.TimeoutExpired` if it does not end.
    """
    config = _configured(drops, root)
    for drop in drops:
        # As a careful program does it: written elsewhere, and there in one moment.
        written = root / "written" / drop.path.name
        written.parent.mkdir(exist_ok=True)
        shutil.copyfile(drop.path, written)
        written.rename(root / drop.inbox / "inbox" / drop.path.name)
    _served(config, root / "log")
    jobs = {(job["inbox"], job["source"]): job for job in _jobs(config)}
    return [_found(drop, jobs.get((drop.inbox, drop.path.name)), root) for drop in drops]


def _configured(drops: Sequence[Drop], root: Path) -> Path:
    """Write a configuration with an inbox for each set of languages; make the inboxes."""
    text = '[watcherd]\nstate_dir = "state"\nlog = "json"\nlog_level = "warning"\n'
    for name, languages in sorted({(drop.inbox, drop.languages) for drop in drops}):
        (root / name / "inbox").mkdir(parents=True)
        keys = {
            "name": name,
            "path": f"{name}/inbox",
            "outbox": f"{name}/outbox",
            "languages": languages,
            "formats": ["pdf", "txt"],
            "output": "{stem}.{ext}",  # letter.jpg and letter.pdf are two documents
        }
        rows = [f"{key} = {json.dumps(value)}" for key, value in keys.items()]
        text += "\n".join(["\n[[inbox]]", *rows, ""])
    config = root / "config.toml"
    config.write_text(text, "utf-8")
    return config


def _served(config: Path, log: Path) -> None:
    with log.open("wb") as out:
        code = subprocess.run(
            [*_watcherd(config), "up", "--until-idle"],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            check=False,
            timeout=_SECONDS,
        ).returncode
    if code not in {0, 1}:  # 1: a document failed, as some of them should
        last = "\n".join(log.read_text("utf-8", "replace").splitlines()[-20:])
        raise RuntimeError(f"the service ended with exit code {code}:\n{last}")


def _jobs(config: Path) -> list[dict[str, Any]]:
    command = [*_watcherd(config), "jobs", "--json", "--limit", "0"]
    rows: list[dict[str, Any]] = json.loads(subprocess.check_output(command))
    return rows


def _watcherd(config: Path) -> list[str]:
    return [sys.executable, "-m", "watcherd", "--config", str(config)]


def _found(drop: Drop, job: dict[str, Any] | None, root: Path) -> Delivery:
    """Look into the folders for what became of a file."""
    home, name = root / drop.inbox, drop.path.name
    state = "unknown" if job is None else job["state"]
    pdf, txt = (home / "outbox" / f"{name}.{kind}" for kind in ("pdf", "txt"))
    says: dict[str, str] = {}
    if (error := home / "failed" / f"{name}.error.json").is_file():
        says = json.loads(error.read_bytes())
    folder = {"done": "archive", "failed": "failed"}.get(state, "inbox")
    original = home / folder / name
    ended = Ended(
        state,
        says.get("code", ""),
        says.get("reason", ""),
        pdftext.pages(pdf) if pdf.is_file() else (),
        tuple(txt.read_text("utf-8").split("\f")) if txt.is_file() else (),
        pdftext.pages(drop.path) if drop.path.suffix == ".pdf" else (),
        original.is_file() and original.read_bytes() == drop.path.read_bytes(),
    )
    return Delivery(ended, pdf if pdf.is_file() else None)

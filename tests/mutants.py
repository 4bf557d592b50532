"""Takes protections away one by one and demands that a test notices: `make mutants`.

`python tests/mutants.py [WORD…]` runs those whose name contains a word. Each mutation is made in
a copy of the tree; the tests named in `PROTECTIONS` must pass without it, and fail with it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from protections import PROTECTIONS, Protection

ROOT = Path(__file__).resolve().parent.parent
_COPIED = ("watcherd", "tasks", "tests", "deploy", "pyproject.toml", "config.example.toml",
           "README.md", "Makefile")  # fmt: skip


def _copy(into: Path) -> None:
    for name in _COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("__pycache__"))
        elif source.exists():
            shutil.copy2(source, into / name)


def _tested(tree: Path, test: str) -> str:
    """Run a test in a tree; return "passed", "failed", or what else came of it."""
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", test],
        cwd=tree, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    if done.returncode not in (0, 1):
        return done.stdout[-2000:] + done.stderr[-2000:]
    if done.returncode == 0:
        return "passed" if " passed" in done.stdout else "skipped"
    return "failed"


def _try(name: str, protection: Protection) -> bool:
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutant-") as folder:
        tree = Path(folder)
        _copy(tree)
        file = tree / protection.file
        text = file.read_text("utf-8")
        if text.count(protection.before) != 1:
            sys.stdout.write(f"STALE     {name}\n")
            return False
        file.write_text(text.replace(protection.before, protection.after), "utf-8")
        found = _tested(tree, protection.test)
    good = found in ("failed", "skipped")  # what this machine cannot try is said, and no fault
    word = {"failed": "killed", "skipped": "NOT TRIED"}.get(found, "SURVIVED")
    sys.stdout.write(f"{word:9} {name} ({time.monotonic() - begun:.0f} s)\n")
    if found not in ("failed", "passed", "skipped"):
        sys.stdout.write(found)
    sys.stdout.flush()
    return good


def main(words: list[str]) -> int:
    """Try those that are asked for; return the exit code."""
    chosen = {n: p for n, p in PROTECTIONS.items() if not words or any(w in n for w in words)}
    for test in sorted({p.test for p in chosen.values()}):
        if (found := _tested(ROOT, test)) == "failed":
            sys.stdout.write(f"{test} fails without any mutation: {found}\n")
            return 1
    bad = [name for name, protection in chosen.items() if not _try(name, protection)]
    sys.stdout.write(
        f"{len(chosen) - len(bad)} of {len(chosen)} are noticed, or could not be tried\n"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

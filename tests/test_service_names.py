"""Any name through a real service: told exactly, and mapped where the outbox does not take it."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import picky
import pytest
from desks import names
from papers import damaged, scan, text_of
from service import DEADLINE, Service

from watcherd import naming
from watcherd.lifecycle import FINISHED, State

if TYPE_CHECKING:
    from collections.abc import Iterator


def exactly(row: dict[str, Any], key: str) -> Any:
    """Return the exact bytes of the name, or the names, that JSON tells."""
    coded = row.get(f"{key}_b64")
    if isinstance(row[key], list):
        return [base64.b64decode(o) for o in coded] if coded else [o.encode() for o in row[key]]
    return base64.b64decode(coded) if coded else row[key].encode()


def told(service: Service) -> list[dict[str, Any]]:
    """Return what `jobs --json` says."""
    command = [sys.executable, "-m", "watcherd", "-c", service.config, "jobs", "--json", "-n", "0"]
    done = subprocess.run(command, capture_output=True, check=True, timeout=60)
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def ended(service: Service, count: int) -> list[dict[str, Any]]:
    """Wait until so many jobs have ended, and return what is told of them."""

    def look() -> bool:
        return len(service.ledger.jobs(states=list(FINISHED))) == count

    service.until(look, f"{count} jobs have ended", 3 * DEADLINE)
    return told(service)


def drop(service: Service, name: bytes, data: bytes) -> bytes:
    """Move a file into the inbox, so that it is there whole at once."""
    path = service.scans.inbox / os.fsdecode(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = service.root / "draft"
    draft.write_bytes(data)
    draft.rename(path)
    return data


def test_a_service_takes_every_name():
    """Each file of an ordinary inbox comes out under its own name, which `--json` tells exactly."""
    with Service() as service:
        dropped = {n: drop(service, n, scan(f"Page {i}")) for i, n in enumerate(picky.NASTY, 111)}
        rows = ended(service, len(picky.NASTY))
        assert {exactly(row, "source") for row in rows} == dropped.keys()
        assert {row["state"] for row in rows} == {"done"}
        for row in rows:
            name = exactly(row, "source")
            (pdf,) = (Path(os.fsdecode(o)) for o in exactly(row, "outputs"))
            words = f"Page {picky.NASTY.index(name) + 111}"
            assert words in text_of(pdf), name
            stem = naming.split(name.rpartition(b"/")[2])[0]
            assert os.fsencode(pdf.name).startswith(stem[:240]), name
            archived = service.scans.archive / os.fsdecode(name)
            assert archived.read_bytes() == dropped[name], name
        assert len(service.scans.found("outbox")) == len(picky.NASTY)
        assert len(service.scans.found("archive")) == len(picky.NASTY)


@pytest.fixture(params=["ntfs", "fat"])
def disk(request) -> Iterator[Path]:
    """Give a filesystem that does not take every name."""
    with picky.mounted(request.param) as place:
        yield place


def test_a_service_maps_names(disk):
    """Where the filesystem of outbox, archive and failed forbids names, nothing is lost or twice.

    Also if one name comes twice, and its worker is killed.
    """
    folders = {k: disk / k for k in ("outbox", "archive", "failed")}
    for folder in folders.values():
        folder.mkdir()
    good = [b"f:/a:b.png", b"a?b.png", b"CON.png", b"\xff", "Übersicht .png".encode()]
    inbox = {k: str(folder) for k, folder in folders.items()}
    with Service({"scans": inbox}, lease=3) as service:
        for name in good:
            drop(service, name, scan("The first"))
        drop(service, b"bad?.png", damaged())
        service.until(lambda: service.ledger.jobs(states=[State.RUNNING]), "one is at work")
        service.kill("worker")
        ended(service, len(good) + 1)
        for name in good:
            drop(service, name, scan("The second"))
        drop(service, b"bad?.png", damaged("again"))
        rows = ended(service, 2 * (len(good) + 1))
        outputs = [os.fsdecode(o) for row in rows for o in exactly(row, "outputs")]
        texts = [text_of(Path(o)) for o in outputs]
        assert sorted(t.split()[1] for t in texts) == ["first"] * 5 + ["second"] * 5
    stems = ["CON_", "_", "a_b", "f_/a_b", "Übersicht "]
    assert set(names(folders["outbox"])) == {f"{s}{n}.pdf" for s in stems for n in ("", "-2")}
    assert len(names(folders["archive"])) == 2 * len(good)
    failed = [f"bad_{n}.png{suffix}" for n in ("", "-2") for suffix in ("", ".error.json")]
    assert names(folders["failed"]) == sorted(failed)

"""However a file comes into the inbox: it is taken whole, and has exactly one outcome."""

from __future__ import annotations

import os
import subprocess
import threading
from io import BytesIO
from typing import TYPE_CHECKING

import pytest
from makers import sheet
from needs import needs
from papers import pages_of, scan, text_of
from PIL import Image
from PIL.TiffImagePlugin import AppendingTiffWriter
from service import Service

from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_PAUSE = threading.Event().wait  # a slow writer's; everything else waits for a condition


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service() as service:
        yield service


def _held_open(inbox: Path, data: bytes) -> None:
    """Write in six pieces with two seconds between them, the file open all the time."""
    size = len(data) // 6 + 1
    with (inbox / "held.png").open("wb") as file:
        for start in range(0, len(data), size):
            file.write(data[start : start + size])
            file.flush()
            _PAUSE(2.0)


def _reopened_jpeg(inbox: Path, data: bytes) -> None:
    """Write half, close, come back after seven seconds and write the rest."""
    path = inbox / "reopened.jpg"
    path.write_bytes(data[: len(data) // 2])
    _PAUSE(7.0)
    with path.open("ab") as file:
        file.write(data[len(data) // 2 :])


def _reopened_tiff(inbox: Path, _: bytes) -> None:
    """Write one page after the other, the file closed for three seconds in between."""
    path = inbox / "appended.tif"
    for number in range(1, 4):
        image = sheet((f"Appended page {number}",), size=(800, 200)).image
        with AppendingTiffWriter(path, new=number == 1) as file:
            image.save(file, format="TIFF", dpi=(200, 200))
            file.newFrame()
        _PAUSE(3.0 if number < 3 else 0.0)


def _growing_without_close(inbox: Path, data: bytes) -> None:
    """Write the beginning, then let another program append the rest, both handles open."""
    path = inbox / "two-handles.png"
    with path.open("wb") as first:
        first.write(data[:100])
        first.flush()
        _PAUSE(3.0)
        with path.open("ab") as second:
            second.write(data[100:])
            second.flush()
            _PAUSE(2.0)


_SLOW: dict[str, tuple[Callable[[Path, bytes], None], bytes]] = {
    "held.png": (_held_open, scan("Held open for long")),
    "reopened.jpg": (_reopened_jpeg, scan("Opened and closed again", "JPEG")),
    "appended.tif": (_reopened_tiff, b""),
    "two-handles.png": (_growing_without_close, scan("Written by two programs")),
}


@pytest.fixture(scope="module", autouse=True)
def slow_writers(service: Service) -> Iterator[None]:
    """Let all slow writers begin at once, while the other tests run."""
    inbox = service.scans.inbox
    threads = [threading.Thread(target=f, args=(inbox, data)) for f, data in _SLOW.values()]
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


def test_a_file_dropped_by_cp(service, tmp_path):
    """A copied scan becomes one searchable PDF, and its original lies in the archive."""
    data = scan("Copied with cp")
    (tmp_path / "copied.png").write_bytes(data)
    subprocess.run(["cp", tmp_path / "copied.png", service.scans.inbox], check=True)
    assert "Copied with cp" in text_of(service.done("copied.png", data))


def test_a_file_moved_in(service):
    """A scan that is renamed into the inbox, whole at once, is taken."""
    data = scan("Moved with mv")
    outside = service.scans.path / "moved.png"
    outside.write_bytes(data)
    outside.rename(service.scans.inbox / "moved.png")
    assert "Moved with mv" in text_of(service.done("moved.png", data))


def test_a_file_sent_by_rsync(service, tmp_path):
    """What rsync writes under a hidden name is taken once, under its final name."""
    needs("rsync")
    data = scan("Sent by rsync")
    (tmp_path / "synced.png").write_bytes(data)
    subprocess.run(
        ["rsync", "--bwlimit=8", tmp_path / "synced.png", f"{service.scans.inbox}/"], check=True
    )
    assert "Sent by rsync" in text_of(service.done("synced.png", data))
    assert not service.log("file_claimed", source=".synced.png")


def test_a_file_in_a_folder_made_a_moment_ago(service):
    """A file in a new folder within new folders is found without waiting for a rescan."""
    wanted = {}
    for number in range(5):
        name = f"made/{number}/now/deep{number}.png"
        wanted[name] = service.scans.drop(name, scan(f"Deep down {number}"))
    for name, data in wanted.items():
        service.done(name, data)


def test_a_folder_moved_in(service):
    """A folder that is moved in with its files gives one document for each of them."""
    outside = service.scans.path / "batch"
    wanted = {f"batch/in/page{n}.png": scan(f"Moved along {n}") for n in range(3)}
    for name, data in wanted.items():
        path = service.scans.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    outside.rename(service.scans.inbox / "batch")
    for name, data in wanted.items():
        service.done(name, data)


def test_subfolders_are_mirrored(service):
    """A scan two folders down comes out two folders down, and so does its original."""
    data = service.scans.drop("taxes/2025/receipt.png", scan("Below two folders"))
    pdf = service.done("taxes/2025/receipt.png", data)
    assert pdf.relative_to(service.scans.outbox).as_posix() == "taxes/2025/receipt.pdf"


def test_names_of_any_bytes(service):
    """A name with a line break, with blanks, and with bytes that are no UTF-8, is taken."""
    names = ["  two  blanks .png", "line\nbreak.png", os.fsdecode(b"b\xe4se.png")]
    wanted = {name: service.scans.drop(name, scan(f"Odd name {n}")) for n, name in enumerate(names)}
    for name, data in wanted.items():
        service.done(name, data)


def test_a_name_as_long_as_names_may_be(service):
    """A name of 255 bytes comes out, shortened by no more than it must be."""
    name = "l" * 251 + ".png"
    data = service.scans.drop(name, scan("A very long name"))
    assert service.done(name, data).name == "l" * 251 + ".pdf"


def test_the_same_name_again_never_overwrites(service):
    """A second scan of the same name is published as -2, and its original archived as -2."""
    first = service.scans.drop("again.png", scan("The first of that name"))
    pdf = service.done("again.png", first)
    whole = pdf.read_bytes()
    second = service.scans.drop("again.png", scan("The second of that name"))
    service.until(lambda: len(service.jobs("again.png")) == 2, "it is a second job")
    job = service.finished("again.png")
    assert job.outputs == (str(pdf.with_name("again-2.pdf")),)
    assert "second" in text_of(pdf.with_name("again-2.pdf"))
    assert pdf.read_bytes() == whole
    assert (service.scans.archive / "again.png").read_bytes() == first
    assert (service.scans.archive / "again-2.png").read_bytes() == second


def test_a_foreign_file_in_the_outbox_is_not_overwritten(service):
    """A document that somebody put into the outbox keeps its name and its bytes."""
    (service.scans.outbox / "foreign.pdf").write_bytes(b"somebody's own")
    service.scans.drop("foreign.png", scan("Comes later"))
    job = service.finished("foreign.png")
    assert job.outputs == (str(service.scans.outbox / "foreign-2.pdf"),)
    assert (service.scans.outbox / "foreign.pdf").read_bytes() == b"somebody's own"


def test_what_is_no_document_is_left_alone(service, tmp_path):
    """Temporary and hidden names, litter, links and FIFOs stay where they are, untouched."""
    inbox = service.scans.inbox
    data = scan("Not to be taken")
    names = [".hidden.png", "upload.png.part", "~$lock.png", ".DS_Store", "Thumbs.db", "x.tmp"]
    for name in names:
        (inbox / name).write_bytes(data)
    outside = tmp_path / "outside.png"
    outside.write_bytes(data)
    (inbox / "link.png").symlink_to(outside)
    os.mkfifo(inbox / "fifo.png")
    after = service.scans.drop("after-litter.png", scan("To be taken"))
    service.done("after-litter.png", after)
    for name in [*names, "link.png", "fifo.png"]:
        assert os.path.lexists(inbox / name)
        assert not service.jobs(name)
    assert outside.read_bytes() == data
    for name in [*names, "link.png", "fifo.png"]:
        (inbox / name).unlink()


def test_a_hundred_at_once(service):
    """A hundred files dropped together give a hundred documents, each with its own text."""
    wanted = {f"many/{n}.png": scan(f"Ticket {n + 1000}") for n in range(100)}
    for name, data in wanted.items():
        service.scans.drop(name, data)
    for name, data in wanted.items():
        number = int(name.removeprefix("many/").removesuffix(".png")) + 1000
        assert f"Ticket {number}" in text_of(service.done(name, data, seconds=90))
    assert len(service.scans.found("outbox/many")) == 100
    assert len(service.scans.found("archive/many")) == 100


def test_a_file_dropped_while_the_daemon_is_away():
    """What came while nothing ran is found at the next start, in folders too."""
    with Service() as service:
        service.stop()
        wanted = {n: service.scans.drop(n, scan(f"Nobody home {n}")) for n in ("a.png", "b/c.png")}
        service.start()
        for name, data in wanted.items():
            service.done(name, data)


def test_until_idle_ends_when_all_is_done():
    """`up --until-idle` does what is there, exits with 0, and leaves no process behind."""
    service = Service()
    try:
        data = service.scans.drop("only.png", scan("Until idle"))
        assert service.watcherd("up", "--until-idle").wait(30) == 0
        service.done("only.png", data)
        assert not service.processes()
    finally:
        service.close()


def test_until_idle_does_not_wait_for_an_inbox_that_is_not_there():
    """`up --until-idle` does the inboxes that it can open, and exits with 4 for the others."""
    service = Service({"here": {}, "gone": {}})
    try:
        data = service.homes["here"].drop("only.png", scan("Until idle"))
        service.homes["gone"].inbox.rmdir()
        assert service.watcherd("up", "--until-idle").wait(30) == 4
        service.done("only.png", data, service.homes["here"])
    finally:
        service.close()


@pytest.mark.parametrize("name", ["held.png", "reopened.jpg", "two-handles.png"])
def test_a_slow_writer_is_awaited(service, name):
    """A file that is written with long pauses, even closed in between, is taken when whole."""
    data = _SLOW[name][1]
    service.done(name, data)
    assert len(service.log("file_claimed", source=name)) == 1
    assert service.jobs(name)[0].state is State.DONE


def test_pages_appended_to_a_tiff_are_awaited(service):
    """A TIFF to which a scanner adds pages one by one is one document of all pages."""
    job = service.finished("appended.tif")
    data = (service.scans.archive / "appended.tif").read_bytes()
    pdf = service.done("appended.tif", data)
    with Image.open(BytesIO(data)) as image:
        assert image.n_frames == 3
    assert (pages_of(pdf), job.total) == (3, 3)
    assert "Appended page 3" in text_of(pdf)

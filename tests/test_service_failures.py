"""What cannot be done ends in the failed folder with its reason, and holds nobody up."""

from __future__ import annotations

import hashlib
import json
import os
import signal
from typing import TYPE_CHECKING, Any

import pikepdf
import pytest
from makers import scan_pdf, sheet, text_pdf
from papers import book, damaged, scan, text_of
from service import Service

from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator

    from watcherd.ledger import Job

KEYS = {"job", "inbox", "source", "sha256", "stage", "code", "reason", "attempts", "at"}


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with Service(attempts=1, limits={"page_megapixels": 20}) as service:
        yield service


@pytest.fixture(scope="module", autouse=True)
def dropped(service: Service, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """Drop at once what is waited for long: the empty, and what lacks its end."""
    folder = tmp_path_factory.mktemp("made")
    whole = scan("Cut in the middle")
    pdf = scan_pdf([sheet(("A page in a PDF",))], folder / "whole.pdf").read_bytes()
    files = {"empty.tif": b"", "cut.png": whole[: len(whole) // 2], "cut.pdf": pdf[: len(pdf) // 2]}
    return {name: service.scans.drop(name, data) for name, data in files.items()}


def _refused(service: Service, source: str, data: bytes, seconds: float = 30.0) -> dict[str, Any]:
    """Wait until a file has failed, see that nothing is lost or doubled; return its sidecar."""
    job = service.finished(source, seconds=seconds)
    assert job.state is State.FAILED
    assert (service.scans.failed / source).read_bytes() == data
    assert not (service.scans.inbox / source).exists()
    assert not (service.scans.archive / source).exists()
    stem = source.rpartition(".")[0]
    assert not [n for n in service.scans.found("outbox") if n.startswith(stem)]
    says: dict[str, Any] = json.loads((service.scans.failed / f"{source}.error.json").read_bytes())
    assert says.keys() >= KEYS
    assert (says["job"], says["inbox"], says["source"]) == (job.job, "scans", source)
    assert (says["code"], says["reason"]) == (job.code, job.reason)
    assert says["sha256"] == hashlib.sha256(data).hexdigest()
    assert len(says["reason"].split()) > 4
    return says


def _still_works(service: Service, name: str) -> None:
    data = service.scans.drop(name, scan("The next one is done"))
    assert "next one" in text_of(service.done(name, data))


def test_text_that_is_called_a_picture(service, tmp_path):
    """A text file named .png is refused, and the picture that it names is not read instead."""
    (tmp_path / "secret.png").write_bytes(scan("Somebody's secret"))
    data = service.scans.drop("list.png", f"{tmp_path / 'secret.png'}\n".encode() * 3)
    assert _refused(service, "list.png", data)["code"] == "unsupported"
    _still_works(service, "after-list.png")


def test_a_page_with_too_many_pixels(service):
    """An image that unfolds into more pixels than allowed is refused before it is decoded."""
    big = sheet(("Big",)).image.convert("1").resize((6000, 6000))
    path = service.scans.path / "big.png"
    big.save(path)
    data = path.read_bytes()
    path.rename(service.scans.inbox / "big.png")
    says = _refused(service, "big.png", data)
    assert says["code"] == "too-large"
    _still_works(service, "after-big.png")


def test_an_encrypted_pdf(service, tmp_path):
    """A PDF that asks for a password is refused with that reason."""
    plain = text_pdf(["Behind a password"], tmp_path / "plain.pdf")
    with pikepdf.open(plain) as pdf:
        pdf.save(tmp_path / "locked.pdf", encryption=pikepdf.Encryption(user="u", owner="o"))
    data = service.scans.drop("locked.pdf", (tmp_path / "locked.pdf").read_bytes())
    says = _refused(service, "locked.pdf", data)
    assert says["code"] == "encrypted"
    assert "password" in says["reason"]


def test_the_failed_folder_mirrors_and_never_overwrites(service):
    """Two failures of one name in a sub-folder lie side by side, each with its own reason."""
    first = service.scans.drop("sub/same.png", damaged("the first"))
    job = service.finished("sub/same.png").job
    second = service.scans.drop("sub/same.png", damaged("the second"))
    service.until(lambda: service.jobs("sub/same.png")[0].job != job, "it is a second job")
    other = service.finished("sub/same.png").job
    failed = service.scans.failed / "sub"
    assert (failed / "same.png").read_bytes() == first
    assert (failed / "same-2.png").read_bytes() == second
    assert json.loads((failed / "same.png.error.json").read_bytes())["job"] == job
    assert json.loads((failed / "same-2.png.error.json").read_bytes())["job"] == other


def test_one_bad_page_names_itself(service):
    """A book with a page too large fails as a whole and says which page it was."""
    pages = [sheet((f"Page {n}",)).image.convert("1") for n in range(1, 4)]
    pages[1] = pages[1].resize((6000, 6000))
    path = service.scans.path / "bad-page.tif"
    pages[0].save(path, save_all=True, append_images=pages[1:])
    data = path.read_bytes()
    path.rename(service.scans.inbox / "bad-page.tif")
    says = _refused(service, "bad-page.tif", data)
    assert (says["code"], says["page"]) == ("too-large", 2)


def _crashed(service: Service, name: str) -> tuple[bytes, Job]:
    """Drop a document whose only attempt is killed, and wait until it is given up."""
    data = service.scans.drop(name, book(6, full=True))
    work = service.scans.spool / "work"
    service.until(lambda: list(work.glob("*/try-page-*")), "a page of it is being read")
    for pid in service.children(service.part("worker")):
        os.kill(pid, signal.SIGKILL)
    job = service.finished(name)
    assert (job.state, job.code) == (State.FAILED, "crashed")
    assert (service.scans.failed / name).read_bytes() == data
    return data, job


def test_a_folder_whose_name_is_taken_in_the_archive(service):
    """An original whose folder's name a file holds in the archive is filed beside it."""
    service.scans.archive.mkdir(exist_ok=True)
    (service.scans.archive / "blocked").write_bytes(b"in the way")
    data = service.scans.drop("blocked/original.png", scan("Blocked"))
    assert service.finished("blocked/original.png").state is State.DONE
    assert (service.scans.archive / "blocked-2" / "original.png").read_bytes() == data
    assert (service.scans.archive / "blocked").read_bytes() == b"in the way"
    assert service.scans.found("outbox/blocked") == ["original.pdf"]


def test_retry_after_the_cause_is_gone():
    """A document that failed is done by a retry once what made it fail is gone."""
    with Service(attempts=1, lease=3) as service:
        data, job = _crashed(service, "again.pdf")
        request = service.ledger.ask("retry", job.job)
        service.until(lambda: service.ledger.request(request).ok, "the request is granted")
        service.until(lambda: service.ledger.get(job.job).state is State.DONE, "it is done")
        service.done("again.pdf", data)
        assert service.scans.found("failed") == []
        assert not service.ledger.get(job.job).reason


def test_a_request_made_while_nothing_runs():
    """A retry that is asked for while the daemon is away is carried out when it is back."""
    with Service(attempts=1, lease=3) as service:
        data, job = _crashed(service, "later.pdf")
        service.stop()
        request = service.ledger.ask("retry", job.job)
        service.start()
        service.until(lambda: service.ledger.request(request).ok, "the request is granted")
        service.until(lambda: service.ledger.get(job.job).state is State.DONE, "it is done")
        service.done("later.pdf", data)


def test_retry_of_an_original_that_was_changed(service):
    """A retry refuses an original that is not the one that failed, and says so."""
    data = service.scans.drop("changed.png", damaged())
    job = service.finished("changed.png")
    _refused(service, "changed.png", data)
    (service.scans.failed / "changed.png").write_bytes(b"another one")
    request = service.ledger.ask("retry", job.job)
    service.until(lambda: service.ledger.request(request).answer, "the request is answered")
    answer = service.ledger.request(request)
    assert answer.ok is False
    assert "changed.png" in str(answer.answer)
    assert service.ledger.get(job.job).state is State.FAILED


def test_a_name_of_any_bytes_fails_as_well(service):
    """A refused file whose name is no UTF-8 is filed under that very name, with its reason."""
    name = os.fsdecode(b"kaputt-\xfc.png")
    data = service.scans.drop(name, damaged("of that name"))
    job = service.finished(name)
    assert job.state is State.FAILED
    assert job.filed == str(service.scans.failed / name)
    assert (service.scans.failed / name).read_bytes() == data
    (service.scans.failed / name).unlink()
    request = service.ledger.ask("retry", job.job)
    service.until(lambda: service.ledger.request(request).answer, "the request is answered")
    _still_works(service, "after-odd-name.png")


def test_a_book_is_not_held_up_by_failures(service):
    """Failures between the pages of a book take nothing from it."""
    data = service.scans.drop("beside/book.pdf", book(6))
    for number in range(5):
        service.scans.drop(f"beside/bad{number}.png", damaged(str(number)))
    assert "page 6" in text_of(service.done("beside/book.pdf", data))
    assert all(service.finished(f"beside/bad{n}.png").state is State.FAILED for n in range(5))


@pytest.mark.parametrize(
    ("source", "code"), [("empty.tif", "empty"), ("cut.png", "corrupt"), ("cut.pdf", "corrupt")]
)
def test_what_never_becomes_whole(service, dropped, source, code):
    """A file that stays empty, or lacks its end, is given time, then refused with that reason."""
    assert _refused(service, source, dropped[source], seconds=60)["code"] == code
    claimed = service.log("file_claimed", source=source)
    assert len(claimed) == 1
    assert "30 s" in claimed[0]["because"]
    _still_works(service, f"after-{source}.png")

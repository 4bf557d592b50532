"""Kinds of documents through the real service, and what is said of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import makers
import pdfa_rules
import pikepdf
import pytest
from papers import scan, text_of
from service import Service

from watcherd.lifecycle import State

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PASSWORD = "swordfish"  # noqa: S105  -- of a document that the tests make


@pytest.fixture(scope="module")
def service(tmp_path_factory) -> Iterator[Service]:
    secrets = tmp_path_factory.mktemp("secrets") / "passwords"
    secrets.write_text(f"not this one\n{PASSWORD}\n")
    secrets.chmod(0o600)
    inboxes: dict[str, dict[str, object]] = {
        "plain": {},
        "all": {"formats": ["pdf", "pdfa", "txt", "hocr", "json"]},
        "open": {"passwords": str(secrets)},
        "strict": {"review": 100},
    }
    with Service(inboxes) as service:
        yield service


def locked(folder: Path) -> bytes:
    """Return a PDF of a scan that opens with the password alone."""
    path = makers.scan_pdf([makers.sheet(("A locked letter",))], folder / "locked.pdf")
    with pikepdf.open(path, allow_overwriting_input=True) as pdf:
        pdf.save(path, encryption=pikepdf.Encryption(user=PASSWORD, owner="owner"))
    return path.read_bytes()


def test_every_format_comes_out_with_its_provenance(service):
    """All formats of one scan: the PDF keeps the rules of PDF/A-2b, the JSON says all it knows."""
    home = service.homes["all"]
    home.drop("letter.png", scan("Every format of it"))
    job = service.finished("letter.png", home)
    pdf = home.outbox / "letter.pdf"
    assert home.found("outbox") == ["letter.hocr", "letter.json", "letter.pdf", "letter.txt"]
    assert pdfa_rules.broken(pdf) == []
    facts = json.loads(pdf.with_suffix(".json").read_text("utf-8"))
    assert (facts["job"], facts["sha256"]) == (job.job, job.sha256)
    (page,) = facts["pages"]
    assert "Every format of it" in page["text"]
    assert page["confidence"] > 80
    assert page["seconds"] > 0
    assert (page["engine"], page["languages"]) == ("tesserocr", ["eng"])
    assert page["version"]
    assert "sha256:" in page["data"][0]


def test_a_password_that_is_offered_opens_a_document(service, tmp_path):
    """A locked PDF is done where its password is offered, comes out open, and a note says so."""
    home = service.homes["open"]
    pdf = service.done("locked.pdf", home.drop("locked.pdf", locked(tmp_path)), home)
    assert "A locked letter" in text_of(pdf)
    job = service.finished("locked.pdf", home)
    assert "password" in " ".join(job.notes)
    assert PASSWORD not in " ".join(job.notes)
    assert PASSWORD not in json.dumps(service.log())


def test_a_password_that_is_not_offered_leaves_it_locked(service, tmp_path):
    """Elsewhere it is refused as encrypted, whole, with what to do about it."""
    home = service.homes["plain"]
    data = home.drop("locked.pdf", locked(tmp_path))
    job = service.finished("locked.pdf", home)
    assert (job.state, job.code) == (State.FAILED, "encrypted")
    assert "password" in str(job.reason)
    assert (home.failed / "locked.pdf").read_bytes() == data


def test_an_unsure_page_is_for_review(service):
    """A document below its inbox's threshold is marked; the same scan elsewhere is not."""
    home, plain = service.homes["strict"], service.homes["plain"]
    data = scan("Read this well")
    service.done("unsure.png", home.drop("unsure.png", data), home)
    job = service.finished("unsure.png", home)
    assert job.review
    assert job.notes[-1].startswith("page 1 was read with a confidence of ")
    assert 80 < job.confidence < 100
    service.done("sure.png", plain.drop("sure.png", data), plain)
    assert not service.finished("sure.png", plain).review


def test_a_damaged_pdf_is_mended_and_says_so(service, tmp_path):
    """A PDF whose table of contents is wrong comes out sound, and its record says what was done."""
    home = service.homes["plain"]
    path = makers.scan_pdf([makers.sheet(("A damaged letter",))], tmp_path / "a.pdf")
    data = path.read_bytes().replace(b"endobj", b"endob ", 1)
    pdf = service.done("damaged.pdf", home.drop("damaged.pdf", data), home)
    assert "A damaged letter" in text_of(pdf)
    makers.checked(pdf)
    assert "damaged" in " ".join(service.finished("damaged.pdf", home).notes)

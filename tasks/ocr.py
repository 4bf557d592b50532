"""The OCR stage: how many pages a document has, and what stands on each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from celery.exceptions import Ignore

from tasks import inputs, recognise
from tasks.celery import app
from tasks.stage import Bench, Stage, run
from watcherd import credentials, files

if TYPE_CHECKING:
    from watcherd.model import JobFacts


@app.task(name="ocr")
def ocr(job: str) -> None:
    """Plan a document; one of a single page is recognised at once.

    A longer one ends its chain here: its pages are submitted one by one, so that all cores and
    hosts share it, and a kill costs one page.
    """
    run(job, lambda bench: Stage("ocr", "ocr", _planned, _plan, _seconds(bench)))
    run(job, lambda bench: Stage("ocr", "ocr", _more_or_landed, _only_page, _seconds(bench), 1))


@app.task(name="page")
def page(job: str, number: int) -> None:
    """Recognise one page of a planned document."""

    def work(bench: Bench) -> None:
        recognise_page(bench, number)

    run(
        job,
        lambda bench: Stage(
            "ocr",
            f"page-{number}",
            lambda facts: number in facts.landed,
            work,
            _seconds(bench),
            number,
        ),
    )


def _seconds(bench: Bench) -> float:
    return float(bench.claim.options.limits.page_seconds)


def _planned(facts: JobFacts) -> bool:
    return facts.pages is not None


def _plan(bench: Bench) -> None:
    job = bench.job
    opened = inputs.open_document(job.source, bench.claim.options.limits, _passwords(bench))
    if opened.copy:
        with files.scratch(job.path) as private:
            opened.copy(private / "readable")
            job.land_readable(private / "readable")
    job.write_plan(opened.document.pages, opened.document.to_json())


def _passwords(bench: Bench) -> tuple[str, ...]:
    """Return what PDFs of this inbox may be opened with."""
    file = bench.inbox.passwords
    return credentials.lines(file) if file else ()


def _more_or_landed(facts: JobFacts) -> bool:
    if facts.pages != 1:
        raise Ignore  # the daemon submits the pages
    return 1 in facts.landed


def _only_page(bench: Bench) -> None:
    recognise_page(bench, 1)


def recognise_page(bench: Bench, number: int) -> None:
    """Recognise a page and land its results, unless a rival was first."""
    with files.scratch(bench.job.path) as private:
        path, document = bench.sheet()
        recognise.recognise_page(path, document, number, bench.claim.options, private)
        bench.job.land(private, bench.job.page(number))

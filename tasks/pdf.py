"""The pdf stage: the outputs are built, landed, and published; then the job is done."""

from __future__ import annotations

import os
import time
from datetime import datetime
from typing import TYPE_CHECKING

from celery.exceptions import Ignore

from tasks import outputs
from tasks.celery import app
from tasks.outputs.remarks import Remarks
from tasks.stage import Bench, Stage, run
from watcherd import files, naming, notices, publish
from watcherd.jobfiles import Outcome

if TYPE_CHECKING:
    from watcherd.jobfiles import Publication
    from watcherd.model import JobFacts


@app.task(name="pdf")
def pdf(job: str) -> None:
    """Build a document out of its landed pages, publish it, and conclude the job."""
    run(job, lambda bench: Stage("pdf", "pdf", _concluded, _finish, _seconds(bench)))


def _seconds(bench: Bench) -> float:
    """Return the time for the whole: assembling is quick, but a book has many pages."""
    pages = bench.job.plan() or 1
    return bench.claim.options.limits.page_seconds + 2.0 * pages


def _concluded(facts: JobFacts) -> bool:
    if facts.pages is None or len(facts.landed) < facts.pages:
        raise Ignore  # a stale message: the pages were taken back since
    return facts.outcome is not None


def _finish(bench: Bench) -> None:
    outbox = publish.Outbox(bench.inbox.outbox, bench.inbox.mode)
    if not bench.job.built.is_dir():
        _build(bench)
    if not bench.job.intact():
        # Somebody wrote into the original after its seal: what was read is of no worth.
        bench.log.warning("original_changed")
        publish.withdraw(bench.job, outbox)
        bench.job.unseal()
        raise Ignore
    publication = publish.publish(bench.job, outbox, base_name(bench))
    outputs = tuple(output.target for output in publication.outputs)
    notices.write(bench.spool, _notice(bench, publication, outbox))
    said = Remarks.from_json(bench.job.remarks())
    outcome = Outcome(
        "done",
        int(time.time()),
        outputs,
        notes=said.notes,
        confidence=said.confidence,
        review=said.review,
    )
    if bench.job.conclude(outcome):
        return  # from here on the daemon may file it under our hands
    standing = bench.job.outcome()
    if standing is None:
        raise Ignore  # filed: the daemon has taken back what does not count
    # A rival has concluded, or it was cancelled, while we were publishing.
    publish.withdraw(bench.job, outbox, but=standing.outputs)
    if standing.kind != "done":
        notices.drop(bench.spool, f"{bench.job.job}.success")
        raise Ignore


def _build(bench: Bench) -> None:
    seal, claim, job = bench.job.read_seal(), bench.claim, bench.job
    if seal is None:
        raise Ignore
    path, document = bench.sheet()
    name = claim.source.rpartition(b"/")[2]
    meta = outputs.Meta(
        naming.display(naming.split(name)[0]),
        naming.display(claim.source),
        job.job,
        seal.sha256,
        claim.at,
    )
    pages = [job.page(n) for n in range(1, document.pages + 1)]
    with files.scratch(job.path) as private:
        built = outputs.build(path, document, pages, claim.options, meta, private)
        job.land_outputs(private, built.remarks.to_json())


def base_name(bench: Bench) -> bytes:
    """Return where the outputs go below the outbox, without extension."""
    when = datetime.fromtimestamp(bench.claim.at).astimezone()
    facts = naming.NameFacts(bench.claim.source, bench.inbox.name, bench.job.job, when)
    return naming.render(bench.inbox.output, facts)


def _notice(bench: Bench, publication: Publication, outbox: publish.Outbox) -> notices.Notice:
    targets = bench.config.targets_of(bench.inbox, "success")
    outputs = tuple(
        naming.display(os.fsencode(publish.target(outbox, o))) for o in publication.outputs
    )
    return notices.Notice(
        f"{bench.job.job}.success",
        bench.inbox.name,
        naming.display(bench.claim.source),
        "success",
        targets,
        int(time.time()),
        outputs,
    )

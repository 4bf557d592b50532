"""`watcherd show`: one job with its history."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

import click

from watcherd import files, notices, places, views
from watcherd.cli import asking, output, settings
from watcherd.jobdir import JobDir

if TYPE_CHECKING:
    from watcherd.config import Config
    from watcherd.ledger import Job, Ledger
    from watcherd.spool import Spool

_STEP_HEADING = ("AT", "STEP", "STATE", "DETAIL")
_PAGE_NUMBERS = ("words", "confidence", "seconds")
_PAGE_HEADING = ("PAGE", *map(str.upper, _PAGE_NUMBERS), "NOTES")


@click.command()
@click.argument("job", metavar="JOB")
@output.json_option
def command(*, job: str, as_json: bool) -> None:
    """Show a job: how it stands, its steps, its pages, its files, and who was told.

    JOB is its id, or as much of its beginning or end as only it has.
    """
    config = settings()
    ledger = asking.ledger_of(config)
    shown = whole(config, ledger, ledger.get(asking.find_job(ledger, job)))
    if as_json:
        output.print_json(shown)
    else:
        _print(shown)


def whole(config: Config, ledger: Ledger, row: Job) -> dict[str, Any]:
    """Return all that is known of a job, as `show --json` prints it."""
    spool = places.known(config).of(row.job)
    place = _place(spool, row.job) if spool else None
    return views.job_whole(row, time.time()) | {
        "original": _original(config, row, place),
        "history": [
            {
                "at": views.iso(step.at),
                "event": step.event.value,
                "before": step.before.value,
                "after": step.after.value,
                "detail": step.detail,
            }
            for step in ledger.history(row.job)
        ],
        "pages": _pages(place) if place else [],
        "notices": _notices(spool, row.job) if spool else [],
    }


def _place(spool: Spool, job: str) -> JobDir | None:
    """Return the job's directory: in work, on its way out of it, parked, or a record."""
    ways = (spool.work / job, spool.work / f"{job}.ended", spool.parked / job, spool.records / job)
    return next((JobDir(path) for path in ways if path.is_dir()), None)


def _original(config: Config, row: Job, place: JobDir | None) -> str:
    """Return in words where the original is."""
    if place is not None and os.path.lexists(place.source):
        return output.name(os.fspath(place.source))
    if row.filed is not None:
        gone = "" if os.path.lexists(row.filed) else " (taken away since)"
        return output.name(row.filed) + gone
    policy = next((i.originals for i in config.inboxes if i.name == row.inbox), "archive")
    if row.finished is None:
        return "on its way"
    return {"keep": "kept in the inbox", "delete": "deleted after success"}.get(policy, "unknown")


def _pages(place: JobDir) -> list[dict[str, Any]]:
    """Return what the landed pages say of themselves; anybody may have written that."""
    found = []
    for number in sorted(place.landed()):
        facts = files.read_json(place.page(number) / "page.json") or {}
        notes = facts.get("notes")
        found.append(
            {
                "page": number,
                "words": _number(facts.get("words")),
                "confidence": _number(facts.get("confidence")),
                "seconds": _number(facts.get("seconds")),
                "text_already_there": facts.get("text_already_there") is True,
                "notes": [str(n)[:500] for n in notes] if isinstance(notes, list) else [],
            }
        )
    return found


def _number(value: Any) -> float | None:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _notices(spool: Spool, job: str) -> list[dict[str, Any]]:
    """Return how the telling of each target stands."""
    told = []
    for kind in ("success", "failure"):
        notice = notices.read(spool, f"{job}.{kind}")
        for target in notice.targets if notice else ():
            state = notices.delivery(spool, notice, target) if notice else notices.Delivery()
            told.append(
                {
                    "kind": kind,
                    "target": target,
                    "delivered": state.delivered,
                    "given_up": state.over and not state.delivered,
                    "tries": state.tries,
                    "due": None if state.over else views.iso(state.due or None),
                    "error": state.error,
                }
            )
    return told


def _print(shown: dict[str, Any]) -> None:
    progress = shown["progress"]
    output.facts(
        [
            ("job", shown["job"]),
            ("inbox", shown["inbox"]),
            ("source", output.name(shown["source"])),
            ("size", f"{shown['size']} bytes"),
            ("sha256", shown["sha256"]),
            ("state", output.word(shown["state"])),
            ("stage", shown["stage"] or ""),
            ("pages", output.bar(progress["current"], progress["total"])),
            ("attempts", str(shown["attempts"] or "")),
            ("code", shown["code"] or ""),
            ("reason", output.name(shown["reason"] or "")),
            ("original", shown["original"]),
            *(("output", output.name(path)) for path in shown["outputs"]),
            ("seconds", f"{shown['seconds']:g}"),
            ("review", "look it over" if shown["review"] else ""),
            *(("note", output.name(note)) for note in shown["notes"]),
        ]
    )
    click.echo()
    output.table(_STEP_HEADING, [_step(step) for step in shown["history"]], state=2)
    if shown["pages"]:
        click.echo()
        output.table(_PAGE_HEADING, [_page(page) for page in shown["pages"]])
    for notice in shown["notices"]:
        click.echo(_told(notice))


def _step(step: dict[str, Any]) -> tuple[str, ...]:
    detail = ", ".join(f"{key} {value}" for key, value in step["detail"].items())
    return (f"{step['at'][:19]}Z", step["event"], step["after"], output.name(detail))


def _page(page: dict[str, Any]) -> tuple[str, ...]:
    numbers = ("" if page[k] is None else f"{page[k]:g}" for k in _PAGE_NUMBERS)
    return (str(page["page"]), *numbers, output.name("; ".join(page["notes"])))


def _told(notice: dict[str, Any]) -> str:
    tries = f"after {notice['tries']} tries" if notice["tries"] != 1 else "after 1 try"
    if notice["delivered"]:
        return f"{notice['target']} was told of the {notice['kind']}"
    why = f": {output.name(notice['error'])}" if notice["error"] else ""
    if notice["given_up"]:
        return f"{notice['target']} could not be told of the {notice['kind']}, {tries}{why}"
    due = f", next at {notice['due'][:19]}Z" if notice["due"] else ""
    return f"{notice['target']} is still to be told of the {notice['kind']}{due}{why}"

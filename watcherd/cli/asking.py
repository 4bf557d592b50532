"""What the verbs that ask something of the daemon share: requests are filed, answers awaited.

A request stays in the ledger until the daemon has answered it, so that it may be filed while
none runs.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import click

from watcherd import views
from watcherd.cli import output
from watcherd.errors import EnvironmentFault, NotOurs

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from watcherd.config import Config
    from watcherd.ledger import Ledger, Request

PATIENCE = 8.0
"""Seconds for the answers; the daemon looks for requests twice a second."""

_LEAST_PART = 3
_AMBIGUOUS_SHOWN = 5


def ledger_of(config: Config) -> Ledger:
    """Open the ledger; raise `EnvironmentFault` where the daemon has never run."""
    ledger = views.open_ledger(config)
    if ledger is None:
        raise EnvironmentFault(
            f"there is no ledger in {config.state_dir}: the daemon has not run yet; "
            "`watcherd up` starts it"
        )
    return ledger


def find_job(ledger: Ledger, text: str) -> str:
    """Return the id of the job that is meant by its id, or by how only it begins or ends."""
    if ledger.knows(text):
        return text
    if len(text) < _LEAST_PART:
        raise NotOurs(f"no job {text!r}; give at least {_LEAST_PART} characters of its id")
    found = ledger.named(text, _AMBIGUOUS_SHOWN + 1)
    if len(found) == 1:
        return found[0]
    if not found:
        raise NotOurs(f"no job {output.name(text)!r}; `watcherd jobs` lists them")
    few = ", ".join(found[:_AMBIGUOUS_SHOWN])
    more = ", …" if len(found) > _AMBIGUOUS_SHOWN else ""
    raise NotOurs(f"{text!r} may be any of {few}{more}; give more of the id")


def ask(ledger: Ledger, verb: str, targets: Iterable[str]) -> None:
    """File a request for each target, print the answers, and end the program.

    Ends with 1 if a request was refused. One that is not answered in time stays filed: that is
    said, and is no error.
    """
    targets = list(dict.fromkeys(targets))
    numbers = _file(ledger, verb, targets)
    runs = views.alive(ledger.daemon())
    answers = _await(ledger, numbers) if runs else []
    given = {request.target: request for request in answers}
    refused = False
    for target in targets:
        request = given.get(target)
        if request is None:
            late = "has not answered yet" if runs else "is not running"
            output.say(f"{target}: {verb} is filed; the daemon {late} and will see to it")
        elif request.ok:
            click.echo(_sentence(request))
        else:
            refused = True
            output.say(f"watcherd: {_sentence(request)}")
    sys.exit(1 if refused else 0)


def _file(ledger: Ledger, verb: str, targets: Sequence[str]) -> list[int]:
    """File what is not filed already."""
    filed = {r.target: r.id for r in ledger.open_requests() if r.verb == verb}
    return [filed[t] if t in filed else ledger.ask(verb, t) for t in targets]


def _await(ledger: Ledger, numbers: Sequence[int]) -> list[Request]:
    """Return the requests that are answered within `PATIENCE`."""
    until = time.monotonic() + PATIENCE
    while True:
        requests = [ledger.request(number) for number in numbers]
        answered = [r for r in requests if r.ok is not None]
        if len(answered) == len(requests) or time.monotonic() >= until:
            return answered
        time.sleep(0.05)


def _sentence(request: Request) -> str:
    text = output.name(request.answer or "")
    return text if text.startswith(request.target) else f"{request.target}: {text}"

"""The notify stage: people and programs are told how a document ended.

Sees its notice and nothing else of the document. A target that fails is tried again later; how
it stands is on disk beside the notice. Nothing here can fail a document.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

import apprise

from tasks.celery import app
from tasks.stage import configuration, spool_of
from watcherd import config, log, notices
from watcherd.notices import Delivery, Notice

if TYPE_CHECKING:
    from watcherd.config import Target
    from watcherd.spool import Spool

_COMMAND_SECONDS = 60
_TITLES = {"success": "{source} is ready", "failure": "{source} could not be done"}


@app.task(name="notify")
def notify(notice_id: str) -> None:
    """Tell every target of a notice that has not been told and is due."""
    spool = spool_of(notice_id.partition(".")[0])
    notice = notices.read(spool, notice_id) if spool is not None else None
    if spool is None or notice is None:
        return  # nobody is to be told, or it was pruned
    targets = _targets(notice)
    for name, state in notices.undelivered(spool, notice):
        if name not in targets:
            _give_up(spool, notice, name)
        elif state.due <= time.time():
            _tell(spool, notice, targets[name], state)


def _targets(notice: Notice) -> dict[str, Target]:
    """Return the targets that there are; the file is read again where one is missing."""
    targets = {target.name: target for target in configuration().targets}
    if targets.keys() >= set(notice.targets):
        return targets
    # It may be newer than this worker, and what is given up here is never told.
    return {target.name: target for target in config.load().targets}


def _give_up(spool: Spool, notice: Notice, name: str) -> None:
    problem = f"no [notify.{name}] in the configuration any more"
    notices.record(spool, notice, name, Delivery(notices.MOST_TRIES, error=problem))
    line = log.get(job=notice.id.partition(".")[0], inbox=notice.inbox, target=name)
    line.warning("target_not_told", kind=notice.kind, tries=notices.MOST_TRIES, says=problem)


def _tell(spool: Spool, notice: Notice, target: Target, state: Delivery) -> None:
    # Counted before it is tried: a target that kills its teller must not be told for ever.
    tries = state.tries + 1
    attempt = Delivery(tries, due=time.time() + notices.backoff(tries), error="did not return")
    notices.record(spool, notice, target.name, attempt)
    problem = _tell_urls(notice, target) or _run_command(notice, target)
    after = replace(attempt, delivered=problem is None, error=problem)
    notices.record(spool, notice, target.name, after)
    line = log.get(job=notice.id.partition(".")[0], inbox=notice.inbox, target=target.name)
    if problem is None:
        line.info("target_told", kind=notice.kind, tries=tries)
    else:
        line.warning("target_not_told", kind=notice.kind, tries=tries, says=problem)


def text(notice: Notice) -> tuple[str, str]:
    """Return title and body of a message to a person."""
    title = _TITLES[notice.kind].format(source=notice.source)
    if notice.kind == "success":
        body = "\n".join(notice.outputs)
    else:
        body = f"{notice.reason}\n(code {notice.code}; the original is in the failed folder)"
    return title, f"{body}\n\ninbox {notice.inbox}, job {notice.id.partition('.')[0]}"


def _tell_urls(notice: Notice, target: Target) -> str | None:
    """Tell the target's addresses; return why that failed, None if it did not."""
    if not target.urls:
        return None
    title, body = text(notice)
    sender = apprise.Apprise()
    for url in target.urls:
        if not sender.add(url):
            return "one of its urls is not understood; `watcherd check` says which"
    kind = apprise.NotifyType.SUCCESS if notice.kind == "success" else apprise.NotifyType.FAILURE
    with apprise.LogCapture(level=apprise.logging.WARNING, fmt="%(message)s") as said:
        good = sender.notify(body=body, title=title, notify_type=kind)
        return None if good else " ".join(said.getvalue().split())[:500] or "it was not accepted"


def _run_command(notice: Notice, target: Target) -> str | None:
    """Run the target's command, the notice on its standard input as JSON."""
    if not target.command:
        return None
    facts = asdict(notice) | {"idempotency_key": notice.id, "job": notice.id.partition(".")[0]}
    try:
        child = subprocess.Popen(
            target.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        return f"{target.command[0]}: {error.strerror}"
    try:
        said, _ = child.communicate(json.dumps(facts).encode(), timeout=_COMMAND_SECONDS)
    except subprocess.TimeoutExpired:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.communicate()
        return f"{target.command[0]} took longer than {_COMMAND_SECONDS} s"
    if child.returncode != 0:
        tail = said.decode("utf-8", "replace").strip()[-300:]
        return f"{target.command[0]} ended with {child.returncode}: {tail}"
    return None

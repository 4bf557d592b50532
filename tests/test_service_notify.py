"""Whom the service tells, and that telling never harms a document."""

from __future__ import annotations

import email
import email.policy
import json
import socketserver
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from papers import damaged, scan
from service import Service

from watcherd import notices
from watcherd.lifecycle import State
from watcherd.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage
    from pathlib import Path

_SILENT_PORT = 9  # discard: nobody listens


class Mailbox(socketserver.ThreadingTCPServer):
    """A mail server on the loopback interface that keeps what it is given (RFC 5321)."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        """Listen on any free port."""
        super().__init__(("127.0.0.1", 0), _Smtp)
        self.messages: list[EmailMessage] = []

    def of(self, name: str) -> list[EmailMessage]:
        """Return the messages about a document."""
        return [m for m in self.messages if name in str(m["subject"])]


class _Smtp(socketserver.StreamRequestHandler):
    server: Mailbox

    def handle(self) -> None:
        self._say("220 mailbox")
        while line := self.rfile.readline():
            verb = line.split()[0].upper() if line.split() else b""
            if verb == b"DATA":
                self._say("354 go on")
                self._keep()
                self._say("250 kept")
            elif verb == b"QUIT":
                self._say("221 bye")
                return
            else:
                self._say("250 mailbox")

    def _say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def _keep(self) -> None:
        rows = []
        while (row := self.rfile.readline()) not in (b".\r\n", b""):
            rows.append(row.removeprefix(b"."))
        policy = email.policy.default
        self.server.messages.append(email.message_from_bytes(b"".join(rows), policy=policy))


class Hook(ThreadingHTTPServer):
    """A web server on the loopback interface that keeps the JSON posted to it."""

    def __init__(self, refusals: int = 0) -> None:
        """Listen on any free port; answer the first `refusals` requests with an error."""
        super().__init__(("127.0.0.1", 0), _Http)
        self.refusals, self.posted = refusals, list[dict[str, Any]]()

    def of(self, name: str) -> list[dict[str, Any]]:
        """Return what was posted about a document."""
        return [p for p in self.posted if name in p["title"]]


class _Http(BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        refused = len(self.server.posted) < self.server.refusals
        self.server.posted.append(body)
        self.send_response(503 if refused else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


@contextmanager
def _listening(server: Any) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(scope="module")
def mailbox() -> Iterator[Mailbox]:
    with _listening(Mailbox()) as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
def hook() -> Iterator[Hook]:
    with _listening(Hook()) as hook:
        yield hook


@pytest.fixture(scope="module")
def late() -> Iterator[Hook]:
    """Listen with a web server that refuses once."""
    with _listening(Hook(refusals=1)) as hook:
        yield hook


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a folder into which a program puts what it was told."""
    return tmp_path_factory.mktemp("told")


@pytest.fixture(scope="module")
def service(mailbox: Mailbox, hook: Hook, late: Hook, told: Path) -> Iterator[Service]:
    mail, web, again = (s.server_address[1] for s in (mailbox, hook, late))
    address = f"mailto://127.0.0.1:{mail}?from=service@example.org&to=office@example.org"
    script = 'cat > "$0/.new" && mv "$0/.new" "$0/$$.json"'
    targets: dict[str, dict[str, object]] = {
        "mail": {"urls": [address]},
        "web": {"urls": [f"json://127.0.0.1:{web}/told"]},
        "program": {"command": ["sh", "-c", script, str(told)]},
        "failures": {"urls": [f"json://127.0.0.1:{web}/failures"], "on": ["failure"]},
        "late": {"urls": [f"json://127.0.0.1:{again}/"]},
        "nobody": {"urls": [f"json://127.0.0.1:{_SILENT_PORT}/"]},
        "broken": {"command": ["sh", "-c", "echo sorry; exit 3"]},
    }
    inboxes: dict[str, dict[str, object]] = {
        "office": {"notify": ["mail", "web", "program"]},
        "quiet": {"notify": ["failures"]},
        "patient": {"notify": ["late"]},
        "hopeless": {"notify": ["nobody", "broken"]},
    }
    with Service(inboxes, notify=targets, attempts=1, rescan=2) as service:
        yield service


@pytest.fixture(scope="module", autouse=True)
def refused_once(service: Service, late: Hook) -> bytes:
    """Drop at once the document whose telling is refused, and is tried again later."""
    data = service.homes["patient"].drop("patient.png", scan("Told at the second try"))
    service.until(lambda: late.posted, "the first try was refused")
    return data


def test_mail_says_that_a_document_is_ready(service, mailbox):
    """One mail comes for each document, with its name and the path of its PDF."""
    home = service.homes["office"]
    data = home.drop("Lieferschein März.png", scan("Tell the office"))
    pdf = service.done("Lieferschein März.png", data, home)
    service.until(lambda: mailbox.of("Lieferschein März.png"), "a mail has come")
    (mail,) = mailbox.of("Lieferschein März.png")
    assert "ready" in mail["subject"]
    assert "office@example.org" in mail["to"]
    body = mail.get_body(("plain", "html"))
    assert body is not None
    assert str(pdf) in body.get_content()


def test_a_web_hook_is_posted_to(service, hook):
    """A web address is sent JSON about the document."""
    home = service.homes["office"]
    data = home.drop("hooked.png", scan("Tell the web"))
    pdf = service.done("hooked.png", data, home)
    service.until(lambda: hook.of("hooked.png"), "it was posted")
    (posted,) = hook.of("hooked.png")
    assert posted["type"] == "success"
    assert str(pdf) in posted["message"]


def test_a_program_reads_json(service, told):
    """A command is given the facts of the outcome as JSON on its standard input."""
    home = service.homes["office"]
    data = home.drop("programmed.png", scan("Tell a program"))
    pdf = service.done("programmed.png", data, home)
    job = service.jobs("programmed.png", home)[0].job

    def heard() -> list[dict[str, Any]]:
        facts = [json.loads(path.read_bytes()) for path in told.glob("*.json")]
        return [f for f in facts if f["source"] == "programmed.png"]

    service.until(heard, "the program was run")
    (facts,) = heard()
    assert facts["kind"] == "success"
    assert facts["job"] == job
    assert facts["outputs"] == [str(pdf)]
    assert facts["idempotency_key"].startswith(job)


def test_a_failure_is_told_with_its_reason(service, mailbox, hook):
    """Failures are told like successes, with the reason that the failed folder gives."""
    home = service.homes["office"]
    home.drop("unreadable.png", damaged())
    job = service.finished("unreadable.png", home)
    assert job.state is State.FAILED
    service.until(lambda: mailbox.of("unreadable.png"), "a mail has come")
    service.until(lambda: hook.of("unreadable.png"), "it was posted")
    (mail,) = mailbox.of("unreadable.png")
    body = mail.get_body(("plain", "html"))
    assert body is not None
    assert str(job.reason) in body.get_content()
    assert hook.of("unreadable.png")[0]["type"] == "failure"


def test_who_asks_for_failures_alone_hears_of_no_success(service, hook):
    """A target with `on = ["failure"]` is not told of what went well."""
    home = service.homes["quiet"]
    data = home.drop("good.png", scan("Nothing to tell"))
    service.done("good.png", data, home)
    home.drop("bad.png", damaged())
    service.until(lambda: hook.of("bad.png"), "the failure was posted")
    assert not hook.of("good.png")


def test_a_target_that_fails_harms_no_document(service):
    """Where nobody listens the document is done all the same, and what failed is on disk."""
    home = service.homes["hopeless"]
    data = home.drop("untold.png", scan("Nobody hears of it"))
    service.done("untold.png", data, home)
    job = service.jobs("untold.png", home)[0].job
    names = {"nobody", "broken"}
    service.until(
        lambda: names == {line["target"] for line in service.log("target_not_told", job=job)},
        "both have failed",
    )
    spool = Spool(home.spool)
    notice = notices.read(spool, f"{job}.success")
    assert notice is not None
    states = {name: notices.delivery(spool, notice, name) for name in names}
    assert all(s.tries >= 1 and not s.delivered and s.due > 0 for s in states.values())
    assert "ended with 3: sorry" in str(states["broken"].error)


def test_what_could_not_be_told_is_told_later(service, late, refused_once):
    """A target that refused is told again after a while, once more and not twice."""
    home = service.homes["patient"]
    service.done("patient.png", refused_once, home)
    service.until(lambda: len(late.of("patient.png")) == 2, "it was told again", 60)
    service.until(lambda: service.log("target_told", target="late", tries=2), "it was accepted")
    assert len(late.of("patient.png")) == 2

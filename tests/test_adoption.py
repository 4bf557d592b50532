"""The ledger follows from the spool: lost or taken from a backup, it comes to show all again."""

from __future__ import annotations

import shutil

import faulty
from papers import book, scan
from service import Service

from watcherd.lifecycle import State


def _stopped(service: Service) -> None:
    """Stop the service, and let go of its ledger."""
    assert service.stop() == 0
    service.ledger.close()
    service._ledger = None


def test_a_ledger_that_is_lost_and_one_from_a_backup():
    """Mid-work without its ledger, then with an old one: all ends once, and is shown."""
    with Service({"scans": {"settle": 0.5}}, lease=3) as service:
        home, state = service.scans, service.root / "state"
        wanted = {"first.png": home.drop("first.png", scan("Before the backup"))}
        service.done("first.png", wanted["first.png"])
        _stopped(service)
        shutil.copy2(state / "ledger.db", service.root / "backup.db")

        service.start()
        wanted["second.png"] = home.drop("second.png", scan("After the backup"))
        service.done("second.png", wanted["second.png"])
        broken = home.drop("broken.png", b"no picture")
        assert service.finished("broken.png").state is State.FAILED
        faulty.hold_worker(service)
        wanted["book.tif"] = home.drop("book.tif", book(3))
        wanted["last.png"] = home.drop("last.png", scan("In work without a ledger"))
        service.until(lambda: service.jobs("book.tif") and service.jobs("last.png"), "in work")
        for part in ("daemon", "worker"):
            service.kill(part)
        service.up.kill()
        service.up.wait()
        service.until(lambda: not service.processes(), "all has ended")
        service.ledger.close()
        service._ledger = None
        for file in state.glob("ledger.db*"):
            file.unlink()

        service.start()
        for name, data in wanted.items():
            service.done(name, data)
        assert service.finished("broken.png").state is State.FAILED
        _stopped(service)
        for file in state.glob("ledger.db*"):
            file.unlink()
        shutil.copy2(service.root / "backup.db", state / "ledger.db")

        service.start()
        for name, data in wanted.items():
            service.done(name, data)
        failed = service.finished("broken.png")
        assert failed.state is State.FAILED
        assert (home.failed / "broken.png").read_bytes() == broken
        service.ledger.ask("retry", failed.job)
        service.until(
            lambda: (
                len(service.log("job_gave_up", job=failed.job)) > 1
                or [s.after for s in service.ledger.history(failed.job)].count("failed") > 1
            ),
            "it was taken up again, and has failed again",
        )
        assert sorted(p.name for p in home.outbox.iterdir()) == [
            "book.pdf", "first.pdf", "last.pdf", "second.pdf",
        ]  # fmt: skip

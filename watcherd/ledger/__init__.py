"""The ledger: every SQL statement of watcherd.

One row a job, one appended row for each of its steps, requests of people, and snapshots for
those who look. Written by the daemon; commands and the dashboard write requests alone. The
ledger is not the truth: what it says of a job follows from the job's directory.
"""

from watcherd.ledger.jobs import JobTable
from watcherd.ledger.requests import RequestTable
from watcherd.ledger.rows import DaemonRow, InboxRow, Job, Request, Transition, Waiting
from watcherd.ledger.snapshots import SnapshotTable


class Ledger(JobTable, RequestTable, SnapshotTable):
    """An open ledger; may be shared by threads. Raises `EnvironmentFault` if it is unusable."""


__all__ = ["DaemonRow", "InboxRow", "Job", "Ledger", "Request", "Transition", "Waiting"]

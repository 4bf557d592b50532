"""What `check` looks at once: state directory, ledger, broker, user, limits of the kernel."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from watcherd import broker, files, mounts, views
from watcherd.cli.check_folders import existing
from watcherd.cli.points import Point, fail, ok, warn
from watcherd.errors import EnvironmentFault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watcherd.config import Config

_INSTANCES = Path("/proc/sys/fs/inotify/max_user_instances")


def user(config: Config) -> Iterator[Point]:
    """Warn of root."""
    del config
    if os.geteuid() == 0:
        yield warn(
            "user",
            "running as root, while decoders read files of strangers",
            "run the service as a user of its own, and this check as that user",
        )


def state(config: Config) -> Iterator[Point]:
    """Try the state directory and open the ledger."""
    place, folder = "watcherd.state_dir", config.state_dir
    above = existing(folder)
    probe = files.private_name(above / "probe")
    try:
        probe.touch(exist_ok=False)
        probe.unlink()
    except OSError as error:
        yield fail(place, f"{above} cannot be written: {error.strerror}", "let this user write it")
        return
    fstype = mounts.filesystem_of(above).fstype
    if mounts.is_network(fstype):
        yield warn(place, f"{folder} lies on {fstype}", "the ledger belongs on a local disk")
    made = "can be written" if above == folder else "does not exist yet; the daemon makes it"
    yield ok(place, f"{folder} {made}")
    try:
        ledger = views.open_ledger(config)
    except EnvironmentFault as fault:
        yield fail("ledger", str(fault))
        return
    if ledger is not None:
        runs = "runs" if views.alive(ledger.daemon()) else "does not run now"
        yield ok("ledger", f"it can be used; the daemon {runs}")
        ledger.close()


def messages(config: Config) -> Iterator[Point]:
    """Find a server for the embedded broker, and reach whatever broker there is."""
    place = "watcherd.broker"
    if config.broker == "embedded":
        try:
            command = broker.server_command(config)
        except EnvironmentFault as fault:
            yield fail(place, str(fault))
            return
        yield ok(place, f"the embedded broker is {command[0]}")
        if not broker.socket_path(config).exists():
            yield ok(place, "it is not running; `watcherd up` starts it")
            return
    try:
        broker.Window(config).ping()
    except EnvironmentFault as fault:
        if config.broker == "embedded":
            yield ok(place, "it is not running; `watcherd up` starts it")
        else:
            yield fail(place, str(fault), "start it, or correct its address")
    else:
        yield ok(place, "it answers")


def instances(config: Config) -> Iterator[Point]:
    """Compare the inboxes with the inotify instances that the kernel gives one user."""
    needed = len(config.inboxes)
    most = int(_INSTANCES.read_text("ascii"))
    says = f"fs.inotify.max_user_instances is {most}; {needed} are needed"
    if needed > most // 2:
        remedy = f"sysctl fs.inotify.max_user_instances={max(4 * needed, 128)}"
        yield warn("inotify", says, remedy)
    else:
        yield ok("inotify", says)


CHECKS: tuple[Callable[[Config], Iterator[Point]], ...] = (user, state, messages, instances)
"""Each gives what it finds."""

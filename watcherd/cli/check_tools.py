"""What `check` looks at of tools: engines, languages, and how people are told."""

from __future__ import annotations

import logging
import shutil
from typing import TYPE_CHECKING

from watcherd import credentials
from watcherd.cli.points import Point, fail, ok, warn
from watcherd.errors import EnvironmentFault, Refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from watcherd.config import Config, Inbox, Target


def engines(config: Config) -> Iterator[Point]:
    """Name the engine that each inbox gets, with its version."""
    from tasks.reading import engine  # noqa: PLC0415 - loads Tesseract

    for i, inbox in enumerate(config.inboxes):
        place = f"inbox[{i}].engine"
        try:
            real = engine.resolve(inbox.engine)
            version = engine.engine_version(inbox.engine)
        except EnvironmentFault as fault:
            yield fail(place, str(fault))
        else:
            yield ok(place, f"{real} with Tesseract {version}")


def languages(config: Config) -> Iterator[Point]:
    """Find the data of every language; without `osd` turned pages are not set upright."""
    for i, inbox in enumerate(config.inboxes):
        yield from _languages(inbox, f"inbox[{i}].languages")
    if not _installed("osd"):
        yield warn(
            "tesseract",
            "without the data “osd” turned pages are not recognised as such",
            "apt install tesseract-ocr-osd",
        )


def _languages(inbox: Inbox, place: str) -> Iterator[Point]:
    missing = [language for language in inbox.languages if not _installed(language)]
    for language in missing:
        yield fail(place, f'"{language}" is not installed', f"apt install {_package(language)}")
    if missing:
        return
    if _installed(*inbox.languages):
        yield ok(place, f"{', '.join(inbox.languages)}: installed")
    else:
        yield fail(
            place,
            f"{', '.join(inbox.languages)} are installed, but not in one folder",
            "put their .traineddata files into one, and name it by TESSDATA_PREFIX",
        )


def _installed(*names: str) -> bool:
    from tasks.reading import engine  # noqa: PLC0415 - loads Tesseract

    try:
        engine.data_folder(names)
    except Refusal:
        return False
    return True


def _package(language: str) -> str:
    """Return Debian's name of the package with a language's data."""
    if language.startswith("script/"):  # named by ISO 15924 there
        return "the fitting one of tesseract-ocr-script-*"
    return f"tesseract-ocr-{language.lower().replace('_', '-')}"


def notifications(config: Config) -> Iterator[Point]:
    """Have the addresses read by those who will tell, and look for the commands; send nothing."""
    used = {name for inbox in config.inboxes for name in inbox.notify}
    for target in config.targets:
        place = f"notify.{target.name}"
        yield from _urls(target, place)
        if target.command:
            program = target.command[0]
            if shutil.which(program):
                yield ok(f"{place}.command", f"{program} can be run")
            else:
                yield fail(
                    f"{place}.command",
                    f"{program} is not there, or cannot be run by this user",
                    "correct its path, or make it executable",
                    configuration=True,
                )
        if target.name not in used:
            yield warn(place, "no inbox tells it anything", f'notify = ["{target.name}"]')


def _urls(target: Target, place: str) -> Iterator[Point]:
    """Read the addresses; they hold passwords, so that only their beginnings are shown."""
    if not target.urls:
        return
    import apprise  # noqa: PLC0415 - knows a hundred services

    logging.getLogger("apprise").setLevel(logging.CRITICAL)  # it would print the address
    for i, url in enumerate(target.urls):
        scheme = url.partition("://")[0][:20]
        if apprise.Apprise().add(url):
            yield ok(f"{place}.urls[{i}]", f"{scheme}://… is understood")
        else:
            yield fail(
                f"{place}.urls[{i}]",
                f"{scheme}://… is not understood",
                "see https://github.com/caronc/apprise/wiki for how it is written",
                configuration=True,
            )


def passwords(config: Config) -> Iterator[Point]:
    """Read the files of passwords, and see that others cannot."""
    named = {inbox.passwords: f"inbox[{i}].passwords" for i, inbox in enumerate(config.inboxes)}
    for file, place in named.items():
        if file is None:
            continue
        try:
            count = len(credentials.lines(file))
            shared = file.stat().st_mode & 0o077
        except (EnvironmentFault, OSError) as fault:
            yield fail(place, str(fault), "make it, readable for this user alone")
        else:
            if shared:
                yield warn(place, f"{file} can be read by others", f"chmod 600 {file}")
            yield ok(place, f"{file} offers {count}")


CHECKS: tuple[Callable[[Config], Iterator[Point]], ...] = (
    engines,
    languages,
    passwords,
    notifications,
)
"""Each gives what it finds."""

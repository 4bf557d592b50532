"""The ledger names documents: it is for its user and group, as the umask says, and nobody else."""

from __future__ import annotations

import os
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from needs import needs
from premises import Premises

from watcherd.errors import EnvironmentFault
from watcherd.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def umask(bits: int) -> Iterator[None]:
    """Have these bits taken away from what is made."""
    before = os.umask(bits)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize(
    ("bits", "folder", "file"), [(0o022, 0o750, 0o640), (0o002, 0o770, 0o660), (0, 0o770, 0o660)]
)
def test_others_cannot_read_it(tmp_path, bits, folder, file):
    """Others get nothing under any umask; the group may take part where the umask lets it."""
    with umask(bits), closing(Ledger(tmp_path / "state" / "ledger.db")) as ledger:
        ledger.add("job", "scans", b"a.pdf", 1, "0" * 64, 1.0)
        modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "state").iterdir()}
    assert modes == dict.fromkeys(("ledger.db", "ledger.db-wal", "ledger.db-shm"), file)
    assert (tmp_path / "state").stat().st_mode & 0o777 == folder


def test_what_is_there_keeps_its_rights(tmp_path):
    """A folder and a file that somebody has set up are left as they are."""
    with umask(0o022):
        tmp_path.chmod(0o755)
        Ledger(tmp_path / "ledger.db").close()
        (tmp_path / "ledger.db").chmod(0o600)
        Ledger(tmp_path / "ledger.db").close()
    assert (tmp_path / "ledger.db").stat().st_mode & 0o777 == 0o600
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_where_it_cannot_be_made_that_is_said():
    """A place where nothing can be made is a fault of the machine that names it."""
    with pytest.raises(EnvironmentFault, match=r"/x/ledger\.db cannot be made: Not a dir"):
        Ledger(Path("/dev/null/x/ledger.db"))


def test_the_state_directory_of_the_service_is_private(tmp_path):
    """`up` makes the state directory, the ledger and the broker's folder for nobody else."""
    needs("redis-server")
    with Premises(tmp_path) as premises, umask(0o022):
        said = premises.run("up", "--until-idle")
        assert said.code == 0, said.err
        found = {
            name: (tmp_path / "state" / name).stat().st_mode & 0o777
            for name in (".", "ledger.db", "redis")
        }
    assert found == {".": 0o750, "ledger.db": 0o640, "redis": 0o700}

"""What is read from a job's directory is sound, or it is nothing."""

from __future__ import annotations

import base64
import json
import sqlite3
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd import files
from watcherd.jobfiles import JOB, Claim, Outcome, Output, Publication, Seal, relative_name
from watcherd.model import Fingerprint, Limits, Options

ID = "ab12-00000000000000"
SHA = "0" * 64
CLAIM = Claim(ID, "scans", b"a/\xff.pdf", Fingerprint(1, -2, 3), Options(("deu", "eng")), 5)
SEAL = Seal(1, 2, SHA)
SET = Publication(2, (Output("doc.txt", b"a.txt", SHA), Output("doc.pdf", b"\xfe.pdf", SHA)))
DONE = Outcome("done", 5, (b"\xff.pdf",))
FAILED = Outcome("failed", 5, stage="ocr", page=3, code="corrupt", reason="why", attempts=2)
ALL = [CLAIM, SEAL, SET, DONE, FAILED]

component = st.binary(min_size=1, max_size=20).filter(
    lambda b: b"/" not in b and b"\0" not in b and b not in (b".", b"..")
)
names = st.lists(component, min_size=1, max_size=3).map(b"/".join)
words = st.none() | st.text(max_size=50)
small = st.integers(0, 1 << 40)
outcomes = st.builds(
    Outcome,
    st.sampled_from(["failed", "cancelled", "skipped"]),
    st.integers(0, 1 << 34),
    st.lists(names).map(tuple),
    stage=st.sampled_from([None, "ocr", "pdf"]),
    page=st.none() | small,
    code=words,
    reason=words,
    attempts=small,
)
claims = st.builds(
    Claim,
    st.just(ID),
    st.text(max_size=9),
    names,
    st.builds(Fingerprint, small, st.integers(-(1 << 62), 1 << 62), small),
    st.builds(Options, limits=st.builds(Limits, small, small, small, small)),
    st.integers(0, 1 << 34),
    st.booleans(),
)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(min_value=-(10**40), max_value=10**40)
    | st.floats()
    | st.text(st.characters(), max_size=20)
    | st.sampled_from(["Li4vYQ==", "L2V0Yw==", "YQ==", "YS8uLi9i", SHA, ID, "done", "\ud800"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


def there_and_back(value):
    """Write and read a value as a job's directory does."""
    return type(value).from_json(json.loads(files.to_json(value.to_json())))


@given(st.sampled_from(ALL) | outcomes | claims)
def test_what_is_written_is_read(value):
    """Every value comes back as it was, whatever bytes its names hold."""
    assert there_and_back(value) == value


@given(st.sampled_from(ALL), st.data())
def test_no_change_of_a_file_gives_half_a_value(value, data):
    """Any value in place of any other is refused, or gives one that ledger and clock can hold."""
    table = value.to_json()
    spot, key = table, data.draw(st.sampled_from(sorted(table)))
    while isinstance(spot[key], dict | list) and spot[key] and data.draw(st.booleans()):
        spot = spot[key]
        keys = sorted(spot) if isinstance(spot, dict) else range(len(spot))
        key = data.draw(st.sampled_from(keys))
    if data.draw(st.booleans()):
        spot[key] = data.draw(json_values)
    else:
        del spot[key]
    found = type(value).from_json(json.loads(json.dumps(table)))
    if found is None:
        return
    if isinstance(found, Claim | Outcome):
        datetime.fromtimestamp(found.at, UTC)
    numbers = {
        Claim: lambda c: [c.at, c.fingerprint.size, c.fingerprint.mtime_ns, *limits(c)],
        Seal: lambda s: [s.size, s.mtime_ns],
        Publication: lambda p: [p.n],
        Outcome: lambda o: [o.at, o.page, o.attempts],
    }[type(found)](found)
    sqlite3.connect(":memory:").execute(f"SELECT {', '.join('?' * len(numbers))}", numbers)
    paths = {
        Claim: lambda c: [c.source],
        Seal: lambda _: [],
        Publication: lambda p: [o.target for o in p.outputs],
        Outcome: lambda o: o.outputs,
    }[type(found)](found)
    assert not any(
        p in (b"", b".", b"..") or b"\0" in p for path in paths for p in path.split(b"/")
    )


def limits(claim: Claim) -> list[int]:
    """Return the numbers of a claim's limits, none of which is negative."""
    found = claim.options.limits
    numbers = [found.page_seconds, found.page_pixels, found.page_memory, found.pages]
    assert min(numbers) >= 0
    return numbers


@pytest.mark.parametrize("kind", [Claim, Seal, Publication, Outcome])
@given(table=st.none() | st.dictionaries(st.text(max_size=8), json_values))
def test_no_table_raises(kind, table):
    """What is not even similar is nothing."""
    assert kind.from_json(table) is None


@pytest.mark.parametrize("value", ALL)
@pytest.mark.parametrize("schema", [None, 0, 2, "1"])
def test_another_schema_is_not_read(value, schema):
    """What a newer version wrote is not misread."""
    assert type(value).from_json(value.to_json() | {"schema": schema}) is None


@pytest.mark.parametrize(
    "change",
    [
        {"outputs": []},  # done means that there is a document
        {"stage": "notify"},
        {"at": 10**12},
        {"at": -1},
        {"kind": "perhaps"},
        {"attempts": 2**63},
        {"page": True},
        {"reason": 7},
    ],
)
def test_an_outcome_that_cannot_be_is_refused(change):
    """Nobody's original is filed or deleted on the word of such a file."""
    assert Outcome.from_json(DONE.to_json() | change) is None


@pytest.mark.parametrize(
    "change",
    [
        {"notes": "text"},
        {"notes": [1]},
        {"confidence": 101},
        {"confidence": "high"},
        {"review": 1},
    ],
)
def test_remarks_that_cannot_be_are_refused(change):
    """What is said of a document has its types, like all else."""
    assert Outcome.from_json(DONE.to_json() | change) is None


def test_an_outcome_without_remarks_is_one():
    """Earlier versions said nothing beside the outcome itself."""
    table = DONE.to_json()
    for key in ("notes", "confidence", "review"):
        del table[key]
    found = Outcome.from_json(table)
    assert found is not None
    assert (found.notes, found.confidence, found.review) == ((), None, False)


def test_a_long_reason_is_cut():
    """A reason is a sentence; what a decoder may have filled it with is cut off."""
    found = Outcome.from_json(FAILED.to_json() | {"reason": "x" * 100_000})
    assert found is not None
    assert len(found.reason) == 2000


@pytest.mark.parametrize(
    "name", [b"", b"/a", b"a/", b"a//b", b"..", b"a/../b", b"./a", b"a\0b", b"/"]
)
def test_a_path_that_leads_elsewhere_is_refused(name):
    """Only what lies plainly below its root is a relative name."""
    table = DONE.to_json()
    assert Outcome.from_json(table) == DONE
    table["outputs"] = [base64.b64encode(name).decode()]
    assert Outcome.from_json(table) is None
    with pytest.raises(ValueError, match="not a relative path"):
        relative_name(table["outputs"][0])


@pytest.mark.parametrize(
    "name", ["x", "../etc", ID + "x", ID.upper(), "", "ab12-0000000000000/", f"{ID}\n"]
)
def test_what_is_no_job_id_is_refused(name):
    """A job's id is safe in a path."""
    assert not JOB.fullmatch(name)
    assert Claim.from_json(CLAIM.to_json() | {"job": name}) is None


@pytest.mark.parametrize(
    "result", ["../x.pdf", "doc", "a/b.pdf", "DOC.PDF", ".x.pdf", "x" * 17 + ".a"]
)
def test_results_have_plain_names(result):
    """A recorded result cannot name anything but a file among the results."""
    table = SET.to_json()
    table["outputs"][0]["result"] = result
    assert Publication.from_json(table) is None

"""The life of a job is the table of the architecture, and nothing moves a job otherwise."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd.errors import IllegalEvent
from watcherd.lifecycle import FINISHED, TRANSITIONS, Event, State, mermaid, path, step

LIFE = """
ready: dispatched queued, skipped skipped, cancelled cancelled
queued: started running, dispatch_failed ready, lease_expired ready, cancelled cancelled
running: progressed running, completed done, retry_scheduled ready, lease_expired ready,
  gave_up failed, cancelled cancelled
failed: requeued ready
cancelled: requeued ready
done:
skipped:
"""

states, events = st.sampled_from(State), st.sampled_from(Event)


def test_the_table_is_the_documented_one():
    """Every state and every step of it, no more and no fewer."""
    table = {}
    for line in LIFE.replace(",\n", ",").strip().splitlines():
        state, _, steps = line.partition(":")
        table[state] = {s.split()[0]: s.split()[1] for s in steps.split(",") if s.strip()}
    assert {s: dict(t) for s, t in TRANSITIONS.items()} == table


@given(states, events)
def test_a_step_is_in_the_table_or_an_error(state, event):
    """What the table does not know is one typed error that says what was expected."""
    if event in TRANSITIONS[state]:
        assert step(state, event) is TRANSITIONS[state][event]
    else:
        with pytest.raises(IllegalEvent) as caught:
            step(state, event)
        assert caught.value.expected == tuple(TRANSITIONS[state])


@given(states, states)
def test_a_path_is_legal_and_the_shortest(state, goal):
    """Following a path leads to the goal, and no shorter run of events does."""
    try:
        found = path(state, goal)
    except IllegalEvent:
        found = None
    runs = (
        run
        for length in range(len(State) if found is None else len(found))
        for run in itertools.product(Event, repeat=length)
        if length < 4
    )
    assert not any(ends(state, run) is goal for run in runs)
    if found is not None:
        assert ends(state, found) is goal


def ends(state, run):
    """Return where a run of events ends, None if it is not legal."""
    for event in run:
        if event not in TRANSITIONS[state]:
            return None
        state = TRANSITIONS[state][event]
    return state


@pytest.mark.parametrize("state", [s for s in State if s not in FINISHED])
@pytest.mark.parametrize("goal", sorted(FINISHED))
def test_every_unfinished_job_can_end_any_way(state, goal):
    """Whatever the disk shows at the end, the history can be completed up to it."""
    assert path(state, goal)


def test_there_is_nothing_to_do_where_one_is():
    """From a state to itself leads no event."""
    assert all(path(state, state) == () for state in State)


def test_the_diagram_shows_the_whole_table():
    """The README's diagram has an arrow for each pair of states, with all its events."""
    rows = mermaid().splitlines()
    assert rows[:2] == ["stateDiagram-v2", "    [*] --> ready: file claimed"]
    shown = {
        (a.strip(), name.strip(), b.strip())
        for a, _, rest in (row.partition("-->") for row in rows[2:])
        for b, _, told in [rest.partition(":")]
        for name in told.split("/")
    }
    assert shown == {(s, e, a) for s, table in TRANSITIONS.items() for e, a in table.items()}

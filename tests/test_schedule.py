"""Which messages go next: fair between inboxes and jobs, so that nobody waits for a book's end."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcherd.model import Message
from watcherd.schedule import Waiting, choose


def book(name: str, pages: int, *, turn: int = 0, flying: int = 0, inbox: str = "in") -> Waiting:
    """Return a job with so many messages to submit."""
    messages = tuple(Message("page", name, n) for n in range(1, pages + 1))
    return Waiting(name, inbox, turn, flying, messages)


jobs_of = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 50), st.sampled_from("ab")),
    max_size=6,
).map(
    lambda rows: [
        book(f"j{i}", pages, flying=flying, turn=turn, inbox=inbox)
        for i, (pages, flying, turn, inbox) in enumerate(rows)
    ]
)


@given(jobs_of, st.integers(-2, 12))
def test_the_window_is_filled_and_never_passed(jobs, window):
    """As many messages as there is room for, each once, and a job's own in their order."""
    chosen = choose(jobs, window, Counter())
    assert len(chosen) == max(0, min(window, sum(len(j.messages) for j in jobs)))
    for job in jobs:
        mine = [m for m in chosen if m.job == job.job]
        assert tuple(mine) == job.messages[: len(mine)]


@given(jobs_of, st.integers(0, 12))
def test_the_same_values_give_the_same_choice(jobs, window):
    """The order in which jobs are listed does not matter."""
    assert choose(jobs, window, Counter()) == choose(jobs[::-1], window, Counter())


def test_a_receipt_goes_before_a_books_second_page():
    """The job with the fewest messages in flight is served first."""
    jobs = [book("book", 100, turn=1, flying=1), book("receipt", 1, turn=2, inbox="other")]
    assert [m.job for m in choose(jobs, 1, Counter(other=5))] == ["receipt"]
    jobs = [book("book", 100, turn=1), book("receipt", 1, turn=2)]
    assert [m.job for m in choose(jobs, 3, Counter())] == ["book", "receipt", "book"]


def test_inboxes_share_the_places():
    """An inbox with many jobs does not push aside one with few."""
    jobs = [book(f"a{i}", 1, turn=i, inbox="a") for i in range(5)]
    jobs += [book("b", 1, turn=9, inbox="b")]
    assert [m.job for m in choose(jobs, 2, Counter())] == ["a0", "b"]
    assert [m.job for m in choose(jobs, 1, Counter(a=1))] == ["b"]


@pytest.mark.parametrize(("flying", "pages"), [(0, [1]), (1, [])])
def test_a_last_attempt_goes_alone(flying, pages):
    """It waits until nothing flies, and nothing goes with it or overtakes it."""
    last = replace(book("a", 1, turn=1), alone=frozenset({Message("page", "a", 1)}))
    jobs = [last, book("b", 2, turn=2)]
    chosen = choose(jobs, 9, Counter(other=flying))
    assert [m.page for m in chosen if m.job == "a"] == pages
    assert all(m.job == "a" for m in chosen)


class Line:
    """Workers that finish the oldest message first, fed by `choose`."""

    def __init__(self, window: int) -> None:
        self.window, self.turn, self.flying = window, 0, list[Message]()
        self.left: dict[str, list[Message]] = {}
        self.turns: dict[str, int] = {}
        self.done: Counter[str] = Counter()

    def come(self, job: Waiting) -> None:
        """Let a job join the line."""
        self.turn += 1
        self.left[job.job], self.turns[job.job] = list(job.messages), self.turn

    def round(self) -> None:
        """Fill the window, then let one message land."""
        count = Counter(m.job for m in self.flying)
        jobs = [
            Waiting(j, "in", self.turns[j], count[j], tuple(left)) for j, left in self.left.items()
        ]
        for message in choose(
            jobs, self.window - len(self.flying), Counter(len(self.flying) * ["in"])
        ):
            self.turn += 1
            self.turns[message.job] = self.turn
            self.left[message.job].remove(message)
            self.flying.append(message)
        self.done[self.flying.pop(0).job] += 1


@pytest.mark.parametrize("window", [1, 2, 6])
@pytest.mark.parametrize("books", [1, 2, 6, 12])
def test_no_number_of_books_blocks_a_receipt(window, books):
    """A receipt waits for a page or two of each book at most, not for the end of any."""
    line = Line(window)
    for i in range(books):
        line.come(book(f"book{i}", 1000))
    for _ in range(50):
        line.round()
    line.come(book("receipt", 1))
    rounds = 0
    while not line.done["receipt"]:
        line.round()
        rounds += 1
    assert rounds <= 2 * books + window


@pytest.mark.parametrize("window", [1, 2, 6])
def test_no_stream_of_receipts_starves_a_book(window):
    """While receipts come faster than they are done, a book still goes on."""
    line = Line(window)
    line.come(book("book", 1000))
    for i in range(300):
        if sum(map(bool, line.left.values())) < 16:  # as many as are claimed ahead
            line.come(book(f"r{2 * i}", 1))
            line.come(book(f"r{2 * i + 1}", 1))
        line.round()
    assert line.done["book"] >= 300 / 20

"""Numbering: which number a name gets where others of that name exist. Pure but for the asking."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

LARGEST = 10**9
"""The largest number that a record of ours is believed; a name of it still has room for a stem."""


def first_free(taken: Callable[[int], bool], start: int = 1) -> int:
    """Return a number from `start` on that is not taken: `start`, or one behind a taken one.

    Without gaps that is the first free one, and with gaps it may be any of those behind them. It
    asks 2 log2(n) times for the n-th number, as an exponential search does (Bentley and Yao, “An
    almost optimal algorithm for unbounded searching”, 1976): a scanner that calls every scan
    `scan.pdf` for years would else pay for each of them with every new one. The answer may be
    outdated at once, so that whoever takes the number must do so without overwriting.
    """
    if not taken(start):
        return start
    last, free = start, start + 1
    while taken(free):
        last, free = free, 2 * free - start + 1
    while free - last > 1:
        middle = (last + free) // 2
        if taken(middle):
            last = middle
        else:
            free = middle
    return free

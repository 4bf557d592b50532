"""The short form of the storm; `make storm` runs the long one."""

from __future__ import annotations

from needs import needs
from storm.run import Plan, Storm

SEED = 7


def test_nothing_is_lost_and_nothing_comes_twice():
    """Under every kind of fault each document has one outcome, and quiet comes within a minute."""
    needs("redis-server", "tesseract")
    plan = Plan(SEED, 60, 12, fulls=3, book=12, attempts=4, longest=9.0, gap=1.5)
    said: list[str] = []
    storm = Storm(plan, said.append)
    try:
        report = storm.run()
    finally:
        storm.ground.clear()
    assert report.good, "\n".join([*said, *report.lines()])

"""How well the service reads: the corpus of real scans through the pipeline, beside its peers.

`make accuracy`, or `python -m benchmarks.accuracy [--only GLOB] [--no-peers] [--json FILE]`. Ends
with 1 if an expectation of the corpus is not met, if a mean is below that of the better peer, or
if a word in the text layer lies beside its ink.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from fnmatch import fnmatch
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from benchmarks import boxes, corpus, delivery, pdftext, peers, report
from benchmarks.bench import folder
from benchmarks.delivery import Drop
from benchmarks.expectation import unmet
from benchmarks.report import Drawn, Row
from benchmarks.score import marks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.boxes import Sheet
    from benchmarks.corpus import Scan
    from benchmarks.delivery import Delivery


def main(arguments: Sequence[str] = ()) -> int:
    """Print the table, the word boxes and the verdict; return the exit status."""
    asked = _asked(arguments)
    try:
        scans = [scan for scan in corpus.scans() if fnmatch(scan.name, asked.only)]
    except FileNotFoundError as error:
        print(f"no corpus ({error.filename}); name its folder in WATCHERD_CORPUS", file=sys.stderr)
        return 4
    ran = [] if asked.no_peers else [name for name in peers.PEERS if _present(name)]
    with folder() as root:
        (root / "drawn").mkdir()
        sheets = [s for s in boxes.sheets(root / "drawn") if fnmatch(s.path.name, asked.only)]
        if not scans and not sheets:
            print(f"no file of the corpus and no drawn page is named {asked.only}", file=sys.stderr)
            return 2
        print(f"reading {len(scans)} scans and {len(sheets)} drawn pages", flush=True)
        drops = [Drop(scan.path, scan.languages) for scan in scans]
        drops += [Drop(sheet.path, ("eng",)) for sheet in sheets]
        found = delivery.deliver(drops, root)
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:  # peers are programs
            rows = list(pool.map(partial(_row, ran=ran), scans, found[: len(scans)]))
            drawn = list(pool.map(partial(_drawn, ran=ran), sheets, found[len(scans) :]))
    good = _told(rows, drawn, ran)
    if asked.json is not None:
        shown = {"files": rows, "boxes": drawn, "good": good}
        asked.json.write_text(json.dumps(shown, default=asdict, indent=1), "utf-8")
    return 0 if good else 1


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="accuracy", description=__doc__)
    parser.add_argument("--only", metavar="GLOB", default="*", help="files of these names alone")
    parser.add_argument("--no-peers", action="store_true", help="the service alone")
    parser.add_argument("--json", metavar="FILE", type=Path, help="also write all figures there")
    return parser.parse_args(arguments)


def _present(peer: str) -> bool:
    lacks = peers.absent(peer)
    if lacks is not None:
        print(f"without {peer}: {lacks}", flush=True)
    return lacks is None


def _row(scan: Scan, delivery: Delivery, ran: Sequence[str]) -> Row:
    """Compare what became of a scan with its expectation, and its text with the ground truth."""
    ended = delivery.ended
    problems = unmet(scan.expected, ended)
    if scan.truth is None:
        return Row(scan.name, scan.expected.kind, problems)
    texts: dict[str, str | None] = {"pdf": "\n".join(ended.pdf), "txt": "\n".join(ended.txt)}
    texts |= {peer: peers.read(peer, scan.path, scan.languages) for peer in ran}
    scores = {
        name: None if text is None else marks(scan.truth, text, fold=scan.fold)
        for name, text in texts.items()
    }
    return Row(scan.name, scan.expected.kind, problems, scores)


def _drawn(sheet: Sheet, delivery: Delivery, ran: Sequence[str]) -> Drawn:
    """Compare the words of a drawn page with the text layers that it got, places and text."""
    truth = " ".join(word for word, _ in sheet.words)
    with TemporaryDirectory(prefix="peer-") as scratch:
        layers = {"pdf": delivery.pdf}
        if "OCRmyPDF" in ran:
            layers["OCRmyPDF"] = peers.searchable(sheet.path, ("eng",), Path(scratch))
        places = {name: boxes.places(sheet, layer) for name, layer in layers.items()}
        texts = {
            name: None if layer is None else "\n".join(pdftext.pages(layer))
            for name, layer in layers.items()
        }
    texts["txt"] = "\n".join(delivery.ended.txt)
    scores = {name: None if text is None else marks(truth, text) for name, text in texts.items()}
    return Drawn(sheet.path.name, places, scores)


def _told(rows: Sequence[Row], drawn: Sequence[Drawn], ran: Sequence[str]) -> bool:
    """Print everything; tell whether all is well."""
    if rows:
        print("", *report.table(rows, (*report.OURS, *ran)), sep="\n")
    if drawn:
        print("", *report.boxes(drawn), sep="\n")
    lines, good = report.verdict(rows, drawn, ran)
    print("", *lines, "all is well" if good else "NOT WELL", sep="\n")
    return good


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

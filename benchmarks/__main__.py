"""Run the benchmarks named, or all of them."""

from __future__ import annotations

import importlib
import sys

ALL = ("overhead", "durability", "claims", "idle", "waiting", "kept", "ledger", "numbers", "pages")


def main() -> None:
    """Run them one after the other; each prints its figures."""
    for name in sys.argv[1:] or ALL:
        print(f"\n== {name}", flush=True)
        importlib.import_module(f"benchmarks.{name}").main()


if __name__ == "__main__":
    main()

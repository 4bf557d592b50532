"""Figures, measured here and now: `make bench`, or `python -m benchmarks NAME`.

Every figure is a ratio against a peer, or stands against a limit, in the same run.
"""

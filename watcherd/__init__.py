"""watcherd turns folders into a document service."""

__version__ = "0.1.0"

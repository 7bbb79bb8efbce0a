"""The old name of the outbox, kept for one release because queued tasks may contain this name."""

from clinic.outgoing.outbox import look

__all__ = ["look"]

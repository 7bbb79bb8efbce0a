"""The old name of the outbox, kept for one release: rows of queued tasks contain this name."""

from clinic.outgoing.outbox import look

__all__ = ["look"]

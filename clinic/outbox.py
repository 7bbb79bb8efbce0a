"""The old name of the outbox, kept for one release: tasks queued before it are stored under it."""

from clinic.outgoing.outbox import look

__all__ = ["look"]

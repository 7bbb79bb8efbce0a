"""The shipped Spanish translation of the questionnaire, and functions that sign and serve it."""

from datetime import date
from typing import Any

import msgspec

from intake import documents, protocols
from intake.domain.definition import Approval, Protocol
from intake.domain.translation import Review, Translation, safety_hash


def shipped() -> Translation:
    words = protocols.translated("legs", "es")
    assert words is not None
    return words


def signed(protocol: Protocol, words: Translation) -> Translation:
    """Return the translation with both signatures of a fictitious reviewer, for this content."""
    who, day = "A fictitious reviewer", date(2000, 1, 1)
    return msgspec.structs.replace(
        words,
        safety=Review(who, day, safety_hash(protocol, words)),
        approval=Approval(who, day, words.content_hash),
    )


def serve(monkeypatch: Any, words: Translation | None) -> None:
    """Serve this translation as the Spanish of the current protocol."""
    monkeypatch.setattr(documents, "translated", lambda name, language: words)
    documents._wording_now.cache_clear()

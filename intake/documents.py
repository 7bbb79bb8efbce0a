"""Protocols as they ran, and their words in other languages as they were read: stored once per
content hash, read back for old drafts and submissions."""

from functools import cache

from intake.domain import translation
from intake.domain.definition import Protocol, from_document
from intake.domain.translation import Wording
from intake.models.submissions import ProtocolDocument, TranslationDocument
from intake.protocols import current, translated


def protocol_of(content_hash: str) -> Protocol:
    """The protocol with this hash, as it ran. Raises ProtocolDocument.DoesNotExist."""
    if content_hash == current().content_hash:
        return current()
    return _stored_protocol(content_hash)


@cache
def _stored_protocol(content_hash: str) -> Protocol:
    document = ProtocolDocument.objects.get(content_hash=content_hash).document
    return from_document(bytes(document))


def store_protocol(protocol: Protocol) -> None:
    """Store the protocol's document unless it is stored already."""
    ProtocolDocument.objects.bulk_create(
        [
            ProtocolDocument(
                content_hash=protocol.content_hash,
                name=protocol.name,
                version=protocol.questionnaire.version,
                document=protocol.document(),
            )
        ],
        ignore_conflicts=True,
    )


def wording(content_hash: str, language: str | None) -> Wording:
    """The words in which a protocol speaks to patients of this language. No query for today's.

    Raises ProtocolDocument.DoesNotExist for an unknown protocol.
    """
    protocol = protocol_of(content_hash)
    if language in (None, "en"):
        return Wording(protocol)
    if content_hash == current().content_hash:
        return _wording_now(content_hash, str(language))
    rows = TranslationDocument.objects.filter(protocol=content_hash, language=language)
    newest = rows.order_by("-created_at").values_list("content_hash", flat=True).first()
    return wording_as_read(newest) if newest else Wording(protocol)


def current_wording(language: str | None) -> Wording:
    """The words of today's protocol. Asks no database."""
    return wording(current().content_hash, language)


@cache
def _wording_now(content_hash: str, language: str) -> Wording:
    protocol, words = current(), translated(current().name, language)
    if words is None:
        return Wording(protocol)
    shown = translation.as_shown(protocol, words)
    return translation.in_language(protocol, shown, approved=words.approved)


@cache
def wording_as_read(translation_hash: str) -> Wording:
    """The words that a patient read. Raises TranslationDocument.DoesNotExist."""
    row = TranslationDocument.objects.get(content_hash=translation_hash)
    shown = translation.from_document(bytes(row.document))
    return translation.in_language(protocol_of(row.protocol_id), shown)


def store_wording(protocol_hash: str, words: Wording) -> str | None:
    """Store the words as they are shown, unless they are stored already. Returns their hash; None
    for English."""
    if words.shown is None:
        return None
    row = TranslationDocument(
        content_hash=words.shown.content_hash,
        protocol_id=protocol_hash,
        language=words.language,
        document=words.shown.document(),
    )
    TranslationDocument.objects.bulk_create([row], ignore_conflicts=True)
    return row.content_hash


def sensitive_questions(protocol: Protocol) -> frozenset[str]:
    """The ids of a protocol's sensitive questions. One stored before any was marked has the ids
    that today's marks: an id never means something else later."""
    return protocol.sensitive or current().sensitive

"""Store protocols and translations once per content hash, and read them for old submissions."""

from functools import cache

from intake.domain import translation
from intake.domain.definition import Protocol, from_document
from intake.domain.translation import Wording
from intake.models.submissions import ProtocolDocument, TranslationDocument
from intake.protocols import available, current, load, stored, translated


def protocol_of(content_hash: str) -> Protocol:
    """Return the protocol with this hash, as it ran. Raises ProtocolDocument.DoesNotExist."""
    if content_hash == current().content_hash:
        return current()
    return _stored_protocol(content_hash)


def newest(content_hash: str) -> Protocol:
    """Return the current version of the protocol with this hash.

    If the program no longer has the protocol, returns it as it ran. Raises
    ProtocolDocument.DoesNotExist.
    """
    protocol = protocol_of(content_hash)
    return load(protocol.name) if protocol.name in available() else protocol


@cache
def _stored_protocol(content_hash: str) -> Protocol:
    row = ProtocolDocument.objects.get(content_hash=content_hash)
    return from_document(bytes(row.document), stored(row.name))


def store_protocol(protocol: Protocol) -> None:
    """Store the protocol's document. Idempotent."""
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
    """Return a protocol in a language, for patients. Makes no query for the current one.

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
    """Return the current protocol in a language. Makes no query."""
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
    """Return the protocol in the stored translation that a patient read.

    Raises TranslationDocument.DoesNotExist.
    """
    row = TranslationDocument.objects.get(content_hash=translation_hash)
    shown = translation.from_document(bytes(row.document))
    return translation.in_language(protocol_of(row.protocol_id), shown)


def store_wording(protocol_hash: str, words: Wording) -> str | None:
    """Store the translation as patients read it, and return its hash; None for English.

    Idempotent.
    """
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
    """Return the ids of a protocol's sensitive questions.

    An old protocol without such marks gets the marks of the current protocol. That is safe, since
    an id never changes its meaning.
    """
    return protocol.sensitive or current().sensitive

"""Store each version of a protocol and of a translation once, and read them for old submissions."""

from collections.abc import Iterable
from functools import cache

import msgspec
from django.conf import settings
from django.db.models import OuterRef, QuerySet, Subquery

from intake.domain import translation
from intake.domain.definition import Approval, Protocol, from_document
from intake.domain.translation import safety_faults
from intake.domain.wording import Wording, as_shown, in_language
from intake.models.submissions import ProtocolDocument, Submission, TranslationDocument
from intake.protocols import by_hash, named, served, stored, translated


def protocol_of(content_hash: str) -> Protocol:
    """Return the version of a protocol that has exactly this hash, current or stored.

    Raises ProtocolDocument.DoesNotExist.
    """
    return by_hash().get(content_hash) or _stored_protocol(content_hash)


def title_of(content_hash: str) -> str:
    """Return the name by which staff know the protocol with this hash: its title or folder name.

    Raises ProtocolDocument.DoesNotExist.
    """
    protocol = protocol_of(content_hash)
    return protocol.questionnaire.title or protocol.name


def that_asked() -> QuerySet[ProtocolDocument]:
    """Return the stored protocols that have asked a patient, the newest first.

    PostgreSQL looks for one submission of each protocol. With EXISTS it may read all submissions.
    """
    asked = Submission.objects.filter(protocol=OuterRef("pk")).order_by().values("protocol")
    rows = ProtocolDocument.objects.alias(asked=Subquery(asked[:1]))
    return rows.filter(asked__isnull=False).order_by("-created_at")


def asking(stored: Iterable[tuple[str, str]] | None = None) -> dict[str, str]:
    """Map names to titles, for each protocol that is served or has asked a patient.

    The served protocols stand first. Takes one query, or none if `stored` gives the names and
    hashes of `that_asked`. A protocol that the program no longer has takes one more query, but only
    once per process.
    """
    titles = {each.name: title_of(each.content_hash) for each in served()}
    rows = that_asked().values_list("name", "pk") if stored is None else stored
    for name, content_hash in rows:
        if name not in titles:
            titles[name] = title_of(content_hash)
    return titles


def newest(content_hash: str) -> Protocol:
    """Return the current version of the protocol that has, or once had, this hash.

    If the program no longer has this protocol, the function returns the stored version with this
    hash. Raises ProtocolDocument.DoesNotExist.
    """
    protocol = protocol_of(content_hash)
    return named(protocol.name) or protocol


@cache
def _stored_protocol(content_hash: str) -> Protocol:
    row = ProtocolDocument.objects.get(content_hash=content_hash)
    protocol = from_document(bytes(row.document), stored(row.name))
    approval = msgspec.convert(row.approval or {}, Approval)
    return msgspec.structs.replace(protocol, approval=approval)


def store_protocol(protocol: Protocol) -> None:
    """Store the protocol's document with its approval, if the document is not stored yet.

    If the document was stored before the protocol was signed, the approval is added.
    """
    approval = msgspec.to_builtins(protocol.approval) if protocol.approved else None
    ProtocolDocument.objects.bulk_create(
        [
            ProtocolDocument(
                content_hash=protocol.content_hash,
                name=protocol.name,
                version=protocol.questionnaire.version,
                document=protocol.document(),
                approval=approval,
            )
        ],
        ignore_conflicts=True,
    )
    if approval is not None:
        rows = ProtocolDocument.objects.filter(content_hash=protocol.content_hash)
        rows.filter(approval__isnull=True).update(approval=approval)


def wording(content_hash: str, language: str | None) -> Wording:
    """Return a protocol in a language, for patients. Takes no query for a current protocol.

    Raises ProtocolDocument.DoesNotExist for an unknown hash.
    """
    protocol = protocol_of(content_hash)
    if language in (None, "en"):
        return Wording(protocol)
    if content_hash in by_hash():
        return _wording_now(content_hash, str(language))
    rows = TranslationDocument.objects.filter(protocol=content_hash, language=language)
    newest = rows.order_by("-created_at").values_list("content_hash", flat=True).first()
    return wording_as_read(newest) if newest else Wording(protocol)


@cache
def _wording_now(content_hash: str, language: str) -> Wording:
    protocol = by_hash()[content_hash]
    words = translated(protocol.name, language)
    if words is None:
        return Wording(protocol)
    drafts = settings.DEMO and bool(safety_faults(protocol, words))
    shown = as_shown(protocol, words, drafts=drafts)
    return in_language(protocol, shown, approved=words.approved, drafts=drafts)


@cache
def wording_as_read(translation_hash: str) -> Wording:
    """Return the protocol with the texts of a stored translation, as a patient read them.

    Raises TranslationDocument.DoesNotExist.
    """
    row = TranslationDocument.objects.get(content_hash=translation_hash)
    shown = translation.from_document(bytes(row.document))
    protocol = protocol_of(row.protocol_id)
    return in_language(protocol, shown, approved=row.approved)


def store_wording(protocol_hash: str, words: Wording) -> str | None:
    """Store the translation in the form in which patients read it. Returns its hash.

    Returns None for English. Does nothing if the translation is stored already.
    """
    if words.shown is None:
        return None
    row = TranslationDocument(
        content_hash=words.shown.content_hash,
        protocol_id=protocol_hash,
        language=words.language,
        document=words.shown.document(),
        approved=words.approved,
    )
    TranslationDocument.objects.bulk_create([row], ignore_conflicts=True)
    if row.approved:
        rows = TranslationDocument.objects.filter(pk=row.pk, approved=False)
        rows.update(approved=True)
    return row.content_hash


def sensitive_questions(protocol: Protocol) -> frozenset[str]:
    """Return the ids of a protocol's sensitive questions.

    Old documents do not mark sensitive questions; for them, the marks of the current version count.
    That is safe, because the id of a question never changes its meaning.
    """
    return protocol.sensitive or (named(protocol.name) or protocol).sensitive

"""Protocols as they ran: stored once per content hash, read back for old drafts and submissions."""

from functools import cache

from intake.domain.definition import Protocol, from_document
from intake.models import ProtocolDocument
from intake.protocols import current


def protocol_of(content_hash: str) -> Protocol:
    """The protocol with this hash, as it ran. Raises ProtocolDocument.DoesNotExist."""
    if content_hash == current().content_hash:
        return current()
    return _stored_protocol(content_hash)


@cache
def _stored_protocol(content_hash: str) -> Protocol:
    document = ProtocolDocument.objects.get(content_hash=content_hash).document
    return from_document(bytes(document))


def keep_protocol(protocol: Protocol) -> None:
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

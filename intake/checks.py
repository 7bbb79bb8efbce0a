"""System checks: a wrong or unsigned protocol stops the program before patients see it."""

from collections.abc import Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.utils.text import capfirst

from intake import protocols
from intake.domain import translation
from intake.domain.definition import Protocol
from intake.domain.problem import KINDS
from intake.domain.problems import problems

UNREADABLE: Final = "intake.E100"
UNSIGNED: Final = "intake.E101"
UNTRANSLATED: Final = "intake.E102"
UNSIGNED_TRANSLATION: Final = "intake.E103"
NUMBERS: Final = {kind: f"intake.E{number:03}" for number, kind in enumerate(KINDS, start=1)}
TRANSLATION_NUMBERS: Final = {
    kind: f"intake.E{number}" for number, kind in enumerate(translation.KINDS, start=110)
}
"""Kind of problem → id of its check."""


@register("protocol")
def protocol_problems(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report the problems of every protocol.

    For the served protocol, also report missing signatures, unless DEMO is on.
    """
    messages: list[CheckMessage] = []
    for name in protocols.available():
        try:
            protocol = protocols.load(name)
            protocols.stored(name)
        except protocols.UNREADABLE as error:
            messages.append(Error(f"Protocol “{name}” cannot be read: {error}", id=UNREADABLE))
            continue
        messages += [
            Error(
                f"Protocol “{name}”, {problem.path}: {problem.message}",
                hint=f"{capfirst(KINDS[problem.id])}. See docs/protocol-authoring.md.",
                id=NUMBERS[problem.id],
            )
            for problem in problems(protocol)
        ]
        must_be_signed = name == protocols.CURRENT and not getattr(settings, "DEMO", False)
        if must_be_signed and protocol.approval_faults:
            messages.append(_unsigned(protocol))
        messages += _translations(protocol)
    return messages


def _translations(protocol: Protocol) -> list[CheckMessage]:
    """Report the problems of the protocol's translations.

    For the served protocol, also report a missing translation or signature of an offered language,
    unless DEMO is on.
    """
    offered = {code for code, _name in getattr(settings, "LANGUAGES", ()) if code != "en"}
    if getattr(settings, "DEMO", False) or protocol.name != protocols.CURRENT:
        offered = set()
    messages: list[CheckMessage] = []
    for language in sorted(offered | set(protocols.languages(protocol.name))):
        where = f"intake/protocols/{protocol.name}/{language}.yaml"
        try:
            words = protocols.translated(protocol.name, language)
        except protocols.UNREADABLE as error:
            messages.append(Error(f"{where} cannot be read: {error}", id=UNREADABLE))
            continue
        if words is None:
            hint = f"Remove {language!r} from CLINIC_LANGUAGES, or have the protocol translated."
            messages.append(Error(f"{where} is missing.", hint=hint, id=UNTRANSLATED))
            continue
        messages += [
            Error(
                f"{where}, {problem.path}: {problem.message}",
                hint=f"{capfirst(translation.KINDS[problem.id])}. See docs/protocol-authoring.md.",
                id=TRANSLATION_NUMBERS[problem.id],
            )
            for problem in translation.problems(protocol, words)
        ]
        if language in offered and words.approval_faults:
            missing = ", ".join(words.approval_faults)
            hint = (
                "A qualified translator reads the whole file and signs it there, with content_hash:"
                f" {words.content_hash}. Or remove {language!r} from CLINIC_LANGUAGES."
            )
            text = f"{where} is not approved: {missing} under approval is missing or does not fit."
            messages.append(Error(text, hint=hint, id=UNSIGNED_TRANSLATION))
    return messages


def _unsigned(protocol: Protocol) -> CheckMessage:
    where = f"intake/protocols/{protocol.name}/approval.yaml"
    missing = ", ".join(protocol.approval_faults)
    return Error(
        f"Protocol “{protocol.name}” is not approved: {missing} in {where} is missing or does not"
        " fit its content.",
        hint=(
            "A licensed clinician reads the whole protocol and signs it there, with content_hash:"
            f" {protocol.content_hash}"
        ),
        id=UNSIGNED,
    )

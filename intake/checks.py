"""System checks: a wrong or unsigned protocol stops the program before patients see it.

A protocol that is not served stops nothing: what is wrong with it is a warning, and it needs no
signature and no translation.
"""

from collections.abc import Sequence
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
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
SERVES_NOTHING: Final = "intake.E104"
NO_TITLE: Final = "intake.E105"
NUMBERS: Final = {kind: f"intake.E{number:03}" for number, kind in enumerate(KINDS, start=1)}
TRANSLATION_NUMBERS: Final = {
    kind: f"intake.E{number}" for number, kind in enumerate(translation.KINDS, start=110)
}
"""Kind of problem → id of its check."""


@register("protocol")
def protocol_problems(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report the problems of every protocol. Of those that are served, report also missing
    signatures unless DEMO is on."""
    messages: list[CheckMessage] = []
    try:
        served = protocols.served_names()
    except protocols.UNREADABLE as error:
        hint = "Write the name of each protocol that patients are asked on a line: - legs"
        text = f"intake/protocols/served.yaml cannot be read: {error}"
        return [Error(text, hint=hint, id=SERVES_NOTHING)]
    for name in protocols.available():
        found = _problems_of(name, served)
        messages += found if name in served else map(_as_warning, found)
    return messages


def _as_warning(message: CheckMessage) -> CheckMessage:
    hint = f"{message.hint or ''} The protocol is not served.".lstrip()
    return Warning(message.msg, hint=hint, id=message.id)


def _problems_of(name: str, served: Sequence[str]) -> list[CheckMessage]:
    try:
        protocol = protocols.load(name)
        protocols.stored(name)
    except protocols.UNREADABLE as error:
        return [Error(f"Protocol “{name}” cannot be read: {error}", id=UNREADABLE)]
    messages: list[CheckMessage] = [
        Error(
            f"Protocol “{name}”, {problem.path}: {problem.message}",
            hint=f"{capfirst(KINDS[problem.id])}. See docs/protocol-authoring.md.",
            id=NUMBERS[problem.id],
        )
        for problem in problems(protocol)
    ]
    if not getattr(settings, "DEMO", False) and name in served and protocol.approval_faults:
        messages.append(_unsigned(protocol))
    heads = protocol.questionnaire
    if name in served and len(served) > 1 and not (heads.title and heads.audience):
        text = f"Protocol “{name}”: patients cannot choose it without a title and an audience."
        hint = "Write `title` and `audience` at the head of questionnaire.yaml, and translate them."
        messages.append(Error(text, hint=hint, id=NO_TITLE))
    return messages + _translations(protocol, is_served=name in served)


def _translations(protocol: Protocol, *, is_served: bool) -> list[CheckMessage]:
    """Report the problems of the protocol's translations.

    Of a served protocol report also a missing translation or signature of an offered language,
    unless DEMO is on.
    """
    offered = {code for code, _name in getattr(settings, "LANGUAGES", ()) if code != "en"}
    offered = offered if is_served and not getattr(settings, "DEMO", False) else set()
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
    where = protocols.approval_file(protocol.name)
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

"""System checks: a wrong or unsigned protocol stops the program before patients see it.

A protocol that is not served does not stop the program: its problems are only warnings, and it
needs no signature and no translation.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register
from django.utils.text import capfirst

from clinic.languages import first_few
from intake import protocols
from intake.domain import translation
from intake.domain.definition import Protocol
from intake.domain.problem import KINDS
from intake.domain.translation import Translation
from intake.protocols import faults
from intake.protocols.files import Unreadable

UNREADABLE: Final = "intake.E100"
UNSIGNED: Final = "intake.E101"
UNTRANSLATED: Final = "intake.E102"
UNSIGNED_TRANSLATION: Final = "intake.E103"
SERVES_NOTHING: Final = "intake.E104"
NO_TITLE: Final = "intake.E105"
SAME_TITLE: Final = "intake.E107"
UNDER_WAY: Final = "intake.W106"
NO_PROCEDURE: Final = "intake.E108"
NUMBERS: Final = {kind: f"intake.E{number:03}" for number, kind in enumerate(KINDS, start=1)}
TRANSLATION_NUMBERS: Final = {
    kind: f"intake.E{number}" for number, kind in enumerate(translation.KINDS, start=110)
}
"""Kind of problem of a translation → id of its system check."""
_HINT: Final = "See docs/protocol-authoring.md."


@register("protocol")
def protocol_problems(
    app_configs: Sequence[AppConfig] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Report the problems of every protocol.

    Unless DEMO is on, also report missing signatures of served protocols.
    """
    messages: list[CheckMessage] = []
    try:
        served = protocols.served_names()
    except Unreadable as error:
        hint = "Write the name of each protocol that patients are asked on a line: - legs"
        return [Error(str(error), hint=hint, id=SERVES_NOTHING)]
    for name in protocols.available():
        found = _problems_of(name, served)
        messages += found if name in served else map(_as_warning, found)
    return [*messages, *_same_titles(served), *_crisis_procedure(served)]


def _crisis_procedure(served: Sequence[str]) -> Iterator[CheckMessage]:
    """Yield an error if the clinic needs a written procedure for words of self-harm and has none.

    Patients may write of self-harm in free text, even if the clinic does not ask about suicide.
    """
    fine = any(
        (
            getattr(settings, "DEMO", False),
            getattr(settings, "SI_SCREEN", True),
            getattr(settings, "CRISIS_PROCEDURE", ""),
        )
    )
    if fine:
        return
    known = [each for each in map(protocols.named, served) if each is not None]
    if any(question.about.crisis for each in known for question in each.asking if question.about):
        text = "SI_SCREEN is off, and patients may still write of self-harm in their own words."
        hint = (
            "Write down who calls such a patient, and by when. Then set CRISIS_PROCEDURE to the"
            " place of that paper, such as “Red binder, page 4”. Staff read it beside the words."
        )
        yield Error(text, hint=hint, id=NO_PROCEDURE)


def _same_titles(served: Sequence[str]) -> Iterator[CheckMessage]:
    """Yield an error for each title that two served protocols have in a language of the site."""
    known = [each for each in map(protocols.named, served) if each is not None]
    for language, _name in getattr(settings, "LANGUAGES", ()):
        first: dict[str, str] = {}
        for protocol in known:
            title = _title(protocol, language)
            other = first.setdefault(title.casefold(), protocol.name)
            if title and other != protocol.name:
                text = (
                    f"Protocols “{other}” and “{protocol.name}” both have the title “{title}”"
                    f" ({language}), so patients cannot tell them apart."
                )
                hint = "Change `title` at the head of one of them, or serve only one."
                yield Error(text, hint=hint, id=SAME_TITLE)


def _title(protocol: Protocol, language: str) -> str:
    """Return the title that patients read in a language: the translated or else the English one."""
    with suppress(Unreadable):  # an unreadable translation has its own message
        words = None if language == "en" else protocols.translated(protocol.name, language)
        if words is not None and words.title:
            return " ".join(words.title.split())
    return " ".join((protocol.questionnaire.title or "").split())


def _as_warning(message: CheckMessage) -> CheckMessage:
    hint = f"{message.hint or ''} The protocol is not served.".lstrip()
    return Warning(message.msg, hint=hint, id=message.id)


def _problems_of(name: str, served: Sequence[str]) -> list[CheckMessage]:
    try:
        protocol = protocols.load(name)
        protocols.stored(name)
    except Unreadable as error:
        return [Error(str(error), hint=_HINT, id=UNREADABLE)]
    messages: list[CheckMessage] = [
        Error(
            str(fault),
            hint=f"{capfirst(KINDS[fault.problem.id])}. {_HINT}",
            id=NUMBERS[fault.problem.id],
        )
        for fault in faults.of_protocol(protocol, protocols.HERE / name)
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
    """Report the problems of the translations into the languages that the site offers.

    Translations into other languages are not checked, because no patient reads them. In a
    demonstration an incomplete translation is served, with English for the texts that are not
    ready. Otherwise an incomplete translation of a served protocol stops the program, and so does a
    missing translation or a missing signature.
    """
    demo = getattr(settings, "DEMO", False)
    messages: list[CheckMessage] = []
    for language in sorted(code for code, _ in getattr(settings, "LANGUAGES", ()) if code != "en"):
        where = f"intake/protocols/{protocol.name}/{language}.yaml"
        try:
            words = protocols.translated(protocol.name, language)
            protocols.language_facts(language)
        except Unreadable as error:
            messages.append(Error(str(error), hint=_HINT, id=UNREADABLE))
            continue
        if words is None:
            if is_served and not demo:
                hint = (
                    f"Remove {language!r} from CLINIC_LANGUAGES, or have the protocol translated."
                )
                messages.append(Error(f"{where} is missing.", hint=hint, id=UNTRANSLATED))
            continue
        found = faults.of_words(
            protocol, words, protocols.HERE / protocol.name / f"{language}.yaml"
        )
        messages += _not_whole(where, protocol, language, found)
        if demo:
            continue
        if is_served and words.approval_faults:
            messages.append(_unsigned_words(where, words))
    return messages


def _not_whole(
    where: str, protocol: Protocol, language: str, found: list[faults.Fault]
) -> list[CheckMessage]:
    """Return messages that say what a translation still needs.

    A demonstration shows English for what is missing, so it gets one warning. Any other site gets
    one error for each kind of fault, which names the first few places.
    """
    each_line = f"Each one with its line: manage.py protocol check {protocol.name}."
    counts = Counter(fault.problem.id for fault in found)
    if getattr(settings, "DEMO", False):
        needed = "; ".join(f"{translation.KINDS[kind]}: {n}" for kind, n in counts.items())
        text = f"{where} is not whole, so this demonstration shows English there ({needed})."
        return [Warning(text, hint=each_line, id=UNDER_WAY)] if found else []
    hint = f"{each_line} Or remove {language!r} from CLINIC_LANGUAGES. {_HINT}"
    messages: list[CheckMessage] = []
    for kind in counts:
        named = first_few([_in_short(fault) for fault in found if fault.problem.id == kind])
        text = f"{where} is not whole: {translation.KINDS[kind]}, {counts[kind]} in all: {named}."
        messages.append(Error(text, hint=hint, id=TRANSLATION_NUMBERS[kind]))
    return messages


def _in_short(fault: faults.Fault) -> str:
    """Return a fault without the name of its file, which the whole message names."""
    line = f"line {fault.place.line}, " if fault.place.line else ""
    return f"{line}{fault.problem.path}: {fault.problem.message}".rstrip(".")


def _unsigned_words(where: str, words: Translation) -> CheckMessage:
    missing = ", ".join(words.approval_faults)
    hint = (
        "A qualified translator reads the whole file and signs it there, with content_hash:"
        f" {words.content_hash}. Or remove {words.language!r} from CLINIC_LANGUAGES."
    )
    text = f"{where} is not approved: {missing} under approval is missing or does not fit."
    return Error(text, hint=hint, id=UNSIGNED_TRANSLATION)


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

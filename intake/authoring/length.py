"""Measure how long a protocol takes the people of its stories, on the pages that patients see.

A person reads 200 words a minute, types 36 words a minute, and takes 4 seconds for a tap. The foot
of each page and the links to change an answer are not counted. A folded part counts if the person
opens it to change something in it. A choice that the page has already made costs no tap.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from html import unescape
from typing import Any, Final, NamedTuple

import msgspec
from django.conf import settings
from django.http import QueryDict
from django.utils import timezone, translation

from clinic.pagecache import blank
from intake import documents, protocols
from intake.domain import answers as domain
from intake.domain.definition import Protocol
from intake.domain.minutes import LETTERS_A_SECOND, TAP_SECONDS, WORDS_A_SECOND
from intake.domain.uses import PART_2
from intake.draft_content import APPOINTMENT, CONTACT, Content
from intake.forms.base import WalkForm
from intake.models.submissions import Kind
from intake.protocols.files import decode
from intake.questionnaire.forms.contact import ContactForm
from intake.questionnaire.forms.wish import Choices, WishForm
from intake.questionnaire.views.browser import reach_words
from intake.questionnaire.views.check_page import check_context
from intake.questionnaire.views.contact_step import blank_contact
from intake.questionnaire.views.page_parts import page_name, progress
from intake.questionnaire.views.question_step import blank_page
from intake.questionnaire.views.wish_step import blank_wish
from intake.questionnaire.walk import Walk

_NOT_READ: Final = re.compile(
    r'(?s)<a href="[^"]*">[^<]*</a>(?=</dd>)|<a class="back".*?</a>'
    r'|<div class="trap".*?</div>|<button.*?</button>|<textarea.*?</textarea>'
    r'|<p class="quiet leave">.*?</p>'
)
_NOT_SEEN: Final = re.compile(r'(?s)<span class="vh".*?</span>')
"""Words for screen readers, which a screen does not show."""
_FOLDED: Final = re.compile(r"(?s)<details>(.*?</summary>)(.*?)</details>")
"""A folded part of a page: its summary, and what the screen does not show."""
_CONTROL: Final = re.compile(r"<(input|textarea)\b[^>]*>")


class Person(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person whose walk is measured.

    `answers` has an answer to every question that the person is asked, except those for own words.
    `typed` has the values for the contact and the wish, by the names of the controls. The birth
    date is left out, because it follows from the age, and so is the language, which is that of the
    page.
    """

    name: str
    answers: dict[str, Any]
    kind: str = str(Kind.INTAKE)
    typed: dict[str, str | list[str]] = {}


class _Stories(msgspec.Struct, frozen=True):
    measured: tuple[Person, ...] = ()
    typed: dict[str, str | list[str]] = {}


class Length(NamedTuple):
    """The numbers of pages after the start page, taps, words read and letters typed."""

    pages: int = 0
    taps: int = 0
    words: int = 0
    letters: int = 0

    @property
    def minutes(self) -> float:
        reading = self.words / WORDS_A_SECOND + self.letters / LETTERS_A_SECOND
        return (reading + self.taps * TAP_SECONDS) / 60


def people(name: str) -> tuple[Person, ...]:
    """Return the people whose walk is measured, from the protocol's stories. Raises Unreadable."""
    stories = decode(protocols.stories(name), lambda data: msgspec.convert(data, _Stories))
    return tuple(
        msgspec.structs.replace(person, typed=stories.typed | person.typed)
        for person in stories.measured
    )


def says(protocol: Protocol, person: Person, language: str) -> dict[str, Any]:
    """Return everything that a person enters, by the names of the controls."""
    contact = protocol.uses.contact
    born = timezone.localdate().year - int(person.answers[protocol.uses.age])
    date = {"birth_date_month": "1", "birth_date_day": "1", "birth_date_year": str(born)}
    helps = protocol.question(contact.language_help).options
    speaks = {contact.language_help: contact.speaks.get(language, helps[0].code)}
    return {**date, **speaks, **person.typed, **person.answers}


def length(protocol: Protocol, person: Person, language: str, kind: str = "") -> Length:
    """Return the length of a person's walk in a language. `kind` is the kind of walk.

    Raises ValueError, which names the question, if an answer is missing.
    """
    said = says(protocol, person, language)
    with translation.override(language):
        parts = [part(html, said) for html in _pages(protocol, person, language, kind, said)]
    return Length(*map(sum, zip(*parts, strict=True)))


def part(html: str, said: Mapping[str, Any]) -> Length:
    """Return the length of one page for a person who enters these values."""
    main = re.search(r"(?s)<main.*?</main>", html)
    assert main is not None
    unfolded = 0

    def seen(folded: re.Match[str]) -> str:
        nonlocal unfolded
        opens = any(_entered(folded[2], said).values())
        unfolded += opens
        return folded[1] + folded[2] * opens

    page = _FOLDED.sub(seen, main[0])
    read = _NOT_READ.sub(" ", _NOT_SEEN.sub("", page))
    words = unescape(re.sub(r"<[^>]+>", " ", read)).split()
    taps, letters = 1 + unfolded, 0  # the tap on Continue or Send
    for kind, values in _entered(page, said).items():
        taps += len(values)
        if kind not in ("radio", "checkbox"):
            letters += sum(map(len, values))
    return Length(1, taps, len(words), letters)


def _entered(html: str, said: Mapping[str, Any]) -> dict[str, list[str]]:
    """Map the types of the visible controls to what a person enters into them.

    What is chosen already when the page comes is left out.
    """
    kinds: dict[str, str] = {}
    chosen: set[tuple[str, str]] = set()
    for control in _CONTROL.finditer(html):
        facts = dict(re.findall(r'(\w+)="([^"]*)"', control[0]))
        kind = facts.get("type", "text")
        if kind != "hidden" and (name := facts.get("name")):
            kinds[name] = kind
            if re.search(r"\schecked\b", control[0]):
                chosen.add((name, facts["value"]))
    found: dict[str, list[str]] = {}
    for name, kind in kinds.items():
        given = said.get(name, ())
        several = given if isinstance(given, tuple | list) else (str(given),)
        found.setdefault(kind, []).extend(v for v in several if (name, v) not in chosen)
    return found


def _pages(
    protocol: Protocol, person: Person, language: str, kind: str, said: Mapping[str, Any]
) -> Iterator[str]:
    """Yield the HTML of each page after the start page, up to the check page."""
    answers = domain.from_json(protocol, person.answers)
    walk = Walk(
        protocol,
        Content(answers=answers),
        kind=kind or person.kind,
        wording=documents.wording(protocol.content_hash, language),
        reach=timedelta(hours=settings.DRAFT_OWN_HOURS),
    )
    second = protocol.uses.cannot_wait  # whoever wrote nothing alarming skips it
    for question in (question for page in walk.pages for question in page.questions):
        if second is not None and question.id == second.q:
            continue
        if question.id not in answers and question.type != "text":
            raise ValueError(f"“{person.name}” in stories.yaml does not answer “{question.id}”.")
    content_hash, reach, uses = protocol.content_hash, reach_words(walk), walk.uses
    choices = Choices(tuple(settings.CLINIC_PLACES))
    asks_who = uses.asks(walk.kind, uses.who.q)
    proxied = walk.proxied and not asks_who  # until the page that asks who fills in the form
    for step in walk.steps:
        page, before, part = walk.page(step), walk.before(step), progress(walk, step)
        if step == CONTACT:
            who = str(answers[uses.who.q]) if asks_who else None
            yield blank_contact(content_hash, walk.kind, who, before, reach, part)
        elif step == APPOINTMENT:
            yield blank_wish(content_hash, before, reach, part, choices)
        elif page is not None:
            asked = tuple(question.id for question in page.questions)
            name = page_name(page, walk.pages)
            yield blank_page(content_hash, page.id, asked, proxied, before, reach, name, part)
            proxied = walk.proxied and (proxied or uses.who.q in asked)
    if CONTACT in walk.steps:
        contact = ContactForm(walk.words, known=answers, kind=walk.kind, data=_post(said))
        wish = WishForm(choices=choices, data=_post(said))
        _require_valid(person, contact, wish)
        given = Content(answers=answers, contact=contact.contact(), wish=wish.wish())
        walk = walk.with_content(given)
    yield blank.make("intake/check.html", check_context(walk), path="/intake/check/")


def _post(said: Mapping[str, Any]) -> QueryDict:
    posted = QueryDict(mutable=True)
    for name, value in said.items():
        posted.setlist(name, list(value) if isinstance(value, tuple | list) else [str(value)])
    return posted


def _require_valid(person: Person, *forms: WalkForm) -> None:
    """Raise ValueError if a form does not accept what the person types."""
    for form in forms:
        if not form.is_valid():
            (field, messages), *_more = form.errors.items()
            raise ValueError(f"“{person.name}” in stories.yaml, {field}: {messages[0]}")


def measured(protocol: Protocol, languages: tuple[str, ...]) -> Iterator[tuple[str, str, Length]]:
    """Yield (name of the person and part, language, length) for each measured person."""
    for person in people(protocol.name):
        kinds = [person.kind]
        if person.kind == Kind.INTAKE and protocol.uses.later:
            kinds.append(PART_2)
        for kind in kinds:
            name = f"{person.name}, part {'2' if kind == PART_2 else '1'}"
            for language in languages:
                yield (
                    name if len(kinds) > 1 else person.name,
                    language,
                    length(protocol, person, language, kind),
                )

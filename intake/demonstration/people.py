"""Make believable synthetic patients, with every urgency and red flag.

The same seed gives the same patients. They answer the protocol like real patients. This module does
not know the rules and so does not choose which urgency a patient gets.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Any

from intake.demonstration.material import AREAS, FIRST, LAST, Material, Story, material_of
from intake.domain.answers import from_json
from intake.domain.conditions import holds
from intake.domain.definition import Protocol, Question
from intake.domain.hearing import asks, read_answer
from intake.domain.stored import ACKNOWLEDGED, LANGUAGE_HELP, PHONE
from intake.domain.triage import interrupting_rules
from intake.draft_content import Content
from intake.models.submissions import Kind
from intake.questionnaire.walk import Walk


@dataclass(frozen=True)
class Patient:
    """A synthetic patient whose answers are ready to be sent."""

    protocol: str
    story: str
    kind: str
    language: str
    content: Content
    sent_at: datetime
    handled: bool  # whether staff decide on this submission within some days


def patients(protocol: Protocol, *, seed: int, count: int, until: datetime) -> Iterator[Patient]:
    """Yield `count` patients. The first patient sends at `until`, each further one earlier."""
    rng = Random(seed)  # noqa: S311  invented people, not secrets
    material = material_of(protocol.name)
    weights = [story.weight for story in material.stories]
    minutes = 0.0
    for _number in range(count):
        story = rng.choices(material.stories, weights)[0]
        yield _patient(rng, protocol, material, story, until - timedelta(minutes=minutes))
        minutes += rng.expovariate(1 / 25)  # about 60 patients a day


def _patient(
    rng: Random,
    protocol: Protocol,
    material: Material,
    story: Story,
    sent_at: datetime,
) -> Patient:
    uses, age = protocol.uses, rng.randint(*story.ages)
    no_danger = protocol.question(uses.safety).exclusive[:1]
    fixed = {uses.safety: no_danger, uses.age: age, **from_json(protocol, story.answers)}
    answers = _answers(rng, protocol, material, fixed)
    contact = _contact(rng, age, sent_at, proxied=uses.is_proxy(answers.get(uses.who.q)))
    help_asked = protocol.question(uses.contact.language_help)
    contact[LANGUAGE_HELP] = _single(rng, help_asked, material)
    stops: tuple[dict[str, Any], ...] = ()
    if story.retracted:
        at = (sent_at - timedelta(minutes=6)).isoformat()
        rules = [r.id for r in interrupting_rules(protocol, from_json(protocol, story.retracted))]
        stops = ({"rules": rules, "page": protocol.pages[0].id, "at": at, "retracted": at},)
    if story.kind == Kind.APPOINTMENT:
        answers = {id: value for id, value in answers.items() if uses.judges(story.kind, id)}
    content = Content(answers=answers, contact=contact, wish=_wish(rng, sent_at), stops=stops)
    kind = Kind.APPOINTMENT if story.kind == Kind.APPOINTMENT else Kind.INTAKE
    walk = Walk(protocol, content, kind=kind, si_screen=False)
    # whatever the story, a random answer may be an emergency answer, which stops the form
    stopped = bool(walk.interrupting_rules)
    if stopped:
        content = _cut_at_stop(protocol, content)
    steps = Walk(protocol, content, kind=kind, si_screen=False).steps
    speaks = {option: language for language, option in uses.contact.speaks.items()}
    language = speaks.get(contact[LANGUAGE_HELP], "en")
    return Patient(
        protocol=protocol.name,
        story=story.name,
        kind=Kind.STOPPED if stopped else kind,
        language=language,
        content=Content(
            answers=content.answers,
            visited=steps,
            contact=content.contact,
            wish=content.wish,
            stops=content.stops,
        ),
        sent_at=sent_at,
        handled=rng.random() < 0.97,
    )


def _answers(
    rng: Random, protocol: Protocol, material: Material, fixed: Mapping[str, Any]
) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    left_out = {*protocol.uses.contact.stored_names, protocol.uses.crisis}
    for question in protocol.questions:
        if question.id in left_out:
            continue
        if question.show_if is not None and not holds(question.show_if, answers, {}):
            continue
        about = question.about
        if about and not asks(protocol, about, read_answer(protocol, answers.get(about.q))):
            continue
        given = question.id in fixed
        value = fixed[question.id] if given else _answer(rng, question, material)
        if value is not None:
            answers[question.id] = value
    return answers


def _answer(rng: Random, question: Question, material: Material) -> Any:
    if not question.required and question.type != "multi" and rng.random() < 0.1:
        return None
    match question.type:
        case "single":
            return _single(rng, question, material)
        case "multi":
            return _multi(rng, question, material)
        case "integer":
            limits = (question.min or 0, question.max or 0)
            low, high = material.numbers.get(question.id, limits)
            return rng.randint(int(low), int(high))
        case "decimal":
            low, high = material.numbers[question.id]
            return Decimal(str(round(rng.uniform(low, high), 1))).normalize()
        case "boolean":
            return True
        case _:
            return rng.choice(material.texts[question.id]) or None


def _single(rng: Random, question: Question, material: Material) -> str:
    codes = [option.code for option in question.options]
    weights = material.weights.get(question.id, dict.fromkeys(codes, 1))
    return rng.choices(codes, [weights.get(code, 0) for code in codes])[0]


def _multi(rng: Random, question: Question, material: Material) -> tuple[str, ...] | None:
    chances = material.chances.get(question.id, {})
    ticked = tuple(o.code for o in question.options if rng.random() < chances.get(o.code, 0))
    return ticked or question.exclusive[:1] or (question.options[0].code,)


def _contact(rng: Random, age: int, sent_at: datetime, *, proxied: bool) -> dict[str, Any]:
    first, last = rng.choice(FIRST), rng.choice(LAST)
    if rng.random() < 0.15:
        last = f"{last}-{rng.choice(LAST)}"
    born = date(sent_at.year - age - 1, 12, 31) + timedelta(days=rng.randint(1, 300))
    born = min(born, sent_at.date().replace(year=sent_at.year - age, day=1) - timedelta(days=1))
    contact = {
        "name": f"{first} {last}",
        "birth_date": born.isoformat(),
        PHONE: f"+1{rng.choice(AREAS)}55501{rng.randint(0, 99):02}",
        "prefer": rng.choice(("phone", "phone", "email", "text")),
        "prefer_time": rng.choice(("any", "morning", "midday", "afternoon")),
        ACKNOWLEDGED: True,
        "consent": {"version": "draft-1", "at": sent_at.isoformat()},
    }
    if contact["prefer"] == "email" or rng.random() < 0.6:
        contact["email"] = f"patient{rng.randint(1, 10**9)}@example.org"
    # of ten patients, one allows no voice message, and one wants calls only at the chosen time
    match str(contact[PHONE])[-1]:
        case "7":
            contact["voicemail"] = "no"
        case "3" if contact["prefer_time"] != "any":
            contact["calls"] = "then"
    if proxied:
        contact["proxy_name"] = f"{rng.choice(FIRST)} {last}"
    return contact


def _wish(rng: Random, sent_at: datetime) -> dict[str, Any]:
    visit = rng.choices(("in_person", "video", "phone", "call_me"), (60, 10, 10, 20))[0]
    days = [day for day in ("mon", "tue", "wed", "thu", "fri") if rng.random() < 0.4]
    times = [time for time in ("morning", "midday", "afternoon") if rng.random() < 0.4]
    later = rng.random() < 0.2
    earliest = (sent_at + timedelta(days=rng.randint(3, 40))).date().isoformat() if later else None
    place = "Main clinic" if visit == "in_person" else ""
    return {"visit_type": visit, "place": place, "days": days, "times": times, "earliest": earliest}


def _cut_at_stop(protocol: Protocol, content: Content) -> Content:
    """Return the content of a form up to the page that stops the form, with name and phone."""
    answers: dict[str, Any] = {}
    for page in protocol.pages:
        for question in page.questions:
            if question.id in content.answers:
                answers[question.id] = content.answers[question.id]
        walk = Walk(protocol, Content(answers=answers), si_screen=False)
        if walk.interrupting_rules:
            break
    contact = {
        "name": content.contact["name"],
        PHONE: content.contact[PHONE],
    }
    help_asked = content.contact[LANGUAGE_HELP]
    speaks = protocol.uses.contact.speaks
    if help_asked in [option for language, option in speaks.items() if language != "en"]:
        contact[LANGUAGE_HELP] = help_asked
    return Content(answers=answers, contact=contact)

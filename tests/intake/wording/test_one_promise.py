"""A page says once what the clinic will do and by when, in the words of the most urgent level.

The tests check every page that shows advice: for the golden table and for random answers, with the
clinic open and closed, in both languages.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.http import HttpResponse
from django.shortcuts import render
from django.test import RequestFactory
from django.utils import timezone
from django.utils.translation import override
from hypothesis import HealthCheck, given, settings

from clinic import hours
from intake import documents
from intake.access.forms import TellForm
from intake.authoring import golden
from intake.domain.promises import promising_sentences
from intake.draft_content import APPOINTMENT, CONTACT, Content
from intake.models.submissions import Draft, Kind, Submission
from intake.protocols import current, language_facts
from intake.questionnaire import answering, composing
from intake.questionnaire.views import check_page, emergencies, question_step, receipt, times_step
from intake.questionnaire.walk import Walk
from tests import builders
from tests.examples import examples
from tests.intake import spanish
from tests.intake.domain.walks import walks
from tests.intake.patient import Patient
from tests.intake.way_in import asking, code_in, enter, letters

pytestmark = pytest.mark.django_db
SPANISH = language_facts("es")
# one case for each set of rules that fire together
ROWS = list({row["rules"]: row for row in golden.all_cases(current())}.values())
SEEN_WITHIN = re.compile(r"\b(within|in the next) \d+ weeks|\ben (las próximas )?\d+ semanas")
TODAY = re.compile(r"\b(today|hoy)\b")
# sentences that a level shows under 'What happens next'
NEXT = re.compile(
    r"(clinician|nurse) reads your answers (today|and contacts)"
    r"|(profesional de salud|enfermera) lee sus respuestas (hoy|y se comunica)"
)


def walk_of(answers: Any, language: str, *, retracted: bool = False) -> Walk:
    """Return a finished walk with these answers.

    The next page that is shown has the advice panels of all rules that fired.
    """
    stop = {"rules": ["E01"], "page": "safety", "at": "", "retracted": "2026-11-23"}
    content = Content(
        answers=answers,
        contact=builders.CONTACT_DETAILS,
        wish=builders.WISH,
        stops=(stop,) if retracted else (),
    )
    walk = Walk(current(), content, wording=documents.wording(current().content_hash, language))
    panel = tuple(fired.id for fired in walk.assessment.fired if answering.is_panel(fired))
    visited = (*walk.steps, CONTACT, APPOINTMENT)
    return walk.with_content(replace(content, visited=visited, panel=panel))


def sent(walk: Walk, language: str, kind: str) -> Submission:
    return composing.build_submission(
        draft_id=None,
        walk=walk,
        kind=kind,
        contact=walk.content.contact,
        language=language,
        reference="7F3K-92QD",
        at=timezone.now(),
    )


def shown(walk: Walk, language: str) -> Iterator[tuple[str, HttpResponse]]:
    """Yield every page that shows advice to a patient with these answers."""
    request = RequestFactory().get("/")
    if walk.interrupting_rules:
        draft = Draft(submission=sent(walk, language, Kind.STOPPED))
        yield "emergency", emergencies.show_emergency(request, walk, TellForm(), status=200)
        yield (
            "emergency, bare",
            emergencies.emergency_now(request, walk.protocol, walk.interrupting_rules),
        )
        yield "told", emergencies.show_told(request, draft)
        return
    yield "panel", question_step.show_page(request, Draft(), walk, walk.pages[-1])
    yield "check", check_page.show_check(request, walk)
    if walk.assessment.urgency == "same_day":
        yield "call us", times_step._no_times(request, Draft(), walk)
    context = receipt.sent_context(sent(walk, language, Kind.INTAKE), left_alone=False)
    yield "receipt", render(request, "intake/sent.html", context)


def sentences(page: str) -> list[str]:
    """Return the sentences of the page, without the patient's answers."""
    said = re.sub(r'(?s)<section class="answers".*?</section>', " ", page)
    said = re.sub(r"</?(p|h\d|li|div|summary|details|section|main)\b[^>]*>", "\n", said)
    lines = html.unescape(re.sub(r"<[^>]+>", " ", said)).split("\n")
    return [one for line in lines for one in re.split(r"(?<=[.!?])\s+", " ".join(line.split()))]


def promised(page: str) -> list[str]:
    return [
        one
        for one in sentences(page)
        if NEXT.search(one) or promising_sentences(one) or promising_sentences(one, SPANISH)
    ]


def judge(answers: Any, language: str, *, retracted: bool = False) -> None:
    with override(language):
        walk = walk_of(answers, language, retracted=retracted)
        if walk.assessment.blocked:
            return
        for name, response in shown(walk, language):
            page = response.content.decode()
            said = promised(page)
            assert len(said) <= 1, (name, said)
            level = walk.assessment.urgency
            if level in ("emergency", "same_day"):
                assert not [one for one in said if SEEN_WITHIN.search(one)], (name, said)
                if not hours.current().is_open(timezone.now()):
                    assert not [one for one in said if TODAY.search(one)], (name, said)


@pytest.fixture(params=["clinic_open", "clinic_closed"])
def clinic(request: pytest.FixtureRequest) -> None:
    request.getfixturevalue(request.param)


@pytest.fixture(params=["en", "es", "es signed"])
def language(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    if request.param == "es signed":
        spanish.serve(monkeypatch, spanish.signed(current(), spanish.shipped()))
    yield request.param[:2]
    monkeypatch.undo()
    documents._wording_now.cache_clear()


@pytest.mark.usefixtures("clinic")
def test_no_case_of_the_table_reads_two_promises_on_one_page(language, request):
    """Read every case in English. In Spanish read half of the cases with a signed translation."""
    rows = {"en": ROWS, "es": ROWS[::2], "es signed": ROWS[1::2]}
    for row in rows[request.node.callspec.params["language"]]:
        answers, meta = golden.answers_of(current(), row["answers"])
        judge(answers, language, retracted=bool(meta))


@pytest.mark.usefixtures("clinic")
@settings(
    max_examples=examples(15),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(answers=walks(current()))
def test_nor_does_anybody_else(answers):
    judge(answers, "en")


# --- through the patient's pages ------------------------------------------------------------------


@pytest.mark.usefixtures("clinic_closed")
def test_alarming_words_at_night_do_not_promise_that_we_read_them_today():
    page = Patient(reason_text="My toe has been black since Monday").whole_journey()
    assert "Do not wait for our call." in page.text
    assert "read it today" not in page.text


@pytest.mark.usefixtures("clinic_open")
def test_alarming_words_by_day_are_read_today():
    patient = Patient(reason_text="My toe has been black since Monday")
    patient.start()
    assert "We will read it today." in patient.walk_to("check").text


def test_under_a_card_for_today_stand_no_weeks():
    page = Patient(
        leg_new=("swelling_one",),
        clot_risk=("none",),
        rls_freq="d6_7",
        lr7_interfere="lot",
        drowsy_drive="fell_asleep",
    ).whole_journey()
    fired = [rule.id for rule in Submission.objects.get().result.fired]
    assert {"S01", "N02", "U07"} <= set(fired)
    assert "weeks" not in page.text
    for rule_id in ("S01", "U07", "N02"):
        assert current().rule(rule_id).advice in page.text


@pytest.mark.usefixtures("clinic_open")
def test_a_call_within_two_hours_is_not_promised_when_we_close_in_one(settings):
    now = timezone.now().astimezone(hours.current().zone)
    closing = now + timedelta(hours=1)
    until = closing.hour * 60 + closing.minute
    settings.CLINIC_HOURS = replace(hours.current(), week=(((0, until),),) * 7)
    patient = Patient(leg_new=("swelling_one",), clot_risk=("none",))
    patient.start()
    patient.walk_to("check")
    assert promised(patient.page.html) == []
    assert len(promised(patient.send().html)) <= 1


@pytest.mark.parametrize("says", [{}, {"drowsy_drive": "drowsy"}, {"drowsy_drive": "fell_asleep"}])
@pytest.mark.usefixtures("clinic_open")
def test_the_patients_own_page_says_it_once_as_well(says):
    patient = asking(builders.submission(**says).reference)
    enter(patient, code_in(letters()))
    assert patient.page.path == "/my/"
    assert len(promised(patient.page.html)) == 1

"""A danger in own words: what the patient sees next, and what staff see."""

import msgspec
import pytest

from intake.domain.definition import Protocol
from intake.draft_content import Content
from intake.models.submissions import Submission, Urgency
from intake.protocols import current
from intake.questionnaire.walk import Walk
from tests import builders
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db
WORDS = "I wanted to ask about iron. My left foot went ice cold an hour ago, no chest pain."


@pytest.mark.usefixtures("clinic_open")
def test_an_emergency_in_own_words_is_told_and_does_not_stop_the_form() -> None:
    patient = Patient(reason_text=WORDS)
    patient.start()
    check = patient.walk_to("check")
    assert current().rule("DE1").advice in check.text
    page = Patient(reason_text=WORDS).whole_journey()
    assert current().rule("DE1").advice in page.text
    assert Submission.objects.get().urgency == Urgency.EMERGENCY


def test_staff_see_the_words_marked_and_why() -> None:
    Patient(reason_text=WORDS).whole_journey()
    stored = Submission.objects.get()
    (fired,) = [rule for rule in stored.result.fired if rule.id == "DE1"]
    assert ("cold_limb", "foot … ice") in [(h["frame"], h["words"]) for h in fired.inputs["danger"]]
    assert [flag.id for flag in stored.result.flags if flag.id.startswith("FD")] == ["FD1"]
    page = builders.staff_client().get(f"/admin/intake/submission/{stored.pk}/change/").text
    assert '<mark class="heard now">foot</mark>' in page
    assert '<mark class="heard denied">pain</mark>' in page


# --- words that name no danger, and a patient who says that they cannot wait

UNHEARD = "It is worse than words can say."


def test_words_that_cannot_wait_are_answered_at_once_and_read_the_same_day() -> None:
    patient = Patient(reason_text=UNHEARD, reason_wait="yes")
    patient.start()
    assert current().rule("S40").advice in patient.walk_to("check").text
    Patient(reason_text=UNHEARD, reason_wait="yes").whole_journey()
    stored = Submission.objects.get()
    assert stored.urgency == Urgency.SAME_DAY
    page = builders.staff_client().get(f"/admin/intake/submission/{stored.pk}/change/").text
    assert "The patient says that what they wrote cannot wait." in page


def walk_in(short: tuple[str, ...], **answers: str) -> Walk:
    """Return a walk in English through a protocol that does not hear the `short` languages well."""
    protocol = current()
    assert protocol.danger is not None
    danger = msgspec.structs.replace(protocol.danger, falls_short=short)
    return Walk(msgspec.structs.replace(protocol, danger=danger), Content(answers={**answers}))


def test_only_pages_of_a_language_that_falls_short_ask_if_words_can_wait() -> None:
    def asked(walk: Walk) -> bool:
        return "reason_wait" in [q.id for page in walk.pages for q in page.questions]

    assert asked(walk_in(("en",)))
    assert not asked(walk_in(("es",)))
    # an answer given on a page in another language still counts
    fired = {rule.id for rule in walk_in(("es",), reason_wait="yes").assessment.fired}
    assert "S40" in fired


@pytest.mark.parametrize("text", ["", UNHEARD, WORDS, "no chest pain", "my toe is black"])
def test_no_answer_about_waiting_lowers_what_is_heard(protocol: Protocol, text: str) -> None:
    def rank(**answer: str) -> int:
        level = Walk(protocol, Content(answers={"reason_text": text, **answer})).assessment.urgency
        return protocol.level(level).rank

    assert rank(reason_wait="no") == rank()
    assert rank(reason_wait="yes") >= max(rank(), protocol.level("same_day").rank)

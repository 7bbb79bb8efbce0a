"""Staff see alarm words first, and a decision must say that these words were read."""

import re
from datetime import timedelta
from itertools import pairwise

import pytest
from django.utils import timezone

from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.models.calls import Call
from intake.models.submissions import Decision, Submission, Urgency
from intake.my_page import replies
from tests import builders
from tests.desk import (
    FRONT_DESK,
    WORKLIST,
    cells,
    desk_page_of,
    is_ticked,
    page_of,
    references,
    verdict,
    waiting,
    words,
)

pytestmark = pytest.mark.django_db
DANGER = "My toe has turned black, there is a black spot."
READ = "I have read what the patient wrote"


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def alarmed(**fields) -> Submission:
    submission = waiting(**fields)
    replies.reply(submission=submission, text=DANGER)
    return fresh(submission)


def press(client, submission, name, **data):
    return client.post(page_of(submission, name), {"revision": fresh(submission).revision, **data})


# --- on top of the page ---------------------------------------------------------------------------


def test_the_words_stand_above_all_else_with_their_time_and_their_buttons(clinician):
    submission = alarmed(urgency=Urgency.SOON)
    page = clinician.get(page_of(submission))
    text = words(page)
    strip = text[: text.index("Who ")]

    assert "Alarm: the patient wrote something that sounds like danger" in strip
    assert DANGER in strip
    assert "Answer by" in strip
    for button in ("Call (202) 555-0147", "Note a call", "Answer", "Read, needs no answer"):
        assert button in strip
    for place in re.findall(r'href="#([a-z]+)"', page.content.decode()):
        assert f'id="{place}"' in page.content.decode()


def test_what_the_patient_wrote_after_the_words_of_alarm_stands_there_too(clinician):
    submission = waiting()
    replies.reply(submission=submission, text="May I come on Friday?")
    replies.reply(submission=fresh(submission), text=DANGER)
    replies.reply(submission=fresh(submission), text="My other number is 555-0100.")
    text = words(clinician.get(page_of(submission)))
    strip = text[: text.index("Who ")]

    assert "555-0100" in strip
    assert "Friday" not in strip


def test_what_was_answered_before_does_not_stand_there_again(clinician):
    submission = alarmed()
    press(clinician, submission, "message", message="call_us")
    replies.reply(submission=fresh(submission), text="It is chest pain now.")
    text = words(clinician.get(page_of(submission)))
    strip = text[: text.index("Who ")]

    assert "It is chest pain now." in strip
    assert DANGER not in strip


@pytest.mark.parametrize(
    ("happens", "said"),
    [
        (lambda row: replies.reply(submission=row, text="Hello?"), "The patient wrote Hello?"),
        (
            lambda row: replies.withdraw(submission=row),
            "The patient withdrew this submission, and it had red flags Look at it by",
        ),
    ],
)
def test_what_else_waits_stands_on_top_as_well(happens, said, clinician):
    submission = waiting(urgency=Urgency.SAME_DAY)
    happens(submission)
    text = words(clinician.get(page_of(submission)))

    assert said in text[: text.index("Who ")]


def test_the_front_desk_is_told_to_tell_a_clinician_and_reads_no_word(clinician):
    submission, desk = alarmed(), builders.staff_client("front desk")
    page = desk.get(desk_page_of(submission))
    text = words(page)

    told = "The patient wrote something that sounds like danger. Tell a clinician now."
    assert text.index(told) < text.index("Who ")
    assert "breath" not in page.content.decode()
    assert cells(desk.get(FRONT_DESK), "to_do")[0].startswith("Alarm: patient wrote")


# --- on top of the list ---------------------------------------------------------------------------


def test_it_comes_before_every_urgency_and_is_marked_in_words(clinician):
    emergency = waiting(urgency=Urgency.EMERGENCY, hours=-5)
    alarm, ordinary = alarmed(urgency=Urgency.ROUTINE), waiting(urgency=Urgency.URGENT)
    closed = alarmed(status="closed", hours=99)
    page = clinician.get(WORKLIST)

    order = [alarm, closed, emergency, ordinary]
    assert references(page) == [row.reference for row in order]
    assert cells(page, "state")[0] == "Alarm: patient wroteNew"
    assert references(clinician.get(WORKLIST, {"status": "new"}))[0] == alarm.reference
    assert references(clinician.get(WORKLIST, {"status": "closed"})) == [closed.reference]


def test_next_leads_there_first_and_then_on(clinician):
    emergency, alarm = waiting(urgency=Urgency.EMERGENCY), alarmed(urgency=Urgency.ROUTINE)
    last, second = waiting(hours=99), alarmed(urgency=Urgency.ROUTINE, hours=99)

    def following(submission):
        page = clinician.get(page_of(submission)).content.decode()
        return re.search(r'href="([^"]+)"[^>]*>Next<', page)[1]

    order = [alarm, second, emergency, last]
    for here, there in pairwise(order):
        assert following(here) == page_of(there)


@pytest.mark.parametrize(
    ("button", "data"),
    [
        ("settle", {}),
        ("message", {"message": "call_us"}),
        ("call", {"call": "reached"}),
        ("decide", {**verdict(Submission(urgency=3, revision=1)), "alarm_read": "on"}),
    ],
)
def test_it_is_marked_until_somebody_has_dealt_with_it(button, data, clinician):
    submission = alarmed()
    press(clinician, submission, button, **data)

    assert not fresh(submission).alarm
    assert "Alarm" not in "".join(cells(clinician.get(WORKLIST, {"status": "all"}), "state"))


@pytest.mark.parametrize("outcome", ["left_word", "not_reached"])
def test_a_call_that_reached_nobody_leaves_it_marked(outcome, clinician):
    submission = alarmed()
    press(clinician, submission, "call", call=outcome)

    assert fresh(submission).alarm


def test_a_message_does_not_end_what_waits_for_a_call(clinician):
    submission = alarmed(status="decided")
    press(clinician, submission, "message", message="call_us")

    assert references(clinician.get(WORKLIST)) == [submission.reference]
    assert cells(clinician.get(WORKLIST), "state") == ["Decided; patient not reached yet"]
    assert "Nobody has reached the patient yet" in words(clinician.get(page_of(submission)))
    press(clinician, submission, "call", call="reached")
    assert references(clinician.get(WORKLIST)) == []


# --- a decision asks whether the words are read ---------------------------------------------------


def decide(client, submission, **changes):
    return client.post(page_of(submission, "decide"), verdict(submission, **changes))


@pytest.mark.parametrize("outcome", ["book_routine", "need_more_information"])
def test_a_decision_over_it_is_refused_with_everything_kept(outcome, clinician):
    submission = alarmed()
    assert READ in words(clinician.get(page_of(submission)))
    refused = decide(clinician, submission, outcome=outcome, note="Typed with care.")

    assert refused.status_code == 422
    assert "Read what the patient wrote, on top of this page, then tick this." in words(refused)
    assert "Typed with care." in refused.content.decode()
    assert is_ticked(refused, outcome)
    assert not Decision.objects.exists()
    assert fresh(submission).alarm

    told = {"sentence": "call_us", "call": "reached", "alarm_read": "on"}
    assert decide(clinician, submission, outcome=outcome, **told).status_code == 302
    assert not fresh(submission).alarm


def test_a_decision_without_an_alarm_asks_nothing(clinician):
    submission = waiting()
    replies.reply(submission=submission, text="Hello?")

    assert READ not in words(clinician.get(page_of(submission)))
    assert decide(clinician, fresh(submission)).status_code == 302


@pytest.mark.parametrize("ticked", [False, True])
def test_what_comes_while_somebody_decides_is_shown_and_asked_for_anew(ticked, clinician):
    """A tick in the box counts only for the words that were on the page with this box."""
    submission = alarmed() if ticked else waiting()
    typed = verdict(submission, note="Typed with care.") | ({"alarm_read": "on"} if ticked else {})
    replies.reply(submission=submission, text="It is chest pain now.")
    late = clinician.post(page_of(submission, "decide"), typed)
    text = words(late)

    assert late.status_code == 409
    assert "Somebody changed this submission while you were reading." in text
    assert "It is chest pain now." in text[: text.index("Who ")]
    assert READ in text
    assert "Typed with care." in late.content.decode()
    assert not re.search(r'name="alarm_read"[^>]*checked', late.content.decode())
    assert decide(clinician, fresh(submission)).status_code == 422
    assert not Decision.objects.exists()


def test_the_service_refuses_it_too():
    submission = alarmed()
    with pytest.raises(ValueError, match="was read"):
        decisions.decide(
            submission=submission,
            given=DecisionInput(Urgency.SAME_DAY, "call_today", ""),
            by=builders.member("clinician"),
            revision=submission.revision,
            request_id="r",
        )
    assert fresh(submission).revision == submission.revision


# --- recording a call -----------------------------------------------------------------------------


def test_a_call_is_noted_with_its_words_and_the_next_try(clinician):
    submission = waiting(urgency=Urgency.SAME_DAY)
    press(clinician, submission, "call", call="left_word", again="later", call_note="With her son.")
    call, text = Call.objects.get(), words(clinician.get(page_of(submission)))

    assert (call.outcome, call.words) == ("left_word", {"note": "With her son."})
    assert call.again_at > timezone.now() + timedelta(minutes=59)
    for told in ("Left word", "With her son.", "again at", "Call: Left word: clinician"):
        assert told in text


def test_a_call_of_which_nothing_is_said_comes_back_with_its_words(clinician):
    submission = waiting()
    page = press(clinician, submission, "call", call_note="Typed with care.")

    assert page.status_code == 422
    assert "Say what became of the call." in words(page)
    assert "Typed with care." in page.content.decode()
    assert not Call.objects.exists()


def test_a_call_noted_on_an_old_page_does_not_answer_what_came_since(clinician):
    submission = waiting()
    replies.reply(submission=submission, text=DANGER)
    old = {"revision": 0, "call": "reached"}
    page = clinician.post(page_of(submission, "call"), old, follow=True)

    assert Call.objects.count() == 1
    assert fresh(submission).alarm
    assert "The call is noted. What the patient wrote still waits." in words(page)
    assert DANGER in words(page)
    # this page has shown the message, so a call that is noted now ends the alarm
    press(clinician, submission, "call", call="reached")
    assert not fresh(submission).alarm
    assert fresh(submission).escalate_at is None


# --- on every page --------------------------------------------------------------------------------

PLACES = {
    "clinician": (WORKLIST, "submission"),
    "duty": ("/admin/clinic/message/", "submission"),
    "front desk": ("/admin/intake/openinghours/", "frontdesk"),
}


@pytest.mark.parametrize("role", PLACES)
def test_after_three_steps_every_page_says_so_without_a_name(role):
    where, page = PLACES[role]
    submission, client = waiting("Quentin Canary", Urgency.SAME_DAY), builders.staff_client(role)
    Submission.objects.update(escalate_at=timezone.now(), escalations=2)
    assert "Everybody was told" not in words(client.get(where))
    Submission.objects.update(escalations=3)
    answer = client.get(where)

    assert f"it still waits: {submission.reference} (Same day) . A clinician" in words(answer)
    assert f'<a href="/admin/intake/{page}/{submission.pk}/change/">' in answer.content.decode()
    assert where == WORKLIST or "Canary" not in answer.content.decode()
    Submission.objects.update(escalate_at=None)
    assert "Everybody was told" not in words(client.get(where))


def test_of_many_three_are_named():
    rows = [waiting(urgency=Urgency.SAME_DAY, hours=n) for n in range(5)]
    Submission.objects.update(escalate_at=timezone.now(), escalations=9)
    text = words(builders.staff_client("duty").get("/admin/clinic/message/"))

    named = " , ".join(f"{row.reference} (Same day)" for row in rows[:3])
    assert f"it still waits: {named} , and more ." in text


@pytest.mark.parametrize("role", ["auditor", "administrator", "content editor"])
def test_those_who_see_no_patient_hear_nothing_of_it(role):
    waiting(urgency=Urgency.SAME_DAY)
    Submission.objects.update(escalate_at=timezone.now(), escalations=9)
    page = builders.staff_client(role).get("/admin/", follow=True)

    assert "Everybody was told" not in words(page)

"""Staff take, take over, hand over and note: by whom, from whom, and who hears of it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from clinic.outgoing import outbox
from intake.desk import teamwork
from intake.models.notes import StaffNote
from intake.models.rota import Leave
from intake.models.submissions import Submission, Urgency
from tests import builders
from tests.desk import Trail, page_of, waiting, words
from tests.intake.questionnaire.test_races import at_once

pytestmark = pytest.mark.django_db


@pytest.fixture
def clinician():
    return builders.staff_client("clinician")


@pytest.fixture
def lee():
    user = builders.member("clinician", "dr-lee")
    user.email = "lee@staff.example.org"
    user.save()
    return user


def fresh(submission: Submission) -> Submission:
    return Submission.objects.get(pk=submission.pk)


def post(client, submission, name, **fields):
    return client.post(
        page_of(submission, name), {"revision": fresh(submission).revision, **fields}, follow=True
    )


def letters(mailoutbox) -> list[tuple[list[str], str]]:
    mailoutbox.clear()
    outbox.deliver_due()
    return [(mail.to, mail.subject) for mail in mailoutbox if "lee@" in str(mail.to)]


def test_a_submission_is_handed_over_with_a_note_and_the_colleague_hears(
    clinician, lee, mailoutbox
):
    row = waiting()
    page = post(clinician, row, "together", to=lee.pk, note="Please call after six.")
    assert "r-lee has it now, and hears of it by e-mail." in words(page)
    assert "Please call after six." in words(page)
    assert (fresh(row).assignee, fresh(row).status) == (lee, "in_review")
    (letter,) = letters(mailoutbox)
    assert letter == (["lee@staff.example.org"], f"A submission was handed to you: {row.reference}")
    assert not [mail for mail in mailoutbox if "after six" in mail.body]


def test_to_take_over_needs_the_name_of_the_colleague_who_then_hears(clinician, lee, mailoutbox):
    row = waiting(assignee=lee, status="in_review")
    page = clinician.get(page_of(row))
    assert "Take it over from dr-lee" in words(page)
    old = post(clinician, row, "assign", to="me")  # a page from before dr-lee took it
    assert "r-lee has it." in words(old)
    assert fresh(row).assignee == lee

    post(clinician, row, "assign", to="me", over=lee.pk)
    assert fresh(row).assignee.username == "clinician"
    (letter,) = letters(mailoutbox)
    assert letter == (["lee@staff.example.org"], f"A submission was taken over: {row.reference}")


REFUSED = {
    "on leave": (lambda user: Leave(person=user, **days(0, 3)).save(), "dr-lee is on leave"),
    "closed": (lambda user: update(user, is_active=False), "cannot decide"),
    "another role": (lambda user: user.groups.clear(), "cannot decide"),
}


def days(first: int, last: int) -> dict:
    today = timezone.localdate()
    return {
        "first_day": today + timedelta(days=first),
        "last_day": today + timedelta(days=last),
    }


def update(user: User, **columns) -> None:
    User.objects.filter(pk=user.pk).update(**columns)


@pytest.mark.parametrize(("make", "says"), REFUSED.values(), ids=REFUSED)
def test_who_cannot_do_it_gets_nothing_and_what_was_typed_is_kept(make, says, clinician, lee):
    row = waiting()
    make(lee)
    page = post(clinician, row, "together", to=lee.pk, note="Typed with care.")
    assert page.status_code in (409, 422)
    assert says in words(page)
    assert "Typed with care." in page.content.decode()
    assert fresh(row).assignee is None
    assert not StaffNote.objects.exists()


BAD = {
    "nothing": ({}, 422, "Write a note, or choose a colleague."),
    "somebody unknown": ({"to": "999999"}, 422, "This colleague cannot decide."),
    "no number": ({"to": "x"}, 422, "This colleague cannot decide."),
    "too long": ({"note": "x" * 4001}, 422, "4000"),
}


@pytest.mark.parametrize(("fields", "status", "says"), BAD.values(), ids=BAD)
def test_a_slip_is_said(fields, status, says, clinician):
    page = post(clinician, waiting(), "together", **fields)
    assert page.status_code == status
    assert says in words(page)


def test_an_old_page_hands_nothing_over(clinician, lee):
    row = waiting()
    other = builders.staff_client("clinician", "dr-other")
    seen = fresh(row).revision
    post(other, row, "assign", to="me")
    page = clinician.post(page_of(row, "together"), {"to": lee.pk, "revision": seen})
    assert page.status_code == 409
    assert "dr-other has it." in words(page)
    assert fresh(row).assignee.username == "dr-other"
    # the page that came back knows the new holder, so the same button works
    again = page.context["form"]
    sent = {name: again[name].value() for name in ("to", "revision", "over")}
    assert clinician.post(page_of(row, "together"), sent).status_code == 302
    assert fresh(row).assignee == lee


def test_a_red_flag_that_is_handed_over_escalates_as_before(clinician, lee):
    row = waiting(urgency=Urgency.SAME_DAY)
    due = timezone.now() + timedelta(minutes=1)
    Submission.objects.filter(pk=row.pk).update(escalate_at=due)
    post(clinician, row, "together", to=lee.pk)
    assert fresh(row).escalate_at == due
    post(clinician, row, "assign", to="me", over=lee.pk)
    assert fresh(row).assignee.username == "clinician"


@pytest.mark.parametrize("role", ["front desk", "content editor", "auditor"])
def test_others_neither_read_nor_write_notes(role, clinician):
    row = waiting()
    post(clinician, row, "together", note="Between us.")
    client, trail = builders.staff_client(role), Trail()
    assert client.get(page_of(row, "together")).status_code == 403
    assert client.post(page_of(row, "together"), {"note": "x", "revision": 1}).status_code == 403
    assert StaffNote.objects.count() == 1
    assert "Between us." not in str([event.detail for event in trail.events()])


def test_a_note_is_in_the_timeline_and_its_read_is_recorded(clinician):
    row = waiting()
    post(clinician, row, "together", note="Between us.")
    page, trail = clinician.get(page_of(row)), Trail()
    assert "Wrote a note for colleagues: clinician" in words(page)
    clinician.get(page_of(row, "together"))
    (event,) = trail.events()
    assert (event.action, event.detail) == ("read", {"page": "notes"})


@settings(max_examples=25)
@given(text=st.text(max_size=4000))
def test_any_words_of_a_note_come_back_the_same_and_once(text):
    row, by = waiting(), builders.member("clinician")
    for _twice in range(2):
        teamwork.add_note(submission=row, text=text, by=by, request_id="r")
    stored = [note.words["text"] for note in row.staff_notes.all()]
    assert stored == ([text.strip()] if text.strip() else [])


@pytest.mark.django_db(transaction=True)
def test_of_two_who_hand_it_over_at_once_one_is_told(lee):
    row, by = waiting(), builders.member("clinician")
    other = builders.member("clinician", "dr-other")

    def handing(to):
        def run() -> str:
            try:
                teamwork.hand_over(
                    submission=fresh(row), to=to, note="", by=by, revision=0, request_id="r"
                )
            except Exception as error:  # the sentence is for a person
                return str(error)
            return ""

        return run

    said = at_once([handing(lee), handing(other)])
    (told,) = filter(None, said)
    assert fresh(row).assignee in (lee, other)
    assert f"{fresh(row).assignee} has it" in told

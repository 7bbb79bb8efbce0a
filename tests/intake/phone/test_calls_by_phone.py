"""Calls before, between and after the questions: who has them, who may hear what."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.utils import timezone

from clinic.models import Message
from clinic.people import leaving
from intake.models.calls import CallTask
from intake.models.phone_calls import PhoneCall
from intake.models.submissions import Draft, Submission
from tests import builders
from tests.desk import Trail, words
from tests.intake.phone.caller import (
    CALLS,
    DAUGHTER,
    OPENING,
    PROXY,
    SELF,
    at_the_phone,
    call,
    pick_up,
)

pytestmark = pytest.mark.django_db


def sent(caller: dict[str, str], **says: object):
    staff = at_the_phone(**says)
    pick_up(staff, caller)
    staff.walk_to("check")
    staff.send()
    return staff


# --- who hears the reference ----------------------------------------------------------------------
def test_the_patient_hears_the_number_and_a_letter_confirms_it():
    staff = sent(SELF)

    assert f"Your number is {Submission.objects.get().reference}" in staff.page.text
    assert Message.objects.filter(kind="confirmation").count() == 1
    assert not CallTask.objects.exclude(reason="nurse").exists()


@pytest.mark.parametrize("caller", [DAUGHTER, {**DAUGHTER, "caller": "parent", "relation": ""}])
def test_another_person_hears_no_number_and_the_letter_goes_to_the_patient(caller):
    staff = sent(caller, **PROXY)
    reading = staff.page.html.partition("Read this aloud")[2]

    assert Submission.objects.get().reference not in reading
    assert "say no number, no code and no time" in staff.page.text
    assert Message.objects.get(kind="confirmation").payload is None
    assert not CallTask.objects.filter(reason="reference").exists()


@pytest.mark.parametrize(("caller", "owed"), [(DAUGHTER, 1), (SELF, 0)])
def test_without_a_letter_the_patient_is_owed_a_call_unless_the_patient_called(caller, owed):
    who = {"who": "self"} if caller == SELF else PROXY
    sent(caller, **who, email="", prefer="phone")

    assert CallTask.objects.filter(reason="reference").count() == owed


def test_who_says_to_be_the_patient_but_answers_for_another_hears_no_number():
    staff = sent(SELF, **PROXY)

    assert "say no number" in staff.page.text


# --- the caller cannot talk freely ----------------------------------------------------------------
def later(staff, **instead: str):
    staff.post(CALLS + "add/", {**OPENING, "freely": "no"})
    tomorrow = timezone.localdate() + timedelta(days=1)
    given = {"phone": "2025550142", "day": tomorrow, "time": "10:30", "say": "The garage calls"}
    return staff.post(staff.page.url, {**given, **instead})


def test_a_caller_who_cannot_talk_freely_is_owed_a_call_with_safe_words():
    staff = at_the_phone()
    later(staff)
    page, header = staff.page, staff.get("/admin/intake/calltask/")

    assert "(202) 555-0142" in page.text
    assert "say: “The garage calls”" in page.text
    assert "Calls to make 1" in header.text
    assert "1 caller could not talk freely" in header.text
    assert PhoneCall.objects.to_call_back().get().words["say"] == "The garage calls"
    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"time": "25:61"}, "Enter a valid time."),
        ({"day": "2020-01-01"}, "This time is past. Enter a time to come."),
        ({"phone": ""}, "Enter the number to call back."),
    ],
)
def test_a_slip_in_the_call_back_is_told_by_the_field(wrong, told):
    staff = at_the_phone()
    page = later(staff, **wrong)

    assert page.status == 422
    assert told in page.errors
    assert page.form.values["say"] == ["The garage calls"]


def test_of_two_colleagues_who_call_back_the_second_is_told_so():
    first, second = at_the_phone(), at_the_phone("front desk", "second")
    later(first)
    address = f"{CALLS}{call().pk}/back/"
    first.post(address, {"go": "reached"})
    second.post(address, {"go": "reached"})

    assert first.page.step == "caller"
    assert "A colleague has already called this number back." in second.page.text
    assert call().by.username == "front-desk"


def test_a_caller_who_was_not_reached_stays_on_the_list():
    staff = at_the_phone()
    later(staff)
    due = call().call_back_at
    staff.post(f"{CALLS}{call().pk}/back/", {"go": "not_reached"})

    assert PhoneCall.objects.to_call_back().get().call_back_at != due


def test_a_call_that_is_not_needed_any_more_leaves_the_list():
    staff = at_the_phone()
    later(staff)
    page = staff.post(f"{CALLS}{call().pk}/back/", {"go": "not_needed"})

    assert "Noted: no call is needed any more." in page.text
    assert not PhoneCall.objects.to_call_back().exists()
    assert not PhoneCall.objects.unfinished().exists()


# --- who has a call -------------------------------------------------------------------------------
def test_colleagues_see_that_a_call_exists_and_who_has_it_but_cannot_open_it():
    mine, other = at_the_phone(), at_the_phone("clinician")
    pick_up(mine)
    trail = Trail()
    listed = other.get(CALLS)
    opened = other.get(f"{CALLS}{call().pk}/walk/intake/legs/p/safety/")

    assert call().draft.reference in listed.text
    assert "front-desk" in listed.text
    assert "(202) 555-0199" not in listed.text
    assert "has this call, and only front-desk can open it." in opened.text
    assert [event.subject for event in trail.events(action="deny")] == [str(call().pk)]


def test_staff_find_their_own_call_again_after_days_and_go_on_where_they_were():
    staff = at_the_phone()
    pick_up(staff)
    staff.walk_to("appointment")
    staff.press("save", staff.filled())
    Draft.objects.update(updated_at=timezone.now() - timedelta(days=2))
    assert "Saved. You find the call in your list." in staff.page.text
    again = at_the_phone()
    page = again.get(again.get(CALLS).link(call().draft.reference))

    assert page.step == "check"
    assert "Quentin Canary" in page.text


def test_two_colleagues_with_one_number_are_told_of_each_other():
    first, second = at_the_phone(), at_the_phone("front desk", "second")
    pick_up(first)
    page = second.post(CALLS + "add/", OPENING)

    assert "front-desk is entering a call from this number, too" in page.text
    assert call_of_first().draft.reference in page.text


def call_of_first() -> PhoneCall:
    return PhoneCall.objects.exclude(draft=None).get()


@pytest.mark.parametrize("how", ["sent", "deleted"])
def test_an_old_tab_is_told_that_nothing_was_saved(how):
    staff = at_the_phone()
    pick_up(staff)
    tab = staff.page
    if how == "sent":
        staff.walk_to("check")
        staff.send()
    else:
        staff.post(f"{CALLS}{call().pk}/remove/", {})
    page = staff.post(tab.url, {"em_now": "chest_or_breath"})

    assert "This call is not open any more: it was sent or deleted." in page.text
    assert Submission.objects.filter(kind="stopped").count() == 0


def test_a_role_without_the_right_opens_nothing_and_loses_nothing():
    staff = at_the_phone()
    pick_up(staff)
    user = builders.member("front desk")
    user.groups.set([Group.objects.get(name="auditor")])
    page = staff.get(f"{CALLS}{call().pk}/walk/intake/legs/p/safety/")

    assert page.status == 403
    assert call().draft is not None


def test_a_closed_account_leaves_its_call_to_a_colleague_with_the_right():
    staff, colleague = at_the_phone(), at_the_phone("front desk", "second")
    pick_up(staff)
    admin, user = builders.member("administrator"), call().by
    user.is_active = False
    user.save()
    told = leaving.give_back(user=user, by=admin, request_id="")
    listed = colleague.get(CALLS)
    page = colleague.post(f"{CALLS}{call().pk}/take/", {})

    assert told == ["1 call whose answers are not sent: a colleague can go on with it"]
    assert "account closed" in listed.text
    assert page.step == "safety"
    assert call().by.username == "second"


def test_the_front_desk_does_not_take_over_what_a_clinician_asked():
    staff, colleague = at_the_phone("clinician"), at_the_phone("front desk")
    pick_up(staff)
    call().by.groups.clear()
    page = colleague.post(f"{CALLS}{call().pk}/take/", {})

    assert "Clinician has this call." in page.text
    assert call().by.username == "clinician"


def test_a_clinician_who_becomes_front_desk_asks_no_more_what_only_clinicians_ask():
    staff = at_the_phone("clinician", sex_at_birth="female", age_years=30)
    pick_up(staff)
    staff.walk_to("about")
    call().by.groups.set([Group.objects.get(name="front desk")])
    staff.get(staff.page.url)
    staff.answer()

    assert staff.page.step == "reason"


def test_calls_are_deleted_as_drafts_are_and_owed_ones_stay(settings):
    old = timezone.now() - timedelta(days=settings.DRAFT_DAYS + 1)
    staff = at_the_phone()
    pick_up(staff)
    staff.post(CALLS + "add/", OPENING)
    later(staff)
    Draft.objects.update(updated_at=old)
    PhoneCall.objects.update(at=old)
    call_command("prune")

    assert [row.words["say"] for row in PhoneCall.objects.all()] == ["The garage calls"]


def test_a_signed_out_member_of_staff_signs_in_and_goes_on():
    staff = at_the_phone()
    pick_up(staff)
    staff.answer()
    url = staff.page.url
    staff.client.cookies.clear()
    assert "/account/login/" in staff.get(url).path

    assert at_the_phone().get(url).step == "about"


def test_the_list_shows_nothing_to_a_role_without_the_right():
    assert at_the_phone("duty").get(CALLS).status == 403
    assert "Enter a call" not in words(builders.staff_client("duty").get("/admin/", follow=True))

"""The front desk corrects a wrong name, birth date, phone number or e-mail address."""

import re
from datetime import date
from itertools import product
from types import SimpleNamespace

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from clinic.models import Message
from clinic.outgoing import outbox
from intake.access import codes, grants
from intake.access.codes import address_of
from intake.desk import correcting, decisions, patient_messages
from intake.desk.decisions import DecisionInput
from intake.models.access import Challenge, Grant
from intake.models.corrections import ContactCorrection
from intake.models.submissions import Draft, Submission, Urgency
from intake.my_page import replies
from intake.questionnaire import drafts, part_2
from intake.ways import calls
from intake.ways.contact import UNVERIFIED, reach_of
from intake.ways.new_address import number_for, unverified
from tests import builders
from tests.desk import Trail, cells, desk_page_of, find, page_of, words

pytestmark = pytest.mark.django_db

STORED = builders.CONTACT_DETAILS
RIGHT = {"told_name": "quentin CANARY", "told_birth_date": "1982-03-27"}
NEW = {
    "name": "Quentina Canary",
    "birth_date": "1982-03-28",
    "callback_phone": "+12025550199",
    "email": "right@example.org",
}
FIND = {**NEW, "callback_phone": "202-555-0199"}  # what staff type to find the patient
WHO = ["front desk", "clinician", "duty", "auditor", "nobody"]


@pytest.fixture
def desk():
    return builders.staff_client("front desk")


def browser(who: str) -> Client:
    return Client() if who == "nobody" else builders.staff_client(who)


def post(client, row: Submission, **typed):
    given = {**RIGHT, "reason": "Said so by phone.", "revision": row.revision, **typed}
    return client.post(desk_page_of(row, "correct"), given)


@pytest.mark.parametrize(
    ("field", "who", "told", "revision"),
    list(product(NEW, WHO, ("right", "wrong"), ("now", "stale"))),
)
def test_every_field_by_every_role(field, who, told, revision):
    """A correction is made by the front desk, with right details, on what it has read."""
    row = builders.submission()
    typed = {field: NEW[field], "revision": row.revision - (revision == "stale")}
    typed |= {} if told == "right" else {"told_birth_date": "1982-03-26"}
    typed["revision"] = row.revision + (revision == "stale")
    answer = post(browser(who), row, **typed)

    expected = {"clinician": 403, "duty": 403, "auditor": 403, "nobody": 302}.get(who)
    if expected is None:
        expected = 422 if told == "wrong" else 409 if revision == "stale" else 302
    assert answer.status_code == expected
    stored = Submission.objects.get(pk=row.pk)
    is_made = who == "front desk" and expected == 302
    assert stored.person.get(field) == (NEW[field] if is_made else STORED[field])
    assert stored.corrections.count() == is_made
    if answer.status_code in (409, 422):
        page = answer.content.decode()
        assert NEW[field] in page
        assert "Said so by phone." in page


def test_the_original_stays_and_the_patient_is_found_by_what_is_right(desk):
    row, trail = builders.submission(), Trail()
    answer = post(desk, row, **NEW)
    assert answer.status_code == 302
    (event,) = [each for each in trail.of(answer) if each.action == "update"]
    assert event.detail == {
        "kind": "contact",
        "fields": ["birth_date", "callback_phone", "email", "name"],
        "ground": "name birth_date",
    }
    correction = ContactCorrection.objects.get()
    assert correction.words["before"] == row.person
    for name, text in FIND.items():
        found = words(find(desk, "/admin/intake/frontdesk/", text))
        assert row.reference in found, name
    assert row.reference not in words(find(desk, "/admin/intake/frontdesk/", STORED["email"]))
    page = words(desk.get(desk_page_of(row, "correct")))
    assert "Earlier corrections (1)" in page
    assert "Quentin Canary → Quentina Canary" in page
    assert "the caller told: patient’s full name, date of birth" in page


@pytest.mark.parametrize(
    ("told", "fits"),
    [
        ({"name": "Quentin Canary", "callback_phone": "+12025550147"}, True),
        ({"name": "QUENTIN  CANÁRY", "email": "Quentin.Canary@Example.org"}, True),
        ({"birth_date": "1982-03-27", "reference": "own"}, True),
        ({"callback_phone": "+12025550147;ext=3", "email": "quentin.canary@example.org"}, True),
        ({"name": "Quentin Canary"}, False),  # one detail identifies nobody
        ({"name": "Quentin", "birth_date": "1982-03-27"}, False),
        ({"name": "Quentin Canary", "birth_date": "1982-03-27", "email": "x@example.org"}, False),
        ({"name": "Quentin Canary", "reference": "7F3K-92QD"}, False),
        ({"name": "!!!", "birth_date": "1982-03-27"}, False),
        ({}, False),
    ],
)
def test_two_details_identify_the_patient_and_a_third_must_fit_too(told, fits):
    row, by = builders.submission(), builders.member("front desk")
    told = {name: row.reference if value == "own" else value for name, value in told.items()}
    given = {"submission": row, "told": told, "by": by, "request_id": "r"}
    if fits:
        assert correcting.identify(**given) == tuple(
            name for name in correcting.IDENTIFIERS if name in told
        )
        return
    with pytest.raises(correcting.WrongDetails) as refused:
        correcting.identify(**given)
    # the sentence is the same, whichever detail is wrong
    assert "does not fit this record" in str(refused.value)


def test_a_detail_that_the_record_lacks_fits_nothing():
    row, by = builders.submission({"email": ""}), builders.member("front desk")
    told = {"name": "Quentin Canary", "email": "quentin.canary@example.org"}
    with pytest.raises(correcting.WrongDetails):
        correcting.identify(submission=row, told=told, by=by, request_id="r")


def test_after_five_wrong_tries_right_details_are_refused_for_a_while(desk):
    row, trail = builders.submission(), Trail()
    for _try in range(correcting.TRIES):
        page = post(desk, row, told_name="Somebody", email=NEW["email"])
        assert "does not fit this record" in words(page)
        assert [event.action for event in trail.of(page)] == ["deny", "read"]
    page = post(desk, row, email=NEW["email"])
    assert "Too many tries were wrong." in words(page)
    assert not ContactCorrection.objects.exists()


@pytest.mark.parametrize(
    ("typed", "wrong"),
    [
        ({"email": "right@example"}, "E-mail"),
        ({"callback_phone": "12"}, "Check the phone number"),
        ({"birth_date": "2999-01-01"}, "This date of birth cannot be right."),
        ({"birth_date": "yesterday"}, "Choose a day."),
        ({"name": "New Name", "reason": " "}, "Write what the caller said."),
        ({}, "Enter what is right, in at least one field."),
        ({"name": "x" * 121}, "Patient’s full name"),
        ({"name": "New Name", "told_birth_date": ""}, "Ask the caller for two details"),
        ({"email": "right@example.org", "no_email": "on"}, "or tick that there is none"),
        ({"name": "Quentin Canary"}, "The record says this already."),
    ],
)
def test_a_slip_is_said_and_what_was_typed_stays(typed, wrong, desk):
    row = builders.submission()
    page = post(desk, row, **typed)
    assert page.status_code in (409, 422)
    assert wrong in words(page)
    for name, text in typed.items():
        if name not in ("birth_date", "no_email") and text.strip():
            assert text in page.content.decode(), name
    assert not ContactCorrection.objects.exists()


def test_the_page_shows_nothing_of_the_record(desk):
    row = builders.submission()
    page = desk.get(desk_page_of(row, "correct")).content.decode()
    for shown in ("Canary", "1982", "555-0147", "quentin.canary", row.reference):
        assert shown not in page, shown


# --- the ways to the patient ----------------------------------------------------------------------


@pytest.mark.parametrize("field", NEW)
def test_the_old_address_hears_of_every_correction_without_a_word_about_health(field, desk):
    row = builders.submission()
    Message.objects.all().delete()
    post(desk, row, **{field: NEW[field]})
    outbox.deliver_due()
    (letter,) = mail.outbox
    assert letter.to == [STORED["email"]]
    assert "contact details of a request at our clinic were changed" in letter.body
    for word in ("Canary", row.reference, NEW[field], "leg", "vein", "1982"):
        assert word not in letter.body.replace("Truffles Vein Specialists", ""), word


def test_an_address_that_the_patient_forbade_hears_nothing(desk):
    row = builders.submission()
    row.safe_contacts.create(source="phone", said={"email": "no"}, at=timezone.now())
    Message.objects.all().delete()
    post(desk, row, email=NEW["email"])
    assert not Message.objects.exists()


def test_a_corrected_number_is_no_longer_called_wrong(desk):
    row = builders.submission({"email": ""})
    calls.record(submission=row, outcome="wrong", by=builders.member("front desk"), request_id="r")
    assert "This number is wrong" in words(desk.get(desk_page_of(row)))
    post(desk, row, callback_phone=NEW["callback_phone"])
    assert "This number is wrong" not in words(desk.get(desk_page_of(row)))
    row = Submission.objects.get(pk=row.pk)
    calls.record(submission=row, outcome="wrong", by=builders.member("clinician"), request_id="r")
    assert "This number is wrong" in words(desk.get(desk_page_of(row)))


@pytest.mark.parametrize("field", NEW)
def test_grants_codes_and_open_drafts_end(field, desk):
    row = builders.submission()
    key = codes.send(address=STORED["email"], reference=row.reference)
    challenge = Challenge.objects.get()
    opened = grants.open_submissions(challenge=challenge.pk, submissions=[row.pk], request_id="r")
    draft, draft_key = replies.begin_addition(submission=row, language="en")
    post(desk, row, **{field: NEW[field]})

    assert grants.find(opened) is None
    assert not Grant.objects.exists()
    assert not codes.may_still_try(key=key)
    draft = Draft.objects.get(pk=draft.pk)
    assert codes.content_of(draft).contact[field] == NEW[field]
    assert drafts.find_draft(draft_key) is None
    # the patient comes back and goes on with the same draft
    again, _key = replies.begin_addition(
        submission=Submission.objects.get(pk=row.pk), language="en"
    )
    assert again.pk == draft.pk


def test_a_new_address_gets_letters_but_no_code_before_it_is_verified(desk):
    row = builders.submission()
    post(desk, row, email=NEW["email"])
    row = Submission.objects.get(pk=row.pk)
    assert reach_of(row).way == ("email", NEW["email"])
    assert NEW["email"] not in reach_of(row).codes
    codes.send(address=NEW["email"], reference=row.reference)
    assert address_of(Challenge.objects.get()) == ""
    assert "The new e-mail address is not verified" in words(desk.get(desk_page_of(row)))

    mail.outbox.clear()
    desk.post(desk_page_of(row, "number"), {"channel": "email"})
    outbox.deliver_due()
    (letter,) = [each for each in mail.outbox if "number" in each.subject]
    assert letter.to == [NEW["email"]]
    (number,) = re.findall(r"\b\d{6}\b", letter.body)
    assert number == number_for(row, "email", timezone.localdate())

    wrong = desk.post(desk_page_of(row, "number"), {"channel": "email", "number": "12345"})
    assert wrong.status_code == 409
    assert "This is not the number that we sent." in words(wrong)
    assert 'value="12345"' in wrong.content.decode()
    right = desk.post(desk_page_of(row, "number"), {"channel": "email", "number": f" {number} "})
    assert right.status_code == 302
    row = Submission.objects.get(pk=row.pk)
    assert reach_of(row).codes[0] == NEW["email"]
    assert "is not verified" not in words(desk.get(desk_page_of(row)))


def test_numbers_are_sent_and_tried_a_few_times_only(desk):
    row = builders.submission()
    post(desk, row, email=NEW["email"])
    for _try in range(correcting.TRIES):
        desk.post(desk_page_of(row, "number"), {"channel": "email", "number": "1"})
    row = Submission.objects.get(pk=row.pk)
    right = number_for(row, "email", timezone.localdate())
    page = desk.post(desk_page_of(row, "number"), {"channel": "email", "number": right})
    assert "Too many numbers were wrong." in words(page)
    for channel in ("sms", "pigeon", ""):
        page = desk.post(desk_page_of(row, "number"), {"channel": channel})
        assert page.status_code == 409
    assert unverified(row) == {"email": NEW["email"]}


def test_an_address_that_is_taken_away_leaves_no_mark_and_the_calls_follow(desk):
    row = builders.submission()
    post(desk, row, no_email="on")
    person = Submission.objects.get(pk=row.pk).person
    assert "email" not in person
    assert UNVERIFIED not in person


def test_all_submissions_of_the_chain_are_corrected_each_with_its_original(desk):
    first = builders.submission()
    draft, _key = replies.begin_addition(submission=first, language="en")
    later = Submission.objects.create(
        **{
            name: getattr(first, name)
            for name in ("protocol", "urgency", "assessed_urgency", "target_at", "submitted_at")
        },
        reference="7F3K-92QD",
        draft_id=draft.pk,
        follows=first,
        answers=first.answers,
        assessment=first.assessment,
        person=first.person | {"callback_phone": "+12025550111"},
    )
    post(desk, first, callback_phone=NEW["callback_phone"], email=NEW["email"])
    person = Submission.objects.get(pk=later.pk).person
    assert person["email"] == NEW["email"]
    assert person["callback_phone"] == "+12025550111"  # it had another number
    assert later.corrections.get().words["before"]["email"] == STORED["email"]
    assert Message.objects.filter(kind="contact_changed").count() == 1


# --- another age ----------------------------------------------------------------------------------

WALKS = {"walk_pain": "yes", "walk_pattern": ("also_when_still",)}  # N14 fires from 65 years on


def born(years: int) -> str:
    return date(timezone.localdate().year - years, 1, 1).isoformat()


@pytest.fixture
def walker():
    row = builders.submission({"birth_date": born(44)}, **WALKS)
    assert row.urgency == Urgency.ROUTINE
    return Submission.objects.get(pk=row.pk)


def correct_age(row: Submission, years: int) -> Submission:
    answer = post(
        builders.staff_client("front desk"),
        row,
        told_birth_date=row.person["birth_date"],
        birth_date=born(years),
    )
    assert answer.status_code == 302
    return Submission.objects.get(pk=row.pk)


@pytest.mark.parametrize(("years", "level"), [(45, None), (64, None), (65, 1), (80, 1)])
def test_another_age_runs_the_rules_again_and_changes_no_stored_word(years, level, walker):
    row = correct_age(walker, years)
    assert row.recheck_urgency == level
    assert (row.urgency, row.assessed_urgency) == (walker.urgency, walker.assessed_urgency)
    assert (row.answers, row.assessment) == (walker.answers, walker.assessment)
    assert (row.target_at < walker.target_at) == (level is not None)


def decide(row: Submission, outcome: str = "advice_only") -> Submission:
    decisions.decide(
        submission=row,
        given=DecisionInput(row.urgency, outcome, "", ""),
        by=builders.member("clinician"),
        revision=row.revision,
        request_id="r",
    )
    return Submission.objects.get(pk=row.pk)


@pytest.mark.parametrize("status", ["new", "decided", "closed", "waiting", "withdrawn"])
def test_another_level_is_a_task_for_clinicians_in_every_status(status, walker):
    row, clinician = walker, builders.staff_client("clinician")
    if status in ("decided", "closed"):
        row = decide(row)
    Submission.objects.filter(pk=row.pk).update(
        status=status, back_at=timezone.now() if status == "waiting" else None
    )
    row = correct_age(Submission.objects.get(pk=row.pk), 70)
    assert Submission.objects.waiting().filter(pk=row.pk).exists()
    listed = clinician.get("/admin/intake/submission/")
    assert "birth date corrected" in " ".join(cells(listed, "state"))
    page = words(clinician.get(page_of(row)))
    assert "with this age, the rules say “Soon”" in page
    assert "70 years, Male" in page
    assert "The urgency is still “Routine”" in page
    if status == "withdrawn":  # nobody decides on it any more, so it is read and settled
        given = {"revision": row.revision}
        assert clinician.post(page_of(row, "settle"), given).status_code == 302
    else:
        decide(row)
    row = Submission.objects.get(pk=row.pk)
    assert row.recheck_urgency is None
    assert "birth date was corrected" not in words(clinician.get(page_of(row)))


def test_a_red_flag_of_the_right_age_is_escalated(walker, monkeypatch):
    """No rule of today makes a red flag of an age alone, so the test says what the rules say."""
    told, right = (SimpleNamespace(urgency=u, blocked=False) for u in ("routine", "same_day"))
    monkeypatch.setattr(correcting, "_judged", lambda row, born: (told, right))
    Submission.objects.filter(pk=walker.pk).update(suspect=True)
    row = correct_age(Submission.objects.get(pk=walker.pk), 70)
    assert row.recheck_urgency == Urgency.SAME_DAY
    assert row.escalate_at is not None
    assert not row.suspect
    assert row.urgency == Urgency.ROUTINE


def test_forms_that_follow_are_judged_by_the_right_age(walker):
    begun, _key = replies.begin_addition(submission=walker, language="en")
    row = correct_age(walker, 70)
    later, _key = part_2.begin(submission=row, language="en")
    for draft in (Draft.objects.get(pk=begun.pk), later):
        assert codes.content_of(draft).answers["age_years"] == 70


def test_an_answer_to_the_patient_does_not_end_the_task(walker):
    row = correct_age(walker, 70)
    patient_messages.send(
        submission=row,
        text="Thank you.",
        by=builders.member("clinician"),
        revision=row.revision,
        request_id="r",
    )
    row = Submission.objects.get(pk=row.pk)
    assert row.recheck_urgency == Urgency.SOON
    assert Submission.objects.waiting().filter(pk=row.pk).exists()


def test_a_child_without_a_guardian_is_a_task_too(walker):
    assert correct_age(walker, 15).recheck_urgency == Urgency.SOON

"""A red flag that nobody ends for a day: who is told, who tries, and what the lead reads of it."""

from datetime import datetime, timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from clinic import hours
from clinic.outgoing import outbox
from intake.models.calls import Call, is_open_red_flag
from intake.models.rota import OnCall
from intake.models.submissions import Kind, Submission
from intake.my_page import replies
from intake.questionnaire import sending
from intake.ways import escalation
from tests import builders
from tests.desk import Trail, cells, page_of, references, words
from tests.intake.ways.escalating import (
    DANGER,
    DUTY,
    EVERYBODY,
    call,
    decide,
    fresh,
    on_banner,
    red_flag,
    take,
)
from tests.intake.ways.test_escalation import DOES_NOT_END, ENDS

pytestmark = pytest.mark.django_db
LIST = "/admin/intake/openredflag/"
ALERTED = [name for name in EVERYBODY if name not in DUTY]


def at(wall: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=hours.settings_hours().zone)


def letters(clock, until: str) -> list[tuple[str, list[str]]]:
    """Let time pass in steps of five minutes. Returns when each letter went out, and to whom."""
    sent = []
    while clock.now <= at(until):
        mail.outbox.clear()
        escalation.escalate()
        outbox.deliver_due()
        staff = [letter for letter in mail.outbox if "@staff." in letter.to[0]]
        sent += [(clock.now.strftime("%a %H:%M"), letter.to) for letter in staff]
        clock.wait(5)
    return sent


def test_a_day_in_which_nobody_ends_it(people, clock):
    """Sent on a Monday night. Wednesday is a holiday; a clinician is on call at night."""
    night = builders.member("clinician", "night")
    night.email, night.first_name, night.last_name = "night@staff.example.org", "Nina", "Night"
    night.save()
    OnCall(
        person=night, starts_at=at("2026-11-30T17:00"), ends_at=at("2026-12-01T08:30"),
        phone="+12025550188",
    ).save()  # fmt: skip
    clinician = builders.member("clinician")
    clock.set("2026-11-30T22:00")
    row = red_flag()

    told = letters(clock, "2026-12-01T09:25")
    call(row, night, "not_reached")
    told += letters(clock, "2026-12-01T10:10")
    call(row, clinician, "wrong")
    told += letters(clock, "2026-12-01T11:10")
    call(row, builders.member("front desk"), "reached")
    take(row, clinician)
    told += letters(clock, "2026-12-01T22:00")

    everybody = sorted([*EVERYBODY, night.email])
    assert told[:8] == [
        ("Mon 22:00", sorted([*ALERTED, night.email])),
        ("Tue 09:00", DUTY),
        # the call at 9:30 puts the second step off by half an hour
        ("Tue 10:00", everybody),
        # the wrong number at 10:15 puts nothing off
        ("Tue 10:30", everybody),
        ("Tue 11:00", everybody),
        # the front desk's call at 11:15 ends nothing, but puts the next step off
        ("Tue 11:45", everybody),
        ("Tue 12:15", everybody),
        ("Tue 12:45", everybody),
    ]
    assert [when for when, _to in told[8:]] == [
        f"Tue {hour}:{minute}" for hour in range(13, 17) for minute in (15, 45)
    ]
    assert all(to == everybody for _when, to in told[8:])
    assert on_banner() == [row]

    lead = builders.staff_client("duty")
    page, trail = lead.get(LIST), Trail()
    assert references(page) == [row.reference]
    assert cells(page, "patient") == ["Quentin Canary(202) 555-0147"]
    assert cells(page, "age") == ["24 h"]
    assert cells(page, "assigned") == ["clinician"]
    (tries,) = cells(page, "tries")
    assert tries.startswith("3 tries")
    made = ["Reached the patient (front-desk, 11:15 a.m.)", "Wrong number (clinician, 10:15 a.m.)"]
    made += ["Not reached (Nina Night, 9:30 a.m.)"]
    assert [tries.index(each) for each in made] == sorted(tries.index(each) for each in made)
    assert cells(page, "told") == ["step 15: all staff, on every staff page"]
    assert cells(page, "next_step") == ["Wed 2 Dec, 8:45 a.m.: all staff, on every staff page"]
    assert "Nobody is on call now." in words(page)
    assert trail.names(lead.get(LIST), row)
    # and on the page of the submission
    assert "Nina Night, " in words(lead.get(page_of(row)))


# --- the list -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("role", "does"), [*DOES_NOT_END, *ENDS])
def test_the_list_holds_exactly_the_red_flags_that_nobody_ended(role, does, people, clock):
    row = red_flag()
    does(row, role)
    is_open = Submission.objects.filter(is_open_red_flag()).exists()
    assert is_open == ((role, does) in DOES_NOT_END)


def test_a_stopped_form_stays_on_the_list_whatever_became_of_its_escalation(people, clock):
    draft, _key = builders.draft(em_now=("cold_leg_sudden",))
    row = sending.tell_clinic(draft=draft, phone="+12025550147", name="")
    Submission.objects.update(escalate_at=None)  # as a release before left it
    assert row.kind == Kind.STOPPED
    lead = builders.staff_client()
    page = lead.get(LIST)
    assert cells(page, "next_step") == [
        "no step: a clinician has to decide, or to reach the patient"
    ]
    assert cells(page, "state")[0].startswith("Stopped by an emergency answer")
    call(row, builders.member("front desk"))
    assert references(lead.get(LIST)) == [row.reference]
    call(row, builders.member("duty"), "refused")
    assert references(lead.get(LIST)) == []


def test_alarm_words_after_a_decision_begin_a_new_age_and_new_tries(people, clock):
    row, by = red_flag(), builders.member("clinician")
    call(row, by, "not_reached")
    decide(row, by)
    clock.wait(60 * 24)
    replies.reply(submission=fresh(row), text="Thank you.")
    clock.wait(60)
    replies.reply(submission=fresh(row), text=DANGER)
    clock.wait(5)
    page = builders.staff_client().get(LIST)
    assert cells(page, "age") == ["1 h"]
    assert cells(page, "tries") == ["no try yet"]
    assert "Alarm: patient wrote" in cells(page, "state")[0]
    assert cells(page, "told") == ["clinicians, front desk"]


def test_who_is_on_call_stands_on_top(people, clock):
    night = builders.member("clinician", "night")
    night.email = "night@staff.example.org"
    night.save()
    clock.set("2026-12-01T22:00")
    OnCall(person=night, starts_at=clock.now, ends_at=clock.now + timedelta(hours=9)).save()
    page = words(builders.staff_client("duty").get(LIST))
    assert "On call now: night, night@staff.example.org." in page
    assert "Who is on call when" in page
    assert "Who is on call when" not in words(builders.staff_client().get(LIST))


def test_the_list_costs_the_same_for_two_and_for_twenty(people, clock):
    lead, costs = builders.staff_client("duty"), []
    lead.get(LIST)
    for count in (2, 18):
        for _number in range(count):
            row = red_flag()
            call(row, builders.member("clinician"), "not_reached")
        with CaptureQueriesContext(connection) as queries:
            page = lead.get(LIST)
        costs.append(len(queries))
    assert len(references(page)) == 20
    assert Call.objects.count() == 20
    assert costs == [21, 21]
    assert not [each for each in queries if '"answers"' in each["sql"] or '"words"' in each["sql"]]

"""A closed week: no promise falls into it, patients are told, and red flags reach a person."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from unittest import mock

import pytest
from django.contrib.auth.models import Group, User
from django.core import mail
from django.db import OperationalError
from django.test import Client
from django.utils import translation
from django_tasks_db.models import DBTaskResult
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic import hours, last_known
from clinic.outgoing import outbox
from intake import calendars
from intake.appointments import clinic_time, free_times
from intake.models.calls import CallTask
from intake.models.clinic_time import Closure, Location
from intake.models.submissions import Communication, Submission, Urgency
from intake.my_page import replies
from intake.protocols import current, served
from intake.questionnaire import drafts, sending
from intake.questionnaire.target_times import target_time
from intake.questionnaire.views.receipt import sent_context
from intake.ways import calls, escalation
from tests import builders
from tests.desk import Trail, words
from tests.intake import book, way_in
from tests.intake.appointments.time_forms import closed, url
from tests.intake.patient import Patient, step_url
from tests.intake.ways.escalating import fresh, red_flag, told

pytestmark = pytest.mark.django_db

URGENT = {"vein_look": ("varicose",), "vein_bleed": "over_7d"}
ON_CALL = "oncall@staff.example.org"
WEEK = {"first_day": "2026-12-07", "last_day": "2026-12-11"}
AFTER = "2026-12-14T17:00"


@pytest.fixture
def on_call(people) -> User:
    user = builders.member("duty", "oncall")
    user.email = ON_CALL
    user.save()
    return user


@pytest.fixture
def friday(clock):
    """The clock stands on the Friday before the closed week."""
    clock.set("2026-12-04T10:00")
    return clock


def at(wall):
    return datetime.fromisoformat(wall).replace(tzinfo=hours.settings_hours().zone)


def close(**more) -> Closure:
    days = {name: date.fromisoformat(day) for name, day in WEEK.items()}
    return Closure.objects.create(**(days | more))


def store(desk: Client, **more) -> str:
    """Send the form of a closure with the box `sure` ticked. Returns the words of the page."""
    return words(desk.post(url("closure"), closed(sure="on", **more), follow=True))


# --- what was promised before ---------------------------------------------------------------------


def test_a_closed_week_tells_whom_it_breaks_a_promise_to(
    calendar, friday, on_call, desk, django_capture_on_commit_callbacks
):
    by_mail = builders.submission(**URGENT)
    by_phone = builders.submission({"name": "Pat Phone", "email": ""}, **URGENT)
    wrote = builders.submission({"name": "Wanda Wrote", "email": "wanda@example.org"})
    replies.reply(submission=wrote, text="When do you call me?")
    assert fresh(by_mail).target_at == at("2026-12-07T17:00")
    before = next(iter(way_in.letters()), "")
    assert "message for you" not in before
    trail = Trail()

    page = desk.post(url("closure"), closed(**WEEK, on_call=on_call.pk))
    shown = words(page)
    assert "3 promises to patients fall into closed time" in shown
    assert all(row.reference in shown for row in (by_mail, by_phone, wrote))
    assert trail.names(page, by_mail)
    assert not Closure.objects.exists()
    assert fresh(by_mail).target_at == at("2026-12-07T17:00")

    store(desk, **WEEK, on_call=on_call.pk)
    assert Closure.objects.get().on_call == on_call
    assert fresh(by_mail).target_at == fresh(by_phone).target_at == at(AFTER)
    assert fresh(wrote).reply_due_at == at(AFTER)
    letters = way_in.letters()
    assert sorted(letter.split()[0] for letter in letters) == [
        "['quentin.canary@example.org']",
        "['wanda@example.org']",
    ]
    assert not any("urgent" in letter.lower() or "closed" in letter for letter in letters)
    task = CallTask.objects.get()
    assert (task.submission, task.reason) == (by_phone, "message")
    assert task.due_at <= at("2026-12-07T17:00")

    mine = way_in.inside(by_mail).page.text
    assert "We now contact you by Monday, December 14 at 5:00 pm." in mine
    assert str(current().level("urgent").closed) in mine
    assert "December 7" not in mine


def test_stored_again_the_closure_tells_nobody_twice(calendar, friday, desk):
    builders.submission(**URGENT)
    store(desk, **WEEK)
    row = Closure.objects.get()
    desk.post(url("closure", "change", row), closed(**WEEK, reason="Renovation"))
    assert Closure.objects.get().reason == "Renovation"
    assert Communication.objects.count() == 1


def test_a_promise_of_a_process_that_did_not_know_the_closure_is_found(calendar, friday, desk):
    told_before = builders.submission(**URGENT)
    store(desk, **WEEK)
    late = builders.submission({"name": "Lee Late"}, **URGENT)
    Submission.objects.filter(pk=late.pk).update(target_at=at("2026-12-07T17:00"))
    (queued,) = DBTaskResult.objects.filter(task_path__endswith="clinic_time.look_again")
    assert queued.run_after == friday.now + clinic_time.LATER
    assert clinic_time.LATER.total_seconds() > last_known.SECONDS
    row = Closure.objects.get()
    given = {"closure": str(row.pk), "by": builders.member("front desk").pk}
    assert queued.args_kwargs["kwargs"] == given

    clinic_time.look_again.call(**given)
    assert fresh(late).target_at == at(AFTER)
    written = Communication.objects.order_by("at", "id").values_list("submission", flat=True)
    assert list(written) == [told_before.pk, late.pk]
    row.delete()
    clinic_time.look_again.call(**given)
    assert Communication.objects.count() == 2


def test_overlapping_closures_move_a_promise_once_each(calendar, friday, desk):
    row = builders.submission(**URGENT)
    store(desk, **WEEK)
    store(desk, first_day="2026-12-10", last_day="2026-12-15")
    assert fresh(row).target_at == at("2026-12-16T17:00")
    assert Communication.objects.count() == 2


def test_of_an_afternoon_the_promise_is_kept_before_noon(calendar, friday, desk):
    row = builders.submission(**URGENT)
    given = {"starts_at": "2026-12-07T12:00", "ends_at": "2026-12-08T08:00"}
    assert desk.post(url("closure"), closed(**given)).status_code == 302
    assert fresh(row).target_at == at("2026-12-07T12:00")
    assert not Communication.objects.exists()


@pytest.mark.parametrize("how", ["clinician", "other place", "past"])
def test_a_closure_beside_the_promise_breaks_nothing(calendar, friday, desk, how):
    row = builders.submission(**URGENT)
    book.location(), book.location("Annex")
    more = dict(WEEK)
    if how == "clinician":
        more["clinician"] = book.clinician().pk
    elif how == "other place":
        more["location"] = book.location("Annex").pk
    else:
        more = {"first_day": "2026-11-23", "last_day": "2026-11-27"}
    assert desk.post(url("closure"), closed(**more)).status_code == 302
    assert fresh(row).target_at == at("2026-12-07T17:00")


def test_a_same_day_promise_stays_and_the_patient_is_sent_elsewhere(calendar, friday, desk, people):
    row = red_flag()
    assert row.target_at == at("2026-12-04T12:00")
    store(desk, starts_at="2026-12-04T10:05", ends_at="2026-12-04T17:00")
    assert fresh(row).target_at == at("2026-12-04T12:00")
    assert fresh(row).escalate_at == at("2026-12-04T10:30")
    said = Communication.objects.get().words["text"]
    assert "Go to urgent care or an emergency room today." in said


def test_a_spanish_patient_reads_spanish_and_staff_english(calendar, friday, desk):
    row = builders.submission(**URGENT)
    Submission.objects.filter(pk=row.pk).update(language="es")
    store(desk, **WEEK)
    said = Communication.objects.get().words
    assert "Ahora nos comunicamos con usted" in said["text"]
    assert "We now contact you" in said["english"]


def test_a_place_with_fewer_hours_breaks_promises_like_a_closure(calendar, friday, desk):
    here = book.location()
    row = builders.submission(**URGENT)
    assert (row.location, row.target_at) == (here, at("2026-12-07T17:00"))
    given = {"name": here.name, "time_zone": here.time_zone, "is_active": "on"}
    assert "promise to a patient" not in store(desk, clinician=book.clinician().pk, **WEEK)
    page = words(desk.post(url("location", "change", here), given | {"week": "Tue 09:00-12:00"}))
    assert "1 promise to a patient falls" in page
    assert row.reference in page
    sure = given | {"week": "Tue 09:00-12:00", "sure": "on"}
    assert desk.post(url("location", "change", here), sure).status_code == 302
    assert fresh(row).target_at == at("2026-12-08T12:00")
    assert "by Tuesday, December 8 at noon" in Communication.objects.get().words["text"]

    desk.post(url("location", "change", here), given | {"week": "Tue 9 to 5"})
    assert Location.objects.get(pk=here.pk).week == "Tue 09:00-12:00"
    desk.post(url("location", "change", here), given | {"week": "Tue 09:00-12:00", "phone": "1"})
    assert Communication.objects.count() == 1


# --- what is promised from then on ----------------------------------------------------------------


def test_no_promise_free_time_or_public_hour_falls_into_the_week(calendar, friday):
    kind = book.visit_type()
    book.clinician(types=(kind,))

    def free():
        found = free_times.free_slots(visit_type=kind, start=at("2026-12-07T00:00"))
        return [slot for slot in found if slot.start < at("2026-12-12T00:00")]

    assert free()
    close()
    assert free() == []
    patient = builders.submission(**URGENT)
    assert patient.target_at == at(AFTER)
    said = sent_context(patient, left_alone=False)
    assert "by Monday, December 14 at 5:00 pm" in said["next_text"]
    assert any(str(current().level("urgent").closed) in card.closed for card in said["advice"])
    home = Client().get("/").content.decode()
    assert "Monday, December 7 to Friday, December 11" in home
    assert '"validFrom": "2026-12-07"' in home
    assert '"validThrough": "2026-12-11"' in home
    spanish = Client().get("/es/").content.decode()
    assert "lunes 7 de diciembre" in spanish


def test_within_a_day_the_urgent_target_needs_no_other_place(calendar, friday):
    day = date(2026, 12, 7)
    Closure.objects.create(first_day=day, last_day=day)
    said = sent_context(builders.submission(**URGENT), left_alone=False)
    assert "by Tuesday, December 8 at 5:00 pm" in said["next_text"]
    assert not any(card.closed for card in said["advice"])


def test_a_visit_is_aimed_at_by_a_day_where_a_closure_moves_its_period(calendar, friday):
    weeks = builders.submission()
    assert "within 12 weeks" in sent_context(weeks, left_alone=False)["next_text"]
    close(first_day=date(2027, 2, 22), last_day=date(2027, 3, 5))
    moved = builders.submission({"name": "Mo Moved"})
    assert moved.target_at == at("2027-03-08T17:00")
    assert "by Monday, March 8" in sent_context(moved, left_alone=False)["next_text"]


def test_a_submission_follows_the_calendar_of_its_place(calendar, friday):
    here, annex = book.location(), book.location("Annex")
    close(location=here)
    assert builders.submission(**URGENT).location == here
    wishes = {"Annex": annex, "": None}
    for place, location in wishes.items():
        content = builders.content({"name": f"Visitor {place}"}, **URGENT)
        content = replace(content, wish={**builders.WISH, "place": place})
        draft, _key = drafts.begin(kind="intake", language="en", content=content)
        row = sending.submit(draft=draft)
        assert (row.location, row.target_at) == (location, at("2026-12-07T17:00"))
    assert Submission.objects.get(location=here).target_at == at(AFTER)


def test_a_place_may_have_hours_of_its_own(calendar, friday):
    annex = book.location("Annex")
    Location.objects.filter(pk=annex.pk).update(week="Tue 09:00-12:00")
    assert hours.current(annex.pk).add_business_days(friday.now, 1) == at("2026-12-08T12:00")
    assert ("Annex", [("Tuesday", "9:00 am to noon")]) in hours.own_weeks()


# --- red flags ------------------------------------------------------------------------------------


def addressed(subject):
    outbox.deliver_due()
    return [letter.to for letter in mail.outbox if subject in letter.subject]


def test_a_red_flag_of_the_first_day_reaches_the_person_on_call_in_time(calendar, friday, on_call):
    close(on_call=on_call)
    friday.set("2026-12-07T10:00")
    row = red_flag()
    mail.outbox.clear()
    (alerted,) = addressed(f"Same day: {row.reference}")
    assert ON_CALL in alerted
    friday.wait(29)
    assert told() == []
    friday.wait(1)
    Group.objects.get(name="duty").user_set.clear()
    assert told() == [[ON_CALL]]
    said = sent_context(row, left_alone=False)
    assert "We are telling the person on call about your answers." in said["next_text"]
    assert "today at urgent care or an emergency room" in said["panels"][0].closed
    assert "No one here reads" not in said["panels"][0].closed


def test_the_person_on_call_covers_the_weekend_before_the_closure(calendar, friday, on_call):
    close(on_call=on_call)
    friday.set("2026-12-05T12:00")
    row = red_flag()
    mail.outbox.clear()
    assert ON_CALL in addressed(f"Same day: {row.reference}")[0]
    assert hours.is_on_call(friday.now)


@pytest.mark.parametrize("gone", ["nobody", "inactive", "no address"])
def test_without_a_person_on_call_pages_say_that_nobody_reads(calendar, friday, on_call, gone):
    close(on_call=None if gone == "nobody" else on_call)
    User.objects.filter(pk=on_call.pk).update(
        is_active=gone != "inactive", email="" if gone == "no address" else ON_CALL
    )
    friday.set("2026-12-07T10:00")
    nobody = "No one here reads this before Monday, December 14 at 8:30 am."
    row = red_flag()
    said = sent_context(row, left_alone=False)
    assert said["next_text"].startswith(nobody)
    assert "Go to urgent care or an emergency room today." in said["next_text"]
    assert said["panels"][0].closed.startswith(nobody)
    mail.outbox.clear()
    (alerted,) = addressed(f"Same day: {row.reference}")
    assert ON_CALL not in alerted
    patient = Patient()
    patient.start()
    page = patient.press("continue", {"em_now": ["cold_leg_sudden"]})
    assert nobody in page.text


def test_the_other_place_is_open_and_nobody_is_on_call(calendar, friday, on_call):
    book.location("Annex")
    close(location=book.location(), on_call=on_call)
    friday.set("2026-12-07T10:00")
    assert calendars.on_call(friday.now, None) == []
    (shift,) = calendars.on_call(friday.now, book.location().pk)
    assert shift.address == ON_CALL


def test_the_emergency_page_asks_no_database_and_knows_the_closure(
    calendar, friday, django_assert_num_queries
):
    close()
    friday.set("2026-12-07T10:00")
    hours.calendar.get()
    with django_assert_num_queries(0):
        page = Client().post(step_url("safety"), {"em_now": "cold_leg_sudden"})
    assert "No one here reads this before Monday, December 14" in words(page)


def test_without_the_database_the_last_known_closure_or_the_settings_serve(calendar, friday):
    close()
    friday.set("2026-12-07T10:00")
    known = calendars.read()
    away = mock.Mock(side_effect=OperationalError("the server is away"))
    hours.calendar.register(away)
    assert hours.current(ask=False) == hours.settings_hours()
    hours.calendar.last = known
    assert not hours.current(ask=False).is_open(friday.now)
    away.assert_not_called()


# --- saving ---------------------------------------------------------------------------------------


def test_a_saved_or_deleted_closure_draws_the_public_pages_anew(
    calendar, friday, desk, monkeypatch, django_capture_on_commit_callbacks
):
    drawn = []
    monkeypatch.setattr(
        "clinic.pagecache.rendered.renew", lambda **_given: drawn.append(hours.coming_closures())
    )
    with django_capture_on_commit_callbacks(execute=True):
        store(desk, **WEEK)
    with django_capture_on_commit_callbacks(execute=True):
        desk.post(url("closure", "delete", Closure.objects.get()), {"post": "yes"})
    assert [len(each) for each in drawn] == [1, 0]


@pytest.mark.parametrize(
    ("slip", "says"),
    [
        ({"first_day": "2026-12-07", "last_day": "2029-12-11"}, "A closure lasts a year at most."),
        (
            {"starts_at": "2026-12-07T10:00", "ends_at": "2028-01-01T10:00"},
            "A closure lasts a year at most.",
        ),
        ({"first_day": "2026-12-11", "last_day": "2026-12-07"}, "the end after the beginning"),
        ({**WEEK, "on_call": "no address"}, "This account has no e-mail address for the alerts."),
        ({**WEEK, "on_call": "desk"}, "Select a valid choice"),
        ({**WEEK, "on_call": "somebody"}, "Select a valid choice"),
        ({**WEEK, "on_call": "oncall", "clinician": "Dr. Lee"}, "so nobody is on call"),
    ],
)
def test_a_slip_in_a_closure_is_said_and_nothing_is_stored(friday, on_call, desk, slip, says):
    people = {
        "no address": builders.member("clinician", "quiet").pk,
        "desk": builders.member("front desk").pk,
        "oncall": on_call.pk,
        "Dr. Lee": book.clinician().pk,
    }
    given = {name: people.get(value, value) for name, value in slip.items()}
    assert says in words(desk.post(url("closure"), closed(**given)))
    assert not Closure.objects.exists()


def test_all_places_closed_for_long_promise_a_day_with_its_year(calendar, friday, desk):
    for name in ("Main clinic", "Annex"):
        store(desk, first_day="2026-12-07", last_day="2027-12-05", location=book.location(name).pk)
    row = builders.submission(**URGENT)
    assert row.target_at == at("2027-12-06T17:00")
    said = sent_context(row, left_alone=False)
    assert "by Monday, December 6, 2027 at 5:00 pm" in said["next_text"]


# --- laws -----------------------------------------------------------------------------------------

moments = st.datetimes(datetime(2026, 10, 20), datetime(2027, 4, 1), timezones=st.just(UTC))
spans = st.timedeltas(timedelta(minutes=30), timedelta(days=200))
levels = st.sampled_from([level for one in served() for level in one.rules.levels])
TICK = timedelta(microseconds=1)


@settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(st.lists(st.tuples(moments, spans, st.booleans()), max_size=4), moments, levels)
def test_for_all_closures_moments_and_levels(calendar, clock, closures, now, level):
    clock.now = now
    Closure.objects.all().delete()
    place = book.location()
    book.location("Annex")
    free_of_closures = target_time(level, now)
    alarm = calls.next_try(now)
    flag = Submission(escalate_at=None)
    Closure.objects.bulk_create(
        Closure(starts_at=start, ends_at=start + span, location=None if everywhere else place)
        for start, span, everywhere in closures
    )
    shut = [(start, start + span) for start, span, everywhere in closures if everywhere]
    here = [(start, start + span) for start, span, _everywhere in closures]
    for location, spans_shut in ((None, shut), (place.pk, here)):
        promised = target_time(level, now, location)
        if Urgency.of(level.code) >= Urgency.SAME_DAY:
            assert promised == free_of_closures
        else:
            assert not any(start < promised <= end for start, end in spans_shut)
            assert hours.settings_hours().is_open(promised - TICK)
    escalation.start(row=flag, at=now)
    assert flag.escalate_at == alarm == calls.next_try(now)
    # what pages say agrees with what the program reckons with
    said = hours.coming_closures()
    assert not any(
        hours.current().is_open(now) and each.start <= now < each.end
        for each in said
        if not each.place
    )
    with translation.override("en"):
        assert all(each.words for each in said)

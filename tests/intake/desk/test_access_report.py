"""The auditor finds who looked at a record, and what left the clinic, and is recorded too."""

import csv
import io
import re
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic import audit
from clinic.audit import chain
from intake.desk import access_report, access_report_page
from intake.models.phone_calls import PhoneCall
from tests import builders
from tests.desk import WORKLIST, Trail, find, page_of, waiting, words
from tests.trail import sql

pytestmark = pytest.mark.django_db
REPORT = "/admin/intake/accessreport/"


@pytest.fixture
def auditor():
    return builders.staff_client("auditor")


def asked(client, term="", where=REPORT, **more):
    """Ask for a report, as the form does, and follow to it."""
    return client.post(where, {"term": term, "kind": "looks", **more}, follow=True)


def rows(response):
    """Return (who, what, record) of each event on the page, the newest first."""
    body = response.content.decode()
    cells = [re.findall(rf'class="field-{c}">([^<]*)', body) for c in ("who", "what", "record")]
    return [tuple(map(str.strip, row)) for row in zip(*cells, strict=True)]


def looked_at(submission, *others):
    """Have a clinician open the list, find the patient, open the record and print it."""
    lee = builders.staff_client("clinician", "lee")
    lee.get(WORKLIST)
    find(lee, WORKLIST, submission.person["name"])
    lee.get(page_of(submission))
    lee.get(page_of(submission, "print"))
    for other in others:
        lee.get(page_of(other))


LOOKS = ["Printed", "Opened", "Found it by a search (worklist)", "Saw it on a list (worklist)"]


@pytest.mark.parametrize("by", ["reference", "small", "id", "name"])
def test_who_read_this_record_is_found_by_reference_id_and_name(auditor, by):
    submission, other = waiting("Quentin Canary"), waiting("Otto Other")
    looked_at(submission, other)
    term = {
        "reference": submission.reference,
        "small": submission.reference.replace("-", " ").lower(),
        "id": str(submission.pk),
        "name": "Quentin Canary",
    }[by]

    page = asked(auditor, term)

    found = [row for row in rows(page) if row[0] == "lee"]
    assert [what for _who, what, _record in found] == LOOKS
    assert {record.split(" ")[0] for _who, _what, record in found} == {submission.reference}


@pytest.mark.parametrize("who", ["auditor", "both"])
def test_a_report_names_the_patient_only_to_those_who_may_see_patients(auditor, who):
    first, second = waiting("Quentin Canary"), waiting("Quentin Canary")
    if who == "both":
        builders.member("auditor").groups.add(builders.member("clinician").groups.get())

    page = asked(auditor, "Quentin Canary")

    assert {first.reference, second.reference} <= set(re.findall(r"\w{4}-\w{4}", words(page)))
    listed = page.content.decode().partition("Records found")[2]
    assert ("Quentin Canary" in listed) is (who == "both")


def test_one_of_the_records_found_is_chosen(auditor):
    first, second = waiting("Quentin Canary"), waiting("Quentin Canary")
    looked_at(first, second)
    page = asked(auditor, "Quentin Canary")
    address = re.search(rf'href="(\?[^"]+record={second.pk})"', page.content.decode())[1]

    page = auditor.get(REPORT + address.replace("&amp;", "&"))

    assert ("lee", "Printed", first.reference) not in rows(page)
    assert ("lee", "Opened", second.reference) in rows(page)


def test_the_call_that_a_record_came_from_belongs_to_it(auditor):
    submission = waiting("Quentin Canary")
    maria = builders.member("front desk", "maria")
    call = PhoneCall.objects.create(
        submission=submission, by=maria, at=timezone.now(), words={"phone": "+12025550199"}
    )
    with transaction.atomic():
        audit.record(
            actor=audit.staff(maria),
            action="list",
            detail={"page": "phonecall", "ids": [str(call.pk)]},
        )

    page = asked(auditor, submission.reference)
    what = [what for who, what, _record in rows(page) if who == "maria"]
    assert what == ["Saw it on a list (calls entered by phone)"]


def test_by_person_and_by_day(auditor):
    submission = waiting("Quentin Canary")
    looked_at(submission)
    builders.staff_client("duty").get(page_of(submission))
    lee, today = builders.member("clinician", "lee"), timezone.localdate()

    mine = asked(auditor, who=lee.pk, since=today, until=today)
    assert {who for who, _what, _record in rows(mine)} == {"lee"}
    tomorrow = today + timedelta(days=1)
    assert not rows(asked(auditor, submission.reference, since=tomorrow))
    assert not rows(asked(auditor, submission.reference, until=today - timedelta(days=1)))


def test_what_left_the_clinic_is_a_list_of_its_own(auditor):
    submission = waiting("Quentin Canary")
    looked_at(submission)

    page = asked(auditor, submission.reference, kind="left")

    assert rows(page) == [("lee", "Printed", submission.reference)]


def test_each_search_and_each_export_of_the_auditor_is_recorded(auditor):
    submission = waiting("Quentin Canary")
    trail = Trail()
    page = asked(auditor, "Quentin Canary")
    auditor.post(f"{REPORT}export/?{page.request['QUERY_STRING']}")

    searched, exported = trail.events(actor=audit.staff(builders.member("auditor")))
    assert (searched.action, exported.action) == ("search", "export")
    assert searched.detail["ids"] == exported.detail["ids"] == [str(submission.pk)]
    assert "Quentin" not in str([searched.detail, exported.detail])
    assert "Quentin" not in page.request["QUERY_STRING"]
    # and the report of this record says so
    who = builders.member("auditor").username
    assert (who, "Found it by a search (access report)", submission.reference) in rows(
        asked(auditor, submission.reference)
    )


def test_the_file_has_every_event_in_batches(auditor, monkeypatch):
    monkeypatch.setattr(access_report, "BATCH", 2)
    submission = waiting("Quentin Canary")
    looked_at(submission)
    page = asked(auditor, submission.reference)
    response = auditor.post(f"{REPORT}export/?{page.request['QUERY_STRING']}")

    text = b"".join(response.streaming_content).decode()
    table = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    assert [row["what"] for row in table if row["who"] == "lee"] == LOOKS
    assert {row["record"] for row in table} == {submission.reference}
    assert "Quentin" not in text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ({"term": "0190a3b2-77c1-7e4a"}, "This is no whole id of a record."),
        ({"since": "2026-02-30"}, "This is no date."),
        ({"until": "yesterday"}, "This is no date."),
        ({"since": "2026-12-31", "until": "2026-01-01"}, "This day is before the first day."),
        ({"who": "999999"}, "There is no such account."),
        ({"who": "x' or 1=1"}, "There is no such account."),
        ({"kind": "answers"}, "Select a valid choice."),
        ({"record": "7"}, "The address names a record that cannot exist."),
        ({"term": "x" * 101}, "at most 100 characters"),
    ],
)
def test_bad_input_is_a_sentence_and_what_was_typed_stays(auditor, typed, said):
    trail = Trail()
    answers = [] if "record" in typed else [auditor.post(REPORT, {"kind": "looks", **typed})]
    answers += [] if "term" in typed else [auditor.get(REPORT, typed)]
    for answer in answers:
        assert answer.status_code == 422
        assert said in words(answer)
        assert not rows(answer)
    for value in typed.values() if not {"kind", "who", "record"} & set(typed) else ():
        assert f'value="{value}"' in answer.content.decode()
    assert not trail.events(action="search")


@pytest.mark.parametrize("term", ["2222-2222", "Nobody Whosoever", "0" * 32])
def test_what_is_not_there_is_said_and_recorded(auditor, term):
    waiting("Quentin Canary")
    trail = Trail()
    page = asked(auditor, term)
    assert "No event fits." in words(page)
    assert [event.action for event in trail.events()] == ["search"]


def test_a_search_that_is_over_is_no_report_about_everybody(auditor):
    looked_at(waiting("Quentin Canary"))
    old = f"find=over&{asked(auditor).request['QUERY_STRING']}"
    trail = Trail()

    page, file = auditor.get(f"{REPORT}?{old}"), auditor.post(f"{REPORT}export/?{old}")

    assert page.status_code == 422
    assert "That search is over." in words(page)
    assert not rows(page)
    assert file.status_code == 302
    assert not trail.events(action="export")


def test_too_many_events_for_a_file_are_refused_with_what_to_do(auditor, monkeypatch):
    looked_at(waiting("Quentin Canary"))
    monkeypatch.setattr(access_report_page, "MOST", 2)
    trail = Trail()
    page = auditor.post(f"{REPORT}export/", follow=True)
    assert "More than 2 events fit" in words(page)
    assert not trail.events(action="export")


def test_the_page_takes_as_many_queries_for_one_event_as_for_many(auditor):
    submission = waiting("Quentin Canary")
    looked_at(submission)
    address = f"{REPORT}?{asked(auditor, submission.reference).request['QUERY_STRING']}"

    def taken():
        with CaptureQueriesContext(connection) as queries:
            auditor.get(address)
        return len(queries)

    few = taken()
    for _n in range(3):
        looked_at(submission, waiting("Otto Other"))
    assert taken() == few == 17


def test_lists_that_showed_a_record_are_found_by_index():
    key = str(waiting("Quentin Canary").pk)
    query = access_report.ReportQuery(records=(key,)).events()
    sql("set local enable_seqscan = off")
    plan = query.order_by().explain()
    assert "event_subject" in plan
    assert "event_ids" in plan
    left = access_report.ReportQuery(records=None, kind="left").events()
    assert "event_left" in left.explain()


# --- the chain -----------------------------------------------------------------------------------


def test_the_page_says_what_the_last_check_found(auditor):
    assert "Nobody has checked yet" in words(auditor.get(REPORT))
    page = auditor.post(f"{REPORT}check/", follow=True)
    last = re.search(r"events 1 to (\d+)\. Added since: (\d+)\.", words(page))
    state = chain.state()
    assert state.is_whole
    assert int(last[1]) == state.last


def test_a_broken_chain_is_an_alarm_on_the_page(auditor):
    chain.note(actor=audit.system("audit_verify"), first=1, last=9, faults=[(7, "content")])
    said = words(auditor.get(REPORT))
    assert "The trail is NOT whole: event 7, the row was changed" in said


def test_a_trail_too_long_for_a_page_is_left_to_the_command(auditor, monkeypatch):
    monkeypatch.setattr(chain, "SECONDS", 0.01)
    monkeypatch.setattr(audit, "verify", lambda: sql("select pg_sleep(1)"))
    page = auditor.post(f"{REPORT}check/", follow=True)
    assert "too long to be checked while a page waits" in words(page)


def test_an_export_that_the_patient_asked_for_is_still_the_act_of_staff(auditor):
    submission, lee = waiting("Quentin Canary"), builders.member("clinician", "lee")
    with transaction.atomic():
        audit.record(
            actor=audit.staff(lee), action="export", subject=str(submission.pk), purpose="PATRQT"
        )
    assert ("lee", "Exported", submission.reference) in rows(asked(auditor, submission.reference))


def test_what_an_event_made_is_no_record_of_its_own(auditor):
    """A letter is named in its event, but the event is about one record."""
    submission = waiting("Quentin Canary")
    with transaction.atomic():
        audit.record(
            actor=audit.staff(builders.member("clinician", "lee")),
            action="state",
            subject=str(submission.pk),
            detail={"kind": "letter", "ids": ["0190a3b2-77c1-7e4a-8000-000000000000"]},
        )
    found = rows(asked(auditor, submission.reference, kind="all"))
    assert ("lee", "Signed a letter", submission.reference) in found

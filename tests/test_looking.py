"""When staff only open a page, nothing changes, except that an audit event is recorded."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from clinic import audit
from clinic.outgoing import outbox
from intake.appointments import offers
from intake.models.appointments import Appointment, Offer
from intake.models.submissions import Submission
from intake.my_page import replies
from intake.ways import escalation
from tests import builders
from tests.desk import Trail, desk_page_of, page_of, verdict, waiting
from tests.intake import book
from tests.test_roles_matrix import TABLE, WHO, addresses_of
from tests.test_roles_matrix import things as things  # imported so that pytest finds this fixture

pytestmark = pytest.mark.django_db
LOOKS = {"read", "print", "list", "search", "deny"}
OWN = {"clinic_staffsession"}  # stores when the session was last used, so every GET changes it


def written() -> dict[str, int]:
    """Return how many rows of each table this test has written, without OWN and the audit trail.

    A write that changes no value of the row counts, too.
    """
    asked = """
        select relname, n_tup_ins + n_tup_upd + n_tup_del
        from pg_stat_xact_user_tables where schemaname = 'public'
    """
    with connection.cursor() as cursor:
        cursor.execute(asked)
        return {name: rows for name, rows in cursor.fetchall() if name not in OWN}


@pytest.fixture
def busy(things):
    """Return every address of the admin, while much waits for a change that no GET may make.

    There is a red flag whose step is overdue, there are alarm words and a lapsed offer, and an
    assignee has left.
    """
    submission, addresses = things[0], addresses_of(*things)
    replies.reply(submission=submission, text="I can’t breathe.")
    gone = builders.member("clinician", "gone")
    past = timezone.now() - timedelta(hours=1)
    Submission.objects.filter(pk=submission.pk).update(escalate_at=past, assignee=gone)
    people, duty = type(gone).objects, builders.member("duty")
    people.filter(pk=gone.pk).update(is_active=False)
    people.filter(pk=duty.pk).update(email="duty@staff.example.org")
    other = waiting("Otto Other")
    slot = book.free(wall="14:00")
    offers.offer(
        submission=other,
        slots=[slot.key],
        visit_type=slot.visit_type,
        hours=1,
        by=builders.member("front desk"),
        request_id="r",
    )
    Appointment.objects.filter(status="held").update(held_until=past)
    Offer.objects.update(expires_at=past)
    return {name: addresses[name] for name in TABLE}


@pytest.mark.parametrize("number", range(len(WHO)), ids=WHO)
def test_each_role_opens_its_own_and_a_look_changes_nothing_but_its_record(
    number, busy, mailoutbox
):
    """Open each address of the table: its status, the rows it writes, the events it records."""
    client, actor = builders.staff_client(WHO[number]), audit.staff(builders.member(WHO[number]))
    client.get("/admin/", follow=True)
    got, wanted, asked, changed = {}, {}, {}, set()
    trail, before = Trail(), written()
    for name, where in busy.items():
        response = client.get(where)
        asked[response["X-Request-ID"]] = name
        got[name], wanted[name] = response.status_code, int(TABLE[name].split()[number])
        if response.status_code >= 400:
            assert b"Canary" not in response.content
        # a browser would cut a long text and say nothing; the form says it
        assert not re.findall(rb"<[^>]*maxlength[^>]*>", response.content), name
        after = written()
        changed |= {(name, table) for table in after if after[table] != before[table]}
        before = after

    assert got == wanted
    assert changed == set()
    for event in trail.events():
        assert event.action in LOOKS, asked.get(event.request_id)
        assert event.request_id in asked
        assert event.actor == actor
    # opening all these pages did not end the escalation either
    assert escalation.escalate() == 1
    outbox.deliver_due()
    to = [letter.to for letter in mailoutbox if "Nobody has seen to it" in letter.subject]
    assert to == [["duty@staff.example.org"]]


def test_a_write_of_the_same_value_is_seen():
    row, before = waiting("Ann Early"), written()
    Submission.objects.filter(pk=row.pk).update(status=row.status)
    table = Submission._meta.db_table

    assert written() == {**before, table: before[table] + 1}


def test_a_decision_reads_its_own_record_and_names_the_next_patient_as_a_list_does():
    first, other = waiting("Ann Early"), waiting("Bob Next")
    clinician, trail = builders.staff_client("clinician"), Trail()
    page = clinician.post(page_of(first, "decide"), verdict(first), follow=True)

    assert page.redirect_chain == [(page_of(first), 302)]
    assert "Open next: Bob Next" in page.content.decode()
    assert {event.subject for event in trail.events()} == {str(first.pk), "-"}
    assert [event.action for event in trail.events()] == ["decide", "list", "read"]
    assert trail.names(page, other)
    # a session is not sealed, so it names nobody
    assert "Bob" not in str(dict(clinician.session))
    assert "Ann" not in str(dict(clinician.session))


def test_the_pages_of_one_record_read_no_other():
    row, other = waiting("Ann Early"), waiting("Bob Next")
    for role, page in (("clinician", page_of(row)), ("front desk", desk_page_of(row))):
        trail = Trail()
        builders.staff_client(role).get(page)
        assert str(other.pk) not in {event.subject for event in trail.events()}

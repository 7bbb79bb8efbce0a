"""The inbox of the audit trail: the commit of an act chains its event, or the act is undone."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, ProgrammingError, connection, transaction

from clinic import audit, views
from clinic.models import Bucket, Event
from intake.appointments.claims import claiming
from tests.clinic.audit.test_audit import grants, write
from tests.trail import sql, unchained


def write_as_the_release_before() -> None:
    sql("insert into aud.event (actor, action, subject) values ('staff:8', 'read', 's')")


def on_its_own(act: Callable[[], Any]) -> Callable[[], Any]:
    """Wrap an act for a thread, so that the thread's connection is closed after the act."""

    def run() -> Any:
        try:
            return act()
        finally:
            connection.close()

    return run


# --- at the commit ------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_an_event_stands_in_the_trail_from_the_commit_on():
    anchor = audit.head()
    with transaction.atomic():
        write(3)
        assert audit.head() == anchor
    assert audit.head()[0] == anchor[0] + 3
    assert audit.verify(*anchor) == []
    assert sql("select count(*) from aud.inbox") == [(0,)]


@pytest.mark.django_db(transaction=True)
def test_events_are_chained_in_the_order_of_the_commits_and_in_each_as_they_were_recorded():
    start, recorded, others = audit.head()[0], threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            write(subject="slow-1")
            with transaction.atomic():
                write(subject="undone")
                transaction.set_rollback(True)
            recorded.set()
            assert others.wait(10)
            write(subject="slow-2")

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(on_its_own(slow))
        assert recorded.wait(10)
        with transaction.atomic():
            write(subject="quick")
        others.set()
        waiting.result()
    events = Event.objects.filter(seq__gt=start).order_by("seq")
    assert [event.subject for event in events] == ["quick", "slow-1", "slow-2"]
    assert list(events) == sorted(events, key=lambda event: event.at)


@pytest.mark.django_db(transaction=True)
def test_who_has_recorded_and_sleeps_holds_nobody_up():
    """While eight pages with recorded events are rendered, a ninth person can sign in."""
    anchor, over = audit.head(), threading.Event()
    drawing = threading.Barrier(9)

    def page() -> None:
        with transaction.atomic():
            write()
            drawing.wait(10)
            assert over.wait(10)

    with ThreadPoolExecutor(8) as pool:
        pages = [pool.submit(on_its_own(page)) for _number in range(8)]
        drawing.wait(10)
        try:
            with transaction.atomic():
                sql("set local lock_timeout = '500ms'")
                write(action="login")
            assert audit.head()[0] == anchor[0] + 1
        finally:
            over.set()
        for each in pages:
            each.result()
    assert audit.head()[0] == anchor[0] + 9
    assert audit.verify(*anchor) == []


@pytest.mark.django_db(transaction=True)
def test_thirty_two_writers_of_two_releases_make_one_chain_without_a_gap():
    anchor = audit.head()
    ready = threading.Barrier(32)

    def writer(number: int) -> int:
        record = write if number % 4 else write_as_the_release_before
        ready.wait(20)
        for turn in range(6):
            with transaction.atomic():
                record()
                record()
                with transaction.atomic():
                    record()
                    transaction.set_rollback(turn % 2 == 0)
                transaction.set_rollback(turn == 5)
        return 2 + 3 + 2 + 3 + 2

    with ThreadPoolExecutor(32) as pool:
        acts = [on_its_own(lambda number=number: writer(number)) for number in range(32)]
        written = sum(done.result() for done in [pool.submit(act) for act in acts])
    numbers = Event.objects.filter(seq__gt=anchor[0]).order_by("seq").values_list("seq", flat=True)
    assert list(numbers) == list(range(anchor[0] + 1, anchor[0] + 1 + written))
    assert audit.head()[0] == anchor[0] + written
    assert audit.verify(*anchor) == []


@pytest.mark.django_db
@pytest.mark.parametrize("many", [1, 400])
def test_however_many_events_are_chained_by_one_look_and_one_change_of_the_head(many):
    """A commit changes the head once and scans no table of events, for 1 event as for 400.

    Eight commits with one event each come first. PostgreSQL then reuses the plans of these commits.
    """

    def counted() -> dict[str, tuple[int, ...]]:
        rows = sql(
            "select relname, seq_scan, n_tup_ins, n_tup_upd, n_tup_del"
            " from pg_stat_xact_user_tables where schemaname = 'aud'"
        )
        return {name: tuple(counts) for name, *counts in rows}

    for _commit in range(8):
        write()
    sql("set constraints aud.at_commit deferred")
    before = counted()
    write(many)
    sql("set constraints aud.at_commit immediate")
    done = {
        name: tuple(now - then for now, then in zip(counts, before[name], strict=True))
        for name, counts in counted().items()
    }
    assert done["head"][1:] == (0, 1, 0)
    assert done["event"] == (0, many, 0, 0)
    assert done["inbox"] == (0, many, 0, many)


# --- a commit that cannot chain -----------------------------------------------------------------
def act() -> None:
    """Change something in the clinic, with its audit event."""
    Bucket.objects.create(key="done", tokens=1, at="2026-11-26T10:00Z")
    write()


@pytest.mark.django_db(transaction=True)
def test_when_the_event_cannot_be_chained_the_act_has_not_happened():
    anchor = audit.head()
    with (
        unchained(),
        pytest.raises(OperationalError, match="takes no event") as failed,
        transaction.atomic(),
    ):
        act()
    assert views.is_database_down(failed.value)
    assert not Bucket.objects.exists()
    assert audit.verify(*anchor) == []

    with transaction.atomic():
        act()
    assert Bucket.objects.exists()
    assert audit.head()[0] == anchor[0] + 1


@pytest.mark.django_db(transaction=True)
def test_a_trail_that_is_busy_for_too_long_is_not_taken_for_a_lost_time():
    begun, over = threading.Event(), threading.Event()

    def book() -> None:
        with claiming(spans=[]):
            sql("set local lock_timeout = '100ms'")
            act()

    def hold() -> None:
        with transaction.atomic():
            sql("select pg_advisory_xact_lock(hashtextextended('aud.chain', 0))")
            begun.set()
            assert over.wait(10)

    with ThreadPoolExecutor(1) as pool:
        holding = pool.submit(on_its_own(hold))
        assert begun.wait(10)
        try:
            with pytest.raises(OperationalError, match=r"takes no event: .* \(55P03\)"):
                book()
        finally:
            over.set()
        holding.result()
    assert not Bucket.objects.exists()


@pytest.mark.django_db
def test_what_lies_in_the_inbox_without_its_trigger_is_told():
    anchor = audit.head()
    sql("alter table aud.inbox disable trigger at_commit")
    write()
    sql("alter table aud.inbox enable trigger at_commit")
    assert audit.verify(*anchor) == [(anchor[0] + 1, "inbox")]
    with pytest.raises(CommandError, match=f"event {anchor[0] + 1}: inbox"):
        call_command("audit_verify", anchor=anchor)


# --- the rights it runs with --------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_the_role_of_the_program_has_its_events_chained_at_commit():
    anchor = audit.head()
    sql("create role audit_test_app nologin; create role audit_test_auditor nologin")
    try:
        sql(grants())
        with transaction.atomic():
            sql("set local role audit_test_app")
            write(2)
        assert audit.head()[0] == anchor[0] + 2
        assert audit.verify(*anchor) == []
    finally:
        sql("drop owned by audit_test_app, audit_test_auditor")
        sql("drop role audit_test_app, audit_test_auditor")


@pytest.mark.django_db
def test_an_upgrade_needs_no_grant_and_the_release_before_writes_on_until_its_right_is_taken():
    migration = import_module("clinic.migrations.0003_audit_inbox")
    sql("create role audit_test_app nologin; create role audit_test_auditor nologin")
    sql(migration.BACK)
    sql(grants().replace("aud.inbox", "aud.event"))
    anchor = audit.head()
    sql(migration.INBOX)
    sql("set constraints aud.at_commit immediate")

    sql("set local role audit_test_app")
    write()
    write_as_the_release_before()
    write()
    assert audit.head()[0] == anchor[0] + 3
    assert audit.verify(*anchor) == []

    sql("reset role")
    paper = Path(settings.BASE_DIR, "docs", "operations.md").read_text(encoding="utf-8")
    (taken,) = (line for line in paper.splitlines() if "REVOKE INSERT ON aud.event" in line)
    sql(taken.strip().replace("clinic_", "audit_test_"))
    sql("set local role audit_test_app")
    with pytest.raises(ProgrammingError), transaction.atomic():
        write_as_the_release_before()
    write()
    sql("reset role")
    assert audit.verify(*anchor) == []


@pytest.mark.django_db
@pytest.mark.parametrize("function", ["chain", "chain_inbox"])
def test_nobody_else_can_hang_the_functions_of_the_trail_on_a_table(function):
    sql("create role audit_test_app nologin")
    sql("create schema of_its_own; grant all on schema of_its_own to audit_test_app")
    sql("grant usage on schema aud to audit_test_app")
    sql("set local role audit_test_app")
    sql("create table of_its_own.event (seq bigint)")
    with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
        sql(
            "create trigger mine before insert on of_its_own.event"
            f" for each row execute function aud.{function}()"
        )
    sql("reset role")

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import (
    DatabaseError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)

from clinic import audit
from clinic.audit.chain import state as chain_state
from clinic.models import Event, Message
from clinic.outgoing import outbox
from tests.trail import sql

NURSE = "staff:7"


def write(number=1, **changes):
    for n in range(number):
        audit.record(
            **(
                {"actor": NURSE, "action": "read", "subject": f"s-{n}", "purpose": "TREAT"}
                | changes
            )
        )


@pytest.fixture
def chain(db):
    """Write ten audit events. Returns the anchor from before these events."""
    anchor = audit.head()
    write(10)
    assert audit.verify(*anchor) == []
    return anchor


@pytest.fixture
def tamper(chain):
    """Turn off the triggers that protect the events. Returns a function that runs SQL."""
    sql("alter table aud.event disable trigger user")
    return sql


# --- writing ------------------------------------------------------------------------------------
@pytest.mark.django_db
def test_an_event_is_one_statement_and_reads_as_it_was_written(django_assert_num_queries):
    seq, digest = audit.head()
    with django_assert_num_queries(1):
        audit.record(
            actor=audit.patient("7F3K-92QD"),
            action="create",
            subject="0190",
            purpose="PATRQT",
            request_id="ab12",
            detail={
                "kind": "intake",
                "count": 3,
                "ids": ["a", "b"],
                "reason_given": True,
                "to": None,
            },
        )
    event = Event.objects.get(seq=seq + 1)
    assert (event.actor, event.action, event.subject) == ("patient:7F3K-92QD", "create", "0190")
    assert (event.purpose, event.request_id) == ("PATRQT", "ab12")
    assert event.detail["ids"] == ["a", "b"]
    assert event.at.tzinfo
    assert bytes(event.prev_hash) == digest
    assert audit.head() == (seq + 1, bytes(event.hash))
    assert "7F3K-92QD" in str(event)


@pytest.mark.django_db(transaction=True)
def test_outside_a_transaction_nothing_is_recorded():
    before = audit.head()
    with pytest.raises(RuntimeError, match=r"transaction\.atomic"):
        write()
    assert audit.head() == before


@pytest.mark.django_db
@pytest.mark.parametrize(
    "changes",
    [
        {"actor": "Maria"},
        {"actor": ""},
        {"actor": "staff:"},
        {"actor": "staff:Maria Silva"},
        {"action": "look"},
        {"action": ""},
        {"purpose": "because she asked"},
        {"subject": "x" * 65},
        {"request_id": "x" * 65},
        {"detail": {"answers": "ulcer"}},
        {"detail": {"name": "Maria"}},
        {"detail": {"fields": {"a": 1}}},
        {"detail": {"fields": [["a"]]}},
        {"detail": {"fields": ("a",)}},
        {"detail": {"count": 1.5}},
        {"detail": {"rule": b"x"}},
        {"detail": {"rule": "x" * 65}},
        {"detail": {"ids": ["x" * 65]}},
        {"detail": {"term": "maria silva"}},
        {"detail": {"term": ["1", "maria"]}},
        {"detail": {1: "x"}},
    ],
)
def test_what_an_event_must_not_hold_is_refused(changes):
    before = audit.head()
    with pytest.raises(ValueError) as refusal:
        write(**changes)
    assert "aria" not in str(refusal.value)
    assert "ulcer" not in str(refusal.value)
    assert audit.head() == before


@pytest.mark.django_db
def test_a_search_is_recorded_by_its_blind_index():
    write(action="search", detail={"term": -123, "ids": []})
    write(action="search", detail={"term": "-123"})
    write(action="search", detail={"term": [1, 2]})


def test_actors():
    assert audit.staff(SimpleNamespace(pk=7)) == "staff:7"
    assert audit.staff(SimpleNamespace(pk=None)) == audit.ANONYMOUS == "anonymous"
    assert audit.patient("7F3K-92QD") == "patient:7F3K-92QD"
    assert audit.system("prune-drafts") == "system:prune-drafts"


@pytest.mark.django_db
def test_every_kind_of_actor_and_every_action_is_taken():
    for actor in (NURSE, "anonymous", "patient:7F3K-92QD", "system:prune-drafts"):
        write(actor=actor)
    for action in audit.ACTIONS:
        write(action=action)


# --- the rows cannot be changed -----------------------------------------------------------------
@pytest.mark.parametrize(
    "statement",
    [
        "update aud.event set actor = 'staff:8'",
        "delete from aud.event",
        "truncate aud.event",
        "delete from aud.head",
        "truncate aud.head",
        "insert into aud.head values (false, 0, '')",
        "update aud.inbox set actor = 'staff:8'",
        "delete from aud.inbox",
        "truncate aud.inbox",
    ],
)
def test_nothing_is_changed_or_removed(chain, statement):
    with pytest.raises(DatabaseError), transaction.atomic():
        sql(statement)
    assert audit.verify(*chain) == []


def test_a_model_cannot_change_them_either(chain):
    event = Event.objects.first()
    with pytest.raises(DatabaseError), transaction.atomic():
        event.delete()
    with pytest.raises(DatabaseError), transaction.atomic():
        event.save()
    with pytest.raises(DatabaseError), transaction.atomic():
        Event.objects.update(actor="staff:8")
    assert audit.verify(*chain) == []


def test_number_time_and_hash_are_the_databases_own(chain):
    seq, _digest = audit.head()
    sql(
        "insert into aud.event (seq, at, actor, action, subject, prev_hash, hash)"
        " values (1, '1999-01-01Z', 'staff:7', 'read', 's', '', '')"
    )
    event = Event.objects.get(seq=seq + 1)
    assert event.at.year > 1999
    assert audit.verify(*chain) == []


def grants() -> str:
    """Return the SQL of docs/operations.md that grants access to the audit trail.

    The names of the database roles are changed to the names that this test uses.
    """
    paper = Path(settings.BASE_DIR, "docs", "operations.md").read_text(encoding="utf-8")
    _before, begin, rest = paper.partition("\n-- the audit trail")
    return (begin + rest.partition("```")[0]).replace("clinic_", "audit_test_")


def test_the_role_of_the_program_can_only_add_and_read(chain):
    sql("create role audit_test_app nologin; create role audit_test_auditor nologin")
    sql(grants())
    sql("set local role audit_test_app")
    write(2)
    assert audit.verify(*chain) == []
    assert audit.head()[0] == chain[0] + 12
    for statement in (
        "insert into aud.event (actor, action, subject) values ('staff:7', 'read', 's')",
        "update aud.event set actor = 'staff:8'",
        "delete from aud.event",
        "truncate aud.event",
        "update aud.head set seq = 0",
        "delete from aud.head",
        "insert into aud.inbox (id, actor, action, subject) values (1, 'a', 'b', 'c')",
        "select * from aud.inbox",
        "update aud.inbox set actor = 'staff:8'",
        "delete from aud.inbox",
        "truncate aud.inbox",
        "alter table aud.inbox disable trigger at_commit",
        "alter table aud.event disable trigger user",
        "set local session_replication_role = replica",
        "create table aud.other (id int)",
        "drop function aud.verify",
    ):
        with pytest.raises(ProgrammingError), transaction.atomic():
            sql(statement)
    sql("set local role audit_test_auditor")
    assert audit.verify(*chain) == []
    with pytest.raises(OperationalError), transaction.atomic():
        write()
    sql("reset role")


# --- tampering is found -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("statement", "offset", "why"),
    [
        ("update aud.event set actor = 'staff:8' where seq = {n} + 4", 4, "content"),
        ("update aud.event set at = at + interval '1 s' where seq = {n} + 4", 4, "content"),
        ("update aud.event set detail = '{{\"count\": 1}}' where seq = {n} + 1", 1, "content"),
        (
            "update aud.event set request_id = subject, subject = '' where seq = {n} + 2",
            2,
            "content",
        ),
        ("update aud.event set hash = sha256('x') where seq = {n} + 4", 4, "content"),
        ("update aud.event set prev_hash = sha256('x') where seq = {n} + 4", 4, "link"),
        ("delete from aud.event where seq = {n} + 4", 4, "gap"),
        ("delete from aud.event where seq = {n} + 1", 1, "gap"),
        ("delete from aud.event where seq > {n} + 7", 7, "tail"),
        ("delete from aud.event where seq > {n}", 0, "tail"),
        ("update aud.head set seq = seq - 1", 10, "tail"),
        ("update aud.head set hash = sha256('x')", 10, "tail"),
        (
            "insert into aud.event select seq + 1, at, actor, action, subject, purpose, request_id,"
            " detail, hash, hash from aud.event where seq = {n} + 10",
            11,
            "content",
        ),
    ],
)
def test_tampering_is_named_with_its_row(chain, tamper, statement, offset, why):
    tamper(statement.format(n=chain[0]))
    assert audit.verify(*chain) == [(chain[0] + offset, why)]
    with pytest.raises(CommandError, match=rf"event {chain[0] + offset}: {why}"):
        call_command("audit_verify", anchor=chain)


def test_two_rows_exchanged_are_found(chain, tamper):
    n = chain[0]
    for source, target in ((n + 3, n + 100), (n + 5, n + 3), (n + 100, n + 5)):
        tamper("update aud.event set seq = %s where seq = %s", [target, source])
    assert audit.verify(*chain) == [(n + 3, "link")]


def test_switching_all_triggers_off_does_not_help(chain):
    sql("set local session_replication_role = replica")
    sql("update aud.event set action = 'list' where seq = %s", [chain[0] + 6])
    sql("set local session_replication_role = origin")
    assert audit.verify(*chain) == [(chain[0] + 6, "content")]


def test_a_row_without_a_number_cannot_be_smuggled_in(chain, tamper):
    for seq in ("null", "0", "-1"):
        with pytest.raises(DatabaseError), transaction.atomic():
            tamper(
                "insert into aud.event (seq, actor, action, subject, prev_hash, hash)"
                f" values ({seq}, 'staff:7', 'read', 's', '', '')"
            )


def test_who_rewrites_the_whole_chain_is_found_by_an_anchor_kept_elsewhere(chain, tamper):
    anchor = audit.head()
    write_again = """
do $$ declare e aud.event; p bytea := %s; begin
  update aud.event set actor = 'staff:8' where seq = %s;
  for e in select * from aud.event where seq > %s order by seq loop
    update aud.event set prev_hash = p, hash = aud.row_digest(e, p) where seq = e.seq
      returning hash into p;
  end loop;
  update aud.head set hash = p;
end $$"""
    sql("alter table aud.event enable trigger user")
    write(2)
    sql("alter table aud.event disable trigger user")
    tamper(write_again, [chain[1], chain[0] + 4, chain[0]])
    assert audit.verify(*chain) == []  # without the anchor, the rewritten chain looks intact
    assert audit.verify(*anchor) == [(anchor[0] + 1, "link")]


def test_the_command_prints_the_anchor_for_next_time(chain, capsys):
    anchor = f"{chain[0]}:{chain[1].hex()}"
    seq, digest = audit.head()
    call_command("audit_verify", "--anchor", anchor)
    said = capsys.readouterr().out
    assert "10 events are whole" in said
    assert f"Anchor: {seq}:{digest.hex()}" in said
    call_command("audit_verify", "--anchor", f"{seq}:{digest.hex()}")
    # the event with which the first check was noted
    assert "1 events are whole" in capsys.readouterr().out
    for wrong in ("x", "1:zz", "1"[:0]):
        with pytest.raises(CommandError, match="--anchor"):
            call_command("audit_verify", "--anchor", wrong)


@pytest.mark.parametrize("anchored", [False, True])
@pytest.mark.parametrize("broken", [False, True])
def test_pages_show_what_the_last_check_found(chain, tamper, anchored, broken):
    if broken:
        tamper("delete from aud.event where seq = %s", [chain[0] + 3])
    end, _digest = audit.head()
    given = ["--anchor", f"{chain[0]}:{chain[1].hex()}"] if anchored else []
    with suppress(CommandError):
        call_command("audit_verify", *given)

    found = chain_state()
    if broken and anchored:  # it may be the anchor that is wrong
        assert found.checked_at is None
    else:
        assert (found.last, found.is_whole) == (end, not broken)
        assert bool(found.fault) is broken


def test_the_anchor_is_sent_to_where_this_database_cannot_write(
    chain, tamper, settings, mailoutbox
):
    settings.AUDIT_ANCHOR_TO = ["privacy@example.org", "lawyer@example.org"]
    since = f"{chain[0]}:{chain[1].hex()}"
    seq, digest = audit.head()
    call_command("audit_verify", "--anchor", since)
    tamper("delete from aud.event where seq = %s", [chain[0] + 3])
    with pytest.raises(CommandError):
        call_command("audit_verify", "--anchor", since)
    outbox.deliver_due()

    whole, broken = mailoutbox
    assert whole.to == broken.to == ["privacy@example.org", "lawyer@example.org"]
    assert whole.subject == "Audit trail: whole"
    assert f"Anchor: {seq}:{digest.hex()}" in whole.body
    assert broken.subject == "Audit trail: NOT whole"
    assert f"event {chain[0] + 3}: gap" in broken.body


def test_without_an_address_no_anchor_is_sent(chain):
    call_command("audit_verify", "--anchor", f"{chain[0]}:{chain[1].hex()}")
    assert not Message.objects.exists()


# --- transactions -------------------------------------------------------------------------------
@pytest.mark.django_db(transaction=True)
def test_a_rollback_leaves_neither_event_nor_gap():
    anchor = audit.head()
    for undone in (False, True, False, True):
        with transaction.atomic():
            write(3)
            transaction.set_rollback(undone)
    assert audit.head()[0] == anchor[0] + 6
    assert audit.verify(*anchor) == []


@pytest.mark.django_db(transaction=True)
def test_parallel_writers_make_one_whole_chain_whenever_it_is_verified():
    anchor = audit.head()
    done = threading.Event()

    def writer(name):
        try:
            for n in range(25):
                with transaction.atomic():
                    write(2, actor=f"staff:{name}")
                    time.sleep(0.001 * (n % 3))
                    transaction.set_rollback(n % 5 == 4)
        finally:
            connection.close()

    def verifier():
        try:
            faults = []
            while not done.is_set():
                faults += audit.verify(*anchor)
            return faults
        finally:
            connection.close()

    with ThreadPoolExecutor(9) as pool:
        verified = pool.submit(verifier)
        writers = [pool.submit(writer, name) for name in range(8)]
        try:
            for each in writers:
                each.result()
        finally:
            done.set()
    assert verified.result() == []
    assert audit.head()[0] == anchor[0] + 8 * 20 * 2
    assert audit.verify(*anchor) == []


@pytest.mark.django_db(transaction=True)
def test_emptying_the_tables_of_a_test_leaves_the_trail():
    with transaction.atomic():
        write(1)
    before = audit.head()
    call_command("flush", interactive=False, verbosity=0)
    assert audit.head() == before
    assert Event.objects.count() == before[0]

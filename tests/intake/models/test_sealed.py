"""A reader of the database without the keys learns no name, contact or answer."""

import contextlib

import pytest
from django.db import connection
from django.utils import timezone

from clinic.secrets.sealing import SealError
from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.domain.triage import Assessment
from intake.models.submissions import Decision, Draft, RuleCount, Submission
from intake.protocols import current
from intake.questionnaire import drafts
from tests import builders
from tests.intake.patient import TALKATIVE, Patient

pytestmark = pytest.mark.django_db

NAME = "Zebulon Qwertycanary"
HELPER = "Philippa Zxcvcanary"
WORDS = "zqcanary creeping in my calves"
MEDICINE = "zqcanary drops"
SECRETS = [
    "zebulon",
    "qwertycanary",
    "philippa",
    "zxcvcanary",
    "zqcanary",
    "2025550147",
    "555-0147",
    "canary@example.org",
    f"{timezone.localdate().year - 44}-01-01",
]
# texts that would reveal a rule, an option or a computed value
CODES = [
    "self_harm",
    "varicose",
    "restless",
    "d2_3",
    "rls_urge",
    "lr7_total",
    "swelling_one",
    "E02",
    "S01",
    "N0",
]


def dump(*leave_out: str) -> dict[str, str]:
    """Return the content of every table of all schemas as text; bytes become characters."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema not in ('pg_catalog', 'information_schema')"
        )
        tables = [f"{schema}.{name}" for schema, name in cursor.fetchall()]
        for table in sorted(set(tables) - set(leave_out)):
            cursor.execute(f"select * from {table}")
            parts = []
            for row in cursor.fetchall():
                for value in row:
                    parts.append(bytes(value).decode("latin-1") if _bytes(value) else str(value))
            cursor.execute(f"select t::text from {table} t")
            parts += [text for (text,) in cursor.fetchall()]
            found[table] = "\n".join(parts).lower()
    return found


def _bytes(value) -> bool:
    return isinstance(value, bytes | bytearray | memoryview)


def journey() -> Patient:
    patient = Patient(
        **{
            **TALKATIVE,
            "who": "caregiver",
            "name": NAME,
            "proxy_name": HELPER,
            "email": "qwerty.canary@example.org",
            "reason_text": WORDS,
            "meds_list": MEDICINE,
            "leg_new": ("swelling_one",),
            "clot_risk": ("none",),
        }
    )
    patient.start()
    patient.answer(em_now=("chest_or_breath",))
    patient.press("mistake")
    patient.walk_to("check")
    return patient


def test_no_table_holds_a_word_of_the_patient_before_or_after_sending():
    patient = journey()
    before = dump()
    patient.send()
    Patient(name=NAME, reason_text=WORDS).jump_to("check")
    stopped = Patient()
    stopped.start()
    stopped.answer(em_now=("chest_or_breath",))
    stopped.press("tell", {"phone": "202-555-0147", "name": NAME})
    submission = Submission.objects.get(kind="intake")
    decisions.decide(
        submission=submission,
        given=DecisionInput(submission.urgency, "call_today", "", WORDS),
        by=builders.member("clinician"),
        revision=0,
        request_id="r",
    )
    after = dump()
    assert len(after) > 20
    assert {"public.intake_draft", "public.intake_submission", "aud.event"} <= after.keys()
    for tables in (before, after):
        for table, text in tables.items():
            for secret in SECRETS:
                assert secret not in text, f"{table} holds {secret}"


def test_no_table_tells_which_rule_fired_for_whom():
    journey().send()
    open_tables = {"public.intake_protocoldocument", "public.intake_rulecount"}
    for table, text in dump(*open_tables).items():
        for code in CODES:
            assert code.lower() not in text.split(), f"{table} holds {code}"
            assert f'"{code.lower()}"' not in text, f"{table} holds {code}"


def test_what_is_sealed_can_be_read_again_with_the_keys():
    journey().send()
    submission = Submission.objects.get()
    assert submission.person["name"] == NAME
    assert submission.answers["reason_text"] == WORDS
    assert "S01" in [fired.id for fired in submission.result.fired]


@pytest.mark.parametrize("column", ["answers", "assessment", "person"])
def test_sealed_values_do_not_open_in_another_row(column):
    one, other = builders.submission(), builders.submission()
    with connection.cursor() as cursor:
        cursor.execute(
            f"update intake_submission a set {column} = b.{column} from intake_submission b"
            " where a.id = %s and b.id = %s",
            [one.pk, other.pk],
        )
    moved = Submission.objects.get(pk=one.pk)
    with pytest.raises(SealError):
        getattr(moved, column)


def test_sealed_values_do_not_open_in_another_column():
    submission = builders.submission()
    with connection.cursor() as cursor:
        cursor.execute("update intake_submission set person = answers")
    with pytest.raises(SealError):
        Submission.objects.get(pk=submission.pk).person  # noqa: B018


def test_a_draft_does_not_open_in_another_row():
    _one, key = builders.draft()
    other, _key = builders.draft()
    with connection.cursor() as cursor:
        cursor.execute(
            "update intake_draft a set content = b.content from intake_draft b where b.id = %s",
            [other.pk],
        )
    draft = drafts.find_draft(key)
    with pytest.raises(SealError):
        drafts.walk_of(draft)


def test_a_decision_does_not_open_in_another_row():
    clinician = builders.member("clinician")
    for _n in range(2):
        submission = builders.submission()
        decisions.decide(
            submission=submission,
            given=DecisionInput(submission.urgency, "book_routine", "", "note"),
            by=clinician,
            revision=0,
            request_id="r",
        )
    with connection.cursor() as cursor:
        cursor.execute(
            "update intake_decision set words = (select min(words) from intake_decision)"
        )
    opened = 0
    for decision in Decision.objects.all():
        with contextlib.suppress(SealError):
            opened += bool(decision.words)
    assert opened == 1


def test_the_key_in_the_cookie_is_nowhere_in_the_database():
    patient = Patient()
    patient.start()
    for table, text in dump().items():
        assert patient.key.lower() not in text, table


def test_a_key_read_from_the_database_opens_nothing():
    patient = Patient()
    patient.start()
    stored = bytes(Draft.objects.get().key_hash)
    assert drafts.find_draft(stored.hex()) is None
    assert drafts.find_draft(stored.decode("latin-1")) is None
    assert drafts.find_draft(patient.key) is not None


def test_counts_of_rules_name_no_submission():
    submission = builders.submission(drowsy_drive="drowsy")
    for row in RuleCount.objects.values():
        assert str(submission.pk) not in str(row)
        assert submission.reference not in str(row)


def test_a_submission_is_known_by_its_reference_alone():
    submission = builders.submission()
    assert str(submission) == submission.reference
    assert NAME not in repr(submission)
    assert "Sealed" not in str(submission.person)


def test_the_assessment_is_read_back_as_it_was_made():
    submission = builders.submission(drowsy_drive="drowsy")
    fresh = Submission.objects.get(pk=submission.pk)
    assert isinstance(fresh.result, Assessment)
    assert fresh.result.content_hash == current().content_hash

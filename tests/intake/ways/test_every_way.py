"""Each act × each combination of ways and consents ends where staff are told that it ends.

A letter that a provider accepted, a call on the call list, or 'no safe way'; unless the patient
knows of the act already, or no time is held for a patient who would not hear of it.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest
from django.core import mail
from django.db import transaction

from clinic.outgoing import outbox
from clinic.outgoing.sms import NumberRefused
from intake.models.appointments import Appointment, Offer
from intake.models.calls import CallTask
from intake.models.safe_contact import SafeContact
from intake.models.submissions import Submission
from intake.ways import calls, contact, contact_points, safe_contact, telling
from tests import builders
from tests.desk import page_of, words
from tests.examples import examples
from tests.faults.sink import Sink
from tests.intake.ways import acts
from tests.intake.ways.acts import ACTS, OF_STAFF, send_all

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("lee")]

# "refused": allowed and open, but the provider refuses the address for good when it is tried
STATES = ("yes", "no", "missing", "dead", "revoked", "refused")
COMBINATIONS = [
    dict(zip(("email", "sms", "call", "voicemail"), each, strict=True))
    for each in product(STATES, [s for s in STATES if s != "missing"], ("yes", "no"), ("yes", "no"))
]
SENT: list[str] = []  # the texts that the provider accepted
REFUSED: set[str] = set()  # the channels whose provider refuses everything
KNOWS = "No letter goes out: the patient knows."
GOES = {
    "email": "An e-mail goes out to the patient now.",
    "sms": "A text message goes out to the patient now.",
}
CALL = "Nobody has told the patient: call."
NO_WAY = "Nobody has told the patient, and there is no safe way: do not call."


def text_provider(*, to: str, text: str, key: str) -> None:
    if "sms" in REFUSED:
        raise NumberRefused
    SENT.append(text)


@pytest.fixture(autouse=True)
def providers(settings):
    """A mail server and a provider of texts, which refuse what the combination says."""
    settings.SMS_BACKEND = "tests.intake.ways.test_every_way.text_provider"
    settings.APPOINTMENT_WAITLIST_BATCH = 2
    with Sink() as server:
        server.mode = "550"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        settings.EMAIL_USE_TLS = False
        yield settings


@dataclass(frozen=True)
class Case:
    act: Callable[..., Any]
    ways: dict[str, str]

    @property
    def tried(self) -> list[str]:
        """The channels of letters that are allowed and open, in the patient's order."""
        return [way for way in ("email", "sms") if self.ways[way] in ("yes", "refused")]

    @property
    def accepted(self) -> str:
        """The channel whose provider accepts the letter, or ''."""
        return next((way for way in self.tried if self.ways[way] == "yes"), "")


def apply(row: Submission, ways: dict[str, str]) -> None:
    """Give the patient the ways and consents of a combination."""
    if ways["email"] == "missing":
        row = acts.reach(row, "phone alone")
    said = {
        way: "no" if state == "no" else "yes" for way, state in ways.items() if state != "missing"
    }
    newest = contact.newest_records([row]).get(row.pk)
    addresses = {"email": row.person.get("email", ""), "sms": row.person["callback_phone"]}
    safe_contact.record(
        submission=row,
        said=said,
        source=SafeContact.Source.PHONE,
        seen=safe_contact.version_of(newest),
        by=builders.member("front desk"),
    )
    for channel, address in addresses.items():
        point = {"channel": channel, "address": address, "actor": "system:test"}
        if ways[channel] == "dead":
            contact_points.mark_dead(**point, trouble="smtp 550")
        elif ways[channel] == "revoked":
            contact_points.revoke(**point)


def check(case: Case, settings) -> None:
    """Do the act for a patient with these ways. Fails if the end is not the right one."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    REFUSED.clear()
    row, do = case.act("e-mail")
    outbox.deliver_due()
    apply(row, case.ways)
    CallTask.objects.all().delete()
    mail.outbox.clear()
    SENT.clear()
    REFUSED.update(way for way, state in case.ways.items() if state == "refused")
    page = do()
    if "email" in REFUSED:
        settings.EMAIL_BACKEND = "clinic.outgoing.mail.SmtpBackend"
    send_all()

    letters = [one for one in mail.outbox if row.reference in one.body]
    texts = [one for one in SENT if row.reference in one]
    tasks = list(CallTask.objects.open().filter(submission=row))
    ending = ACTS[case.act][1]
    passes = ending in ("refused", "passed over") and not case.tried
    assert (bool(letters), bool(texts)) == (
        not passes and case.accepted == "email",
        not passes and case.accepted == "sms",
    )
    is_owed = not passes and not case.accepted and ending != "knows"
    assert [task.may_call for task in tasks] == [case.ways["call"] == "yes"] * is_owed
    if passes:
        assert not Offer.objects.filter(request__submission=row, state="open").exists()
        assert not Appointment.objects.taking().filter(status="held").exists()
    if case.act in OF_STAFF and not passes:
        owed = CALL if case.ways["call"] == "yes" else NO_WAY
        first = next(iter(case.tried), "")
        said = GOES[first] if first else KNOWS if ending == "knows" else owed
        shown = words(page)
        assert {each for each in (*GOES.values(), KNOWS, CALL, NO_WAY) if each in shown} == {said}
    if passes or (ending == "knows" and not case.accepted):
        return
    # afterwards the page of the patient says where it ended
    later = words(builders.staff_client("clinician").get(page_of(row)))
    untold = "Nobody has told the patient" in later
    ended = {
        "accepted": "accepted by the provider" in later,
        "call list": untold and "Call (202) 555-0147 by" in later,
        "no safe way": untold and "No safe way: do not call" in later,
    }
    end = "accepted" if case.accepted else "call list" if tasks[0].may_call else "no safe way"
    assert [each for each in ended if ended[each]] == [end]
    if case.ways["voicemail"] == "no" or case.ways["call"] == "no":
        assert "Left word" not in later


def within(case: Case, settings) -> None:
    """Check a case, and take back everything that it stored."""
    with transaction.atomic():
        check(case, settings)
        transaction.set_rollback(True)


# without the acts by which a submission begins: before them no way was allowed or refused
BEGINNING = ("patient_sends", "staff_enter_a_call_for_another")
TOLD = [act for act in ACTS if not act.__name__.startswith(BEGINNING)]


@pytest.mark.parametrize("act", TOLD, ids=lambda act: act.__name__)
def test_each_act_ends_accepted_on_the_call_list_or_without_a_safe_way(act, settings):
    drawn = random.Random(act.__name__)
    for ways in drawn.sample(COMBINATIONS, min(len(COMBINATIONS), examples(2))):
        within(Case(act, ways), settings)


# --- the table catches what drops a patient -------------------------------------------------------

UNREACHED = {"email": "no", "sms": "no", "call": "yes", "voicemail": "no"}
FORBIDDEN = UNREACHED | {"call": "no"}
LOST = {"email": "refused", "sms": "yes", "call": "yes", "voicemail": "yes"}
GONE = {"email": "dead", "sms": "refused", "call": "yes", "voicemail": "yes"}
CASES = [Case(acts.message, ways) for ways in (UNREACHED, FORBIDDEN, LOST, GONE)]
MUTANTS: dict[str, tuple[object, str, Any]] = {
    "no call is owed": (calls, "owe", lambda **given: None),
    "the record is not asked": (contact, "newest_records", lambda rows: {}),
    "closed addresses are not asked": (contact_points, "states_of", lambda addresses: {}),
    "no other way is tried": (telling, "_goes_by_next_way", lambda message, row: False),
    "the next way is promised and not taken": (
        telling, "_goes_by_next_way", lambda message, row: True
    ),
    "a letter is thought to reach everybody": (telling, "letter_reaches", lambda row: True),
    "everybody is thought to know": (
        telling, "_owe_unsent", lambda *given: None
    ),
}  # fmt: skip


def check_all(settings) -> None:
    for case in CASES:
        within(case, settings)


def test_the_cases_pass_without_a_mutant(settings):
    check_all(settings)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_that_drops_a_patient_is_caught(name, settings, monkeypatch):
    module, function, mutant = MUTANTS[name]
    monkeypatch.setattr(module, function, mutant)
    if name == "a letter is thought to reach everybody":
        # the composer finds no way, and then no call is owed either
        monkeypatch.setattr(telling, "_owe_unsent", lambda *given: None)
    with pytest.raises((AssertionError, IndexError)):
        check_all(settings)

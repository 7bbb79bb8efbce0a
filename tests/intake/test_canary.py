"""A patient types a secret word into every field. The word is found only where it belongs."""

import json
import re

import pytest
from django.core import mail
from django.db import connection
from django_tasks_db.models import DBTaskResult

from clinic.models import Message, StaffSession
from clinic.outgoing import outbox
from clinic.people.sessions import SessionStore
from intake.models.submissions import Draft, Submission
from tests import builders
from tests.intake.patient import Patient

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("roomy")]
CANARY = "Zyxwcanary"
MAILBOX = f"{CANARY}@example.org"
SAYS = {
    "name": f"{CANARY} Patient",
    "proxy_name": f"{CANARY} Helper",
    "who": "caregiver",
    "email": MAILBOX,
    "reason_text": f"{CANARY} hurts.",
    "meds_classes": ("tca_mirtazapine",),
    "meds_list": f"{CANARY} 5 mg",
}


def test_a_patients_words_are_found_where_they_belong_and_nowhere_else(written_log):
    # the patient types a wrong age, saves and comes back, sends, opens the own page, writes a
    # message, sends an addition and withdraws
    patient = Patient(**SAYS)
    patient.start()
    patient.walk_to("about")
    patient.answer(age_years=f"{CANARY}")
    patient.walk_to("reason")
    patient.press("save", patient.filled())
    patient.post("/intake/save/", {"address": MAILBOX})
    number = Draft.objects.get().reference
    enter(patient, number, "/intake/resume/")
    patient.walk_to("check")
    assert CANARY in patient.page.text
    patient.send()
    submission = Submission.objects.get()
    enter(patient, submission.reference, "/my/")
    patient.post("/my/reply/", {"text": f"{CANARY} again; I cannot breathe"})
    patient.get("/my/")
    patient.post("/my/add/", {})
    patient.walk_to("check")
    patient.send()
    clinician = builders.staff_client()
    staff_addresses = ["", f"{submission.pk}/change/"]
    for typed in (CANARY, "(202) 555-0147", submission.person["birth_date"], MAILBOX):
        found = clinician.post("/admin/intake/submission/", {"q": typed}, follow=True)
        assert submission.reference in found.text
        staff_addresses += [url for url, _status in found.redirect_chain]
        staff_addresses += re.findall(r'(?:href|action)="([^"]*)"', found.text)
    for url in staff_addresses[:2]:
        assert clinician.get(f"/admin/intake/submission/{url}").status_code == 200
    clinician.post(
        f"/admin/intake/submission/{submission.pk}/message/",
        {"message": "we_tried", "revision": Submission.objects.get(pk=submission.pk).revision},
    )
    patient.post("/my/withdraw/", {})
    outbox.deliver_due()

    places = {
        "log": written_log.getvalue(),
        "addresses": " ".join(url for _method, url, _response in patient.requests),
        "staff's addresses": " ".join(url for url in staff_addresses if "tel:" not in url),
        "titles": " ".join(
            re.search("<title>(.*?)</title>", page.html, re.S)[1] for page in patient.seen
        ),
        "mails": " ".join(f"{letter.subject} {letter.body}" for letter in mail.outbox),
        "tasks": json.dumps(list(DBTaskResult.objects.values_list("args_kwargs")), default=str),
        "sessions": " ".join(
            str(SessionStore().decode(row.session_data)) for row in StaffSession.objects.all()
        ),
        "outbox": " ".join(map(str, Message.objects.values_list("kind", "occasion", "error"))),
        "database": whole_database(),
    }
    assert len(mail.outbox) >= 6
    assert all(places.values())
    person = submission.person
    # the phone number and the birth date cannot contain the word, so look for their values
    told = (CANARY, person["callback_phone"].removeprefix("+"), "(202) 555-0147", "555-0147")
    for place, text in places.items():
        for word in (*told, person["birth_date"]):
            assert word.casefold() not in text.casefold(), (place, word)


def enter(patient: Patient, number: str, way: str) -> None:
    patient.post(way, {"reference": number, "address": MAILBOX})
    code = Message.objects.filter(kind="code", state="waiting").get().payload["code"]
    outbox.deliver_due()
    patient.post("/my/code/", {"code": code})


def whole_database() -> str:
    """Return every row of every table, as in a dump."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "select quote_ident(schemaname) || '.' || quote_ident(tablename) from pg_tables"
            " where schemaname in ('public', 'aud')"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f"select t::text from {table} t")
            found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)

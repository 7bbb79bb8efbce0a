"""A new key is put first in the key ring, all values are sealed again, and the old key can go."""

import json

import pytest
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.mfa.utils import decrypt
from django.core.management import CommandError, call_command
from django.db import connection

from clinic.people import resealing
from clinic.secrets import sealing
from intake.desk import decisions
from intake.desk.decisions import DecisionInput
from intake.models.submissions import Draft, Submission
from tests import builders
from tests.desk import Trail

pytestmark = pytest.mark.django_db
SECRET = "JBSWY3DPEHPK3PXP"


@pytest.fixture
def ring(tmp_path, settings):
    """Return a function that writes a key ring with the given keys. The first key seals."""
    settings.FIELD_KEYS_FILE = tmp_path / "keys.json"

    def write(*texts: str) -> None:
        settings.FIELD_KEYS_FILE.unlink(missing_ok=True)
        keys = [key for text in texts for key in json.loads(text)["keys"]]
        sealing.write_key_file(settings.FIELD_KEYS_FILE, json.dumps({"keys": keys}))

    return write


@pytest.fixture
def old(ring) -> str:
    """The key that has sealed all stored values."""
    text = sealing.new_field_keys()
    ring(text)
    submission, clinician = builders.submission(), builders.member("clinician")
    decisions.decide(
        submission=submission,
        given=DecisionInput(urgency=submission.urgency, outcome="book_soon", reason="", note="n"),
        by=clinician,
        revision=submission.revision,
        request_id="",
    )
    builders.draft()
    TOTP.activate(clinician, SECRET)
    RecoveryCodes.activate(clinician)
    return text


def everything_opens() -> None:
    row = Submission.objects.get()
    assert row.person["name"] == "Quentin Canary"
    assert row.answers
    assert row.result.urgency
    assert row.decisions.get().words["note"] == "n"
    assert all(draft.content is not None for draft in Draft.objects.all())
    totp, codes = Authenticator.objects.order_by("-type")
    assert decrypt(totp.data["secret"]) == SECRET
    assert len(codes.wrap().get_unused_codes()) == 10


def test_after_resealing_the_old_key_can_go(ring, old, capsys):
    trail, new = Trail(), sealing.new_field_keys()
    ring(new, old)
    with pytest.raises(CommandError, match="older key"):
        call_command("reseal", "--check")
    everything_opens()

    call_command("reseal")

    assert "Nothing is sealed with an older key" in capsys.readouterr().out
    [event] = trail.events(actor="system:reseal")
    assert event.detail["count"] >= 8
    ring(new)
    everything_opens()
    call_command("reseal", "--check")
    call_command("reseal")
    assert "0 values are sealed anew" in capsys.readouterr().out


def test_a_value_that_does_not_open_stops_it_and_stays_as_it_is(ring, old):
    new = sealing.new_field_keys()
    ring(new)
    with connection.cursor() as cursor:
        cursor.execute("select person from intake_submission")
        before = cursor.fetchall()
        with pytest.raises(sealing.SealError):
            call_command("reseal")
        cursor.execute("select person from intake_submission")
        assert cursor.fetchall() == before
    ring(new, old)
    everything_opens()


def test_what_is_stored_meanwhile_is_not_overwritten(ring, old, monkeypatch):
    ring(sealing.new_field_keys(), old)
    reseal = sealing.reseal

    def slow(value, place):
        sealed = reseal(value, place)
        if place.startswith("intake_submission|person"):
            row = Submission.objects.get()
            row.person = {"name": "Somebody newer"}
            row.save(update_fields=["person"])
        return sealed

    monkeypatch.setattr(sealing, "reseal", slow)
    resealing.reseal_all()

    assert Submission.objects.get().person == {"name": "Somebody newer"}
    assert resealing.count_old() == 0

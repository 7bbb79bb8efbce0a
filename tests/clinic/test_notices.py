"""The notices of language help and nondiscrimination, and the settings that production requires."""

import re
from pathlib import Path

import pytest

from clinic import notices
from clinic.checks import civil_rights
from clinic.outgoing import outbox
from tests.intake.patient import Patient

CONTACT = "Coordinator for civil rights, 1 Example Street, +1 202-555-0123, rights@example.org"
ONE = """\
state: NY
languages:
- code: yi
  name: Yiddish
  own: ייִדיש
  right_to_left: true
  text: 'רופט {phone}.'
  reviewed_by: A. Reader
"""


@pytest.fixture
def production(settings) -> None:
    """Set up a clinic that offers Spanish, with all settings that the notices need."""
    settings.DEMO = False
    settings.LANGUAGES = [("en", "English"), ("es", "Spanish")]
    settings.INTERPRETER_PHONE = "+1 202-555-0199"
    settings.CIVIL_RIGHTS_CONTACT = CONTACT
    settings.PRIVACY_PRACTICES = "/about/privacy-practices/"


def page(client, path: str) -> str:
    return client.get(path).content.decode()


# --- language help (45 CFR 92.11) -----------------------------------------------------------------


def test_the_shipped_file_has_fifteen_languages_and_invents_no_reader_and_no_state(settings):
    found = notices.read(settings.LANGUAGE_NOTICES)
    assert len(found.spoken) == notices.LANGUAGES_ASKED
    assert found.drafts == list(found.languages)
    assert found.state is None


@pytest.mark.usefixtures("fresh_pages")
def test_the_page_has_each_language_with_the_number_and_calls_a_draft_a_draft(client, settings):
    settings.INTERPRETER_PHONE = "+1 202-555-0199"
    found = notices.read(settings.LANGUAGE_NOTICES).languages
    for path in ("/language-help/", "/es/language-help/"):
        shown = page(client, path)
        cards = re.findall(r'<p lang="([\w-]+)" dir="(\w+)">(.*?)</p>', shown)
        assert cards[0][0] == "es"
        assert {code for code, _dir, _text in cards} == {notice.code for notice in found}
        assert {code for code, dir, _text in cards if dir == "rtl"} == {"ar", "fa"}
        assert all('href="tel:+12025550199"' in text for _code, _dir, text in cards)
        assert all("{phone}" not in text for _code, _dir, text in cards)
        draft = "Draft: no reader" if path[1] == "l" else "Borrador: todavía nadie"
        assert shown.count(draft) == len(found)


@pytest.mark.usefixtures("fresh_pages")
def test_a_clinic_has_a_file_of_its_own(client, settings, tmp_path):
    settings.LANGUAGE_NOTICES = tmp_path / "notices.yaml"
    settings.LANGUAGE_NOTICES.write_text(ONE, encoding="utf-8")
    shown = page(client, "/language-help/")
    assert '<p lang="yi" dir="rtl">' in shown
    assert "Draft: no reader" not in shown


@pytest.mark.usefixtures("fresh_pages")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("languages: [", "notices.yaml: "),
        (ONE.replace("{phone}", ""), "the text of Yiddish must contain {phone} once"),
        (ONE.replace("- code: yi\n ", "-"), "`code`"),
        (None, "No such file"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_and_no_broken_page(
    client, settings, tmp_path, text, said
):
    settings.LANGUAGE_NOTICES = tmp_path / "notices.yaml"
    if text is not None:
        settings.LANGUAGE_NOTICES.write_text(text, encoding="utf-8")
    (message,) = civil_rights()
    assert message.id == "clinic.E008"
    assert said in message.msg
    assert client.get("/language-help/").status_code == 200


# --- nondiscrimination (45 CFR 92.10) -------------------------------------------------------------


@pytest.mark.usefixtures("fresh_pages")
@pytest.mark.parametrize(
    ("contact", "said"),
    [
        (CONTACT, f'<p class="card">{CONTACT}</p>'),
        ("none", "Tell us, in person or by telephone."),
        ("", "Here the clinic names its coordinator"),
    ],
)
def test_the_notice_names_the_contact_and_the_office_for_civil_rights(
    client, settings, contact, said
):
    settings.CIVIL_RIGHTS_CONTACT = contact
    shown = page(client, "/nondiscrimination/")
    assert said in shown
    for ground in (
        "race",
        "color",
        "national origin",
        "limited English",
        "age",
        "disability",
        "sex",
    ):
        assert ground in shown
    for way in ("Office for Civil Rights", "ocrportal.hhs.gov", "1-800-368-1019", "Room 509F"):
        assert way in shown
    assert 'href="/language-help/"' in shown
    assert "http://127.0.0.1:8000/nondiscrimination/" in shown


# --- where the notices stand (45 CFR 92.11(c)(5)) -------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/privacy/", "/nondiscrimination/", "/language-help/"])
@pytest.mark.parametrize("prefix", ["", "/es"])
def test_every_public_page_leads_to_both_notices(client, prefix, path):
    shown = page(client, prefix + path)
    footer = shown[shown.index("<footer>") :]
    assert f'href="{prefix}/language-help/"' in footer
    assert f'href="{prefix}/nondiscrimination/"' in footer
    if path in ("/privacy/", "/nondiscrimination/"):
        assert f'href="{prefix}/language-help/"' in shown[: shown.index("<footer>")]


@pytest.mark.django_db
@pytest.mark.parametrize("prefix", ["", "/es"])
def test_the_forms_and_the_mails_that_follow_lead_to_the_notice(mailoutbox, prefix):
    patient = Patient()
    patient.whole_journey(f"{prefix}/intake/")
    for seen in patient.seen:
        assert f'href="{prefix}/language-help/"' in seen.html, seen.url
    first = patient.seen[0]  # the page before the questions has it in its text, not below alone
    assert first.html.count(f'href="{prefix}/language-help/"') == 2, first.url
    outbox.deliver_due()
    (letter,) = [m for m in mailoutbox if m.to == ["quentin.canary@example.org"]]
    assert f"http://127.0.0.1:8000{prefix}/language-help/" in letter.body


def test_every_mail_to_a_patient_has_the_notice(settings):
    of_staff = {"alarms", "alert", "escalation", "given_back", "reviews_due", "text_alarms"}
    of_staff |= {"_language_help", "handed", "taken_over"}
    for path in Path(settings.BASE_DIR, "templates/email").glob("*.txt"):
        if path.stem not in of_staff and not path.stem.endswith("_sms"):
            assert "email/_language_help.txt" in path.read_text(), path.name


# --- what production asks for ---------------------------------------------------------------------


def found(*, with_warnings: bool = False) -> list[str]:
    messages = civil_rights()
    assert all(message.hint for message in messages)
    return [m.id for m in messages if with_warnings or not m.id.startswith("clinic.W")]


def test_a_demonstration_needs_none_of_it(settings):
    settings.INTERPRETER_PHONE = settings.CLINIC_PHONE
    assert found(with_warnings=True) == []


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, []),
        ({"INTERPRETER_PHONE": "+1 202-555-0123"}, ["clinic.E005"]),
        ({"INTERPRETER_PHONE": "+1 202-555-0123", "LANGUAGES": [("en", "English")]}, []),
        ({"CIVIL_RIGHTS_CONTACT": ""}, ["clinic.E006"]),
        ({"CIVIL_RIGHTS_CONTACT": "none"}, []),
    ],
)
def test_production_asks_for_an_interpreter_day_and_night_and_for_a_contact(
    settings, changed, expected
):
    settings.CLINIC_PHONE = "+1 202-555-0123"
    for name, value in changed.items():
        setattr(settings, name, value)
    assert found() == expected


@pytest.mark.usefixtures("production")
def test_production_is_warned_of_languages_that_are_not_those_of_the_state(settings, tmp_path):
    (warning,) = civil_rights()
    assert warning.id == "clinic.W007"
    assert "names no state" in warning.msg
    assert "drafts that no reader has compared: Spanish;" in warning.msg
    settings.LANGUAGE_NOTICES = tmp_path / "notices.yaml"
    settings.LANGUAGE_NOTICES.write_text(ONE, encoding="utf-8")
    (warning,) = civil_rights()
    assert "has 1 of 15 languages" in warning.msg
    assert "names no state" not in warning.msg
    assert "drafts" not in warning.msg


@pytest.mark.usefixtures("production")
def test_production_is_warned_when_nothing_leads_to_the_privacy_practices(settings):
    assert "clinic.W009" not in found(with_warnings=True)
    settings.PRIVACY_PRACTICES = ""
    assert "clinic.W009" in found(with_warnings=True)

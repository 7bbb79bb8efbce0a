"""A clinic serves two protocols: patients choose one of them, and see nothing of the other."""

import json
import re
import shutil
from collections import Counter
from datetime import date
from typing import Any

import msgspec
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.urls import reverse

from clinic.models import Message
from intake import checks, documents, protocols
from intake.appointments import free_times
from intake.domain.minutes import minutes
from intake.domain.problems import problems
from intake.domain.stored import PHONE
from intake.domain.uses import OWN_ADDRESSES
from intake.management.commands import demo
from intake.models.submissions import Draft, Kind, ProtocolDocument, Submission
from intake.my_page import replies
from intake.questionnaire import drafts, part_2
from intake.urls import urlpatterns
from tests import builders
from tests.builders import ORDINARY
from tests.desk import WORKLIST, find, page_of, words
from tests.intake import second
from tests.intake.patient import CONTACT, Patient, born

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("protocols_folder", "roomy")]

BOTH = pytest.mark.parametrize("name", ["legs", second.NAME])
SPEAKS = {"legs": {**ORDINARY, **CONTACT}, second.NAME: second.SAYS}
EMERGENCY = {"legs": {"em_now": "chest_or_breath"}, second.NAME: {"stop_first": "spreading"}}
PROXY = {"legs": {"who": "caregiver"}, second.NAME: second.PROXY}
OTHER = {"legs": second.NAME, second.NAME: "legs"}


def patient_of(name: str, **says: Any) -> Patient:
    """Return a patient who answers the questions of this protocol."""
    return Patient(**{**SPEAKS[name], **born(44), **says})


def advice_of(name: str) -> str:
    """Return the first sentence of the advice for the emergency answers in `EMERGENCY`."""
    rule = "E02" if name == "legs" else "E1"
    return protocols.load(name).rule(rule).advice.partition(".")[0]


def url(name: str, step: str) -> str:
    return f"/intake/{name}/p/{step}/"


class Down:
    def __call__(self, *args: Any) -> None:
        raise OperationalError("server closed the connection unexpectedly")


# --- the choice ----------------------------------------------------------------------------------


def test_the_second_protocol_of_the_tests_is_whole():
    assert problems(protocols.load(second.NAME)) == []
    assert [m.msg for m in checks.protocol_problems() if "skin" in m.msg] == []


def test_the_start_offers_both_and_each_begins_its_own():
    patient = patient_of(second.NAME)
    page = patient.get("/intake/")
    assert "Skin and sores" in page.text
    takes = minutes(protocols.load(second.NAME))
    assert f"For people with a rash or a sore on a leg. About {takes} minutes." in page.text
    assert [page.links_to(f"/intake/{name}/") for name in ("legs", second.NAME)] == [True, True]
    patient.start(f"/intake/{second.NAME}/")
    assert patient.page.path == url(second.NAME, "safety")


def test_the_choice_speaks_the_language_of_the_page():
    assert "Piel y llagas" in Patient().get("/es/intake/").text


def test_with_one_served_protocol_the_start_is_its_start_page(protocols_folder):
    second.serve(protocols_folder, "legs")
    patient = Patient()
    assert "mine" in patient.get("/intake/").form.buttons
    first, named = (
        re.sub(r' value="\w{64}"|/intake/(legs/)?', "", patient.get(start).html)
        for start in ("/intake/", "/intake/legs/")
    )
    assert first == named


@pytest.mark.parametrize("name", ["nonsense", "shared"])
def test_an_unknown_protocol_is_not_found(name):
    assert Patient().get(f"/intake/{name}/").status == 404


def test_who_has_begun_one_is_asked_before_the_other_begins():
    patient = patient_of("legs")
    patient.start("/intake/legs/")
    patient.get(f"/intake/{second.NAME}/")
    patient.post(f"/intake/{second.NAME}/", {"device": "mine"})
    assert "You already started answering" in patient.page.text
    assert Draft.objects.count() == 1
    assert patient.post(f"/intake/{second.NAME}/", {"go": "continue"}).path == url("legs", "safety")
    patient.walk_to("about")
    asked = patient.post(f"/intake/{second.NAME}/", {"go": "new", "device": "mine"})
    new = patient.post(f"/intake/{second.NAME}/", asked.forms[1].values)
    assert new.path == url(second.NAME, "safety")


def test_the_choice_leads_back_to_what_was_begun():
    patient = patient_of(second.NAME)
    patient.start(f"/intake/{second.NAME}/")
    page = patient.get("/intake/")
    assert "You already started answering" in page.text
    assert patient.press("continue").path == url(second.NAME, "safety")


# --- the walks -----------------------------------------------------------------------------------


@BOTH
def test_each_is_walked_to_its_receipt(name):
    patient = patient_of(name)
    page = patient.whole_journey(f"/intake/{name}/")
    assert page.path == "/intake/sent/"
    submission = Submission.objects.get()
    assert documents.protocol_of(submission.protocol_id).name == name
    assert submission.person[PHONE] == "+12025550147"


@BOTH
def test_each_is_walked_in_spanish(name):
    patient = patient_of(name)
    page = patient.whole_journey(f"/es/intake/{name}/")
    assert page.path == "/es/intake/sent/"
    assert Submission.objects.get().translation is not None
    asked = documents.wording(protocols.load(name).content_hash, "es").protocol.pages[0]
    assert any(asked.questions[0].text in seen.html for seen in patient.seen)


@BOTH
def test_each_knows_its_proxy(name):
    patient = patient_of(name, **PROXY[name])
    patient.whole_journey(f"/intake/{name}/")
    (submission,) = Submission.objects.all()
    assert submission.person["proxy_name"] == "Petra Canary"
    read = words(builders.staff_client("clinician").get(page_of(submission)))
    assert "filled in by another person" in read


@BOTH
def test_each_stops_at_its_own_emergency(name):
    patient = patient_of(name)
    patient.start(f"/intake/{name}/")
    page = patient.answer(**EMERGENCY[name])
    assert page.path == "/intake/emergency/"
    assert advice_of(name) in page.text


@BOTH
def test_an_emergency_needs_no_database_and_no_draft(name):
    with connection.execute_wrapper(Down()):
        page = Patient().post(url(name, "safety"), EMERGENCY[name])
    assert page.status == 200
    assert advice_of(name) in page.text


@BOTH
def test_blank_pages_of_one_name_are_those_of_their_protocol(name):
    for each in (OTHER[name], name):
        patient = patient_of(each)
        patient.start(f"/intake/{each}/")
        patient.walk_to("about")
        asked = protocols.load(each).page("about").questions[0].text
        assert asked in patient.page.text


# --- an old address ------------------------------------------------------------------------------


def test_an_old_address_is_judged_by_the_protocol_that_is_served_first():
    with connection.execute_wrapper(Down()):
        page = Patient().post("/intake/p/safety/", EMERGENCY["legs"])
        assert advice_of("legs") in page.text
        response = Patient().client.post("/intake/p/safety/", EMERGENCY[second.NAME])
    assert advice_of(second.NAME) not in response.content.decode()


def test_an_old_address_leads_on_to_the_page_of_the_draft():
    patient = patient_of("legs")
    patient.start("/intake/legs/")
    patient.walk_to("about")
    assert patient.get("/intake/p/about/").path == url("legs", "about")
    assert patient.get("/intake/p/about/?change=1").url == url("legs", "about") + "?change=1"
    page = patient.post("/intake/p/about/", patient.filled())
    assert page.path == url("legs", "reason")
    assert patient.get("/intake/p/nonsense/").status == 404


def test_an_old_address_saves_nothing_into_the_draft_of_another_protocol():
    patient = patient_of(second.NAME)
    patient.start(f"/intake/{second.NAME}/")
    before = patient.draft.content
    assert patient.post("/intake/p/safety/", {"em_now": "none"}).status == 409
    assert patient.draft.content == before
    assert patient.get("/intake/p/safety/").path == url(second.NAME, "safety")


# --- a page of the other protocol ----------------------------------------------------------------


@BOTH
def test_a_page_of_the_other_protocol_is_shown_and_not_saved(name):
    patient = patient_of(name)
    patient.start(f"/intake/{name}/")
    patient.walk_to("about")
    before, other = patient.draft.content, patient_of(OTHER[name])
    typed = {k: v for k, v in other.says.items() if k in ("who", "filler", "age_years", "years")}
    page = patient.post(url(OTHER[name], "about"), typed)
    assert page.status == 409
    assert "You already started other questions" in page.text
    assert "44" in page.text
    assert patient.draft.content == before
    assert patient.get(page.link("Continue with my answers")).path == url(name, "about")
    assert patient.get(url(OTHER[name], "about")).path == url(name, "about")


@BOTH
def test_an_emergency_on_a_page_of_the_other_protocol_shows_its_advice_and_is_not_mixed(name):
    patient = patient_of(name)
    patient.start(f"/intake/{name}/")
    before = patient.draft.content
    page = patient.post(url(OTHER[name], "safety"), EMERGENCY[OTHER[name]])
    assert advice_of(OTHER[name]) in page.text
    assert patient.draft.content == before


def test_a_page_of_an_unknown_protocol_is_not_found():
    patient = patient_of("legs")
    patient.start("/intake/legs/")
    assert patient.get("/intake/nonsense/p/about/").status == 404
    assert patient.post("/intake/nonsense/p/about/", {}).status == 404


# --- a protocol that is no longer served ---------------------------------------------------------


@pytest.mark.parametrize("is_gone", [False, True])
def test_a_draft_of_a_protocol_that_is_no_longer_served_goes_on_to_its_end(
    protocols_folder, is_gone
):
    patient = patient_of(second.NAME)
    patient.start(f"/intake/{second.NAME}/")
    if is_gone:
        shutil.rmtree(protocols_folder / second.NAME)
    second.serve(protocols_folder, "legs")
    stopped = patient.answer(**EMERGENCY[second.NAME])
    assert second.ADVICE in stopped.text
    patient.press("mistake")
    patient.walk_to("check")
    assert patient.send().path == "/intake/sent/"
    submission = Submission.objects.get()
    assert documents.protocol_of(submission.protocol_id).name == second.NAME
    read = words(builders.staff_client("clinician").get(page_of(submission)))
    assert "It itches." in read


def test_nobody_begins_a_protocol_that_is_no_longer_served(protocols_folder):
    patient = patient_of(second.NAME)
    patient.start(f"/intake/{second.NAME}/")
    second.serve(protocols_folder, "legs")
    assert patient.get(f"/intake/{second.NAME}/").path == "/intake/"
    onward = patient.post(f"/intake/{second.NAME}/", {"go": "continue"})
    assert onward.path == url(second.NAME, "safety")
    patient.post(f"/intake/{second.NAME}/", {"go": "new", "device": "mine"})
    assert patient.page.path == "/intake/"
    assert Draft.objects.count() == 1


# --- after sending -------------------------------------------------------------------------------


def sent(name: str) -> Submission:
    patient_of(name).whole_journey(f"/intake/{name}/")
    return Submission.objects.latest("submitted_at")


def test_words_of_alarm_are_judged_by_the_protocol_of_the_submission():
    skin, legs = sent(second.NAME), sent("legs")
    assert replies.reply(submission=legs, text="It turned green.") is None
    rule = replies.reply(submission=skin, text="It turned green.")
    assert rule is not None
    assert rule.id == "D1"
    assert replies.reply(submission=skin, text="I have chest pain.") is None


@BOTH
def test_an_addition_asks_what_its_own_protocol_asks(name):
    draft, _key = replies.begin_addition(submission=sent(name), language="en")
    walk = drafts.walk_of(draft)
    assert walk.protocol.name == name
    asked = {question.id for page in walk.pages for question in page.questions}
    assert protocols.load(name).uses.safety in asked
    assert asked <= set(protocols.load(name).uses.walks.addition)


def test_words_of_alarm_in_part_2_are_read_the_same_day():
    first = sent(second.NAME)
    patient = patient_of(second.NAME)
    _draft, key = part_2.begin(submission=first, language="en")
    patient.client.cookies[settings.DRAFT_COOKIE_NAME] = key
    patient.get(f"/intake/{second.NAME}/p/safety/")
    patient.says["creams"] = "It turned green."
    patient.walk_to("check")
    patient.send()
    row = Submission.objects.get(kind=Kind.PART_2)
    assert [fired.id for fired in row.result.fired] == ["D1"]
    assert (row.status, row.escalate_at is None) == ("new", False)
    assert Message.objects.filter(kind="alert", occasion=str(row.pk)).exists()
    assert second.RULES["rules"][1]["advice"] in patient.page.text


# --- signatures ----------------------------------------------------------------------------------


def signature(content_hash: str) -> dict[str, Any]:
    return {
        "approved_by": "A fictitious reviewer",
        "approved_on": date(2000, 1, 1),
        "content_hash": content_hash,
    }


def test_a_draft_keeps_its_approval_when_the_protocol_is_updated(protocols_folder):
    second.write(protocols_folder, signature(second.protocol().content_hash))
    second.serve(protocols_folder, "legs", second.NAME)
    patient = patient_of(second.NAME)
    assert "not yet approved" not in patient.start(f"/intake/{second.NAME}/").text
    second.write(protocols_folder, version="1.1.0")
    second.serve(protocols_folder, "legs", second.NAME)
    assert "not yet approved" not in patient.answer().text
    assert "not yet approved" in Patient().get(f"/intake/{second.NAME}/").text


def test_a_document_stored_before_it_was_signed_gets_its_approval(protocols_folder):
    skin = protocols.load(second.NAME)
    documents.store_protocol(skin)
    assert ProtocolDocument.objects.get(pk=skin.content_hash).approval is None
    second.write(protocols_folder, signature(skin.content_hash))
    second.start_anew()
    documents.store_protocol(protocols.load(second.NAME))
    assert (
        ProtocolDocument.objects.get(pk=skin.content_hash).approval["approved_on"] == "2000-01-01"
    )
    # a server of the previous release stores the protocol again, without reading signatures
    documents.store_protocol(skin)
    assert ProtocolDocument.objects.get(pk=skin.content_hash).approval is not None


def test_a_signature_may_lie_outside_of_the_program(settings, tmp_path):
    settings.PROTOCOL_APPROVALS = str(tmp_path)
    content_hash = protocols.load(second.NAME).content_hash
    text = f"approved_by: A reviewer\napproved_on: 2000-01-01\ncontent_hash: {content_hash}\n"
    (tmp_path / "skin.yaml").write_text(text)
    second.start_anew()
    assert protocols.load(second.NAME).approved
    assert not protocols.load("legs").approved


def test_only_what_is_served_must_be_signed_and_whole(settings, protocols_folder):
    settings.DEMO = False
    unsigned = {m.id for m in checks.protocol_problems() if "skin" in m.msg}
    assert checks.UNSIGNED in unsigned
    second.serve(protocols_folder, "legs")
    assert not [m for m in checks.protocol_problems() if "skin" in m.msg]
    (protocols_folder / second.NAME / "rules.yaml").write_text("levels: [")
    second.start_anew()
    (message,) = [m for m in checks.protocol_problems() if "skin" in m.msg]
    assert not message.is_serious()
    assert protocols.named(second.NAME) is None
    assert Patient().get("/intake/").status == 200


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- legs\n- nonsense\n", "There is no protocol “nonsense”"),
        ("- legs\n- legs\n", "“legs” stands twice"),
        ("[]\n", "Name at least one"),
        ("legs: yes\n", "takes a list, not keys with values"),
        ("- [", "served.yaml"),
    ],
)
def test_a_slip_in_the_list_of_the_served_is_one_sentence(protocols_folder, text, told):
    (protocols_folder / "served.yaml").write_text(text)
    second.start_anew()
    (message,) = checks.protocol_problems()
    assert message.id == checks.SERVES_NOTHING
    assert told in message.msg


def test_a_protocol_to_choose_needs_a_title_and_says_for_whom_it_is(protocols_folder):
    second.write(protocols_folder, audience=None)
    second.serve(protocols_folder, "legs", second.NAME)
    assert checks.NO_TITLE in {m.id for m in checks.protocol_problems() if "skin" in m.msg}


@pytest.mark.parametrize(
    ("english", "spanish", "told"),
    [
        ("Restless legs and leg trouble", "Piel", "“Restless legs and leg trouble” (en)"),
        (" restless LEGS and leg trouble", "Piel", "(en)"),
        ("Skin", "Piernas inquietas y otras molestias de las piernas", "(es)"),
        ("Skin", "Piel", ""),
    ],
)
def test_two_served_protocols_with_one_title_are_refused(
    monkeypatch, protocols_folder, english, spanish, told
):
    monkeypatch.setattr(second, "SPANISH", {**second.SPANISH, "title": spanish})
    second.write(protocols_folder, title=english)
    second.serve(protocols_folder, "legs", second.NAME)
    found = [m.msg for m in checks.protocol_problems() if m.id == checks.SAME_TITLE]
    assert len(found) == (1 if told else 0)
    assert all(m.startswith("Protocols “legs” and “skin” both have the title") for m in found)
    assert all(told in m for m in found)
    second.serve(protocols_folder, "legs")
    assert checks.SAME_TITLE not in {m.id for m in checks.protocol_problems()}


# --- names ---------------------------------------------------------------------------------------


def test_every_own_address_is_refused_as_the_name_of_a_protocol():
    own = {
        str(p.pattern).split("/")[1] for p in urlpatterns if str(p.pattern).startswith("intake/")
    }
    assert own - {"", "<slug:protocol>"} == set(OWN_ADDRESSES) - {"shared"}


@pytest.mark.parametrize("name", [*OWN_ADDRESSES, "Skin", "skin_2", "2skin", "skin-"])
def test_such_a_name_is_a_problem(name):
    found = problems(msgspec.structs.replace(second.protocol(), name=name))
    assert [problem.id for problem in found] == ["own_address"]


def test_the_name_of_each_protocol_stands_in_the_address_of_its_pages():
    for protocol in protocols.served():
        address = reverse("intake:page", kwargs={"protocol": protocol.name, "step": "about"})
        assert address == url(protocol.name, "about")


# --- staff, the demonstration, the command -------------------------------------------------------


def test_the_worklist_says_and_filters_which_questions_were_asked():
    skin, legs = sent(second.NAME), sent("legs")
    client = builders.staff_client("clinician")
    assert "Skin and sores" in words(client.get(WORKLIST))
    rows = client.get(f"{WORKLIST}?protocol=skin").content.decode()
    assert skin.reference in rows
    assert legs.reference not in rows
    assert legs.reference in client.get(f"{WORKLIST}?protocol=nonsense").content.decode()


def test_a_search_finds_the_patients_of_both():
    both = [sent(second.NAME), sent("legs")]
    client = builders.staff_client("clinician")
    for name, is_found in (("Canary", True), ("Other", False)):
        page = find(client, WORKLIST, name).content.decode()
        assert [submission.reference in page for submission in both] == [is_found, is_found]


def test_the_worklist_of_one_protocol_is_as_before(protocols_folder):
    second.serve(protocols_folder, "legs")
    sent("legs")
    page = builders.staff_client("clinician").get(WORKLIST).content.decode()
    assert "column-questions" not in page
    assert "?protocol=" not in page


@pytest.mark.parametrize("is_gone", [False, True])
def test_the_column_stays_while_rows_of_a_protocol_no_longer_served_exist(
    protocols_folder, is_gone
):
    skin, legs = sent(second.NAME), sent("legs")
    second.serve(protocols_folder, "legs")
    if is_gone:
        shutil.rmtree(protocols_folder / second.NAME)
        second.start_anew()
    client = builders.staff_client("clinician")
    assert "Skin and sores" in words(client.get(WORKLIST))
    rows = client.get(f"{WORKLIST}?protocol=skin").content.decode()
    assert skin.reference in rows
    assert legs.reference not in rows


def test_the_submission_page_names_the_protocol_and_its_version():
    read = words(builders.staff_client("clinician").get(page_of(sent(second.NAME))))
    assert "Skin and sores, version 1.0.0" in read


def test_an_urgent_patient_chooses_within_the_shortest_period():
    assert free_times.urgent_days() == 10


def test_the_demonstration_has_patients_of_both():
    assert demo.load(count=21, seed=3) == 21
    hashes = Submission.objects.values_list("protocol_id", flat=True)
    assert Counter(documents.protocol_of(each).name for each in hashes) == {"legs": 11, "skin": 10}


def test_the_command_judges_by_the_protocol_it_is_told(tmp_path, capsys):
    lines = tmp_path / "answers"
    lines.write_text('{"answers": {"stop_first": ["spreading"]}}\n')
    call_command("assess", str(lines), protocol=second.NAME)
    assert json.loads(capsys.readouterr().out)["rules"] == ["E1"]
    call_command("assess", str(lines))
    assert json.loads(capsys.readouterr().out)["invalid"]
    with pytest.raises(CommandError, match="There is no protocol “nonsense”"):
        call_command("assess", str(lines), protocol="nonsense")

"""The patient's pages in Spanish: only the address chooses the language; staff read English."""

import re
from typing import Any

import pytest
from django.core import mail
from django.urls import URLResolver, get_resolver, reverse
from django.utils import timezone
from django.utils.translation import override

from clinic.models import Message
from clinic.outgoing import outbox
from intake import documents
from intake.models.submissions import Submission, TranslationDocument, Urgency
from intake.protocols import current
from intake.ways import broken_promises
from intake.ways.broken_promises import Broken
from tests import builders
from tests.desk import page_of
from tests.intake import spanish
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db
SWOLLEN = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}


@pytest.fixture
def signed_words(monkeypatch, fresh_pages):
    """Serve the Spanish translation as if a person had signed it."""
    spanish.serve(monkeypatch, spanish.signed(current(), spanish.shipped()))
    yield
    monkeypatch.undo()
    documents._wording_now.cache_clear()


@pytest.fixture
def production(settings, monkeypatch, fresh_pages):
    """Serve patients as a real clinic does, without signatures for the safety texts."""
    settings.DEMO = False
    settings.INTERPRETER_PHONE = "+1 202-555-0199"
    documents._wording_now.cache_clear()
    yield
    documents._wording_now.cache_clear()


def in_spanish(page: Any) -> bool:
    return '<html lang="es" dir="ltr">' in page.html


# --- the walk -------------------------------------------------------------------------------------


def test_a_whole_questionnaire_is_asked_and_answered_in_spanish(mailoutbox):
    words = spanish.shipped()
    patient = Patient(lang_help="spanish", **SWOLLEN)
    patient.start("/es/intake/")
    assert patient.page.path == "/es/intake/legs/p/safety/"
    assert words.questions["em_now"].text in patient.page.text
    assert words.questions["em_now"].options["stroke_signs"] in patient.page.text

    patient.press("continue")
    label = words.questions["em_now"].options["none"]
    assert patient.page.errors == [f"Marque al menos una casilla, o «{label}»."] * 2
    patient.walk_to("about")
    patient.answer(age_years="cuarenta")
    assert patient.page.errors == [
        "No podemos leer «cuarenta» como un número entero. Escriba un número de 0 a 120."
    ]
    patient.walk_to("check")
    assert "Revise sus respuestas" in patient.page.text
    assert words.questions["main_reason"].options["restless"] in patient.page.text
    patient.send()

    assert patient.page.path == "/es/intake/sent/"
    assert "Tenemos sus respuestas" in patient.page.text
    assert all(in_spanish(page) for page in patient.seen)
    told = [url for _method, url, _response in patient.requests]
    assert all(url.startswith("/es/") for url in told)

    submission = Submission.objects.get()
    assert (submission.language, submission.protocol_id) == ("es", current().content_hash)
    outbox.deliver_due()
    (letter,) = [m for m in mailoutbox if m.to == ["quentin.canary@example.org"]]
    assert letter.subject == "Su solicitud a Truffles"
    assert "Su número es " + submission.reference in letter.body
    assert "http://127.0.0.1:8000/es/my/" in letter.body


def test_staff_read_the_same_in_english_and_what_the_patient_read_besides():
    patient = Patient(**SWOLLEN)
    patient.whole_journey("/es/intake/")
    submission = Submission.objects.get()
    calm = [f for f in submission.result.fired if f.level not in ("emergency", "same_day")]

    shown = builders.staff_client().get(page_of(submission)).content.decode()

    assert '<html lang="en"' in shown
    assert "answered in Spanish" in shown
    assert current().question("em_now").text in shown
    assert spanish.shipped().questions["em_now"].text not in shown
    for fired in calm:
        assert f'<span lang="es">{spanish.shipped().rules[fired.id].advice}' in shown


def test_what_the_clinic_writes_is_read_in_the_patients_language_and_in_english_by_staff():
    Patient().whole_journey("/es/intake/")
    submission = Submission.objects.get()
    staff = builders.staff_client()
    staff.post(
        reverse("admin:intake_submission_message", args=[submission.pk]),
        {"message": "bring_list", "revision": submission.revision},
    )

    said = submission.communications.get().words
    assert said["text"].startswith("Por favor, traiga la lista")
    assert said["english"].startswith("Please bring the list")
    shown = staff.get(page_of(submission)).content.decode()
    assert "<p>Please bring the list" in shown
    assert '<p lang="es">Por favor, traiga' in shown


def test_mails_to_staff_stay_english(mailoutbox):
    nurse = builders.member("clinician")
    nurse.email = "nurse@staff.example.org"
    nurse.save()
    Patient(**SWOLLEN).whole_journey("/es/intake/")

    with override("es"):
        outbox.deliver_due()

    (letter,) = [m for m in mail.outbox if m.to == ["nurse@staff.example.org"]]
    assert letter.subject.startswith("Same day: ")
    assert "Something has come in" in letter.body


@pytest.mark.usefixtures("production")
def test_what_was_read_is_kept_with_the_submission():
    patient = Patient(**SWOLLEN)
    patient.whole_journey("/es/intake/")

    kept = Submission.objects.get().translation
    read = documents.wording_as_read(kept.content_hash)

    assert read.protocol.question("who").text == spanish.shipped().questions["who"].text
    # the Spanish safety texts are not signed, so the patient read them in English
    assert read.language_of("same_day") == "en"
    assert read.protocol.rule("E01").advice == current().rule("E01").advice


def test_who_switches_half_way_keeps_what_they_answered():
    patient = Patient()
    patient.start()
    patient.walk_to("reason")
    assert patient.draft.language == "en"
    patient.press("es")
    assert patient.page.path == "/es/intake/legs/p/reason/"
    assert in_spanish(patient.page)
    assert patient.draft.language == "es"
    patient.walk_to("check")
    assert spanish.shipped().questions["who"].options["self"] in patient.page.text
    back = patient.page.link("English")
    patient.get(back)
    assert "I am the patient" in patient.page.text
    patient.send()

    submission = Submission.objects.get()
    assert (submission.language, submission.translation) == ("en", None)
    assert not TranslationDocument.objects.exclude(language="es").exists()


def test_a_code_and_its_mail_speak_the_language_of_what_was_sent(mailoutbox):
    patient = Patient()
    patient.whole_journey("/es/intake/")
    Message.objects.all().delete()
    reference = Submission.objects.get().reference

    other = Patient()
    other.get("/es/my/")
    assert "Su solicitud" in other.page.text
    sent = {"reference": reference, "address": "quentin.canary@example.org"}
    other.press("send", sent)
    outbox.deliver_due()

    (letter,) = mailoutbox
    assert letter.subject == "Su código de Truffles"
    code = re.search(r"Su código: (\S+)", letter.body)[1]
    other.press("enter", {"code": code})
    assert other.page.path == "/es/my/"
    assert "Cómo va" in other.page.text


def test_saving_for_later_leads_back_in_spanish(mailoutbox):
    patient = Patient()
    patient.start("/es/intake/")
    patient.walk_to("reason")
    patient.press("save")
    patient.press("save", {"address": "quentin.canary@example.org"})
    assert "Sus respuestas están guardadas" in patient.page.text
    outbox.deliver_due()

    assert "http://127.0.0.1:8000/es/intake/resume/" in mailoutbox[0].body


# --- safety texts ---------------------------------------------------------------------------------


SPANISH_OF_SAFETY = (
    "Busque ayuda",
    "Nadie en la clínica",
    "Lo elegí por error",
    "qué va a hacer",
    "no espere",
    "Avisar también",
    "Primero llame",
)


def said_in_spanish(page: Any) -> str:
    """Return the text of the page's main part, without the texts that are marked as English."""
    main = re.search(r"<main.*?</main>", page.html, re.S)[0]
    for tag in ("div", "section", "details", "h1", "h2", "p"):
        main = re.sub(rf'(?s)<{tag}[^>]* lang="en".*?</{tag}>', " ", main)
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


@pytest.mark.usefixtures("production")
@pytest.mark.parametrize("with_draft", [True, False])
def test_an_emergency_nobody_has_signed_is_told_in_english_with_a_number_day_and_night(with_draft):
    patient = Patient(em_now=("chest_or_breath",))
    if with_draft:
        patient.start("/es/intake/")
        patient.answer()
        assert patient.page.path == "/es/intake/emergency/"
        patient.post(patient.page.path, {"intention": "wait"})
        assert "Please do not wait. Call 911 now" in patient.page.text
        patient.press("tell", {"phone": "1"})
    else:
        patient.post("/es/intake/legs/p/safety/", {"em_now": ("chest_or_breath",)})

    page = patient.page
    assert in_spanish(page)
    card = re.search(r'<div class="card now".*', page.html, re.S)[0]
    order = [
        card.index('href="tel:911">Llame al 911'),
        card.index('class="interpreter"'),
        card.index("Get help now"),
        card.index(current().rule("E02").advice),
        card.index("No one at the clinic is watching this page."),
    ]
    assert order == sorted(order)
    assert 'href="tel:+12025550199"' in card
    assert "Para hablar gratis con un intérprete, de día o de noche" in page.text
    assert "ambulance" not in page.html
    said = said_in_spanish(page)
    assert not [words for words in SPANISH_OF_SAFETY if words.casefold() in said.casefold()]
    assert spanish.shipped().rules["E02"].advice not in page.text
    if with_draft:
        assert 'action="/es/intake/emergency/"' in page.html


@pytest.mark.usefixtures("production", "crisis_question")
def test_thoughts_of_suicide_nobody_has_signed_are_answered_in_english():
    patient = Patient(si_screen="active")
    patient.start("/es/intake/")
    patient.walk_to("mood")
    patient.answer()
    card = re.search(r'<div class="card now".*', patient.page.html, re.S)[0]
    assert card.index("Llame al 988") < card.index("Help is here now")
    assert current().rule("E09").advice in patient.page.text
    assert spanish.shipped().rules["E09"].advice not in patient.page.text


@pytest.mark.usefixtures("production")
def test_danger_in_own_words_nobody_has_signed_is_answered_in_english():
    patient = Patient(reason_text="Me duele el pecho y no puedo respirar desde hoy")
    patient.start("/es/intake/")
    patient.walk_to("reason")
    patient.answer()
    patient.answer()  # the page that asks about the words is left unanswered
    assert current().rule("DE2").advice in patient.page.text
    assert spanish.shipped().rules["DE2"].advice not in patient.page.text
    assert re.search(r'<h2 lang="en">Get help now</h2>\s*<p class="actions">', patient.page.html)
    assert "Llame al 911" in patient.page.text


@pytest.mark.usefixtures("production", "clinic_closed")
def test_a_same_day_card_at_night_nobody_has_signed_is_english():
    patient = Patient(**SWOLLEN)
    patient.whole_journey("/es/intake/")
    card = re.search(r'<div class="card today">.*?</div>', patient.page.html, re.S)[0]
    assert current().rule("S01").closed in card
    assert '<h2 lang="en">Today</h2>' in card
    assert 'class="interpreter"' in card
    assert 'href="tel:911"' in card
    assert "clínica está cerrada" not in patient.page.text


@pytest.mark.usefixtures("production")
def test_a_broken_promise_that_sends_elsewhere_is_told_in_english_until_signed():
    Patient(**SWOLLEN).whole_journey("/es/intake/")
    row, now = Submission.objects.get(), timezone.now()
    told = broken_promises.words_of(row, [Broken(row, "target_at", now, now)], "es")
    assert "Go to urgent care or an emergency room today." in told
    assert "espere" not in told

    Submission.objects.update(urgency=Urgency.SOON)
    row.refresh_from_db()
    told = broken_promises.words_of(row, [Broken(row, "target_at", now, now)], "es")
    assert "espere" in told


def test_a_demonstration_shows_the_draft_as_a_draft(fresh_pages):
    patient = Patient(em_now=("chest_or_breath",))
    patient.start("/es/intake/")
    patient.answer()

    card = re.search(r'<div class="card now".*', patient.page.html, re.S)[0]
    order = [
        card.index("Llame al 911"),
        card.index("Borrador de traducción: aún no aprobado"),
        card.index(spanish.shipped().rules["E02"].advice),
    ]
    assert order == sorted(order)
    assert 'class="interpreter"' not in card


@pytest.mark.usefixtures("signed_words")
def test_an_emergency_somebody_has_signed_is_told_in_spanish():
    patient = Patient(em_now=("chest_or_breath",))
    patient.start("/es/intake/")
    patient.answer()

    assert spanish.shipped().rules["E02"].advice in patient.page.text
    assert 'lang="en"' not in patient.page.html.partition("<main")[2]
    assert "ambulance" not in patient.page.html


@pytest.mark.usefixtures("production")
def test_a_same_day_panel_and_what_follows_stay_english_until_signed(clinic_open):
    patient = Patient(**SWOLLEN)
    patient.whole_journey("/es/intake/")

    assert re.search(r'<div class="card today">.*?class="interpreter"', patient.page.html, re.S)
    assert re.search(r'<p lang="en"><strong>(A clinician reads|We close)', patient.page.html)


@pytest.mark.usefixtures("signed_words", "clinic_open")
def test_the_same_signed_is_spanish():
    patient = Patient(**SWOLLEN)
    patient.whole_journey("/es/intake/")

    assert "interpreter" not in patient.page.html
    assert "Un profesional de salud lee" in patient.page.text
    read = documents.wording_as_read(Submission.objects.get().translation_id)
    assert read.language_of("same_day") == "es"


def test_a_demonstration_calls_the_translation_a_draft():
    assert "Borrador de traducción: aún no aprobado" in Patient().get("/es/intake/").text
    assert "Borrador de traducción" in Patient().start("/es/intake/").text


@pytest.mark.usefixtures("signed_words")
def test_a_signed_translation_is_no_draft_but_the_english_may_be():
    page = Patient().get("/es/intake/")

    assert "traducción" not in page.text
    assert "Borrador: aún no aprobado por un profesional de salud" in page.text


# --- addresses ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "wish", [{"HTTP_ACCEPT_LANGUAGE": "es"}, {"HTTP_COOKIE": "django_language=es"}]
)
def test_only_the_address_decides(client, wish):
    for path in ("/", "/intake/", "/account/login/", "/my/"):
        response = client.get(path, **wish)
        assert '<html lang="en"' in response.content.decode(), path
        assert response["Content-Language"] == "en"
        assert "Accept-Language" not in response.get("Vary", "")
    for path in ("/es/", "/es/intake/"):
        assert '<html lang="es"' in client.get(path, HTTP_ACCEPT_LANGUAGE="en").content.decode()


def test_staffs_pages_have_no_spanish(client):
    staff = builders.staff_client()
    shown = staff.get("/admin/intake/submission/", HTTP_ACCEPT_LANGUAGE="es").content.decode()

    assert "Nobody is waiting" in shown
    assert "Español" not in shown
    assert client.get("/es/admin/").status_code == 404
    assert client.get("/es/account/login/").status_code == 404


def patients_addresses() -> list[str]:
    """Return every Spanish address of the patient's pages that has no variable part."""
    with override("es"):
        inside = next(
            part
            for part in get_resolver().url_patterns
            if isinstance(part, URLResolver) and part.pattern.regex.match("es/")
        )
        names = []
        for part in inside.url_patterns:
            if isinstance(part, URLResolver):
                names += [f"{part.namespace}:{p.name}" for p in part.url_patterns if _plain(p)]
            elif _plain(part):
                names.append(part.name)
        return [reverse(name) for name in names]


def _plain(pattern: Any) -> bool:
    return not pattern.pattern.converters


def test_every_page_of_a_patient_is_there_in_spanish(client):
    paths = patients_addresses()
    assert len(paths) > 20
    for path in paths:
        assert path.startswith("/es/")
        response = client.get(path)
        assert response.status_code in (200, 302, 405), path
        if response.status_code == 302:
            assert response["Location"].startswith("/es/"), path
        elif response.content and response["Content-Type"].startswith("text/html"):
            assert '<html lang="es"' in response.content.decode(), path


def test_a_page_that_is_not_there_says_so_in_spanish(client):
    response = client.get("/es/no-such-page/")

    assert response.status_code == 404
    assert "No encontramos esta página" in response.content.decode()
    assert "no-such-page" not in response.content.decode()


def test_the_switch_leads_to_the_same_page_and_names_each_language_in_itself(client):
    english = client.get("/privacy/").content.decode()
    other = client.get("/es/privacy/").content.decode()

    assert '<a href="/es/privacy/" lang="es" hreflang="es">Español</a>' in english
    assert '<a href="/privacy/" lang="en" hreflang="en">English</a>' in other
    for shown in (english, other):
        for code, path in (("en", "/privacy/"), ("es", "/es/privacy/"), ("x-default", "/privacy/")):
            link = f'<link rel="alternate" hreflang="{code}" href="http://127.0.0.1:8000{path}">'
            assert link in shown


def test_a_clinic_with_one_language_shows_no_switch(client, settings):
    settings.LANGUAGES = [("en", "English")]

    shown = client.get("/privacy/").content.decode()

    assert 'class="languages"' not in shown
    assert "hreflang" not in shown


def test_spanish_pages_of_a_patient_are_kept_by_nobody(client):
    for path in ("/es/intake/", "/es/my/", "/es/appointments/"):
        response = client.get(path)
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex"

"""Other languages on a phone: Spanish, with its longer words, and a language from right to left.

The program does not have a language from right to left. A test makes one up, to see that the layout
is mirrored.
"""

import re
from typing import Any

import msgspec
import pytest
from babel.messages.mofile import write_mo

from clinic.management.commands import translations
from intake import documents
from intake.domain.translation import Translation
from tests.intake import spanish
from tests.journeys.conftest import SAYS, Window
from tests.journeys.judging import Judge

pytestmark = pytest.mark.journey

# parts of pages that stand at the left edge in English
MIRRORED = {
    "/": (".brand", ".feel b", ".steps h3"),
    "/conditions/restless-legs/": (".trail a", "h1", ".dates dt"),
    "/intake/": (".facts li", "h1"),
}


# the addresses of pages in Spanish, and what a reader finds there
PAGES = {
    "/es/": "¿Piernas inquietas, pesadas o con dolor?",
    "/es/contact/": "Cuándo estamos abiertos",
    "/es/costs/": "presupuesto de buena fe",
    "/es/privacy/": "Privacidad",
    "/es/accessibility/": "Accesibilidad",
    "/es/language-help/": "gratis",
    "/es/nondiscrimination/": "Aviso de no discriminación",
    "/es/intake/": "Preguntas antes de su visita",
    "/es/appointments/": "Pedir una cita",
    "/es/intake/resume/": "Seguir donde se quedó",
    "/es/my/": "Su solicitud",
    "/es/my/find/": "Encontrar su número",
    "/es/no-such-page/": "No encontramos esta página",
    "/es/conditions/": "Lea sobre sus piernas",
    "/es/conditions/restless-legs/": "En esta página",
    "/es/conditions/clots/": "Busque ayuda ahora",
    "/es/search/?q=hierro": "Encontramos",
    "/es/search/?q=zzzz quux": "Ninguna página",
}


def test_a_patient_reads_every_kind_of_page_in_spanish(window, pages_to_read):
    # given: a patient who reads Spanish, on a phone that moves nothing
    patient = window("phone", reduced_motion="reduce")
    judge = Judge(patient)

    # when: the patient opens page after page
    for path, words in PAGES.items():
        patient.opens(path)
        judge.sees(words)

    # when: the patient answers the questions and sends the answers
    patient.starts("/es/intake/", device="Empezar, este dispositivo es mío")
    says = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
    patient.fills_in_until("check", "Continuar", on_each_page=judge.looks, **says)
    judge.sees("Revise sus respuestas")
    patient.sends("Enviar")
    judge.sees("Borrador de traducción")

    # then: each page was in Spanish, kept nobody out, and fitted the phone with its longer words
    assert judge.faults == []
    assert judge.seen >= 35


@pytest.fixture
def unsigned(settings):
    """Show the texts of a real clinic, without signatures for the safety texts."""
    settings.DEMO = False
    documents._wording_now.cache_clear()
    yield
    documents._wording_now.cache_clear()


@pytest.mark.usefixtures("unsigned")
def test_a_patient_with_an_emergency_reads_in_spanish_that_this_text_is_in_english(window):
    # given: a patient who reads Spanish, and whose leg is suddenly cold
    patient = window("phone", reduced_motion="reduce")
    judge = Judge(patient)
    patient.starts("/es/intake/", device="Empezar, este dispositivo es mío")

    # when: the patient answers that the leg is suddenly cold
    patient.chooses("pierna o pie de repente frío")
    patient.presses("Continuar")

    # then: the emergency page is in English, because nobody has signed its Spanish text; the button
    # and one sentence are in Spanish
    judge.sees("Llame al 911")
    judge.sees("Este texto está en inglés")

    # when: the patient tells the clinic, but leaves no number
    patient.presses("Tell the clinic")

    # then: the page says in the same language that there is a problem
    judge.sees("There is a problem")
    assert judge.faults == []


def test_a_patient_switches_the_language_in_the_middle_of_the_questions(window):
    # given: a patient who reads English until the question about the reason
    patient = window("phone")
    patient.starts()
    patient.fills_in_until("reason")

    # when: the patient writes, then chooses Spanish
    patient.writes("It creeps at night.", "In your own words")
    patient.presses("Español")

    # then: the same question is there in Spanish, with what the patient wrote
    patient.is_at("/es/intake/legs/p/reason/")
    assert own_words(patient) == "It creeps at night."
    patient.finds_no_barrier()

    # when: the patient goes back
    patient.goes_back()

    # then: the same question is there in English
    patient.is_at("/intake/legs/p/reason/")


@pytest.mark.usefixtures("right_to_left", "pages_to_read")
def test_from_right_to_left_the_layout_mirrors(window):
    # given: a patient whose language is written from right to left
    patient = window("phone", reduced_motion="reduce")

    # when: the patient opens pages in this language
    # then: everything is as far from the right edge as in English from the left edge
    assert faults_of_mirroring(patient, "/") == []
    assert faults_of_mirroring(patient, "/conditions/restless-legs/") == []
    assert faults_of_mirroring(patient, "/intake/") == []

    # when: the patient answers the first questions
    patient.opens("/he/intake/")
    press_first_button(patient)
    fill_in_whatever_the_button_says(patient, until="about")

    # then: the circle to tick stands to the right of its words, and the way back at the right edge
    assert circle_stands_right_of_its_words(patient)
    assert way_back_stands_at_the_right_edge(patient)
    patient.needs_no_sideways_scrolling(360)
    patient.finds_no_barrier()


# --- how it is done in the browser ----------------------------------------------------------------


@pytest.fixture
def right_to_left(settings, tmp_path, monkeypatch, fresh_pages):
    """Serve a made-up language at /he/, in which every sentence begins with Hebrew letters."""
    folder = tmp_path / "he" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    catalog = translations.collected()
    for message in catalog:
        if message.id:
            forms = message.id if isinstance(message.id, tuple | list) else (message.id,)
            made = tuple(pseudo(form) for form in forms)
            message.string = made if len(made) > 1 else made[0]
            message.flags.discard("fuzzy")
    with (folder / "django.mo").open("wb") as file:
        write_mo(file, catalog)
    settings.LANGUAGES = [("en", "English"), ("he", "Made up")]
    settings.LOCALE_PATHS = [tmp_path]
    spanish.serve(monkeypatch, pseudo_words())
    yield
    monkeypatch.undo()
    documents._wording_now.cache_clear()


def pseudo(text: str) -> str:
    if re.fullmatch(r"[a-z]( ?[:,]? ?[a-zA-Z])+", text):  # a format of dates, which is no sentence
        return text
    return f"אבג דהו {text}"


def pseudo_words() -> Translation:
    def made(value: Any, key: str = "") -> Any:
        if isinstance(value, dict):
            return {name: made(inner, name) for name, inner in value.items()}
        kept = key in ("translates", "language") or not isinstance(value, str)
        return value if kept else pseudo(value)

    data = made(msgspec.to_builtins(spanish.shipped()))
    return msgspec.convert(data | {"language": "he"}, Translation)


def faults_of_mirroring(patient: Window, path: str) -> list[str]:
    """Compare a page in English with the same page from right to left."""
    left = edges(patient, path, MIRRORED[path])
    right = edges(patient, f"/he{path}", MIRRORED[path])
    assert patient.page.locator("html").get_attribute("dir") == "rtl"
    return patient.sideways(360) + [
        f"{path} {name}: {left[name]} and {right[name]}"
        for name in MIRRORED[path]
        if abs(left[name][0] - right[name][1]) > 2
    ]


def own_words(patient: Window) -> str:
    return patient.page.locator("textarea").input_value()


def press_first_button(patient: Window) -> None:
    patient.clicks_on(patient.page.locator("form button").first)


def fill_in_whatever_the_button_says(patient: Window, until: str) -> None:
    while patient.step != until:
        patient.answers(**SAYS)
        patient.clicks_on(patient.page.locator('form button[value="continue"]'))


def circle_stands_right_of_its_words(patient: Window) -> bool:
    circle, label = box(patient, ".opts input"), box(patient, ".opts label")
    return circle["x"] > label["x"] + label["width"] / 2


def way_back_stands_at_the_right_edge(patient: Window) -> bool:
    back = box(patient, ".back")
    return 360 - (back["x"] + back["width"]) < 40


def box(patient: Window, selector: str) -> dict[str, float]:
    return patient.page.locator(selector).first.bounding_box()


def edges(patient: Window, path: str, selectors: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Return how far each element stands from the left and from the right edge of the page."""
    patient.page.set_viewport_size({"width": 360, "height": 740})
    patient.opens(path)
    found = {}
    for selector in selectors:
        place = box(patient, selector)
        found[selector] = (place["x"], 360 - place["x"] - place["width"])
    return found

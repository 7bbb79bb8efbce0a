"""Other languages on a phone: Spanish, with its longer words, and a language from right to left.

The program does not have a language from right to left. A test makes one up, to see that the layout
is mirrored.
"""

import re
from typing import Any

import msgspec
import pytest
from babel.messages.mofile import write_mo
from django.core.management import call_command

from clinic.management.commands import translations
from intake import documents
from intake.domain.translation import Translation
from tests.intake import spanish
from tests.journeys.conftest import Window
from tests.journeys.test_accessibility import Judge

pytestmark = pytest.mark.journey


def test_every_kind_of_page_in_spanish(window):
    call_command("load_pages", verbosity=0)
    phone = window(width=360, reduced_motion="reduce")
    judge = Judge(phone)
    for path, says in (
        ("/es/", "Cuando sus piernas no le dejan dormir"),
        ("/es/privacy/", "Privacidad"),
        ("/es/accessibility/", "Accesibilidad"),
        ("/es/language-help/", "gratis"),
        ("/es/intake/", "Preguntas antes de su visita"),
        ("/es/appointments/", "Pedir una cita"),
        ("/es/intake/resume/", "Seguir donde se quedó"),
        ("/es/my/", "Su solicitud"),
        ("/es/my/find/", "Encontrar su número"),
        ("/es/no-such-page/", "No existe esa página"),
        ("/es/conditions/", "Lea sobre sus piernas"),
        ("/es/conditions/restless-legs/", "En esta página"),
        ("/es/conditions/clots/", "Busque ayuda ahora"),
        ("/es/search/?q=hierro", "páginas encontradas"),
        ("/es/search/?q=zzzz quux", "Ninguna página"),
    ):
        phone.open(path)
        judge(says)

    phone.open("/es/intake/")
    phone.press("Empezar, este dispositivo es mío")
    says = {"leg_new": ("swelling_one",), "clot_risk": ("none",)}
    walk_in_spanish(phone, says, lambda step: judge())
    judge("Revise sus respuestas")
    phone.press("Enviar")
    judge("Para hablar gratis con un intérprete")

    assert judge.faults == []
    assert judge.seen >= 36


def walk_in_spanish(phone: Window, says: dict[str, Any], look: Any) -> None:
    from tests.journeys.conftest import SAYS

    for _page in range(50):
        step = phone.step
        if step == "check":
            return
        look(step)
        phone.fill({**SAYS, **says})
        phone.press("Continuar")
        assert phone.step != step, phone.text[:400]


def test_the_stop_page_that_nobody_has_signed(window):
    phone = window(width=360, reduced_motion="reduce")
    judge = Judge(phone)
    phone.open("/es/intake/")
    phone.press("Empezar, este dispositivo es mío")
    phone.page.locator('[value="cold_leg_sudden"]').check()
    phone.press("Continuar")
    judge("Este texto está en inglés")
    phone.press("Avisar a la clínica")
    judge("Hay un problema")

    assert judge.faults == []


def test_the_switch_is_a_link_in_the_middle_of_the_questions(window):
    phone = window(width=360)
    phone.open("/intake/")
    phone.press("Start, this device is mine")
    phone.walk_to("reason")
    phone.follow("Español")

    assert phone.path == "/es/intake/legs/p/reason/"
    phone.page.go_back()
    assert phone.path == "/intake/legs/p/reason/"


# --- from right to left ---------------------------------------------------------------------------


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


@pytest.mark.usefixtures("right_to_left")
def test_from_right_to_left_the_layout_mirrors(window):
    call_command("load_pages", verbosity=0)
    phone = window(width=360, reduced_motion="reduce")
    faults = []
    for path, mirrored in (
        ("/", (".brand", ".doors b", ".steps h3")),
        ("/conditions/restless-legs/", (".trail a", "h1", ".dates dt")),
        ("/intake/", (".facts li", "h1")),
    ):
        left = edges(phone, path, mirrored)
        right = edges(phone, f"/he{path}", mirrored)
        assert phone.page.locator("html").get_attribute("dir") == "rtl"
        faults += phone.sideways(360)
        for name in mirrored:
            # an element stands as far from the right edge as in English from the left edge
            if abs(left[name][0] - right[name][1]) > 2:
                faults.append(f"{path} {name}: {left[name]} and {right[name]}")
    assert faults == []

    phone.open("/he/intake/")
    phone.page.locator("form button").first.click()
    fill_on(phone, "about")
    radio, label = box(phone, ".opts input"), box(phone, ".opts label")
    assert radio["x"] > label["x"] + label["width"] / 2
    back = box(phone, ".back")
    assert 360 - (back["x"] + back["width"]) < 40
    assert phone.sideways(360) == []
    assert phone.violations() == []


def fill_on(phone: Window, step: str) -> None:
    from tests.journeys.conftest import SAYS

    while phone.step != step:
        phone.fill(SAYS)
        phone.page.locator('button[value="continue"]').click()


def box(phone: Window, selector: str) -> dict[str, float]:
    return phone.page.locator(selector).first.bounding_box()


def edges(phone: Window, path: str, selectors: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    """Return how far each element stands from the left and from the right edge of the page."""
    phone.page.set_viewport_size({"width": 360, "height": 740})
    phone.open(path)
    found = {}
    for selector in selectors:
        place = box(phone, selector)
        found[selector] = (place["x"], 360 - place["x"] - place["width"])
    return found

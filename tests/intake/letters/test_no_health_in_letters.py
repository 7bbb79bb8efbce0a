"""No letter to a patient, and no text message, can name a person or say anything about health.

The law holds for each template of a letter, so also for a letter that is new.
"""

import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from clinic.management.commands.translations import STAFF_SOURCES, _sentences
from intake.wording.received_texts import nobody_reads_words, stopped_words
from tests.intake.my_visit import HEALTH

FOLDER = settings.BASE_DIR / "templates" / "email"
TEMPLATES = sorted(
    path
    for path in FOLDER.glob("*.txt")
    if not path.relative_to(settings.BASE_DIR).as_posix().startswith(STAFF_SOURCES)
    and path.stem != "alarms"  # goes to staff
)
# what a letter may say besides its own words: who writes, the number of the request, when and where
ALLOWED = {
    *("clinic", "phone", "emergency_number", "origin", "my", "invited", "reference", "code"),
    *("times", "time", "place", "until", "change_until", "days", "number"),
}
# with the Spanish for the words of HEALTH
SPANISH = "vena pierna inquiet urgen s\u00edntoma dolor v\u00e1rices doctor"
ILL = (*HEALTH, *SPANISH.split())


@pytest.fixture(scope="module")
def spanish():
    path = settings.BASE_DIR / "clinic" / "locale" / "es" / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        return read_po(file, locale="es")


def ill_words(text):
    return [word for word in ILL if re.search(rf"\b{word}", text.casefold())]


@pytest.mark.parametrize("path", TEMPLATES, ids=[path.stem for path in TEMPLATES])
def test_a_template_says_nothing_of_health_and_takes_nothing_of_a_person(path, spanish):
    source = path.read_text(encoding="utf-8")
    taken = set(re.findall(r"{{\s*(\w+)", source))
    said = [message for message, _context in _sentences(path) if isinstance(message, str)]
    both = [*said, *(str(spanish[message].string) for message in said if message in spanish)]

    assert said
    assert taken <= ALLOWED
    assert {text: found for text in both if (found := ill_words(text))} == {}


def test_the_answers_to_a_text_say_nothing_of_health():
    for words in (nobody_reads_words(), stopped_words()):
        assert words.count("Truffles") == 2
        assert not ill_words(words)

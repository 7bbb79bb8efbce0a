"""How hard the pages are to read, and what stands first in them."""

from io import StringIO

import pytest
from django.core.management import call_command

from education import content, grading, markup, problems, rendering
from intake.domain.readability import spanish_ease, spanish_syllables
from tests.education import samples

PAGES = [
    pytest.param(page, id=f"{language}-{page.name}")
    for language in grading.LANGUAGES
    for page in content.read_pages(content.FOLDER, language)
]


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_harder_than_grade_8_or_begins_with_alarms(page):
    grade = grading.grade(markup.plain(page.markdown), page.language)

    assert grade
    assert grade <= 8
    cards = problems.early_alarms(page)
    assert len(cards) <= 1
    assert all(len(card) <= problems.COMPACT for card in cards)


@pytest.mark.parametrize("page", PAGES)
def test_a_link_inside_of_a_page_leads_to_a_heading(page):
    bodies = [(section.heading, section.body) for section in page.sections]
    parts = rendering.render(bodies, sources=len(page.sources))
    ids = {part.id for part in parts}
    for section in page.sections:
        for link in markup.facts(section.body).links:
            if link.startswith("#"):
                assert link[1:] in ids


HARD = (
    "Individuals experiencing symptomatology necessitate comprehensive evaluation and"
    " multidisciplinary consideration of pharmacological alternatives."
)


@pytest.mark.parametrize(
    ("body", "kinds"),
    [
        ("Knees creak [1, 2].\n\n## How it feels\n\nOdd.", []),
        (f"{HARD} [1, 2]", ["hard_to_read"]),
        ("Creak [1, 2].\n\n```care same-day\nCall.\n```", []),
        ("Creak [1, 2].\n\n## Help\n```care emergency\nCall.\n```\n## Signs\nOdd.", []),
        ("Creak [1, 2].\n\n```care ask\nAsk.\n```\n\n```care same-day\nCall.\n```", []),
        (
            "Creak [1, 2].\n\n```care emergency\nA.\n```\n\n```care same-day\nB.\n```",
            ["early_alarm"],
        ),
        (
            "Creak [1, 2].\n\n```care emergency\nA.\n```\n\n## B\n```care same-day\nB.\n```",
            ["early_alarm"],
        ),
        (
            "Creak [1, 2].\n```care emergency\nA.\n```\n## Signs\nOdd.\n```care same-day\nB.\n```",
            [],
        ),
        ("Creak [1, 2].\n\n```care emergency\n" + "- a\n" * 7 + "```", ["early_alarm"]),
    ],
)
def test_an_editor_is_told_of_a_hard_text_and_of_early_alarms(body, kinds):
    found = problems.problems([samples.creaking(body=body, related="[]")])

    assert [problem.kind for problem in found] == kinds


@pytest.mark.parametrize(
    ("word", "syllables"),
    [
        *[("pierna", 2), ("ciudad", 2), ("quien", 1), ("guía", 2), ("pingüino", 3), ("y", 1)],
        *[("muy", 1), ("aéreo", 4), ("coágulo", 4), ("ahora", 3), ("oír", 2), ("baúl", 2)],
        *[
            ("prohibir", 2),
            ("arteria", 3),
            ("días", 2),
            ("cirugía", 4),
            ("yeso", 2),
            ("veintiséis", 3),
        ],
    ],
)
def test_the_syllables_of_a_spanish_word(word, syllables):
    assert spanish_syllables(word) == syllables


def test_the_ease_of_a_spanish_text_follows_the_formula():
    # 6 words, 2 sentences, 13 syllables
    assert spanish_ease("Las venas duelen. Llame al médico.") == pytest.approx(
        206.84 - 60 * 11 / 6 - 1.02 * 3
    )
    assert spanish_ease("") == 100
    easy = grading.grade("Le duele la pierna. Llame hoy.", "es")
    hard = grading.grade("La insuficiencia cardiovascular necesita evaluación.", "es")
    assert (easy, hard) == (4, 16)
    assert grading.grade("Les veines.", "fr") is None


def test_the_command_prints_the_grade_of_each_page_in_both_languages():
    out = StringIO()
    call_command("reading_grades", stdout=out)
    rows = [line.split() for line in out.getvalue().splitlines()]

    assert rows[0] == ["page", "en", "es"]
    assert {row[0] for row in rows[1:]} == {page.values[0].name for page in PAGES}
    assert all(float(cell) <= 8 for row in rows[1:] for cell in row[1:])

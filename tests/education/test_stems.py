"""A language is searched with the stemmer that PostgreSQL has for it, found by its name."""

import pytest
from django.core.management import call_command
from django.db import connection

from education import content, markup, search
from education.models import Page
from education.services import loading, stems
from tests.education import samples
from tests.education.conftest import GROUPS

pytestmark = pytest.mark.django_db


def page(language: str, body: str) -> content.Page:
    text = "---\ntitle: T\nsummary: S\naudience: A\norder: 2\nwritten: 2026-11-26\n---\n" + body
    return content.parse("knees/creaking", text, language)


def load(*pages: content.Page) -> None:
    english = (samples.overview(), samples.creaking())
    loading.load_pages(conditions=GROUPS, pages=(*english, *pages))


def found(typed: str, language: str) -> list[str]:
    return [f"{row.language}/{row.name}" for row in search._full_text([typed], language)]


@pytest.mark.parametrize(
    ("code", "name"),
    [
        *(("fr", "french"), ("es", "spanish"), ("pt-br", "portuguese"), ("nb", "norwegian")),
        *(("ht", ""), ("vi", "vietnamese"), ("zh-hans", ""), ("xx", "")),
    ],
)
def test_a_stemmer_has_the_first_word_of_the_english_name_of_its_language(code, name):
    assert stems.stemmer_of(code) == name


def test_after_each_migration_the_languages_on_offer_are_prepared(settings):
    settings.LANGUAGES = [("en", "English"), ("es", "Spanish"), ("fr", "French")]

    call_command("migrate", verbosity=0)

    assert stems.prepare(languages=["en", "es", "fr"]) == []
    with connection.cursor() as cursor:
        cursor.execute("select education_search_config('fr')::text")
        assert cursor.fetchone() == ("education_fr",)


def test_pages_that_were_there_before_are_found_by_stems_afterwards():
    load(page("fr", "Marchez, même si la jambe est enflée."))
    assert found("enflee", "fr") == ["fr/knees/creaking"]
    assert found("marcher", "fr") == []

    assert stems.prepare(languages=["en", "fr", "vi"]) == ["fr"]

    for typed in ("marcher", "enflee", "enflée"):
        assert found(typed, "fr") == ["fr/knees/creaking"], typed
    assert stems.prepare(languages=["en", "fr", "vi"]) == []


def test_a_language_without_a_stemmer_is_found_by_whole_words_without_accents():
    load(page("vi", "Chân không yên là bệnh thường gặp."))
    assert stems.prepare(languages=["vi"]) == []

    for typed in ("chân", "chan", "benh", "thườn"):
        assert found(typed, "vi") == ["vi/knees/creaking"], typed
    assert found("creaking", "vi") == []
    # the extract marks the word as it is written
    (row,) = search._full_text(["chan"], "vi")
    start, stop = markup.HIGHLIGHT
    assert f"{start}Chân{stop}" in row.extract


def test_english_and_spanish_are_indexed_as_in_the_release_before():
    call_command("load_pages", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(*) filter (where search = "
            " setweight(to_tsvector(old, reader_title), 'A')"
            " || setweight(to_tsvector(old, reader_summary), 'B')"
            " || setweight(to_tsvector(old, reader_text), 'C'))"
            " from (select *, (case language when 'es' then 'education_spanish'"
            " else 'education_english' end)::regconfig as old from education_page) as pages"
        )
        every, same = cursor.fetchone()
    assert every == same == Page.objects.count() > 40


def test_no_write_can_leave_a_page_with_an_old_index():
    load()
    row = Page.objects.get(slug="creaking")
    row.reader_title = "Zebras"
    row.search = None
    row.save()

    assert found("zebra", "en") == ["en/knees/creaking"]

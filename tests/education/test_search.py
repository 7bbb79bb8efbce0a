"""Finding a page, whatever the reader types."""

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from education import content, search
from tests.education import desk
from tests.examples import examples

pytestmark = pytest.mark.django_db


def names(typed: str) -> list[str]:
    return [page.name for page in search.find(typed).pages]


def test_accents_make_no_difference(pages):
    desk.change(pages["knees/creaking"], title="Ménière and knees")

    assert names("meniere")[0] == names("MÉNIÈRE")[0] == "knees/creaking"


def test_a_word_of_the_title_counts_more_than_one_of_the_text(pages):
    assert names("knees creaking")[0] == "knees/creaking"
    assert names("bend")[0] == "knees/overview"


def test_the_extract_shows_what_was_found(client, pages):
    shown = client.get("/search/?q=jumpy").content.decode()

    assert "<mark>jumpy</mark>" in shown
    assert "We found 1 page." in shown


@pytest.mark.parametrize(
    ("marked", "shown"),
    [
        ("One. \ue000Knees\ue001 creak. \ue000Knees\ue001 bend, \ue000legs\ue001 too.", 2),
        ("\ue000Knees\ue001 and \ue000knee\ue001\n\ue000Knees\ue001 creak.", 1),
        ("Nothing here.", None),
        ("", None),
    ],
)
def test_the_excerpt_is_one_sentence_and_the_one_with_most_of_the_words(marked, shown):
    sentences = re.split(r"(?<=\.) |\n", marked)
    assert search.excerpt(marked) == ("" if shown is None else sentences[shown])


@given(st.lists(st.sampled_from(["knee", "\ue000leg\ue001", "a" * 30, ".", "?\n"]), max_size=120))
def test_an_excerpt_is_short_has_a_found_word_and_marks_that_close(words):
    marked = " ".join(words)
    shown = search.excerpt(marked)

    assert ("\ue000leg\ue001" in shown) == ("\ue000" in marked)
    assert shown.count("\ue000") == shown.count("\ue001")
    assert len(shown) <= search.LONGEST_EXCERPT + 10
    assert "\n" not in shown


def test_a_misspelled_search_says_what_it_looked_for(client, pages):
    shown = client.get("/search/?q=creeking+knes").content.decode()

    assert "Here is what we found for “creaking knees”." in shown
    assert 'value="creeking knes"' in shown


def test_markup_in_a_text_and_in_the_words_stays_text(client, pages):
    evil = "<b>bold</b> & creaking <script>alert(1)</script>"
    desk.change(pages["knees/creaking"], sections=(desk.section("", evil),))

    shown = client.get("/search/", {"q": '"><script>alert(1)</script> creaking'}).content.decode()

    assert "<script>" not in shown
    assert "<b>" not in shown


def test_nothing_found_offers_the_nearest_pages_and_the_phone(client, pages):
    shown = client.get("/search/?q=zzzz+quux").content.decode()

    assert "We found no page with these words." in shown
    assert "One of these pages may help" in shown
    assert "tel:+12025550123" in shown


def test_no_words_find_nothing_and_ask_nothing(client, pages, django_assert_num_queries):
    with django_assert_num_queries(0):
        for typed in ("", "   ", "!!! &|:*()", "'"):
            assert (
                "No page" not in client.get("/search/", {"q": "" or typed}).content.decode()
                or typed
            )
        client.get("/search/")


@pytest.mark.parametrize(("typed", "queries"), [("creaking", 1), ("creeking", 3), ("zzzz", 3)])
def test_a_search_asks_little_and_sets_no_cookie(
    client, pages, typed, queries, django_assert_num_queries
):
    with django_assert_num_queries(queries):
        response = client.get("/search/", {"q": typed})

    assert response.status_code == 200
    assert not response.cookies


def test_production_finds_only_what_was_published(pages, settings):
    settings.DEMO = False
    assert names("knees") == names("kneez") == []

    page = desk.publish(pages["knees/creaking"])
    desk.change(page, title="Half a thought")

    assert names("knees") == ["knees/creaking"]
    assert names("thought") == []


def test_a_null_byte_is_refused_at_the_edge_and_harmless_behind_it(client, pages):
    assert client.get("/search/?q=a%00b").status_code == 400
    assert search.find("cre\0aking").words == "cre aking"


@settings(
    max_examples=examples(30),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(st.text(max_size=60))
def test_any_text_at_all_is_searched_for(pages, typed):
    search.find(typed)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_synonym_is_compared_in_small_letters_and_without_accents(language):
    assert search.synonyms(language)
    for name, meant in search.synonyms(language).items():
        assert name.isascii()
        assert " ".join(search.words_of(name)) == name
        assert " ".join(search.words_of(meant)) == meant


def test_a_synonym_may_be_written_as_people_write_it(tmp_path, monkeypatch):
    (tmp_path / "synonyms.yaml").write_text("Flébites ECZÉMA: Jambe lourde\n", encoding="utf-8")
    monkeypatch.setattr(content, "FOLDER", tmp_path)
    search.synonyms.cache_clear()

    assert search.synonyms("en") == {"flebites eczema": "jambe lourde"}
    assert search.synonyms("fr") == {}
    search.synonyms.cache_clear()


def test_an_unknown_page_offers_to_search_for_its_words(client, pages):
    shown = client.get("/conditions/knees/creaking-noise/").content.decode()

    assert 'value="knees creaking noise"' in shown
    assert 'action="/search/"' in shown

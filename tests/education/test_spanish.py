"""Pages in Spanish are read and searched; without a translation the page is shown in English."""

import json
import re

import msgspec
import pytest

from education import content, problems
from education.models import Page
from education.services import loading
from tests.education import desk, samples
from tests.education.conftest import GROUPS

pytestmark = pytest.mark.django_db

RODILLAS = """---
title: Rodillas que crujen
summary: Por qué crujen las rodillas y cuándo importa.
audience: Adultos con rodillas ruidosas
order: 2
related: [knees/overview]
sources:
  - {text: A study of knees, url: "https://example.org/knees"}
  - {text: A book of knees}
written: 2026-11-26
translates: "HASH"
---
Las rodillas crujen [1]. Casi siempre sin daño [1, 2].

## Cuándo llamar

```care emergency
Llame al 911 si la rodilla ya no está.
```

## Lo que ayuda

Caminar, aunque haya hinchazón. Vea [el resumen](/conditions/knees/), o llame al {phone}.

### Por la tarde

| ejercicio | minutos |
| --- | --- |
| doblar | 5 |
"""


def creaking(text: str = RODILLAS) -> content.Page:
    text = text.replace("HASH", samples.creaking().content_hash)
    return content.parse("knees/creaking", text, "es")


@pytest.fixture
def pages(db) -> None:
    """Two English pages; one of them is translated into Spanish."""
    named = msgspec.structs.replace(GROUPS[0], titles={"es": "Rodillas ruidosas"})
    loading.load_pages(
        conditions=(named, *GROUPS[1:]),
        pages=(samples.overview(), samples.creaking(), creaking()),
    )


def html(client, path: str) -> str:
    return client.get(path).content.decode()


# --- reading --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pages")
def test_each_address_shows_its_language(client):
    english, spanish = (
        html(client, "/conditions/knees/creaking/"),
        html(client, "/es/conditions/knees/creaking/"),
    )

    assert "<h1>Creaking knees</h1>" in english
    assert "crujen" not in english
    assert "<h1>Rodillas que crujen</h1>" in spanish
    assert '<html lang="es"' in spanish
    for said in ("Rodillas ruidosas", "Emergencia", "Llame al 911", "Fuente 1", "Para quién es:"):
        assert said in spanish, said
    assert "26 de noviembre de 2026" in spanish


@pytest.mark.usefixtures("pages")
def test_links_in_a_text_lead_on_in_its_language(client):
    assert '/es/conditions/knees/">el resumen' in html(client, "/es/conditions/knees/creaking/")


@pytest.mark.usefixtures("pages")
def test_a_page_without_a_translation_is_shown_in_english_and_says_so(client):
    shown = html(client, "/es/conditions/knees/")

    assert "Esta página todavía no está en español. Aquí está en inglés." in shown
    assert '<h1 lang="en">Knees</h1>' in shown
    assert '<div lang="en">' in shown
    assert '<link rel="canonical" href="http://127.0.0.1:8000/conditions/knees/">' in shown
    assert '<meta name="robots" content="noindex">' in shown
    assert 'rel="alternate" hreflang' not in shown


@pytest.mark.usefixtures("pages")
def test_lists_mark_what_is_not_yet_translated(client):
    shown = html(client, "/es/conditions/")

    assert '<a href="/es/conditions/knees/" lang="en">Knees</a>' in shown
    assert '<a href="/es/conditions/knees/creaking/">Rodillas que crujen</a>' in shown
    assert shown.count("Creaking knees") == 0


@pytest.mark.usefixtures("pages")
def test_a_spanish_page_still_takes_two_queries(client, django_assert_num_queries):
    with django_assert_num_queries(2):
        client.get("/es/conditions/knees/creaking/")


@pytest.mark.usefixtures("pages")
def test_what_is_not_published_in_spanish_is_english_outside_of_a_demonstration(client, settings):
    desk.publish(Page.objects.get(slug="creaking", language="en"))
    settings.DEMO = False
    settings.SECURE_SSL_REDIRECT = False

    shown = html(client, "/es/conditions/knees/creaking/")

    assert '<h1 lang="en">Creaking knees</h1>' in shown


@pytest.mark.usefixtures("pages")
def test_one_language_of_a_page_may_change_without_the_other(client):
    desk.change(Page.objects.get(slug="creaking", language="es"), title="Otro título")

    assert "Otro título" in html(client, "/es/conditions/knees/creaking/")
    assert "Creaking knees" in html(client, "/conditions/knees/creaking/")


# --- searching ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pages")
@pytest.mark.parametrize(
    "typed", ["crujir", "rodilla", "hinchazon", "HINCHAZÓN", "cruj", "rodilas"]
)
def test_spanish_is_searched_with_its_own_stems_and_without_accents(client, typed):
    assert "Rodillas que crujen" in html(client, f"/es/search/?q={typed}")


@pytest.mark.usefixtures("pages")
def test_a_search_stays_in_its_language(client):
    assert "Rodillas que crujen" not in html(client, "/search/?q=rodillas")
    assert "Ninguna página tiene esas palabras" in html(client, "/es/search/?q=walking")


@pytest.mark.usefixtures("pages")
def test_the_switch_keeps_the_words_that_are_looked_for(client):
    assert 'href="/search/?q=cruje"' in html(client, "/es/search/?q=cruje")


# --- search engines and feeds ---------------------------------------------------------------------


@pytest.mark.usefixtures("pages")
def test_both_languages_are_told_to_search_engines(client):
    page = html(client, "/es/conditions/knees/creaking/")
    sitemap = html(client, "/sitemap.xml")

    origin = "http://127.0.0.1:8000"
    for code, path in (("en", ""), ("es", "/es"), ("x-default", "")):
        link = f'hreflang="{code}" href="{origin}{path}/conditions/knees/creaking/"'
        assert link in page
    assert f"<loc>{origin}/es/conditions/knees/creaking/</loc>" in sitemap
    assert f"<loc>{origin}/conditions/knees/creaking/</loc>" in sitemap
    # the page has no Spanish text, so the sitemap leaves its Spanish address out
    assert f"<loc>{origin}/es/conditions/knees/</loc>" not in sitemap
    assert "Disallow: /es/intake/" in html(client, "/robots.txt")
    assert '<meta property="og:locale" content="es_US">' in page
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    told = json.loads(block)["@graph"]
    assert told[0]["inLanguage"] == "es"
    assert told[0]["about"]["name"] == "Rodillas ruidosas"
    assert told[1]["itemListElement"][1]["item"] == f"{origin}/es/conditions/"


@pytest.mark.usefixtures("pages")
def test_the_feed_of_a_language_holds_its_pages(client):
    feed = html(client, "/es/feed/")

    assert "Rodillas que crujen" in feed
    assert "Creaking knees" not in feed
    assert "páginas con cambios" in feed


# --- files ----------------------------------------------------------------------------------------


def test_english_hashes_are_as_before_there_were_languages():
    text = samples.creaking()

    assert b"language" not in text.document()
    assert msgspec.structs.replace(text, language="es").content_hash != text.content_hash
    assert creaking().content_hash == creaking(RODILLAS.replace("HASH", "0")).content_hash


def test_the_shipped_translations_fit_their_pages():
    english = content.read_pages(content.FOLDER)
    spanish = content.read_pages(content.FOLDER, "es")

    assert problems.problems_of_translation(english, spanish) == []
    assert [p.name for p in spanish] == [p.name for p in english]


@pytest.mark.parametrize(
    ("kind", "old", "new"),
    [
        ("stale_page", "HASH", "0" * 64),
        ("page_differs", "[1, 2]", "[1]"),
        ("page_differs", "care emergency", "care ask"),
        ("page_differs", "(/conditions/knees/)", "(/search/)"),
        ("page_differs", "## Lo que ayuda\n", ""),
        ("page_differs", "order: 2", "order: 3"),
        ("page_differs", "A book of knees", "Un libro"),
    ],
)
def test_a_translation_that_fits_no_more_is_named(kind, old, new):
    other = creaking(RODILLAS.replace(old, new))

    found = problems.problems_of_translation([samples.creaking()], [other])

    assert {problem.kind for problem in found} == {kind}


def test_a_translation_may_write_its_links_with_its_prefix():
    other = creaking(RODILLAS.replace("(/conditions", "(/es/conditions"))

    assert problems.problems_of_translation([samples.creaking()], [other]) == []
    assert problems.problems([other], known=["knees/overview", "knees/creaking"]) == []


def test_missing_and_strange_translations_are_named():
    found = problems.problems_of_translation([samples.overview()], [creaking()])

    assert [(p.kind, p.page) for p in found] == [
        *(("missing_page", "knees/overview"), ("unknown_page", "knees/creaking")),
    ]


def test_loading_both_languages_again_does_nothing(pages):
    again = loading.load_pages(
        conditions=GROUPS, pages=(samples.overview(), samples.creaking(), creaking())
    )

    assert (again.created, again.updated, again.left_alone) == ([], [], [])

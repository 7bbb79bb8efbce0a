"""The pages as a reader finds them."""

import re

import pytest
from django.conf import settings
from django.test import Client

from education import content
from education.models import Page
from education.services import loading
from tests.education import desk, samples
from tests.education.conftest import load

pytestmark = pytest.mark.django_db

ALL = ["/conditions/", "/conditions/knees/", "/conditions/knees/creaking/"]


def html(client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def test_a_page_shows_its_text_its_sources_and_the_ways_on(client, pages):
    shown = html(client, "/conditions/knees/creaking/")

    assert "<h1>Creaking knees</h1>" in shown
    assert "Who this is for: Adults with noisy knees" in shown
    assert '<h2 id="what-helps">What helps</h2>' in shown
    assert '<div class="card care now">' in shown
    assert (
        '<li id="source-1"><a href="https://example.org/knees">A study of knees</a></li>' in shown
    )
    assert '<li id="source-2">A book of knees</li>' in shown
    assert 'href="/conditions/knees/" ' in shown or 'href="/conditions/knees/"' in shown
    assert 'href="/intake/"' in shown
    assert "Nov. 1, 2026" in shown


@pytest.mark.parametrize("path", ALL)
def test_a_page_asks_twice_at_most_and_knows_no_visitor(
    client, pages, path, django_assert_max_num_queries
):
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    with django_assert_max_num_queries(2):
        response = client.get(path)

    assert response.status_code == 200
    assert not response.cookies


@pytest.mark.parametrize("path", ALL)
def test_pages_take_no_post(client, pages, path):
    assert client.post(path).status_code == 405


def test_the_overview_is_the_condition_itself(client, pages):
    assert "<h1>Knees</h1>" in html(client, "/conditions/knees/")
    moved = client.get("/conditions/knees/overview/")
    assert (moved.status_code, moved["Location"]) == (301, "/conditions/knees/")


def test_a_page_about_the_clinic_has_an_address_of_its_own(client, db):
    load(samples._page("about/contact", samples.OVERVIEW, {"related": "[]"}))

    assert "<h1>Knees</h1>" in html(client, "/about/contact/")
    assert client.get("/conditions/about/contact/")["Location"] == "/about/contact/"
    assert client.get("/conditions/about/").status_code == 404


def test_a_demonstration_shows_drafts_and_says_so(client, pages):
    shown = html(client, "/conditions/knees/creaking/")

    assert "Draft: not yet approved by a clinician" in shown
    assert "Last reviewed" not in shown
    assert "Next review" not in shown


def test_production_shows_only_what_was_published(client, pages, settings):
    settings.DEMO = False
    for path in ALL[1:]:
        assert client.get(path, secure=True).status_code == 404

    desk.publish(pages["knees/creaking"])

    shown = client.get("/conditions/knees/creaking/", secure=True).content.decode()
    assert "Draft:" not in shown
    assert "Last reviewed" in shown
    assert "Next review" not in shown
    # while the overview is a draft, the condition's address lists its pages
    listed = client.get("/conditions/knees/", secure=True).content.decode()
    assert "<h1>Noisy knees</h1>" in listed
    assert "Creaking knees" in listed


def test_a_page_without_an_editors_word_shows_what_was_published(client, pages, settings):
    settings.DEMO = False
    page = desk.publish(pages["knees/creaking"])
    desk.change(page, title="Half a thought")

    shown = client.get("/conditions/knees/creaking/", secure=True).content.decode()

    assert "Creaking knees" in shown
    assert "Half a thought" not in shown


def test_an_unknown_page_is_404_with_a_way_on(client, pages):
    for path in ("/conditions/knees/none/", "/conditions/elbows/", "/about/none/"):
        response = client.get(path)
        assert response.status_code == 404
        assert "We cannot find this page" in response.content.decode()


def test_what_did_not_change_is_not_sent_again(client, pages):
    first = client.get("/conditions/knees/")
    tag = first["ETag"]
    again = client.get("/conditions/knees/", headers={"If-None-Match": tag})
    since = client.get("/conditions/knees/", headers={"If-Modified-Since": first["Last-Modified"]})
    assert (again.status_code, since.status_code) == (304, 304)
    assert "no-cache" in first["Cache-Control"]

    desk.change(pages["knees/creaking"], title="Knees that creak")

    assert client.get("/conditions/knees/", headers={"If-None-Match": tag}).status_code == 200


def test_the_contents_list_says_where_one_is(client, pages):
    shown = html(client, "/conditions/knees/creaking/")

    assert '<a href="/conditions/knees/creaking/" aria-current="page">Creaking knees</a>' in shown
    assert shown.count('aria-current="page"') == 1


def test_a_printed_page_says_whose_it_is_and_where_its_links_lead(client, pages, settings):
    shown = html(client, "/conditions/knees/creaking/")
    article = shown.partition("<article>")[2].partition('<section class="door">')[0]
    origin = settings.SITE_ORIGIN

    printed = article.partition('<p class="printed">')[2].partition("</p>")[0]
    assert printed.startswith(settings.CLINIC_NAME)
    assert settings.CLINIC_PHONE in printed
    assert printed.endswith(f"{origin}/conditions/knees/creaking/")
    text = article.partition("<h2")[2]
    links = re.findall(r'<a href="(/[^"]*)"(?: data-whole="([^"]*)")?>', text)
    assert links
    assert all(whole == f"{origin}{path}" for path, whole in links)


def test_a_care_card_is_a_heading_in_the_outline(client, pages):
    shown = html(client, "/conditions/knees/creaking/")

    assert '<h3 class="head"><span class="vh">Emergency: </span>Get help now</h3>' in shown


@pytest.mark.parametrize("path", ["/conditions/knees/none/", "/about/none/", "/nothing/here/"])
def test_a_missing_page_offers_the_search_and_the_list(client, pages, path):
    response = client.get(path)
    shown = response.content.decode()

    assert response.status_code == 404
    assert 'role="search" action="/search/"' in shown
    assert 'href="/conditions/"' in shown.partition("<main")[2] or "Creaking knees" in shown


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_overview_has_a_drawing_with_a_name_and_words_in_the_language(client, db, language):
    folder = content.FOLDER
    loading.load_pages(
        conditions=content.read_conditions(folder, ["es"]),
        pages=[*content.read_pages(folder), *content.read_pages(folder, "es")],
    )
    seen = set()
    for condition in ("restless-legs", "vein-disease", "clots", "artery-disease"):
        prefix = "" if language == "en" else f"/{language}"
        drawn = html(client, f"{prefix}/conditions/{condition}/").partition("<figure")[2]
        name = re.search(r'<svg role="img" aria-label="([^"]+)"', drawn)
        assert name
        seen.add(name[1])
        assert "style=" not in drawn.partition("</figure>")[0]
    assert len(seen) == 4
    assert any("vena" in words for words in seen) == (language == "es")


def test_the_list_of_conditions_names_every_page(client, pages):
    shown = html(client, "/conditions/")

    for page in Page.objects.all():
        assert page.title in shown
        assert page.summary in shown


def test_with_nothing_to_read_there_is_the_phone(client, db):
    assert "There is nothing to read yet" in html(client, "/conditions/")


def test_an_editor_cannot_hurt_a_reader(client, pages):
    evil = "<script>alert(1)</script> [x](javascript:alert(1))\n\n<img src=x onerror=alert(1)>"
    page = pages["knees/creaking"]
    desk.change(page, title="<script>1", sections=(desk.section("<img onerror=x>", evil),))

    shown = html(client, "/conditions/knees/creaking/")

    assert "<script>" not in shown.replace('<script type="application/ld+json">', "")
    assert "<img" not in shown
    assert 'href="javascript' not in shown


def test_the_front_page_leads_to_the_pages():
    shown = html(Client(), "/")

    assert 'href="/conditions/restless-legs/"' in shown
    assert 'href="/conditions/">Conditions</a>' in shown


def test_the_front_page_leads_from_what_hurts_to_the_right_door(client, settings):
    folder = settings.BASE_DIR / "education" / "content"
    loading.load_pages(conditions=content.read_conditions(folder), pages=content.read_pages(folder))
    shown = html(client, "/").partition('class="feel"')[2].partition("</ul>")[0]
    doors = re.findall(r'<a href="([^"]+)"><b>(.*?)</b>', shown)

    assert [path for path, _feels in doors] == [
        "/conditions/restless-legs/",
        "/conditions/vein-disease/",
        "/conditions/artery-disease/",
        "/conditions/clots/",
        "/intake/",
    ]
    assert all(client.get(path).status_code == 200 for path, _feels in doors)

"""How the list and the navigation arrange the pages: by topic, and by families of conditions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from education import content, shelves
from education.models import Condition, Page
from education.services import editing, loading
from tests.education import desk, samples
from tests.education.conftest import GROUPS, load
from tests.education.test_editing import store

FOLDER = content.FOLDER


def outline(html: str, start: str = "<main") -> list[str]:
    """Return the headings and links of a page's main part, such as `h3 Treatment` and `a Iron`."""
    main = html.partition(start)[2].partition("</main>")[0]
    found = re.findall(r"<(h[1-6]|a)[^>]*>(.*?)</\1>", main, flags=re.S)
    return [f"{tag} {re.sub('<[^>]+>', '', words)}" for tag, words in found]


@pytest.fixture
def library(db) -> dict[str, Page]:
    loading.load_pages(conditions=content.read_conditions(FOLDER), pages=content.read_pages(FOLDER))
    return {page.name: page for page in Page.objects.select_related("condition")}


def test_the_list_shows_topics_in_order_and_the_vessels_together(client, library):
    shown = outline(client.get("/conditions/").content.decode())
    headings = [line for line in shown if line.startswith("h")]

    assert headings == [
        "h1 Read about your legs",
        "h2 Restless legs",
        "h3 Understanding",
        "h3 Treatment",
        "h3 Living with it",
        "h2 Veins, clots and arteries",
        "h2 About the clinic",
    ]
    at = shown.index("h2 Veins, clots and arteries")
    vessels = ["vein-disease/overview", "clots/overview", "artery-disease/overview"]
    assert shown[at + 1 : at + 4] == [f"a {library[name].title}" for name in vessels]
    assert shown.index("h3 Treatment") < shown.index("a Iron and restless legs")


@pytest.mark.parametrize("path", ["restless-legs/", "restless-legs/iron/", "clots/"])
def test_no_page_is_offered_twice_beside_the_text(client, library, path):
    html = client.get(f"/conditions/{path}").content.decode()
    listed = outline(html, '<nav class="all"')
    read_on = outline(html.partition("<aside>")[0], '<nav class="read-on"')

    assert len(listed) > 3
    assert not {line for line in listed if line.startswith("a ")} & set(read_on)
    assert html.count('aria-current="page"') == 1


def test_every_page_of_restless_legs_has_a_topic_in_every_language():
    for language in ("en", "es"):
        pages = [p for p in content.read_pages(FOLDER, language) if p.condition == "restless-legs"]
        assert {p.topic for p in pages} == {"understand", "treat", "live"}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["knees", "hips", "vessels"]),
            st.sampled_from(["", "understand", "treat", "live", "unheard-of"]),
        ),
        max_size=12,
    ),
    st.fixed_dictionaries(
        {
            slug: st.sampled_from(["", "vessels", "unheard-of"])
            for slug in ("knees", "hips", "vessels")
        }
    ),
)
def test_every_page_is_shown_once_whatever_its_topic_and_family(rows, families):
    conditions = {slug: Condition(slug=slug, family=family) for slug, family in families.items()}
    pages = [Page(condition=conditions[slug], topic=topic) for slug, topic in rows]

    groups = shelves.arrange(pages)

    shown = [page.pk for group in groups for page in group.pages]
    assert sorted(shown) == sorted(page.pk for page in pages)
    assert all(shelves.around(page, pages) in groups for page in pages)
    assert len({group.slug for group in groups}) == len(groups)


def test_a_condition_with_several_pages_in_a_family_keeps_its_heading(client, db):
    groups = [content.Condition(slug, slug, family="vessels") for slug in ("knees", "hips")]
    hips = samples._page("hips/overview", samples.OVERVIEW, {"title": "Hips", "related": "[]"})
    loading.load_pages(conditions=groups, pages=[samples.overview(), samples.creaking(), hips])

    assert outline(client.get("/conditions/").content.decode())[1:] == [
        "h2 Veins, clots and arteries", "a Hips", "h3 knees", "a Knees", "a Creaking knees",
    ]  # fmt: skip


def test_another_topic_keeps_the_review_and_shows_at_once(client, editor, pages):
    page = desk.publish(pages["knees/creaking"])
    reviewed = page.reviewed_hash

    store(editor, page, topic="treat")

    page.refresh_from_db()
    assert (page.topic, page.status, page.reviewed_hash) == ("treat", "published", reviewed)
    assert "h3 Treatment" in outline(client.get("/conditions/").content.decode())


def test_the_loader_gives_a_changed_page_its_topic_and_keeps_an_editors_choice(pages):
    page = desk.publish(pages["knees/creaking"])
    load(samples.creaking(order="2\ntopic: live"))
    assert Page.objects.get(pk=page.pk).topic == "live"

    load(samples.creaking(order="2\ntopic: treat"))
    assert Page.objects.get(pk=page.pk).topic == "live"


def test_the_release_before_can_read_what_is_stored(pages):
    """It refuses a stored text with a key that it does not know."""
    page = desk.publish(pages["knees/creaking"])
    load(samples.creaking(order="2\ntopic: live"))

    stored = [page.shown, *page.versions.values_list("document", flat=True)]
    assert all("topic" not in document for document in stored)


def test_an_editor_chooses_the_family_of_a_condition(client, pages):
    by = desk.editor()
    row = Condition.objects.get(slug="knees")
    editing.save_condition(
        slug=row.slug, title=row.title, titles={}, order=0, family="vessels", is_new=False, by=by
    )

    assert "h2 Veins, clots and arteries" in outline(client.get("/conditions/").content.decode())
    loading.load_pages(conditions=GROUPS, pages=[])
    assert Condition.objects.get(slug="knees").family == "vessels"

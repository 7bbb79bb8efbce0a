"""What search engines and feed readers get."""

import json
import re
import xml.etree.ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from tests.education import desk

pytestmark = pytest.mark.django_db


def facts(client, path: str) -> dict:
    shown = client.get(path).content.decode()
    (block,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', shown, re.DOTALL)
    return json.loads(block)


def test_a_page_says_what_it_is_and_where_it_stands(client, pages):
    page, trail = facts(client, "/conditions/knees/creaking/")["@graph"]

    assert page["@type"] == "MedicalWebPage"
    assert page["url"] == "http://127.0.0.1:8000/conditions/knees/creaking/"
    assert page["citation"] == ["https://example.org/knees", "A book of knees"]
    assert "lastReviewed" not in page
    assert [step["name"] for step in trail["itemListElement"]] == [
        *("Truffles Vein Specialists", "Conditions", "Noisy knees", "Creaking knees"),
    ]


def test_a_reviewed_page_says_when(client, pages):
    page = desk.publish(pages["knees/creaking"])

    told = facts(client, "/conditions/knees/creaking/")["@graph"][0]

    assert told["lastReviewed"] == page.reviewed_at.date().isoformat()


def test_an_editors_words_stay_inside_of_the_block(client, pages):
    desk.change(pages["knees/creaking"], title="</script><script>alert(1)//")

    assert facts(client, "/conditions/knees/creaking/")["@graph"][0]["name"].startswith("</script>")


def test_the_front_page_tells_phone_and_hours(client):
    told = facts(client, "/")

    assert told["@type"] == "MedicalClinic"
    assert told["telephone"] == "+1 202-555-0123"
    assert told["openingHoursSpecification"][0] == {
        "@type": "OpeningHoursSpecification",
        "dayOfWeek": "https://schema.org/Monday",
        "opens": "08:30",
        "closes": "17:00",
    }


def test_each_page_names_its_one_address(client, pages):
    shown = client.get("/conditions/knees/").content.decode()

    assert '<link rel="canonical" href="http://127.0.0.1:8000/conditions/knees/">' in shown
    assert '<meta property="og:title" content="Knees">' in shown


def test_the_sitemap_names_every_page_with_its_real_date(client, pages):
    root = ET.fromstring(client.get("/sitemap.xml").content)
    told = {url[0].text: url[1].text for url in root if len(url) > 1}

    changed = pages["knees/creaking"].shown_at
    assert told["http://127.0.0.1:8000/conditions/knees/creaking/"][:10] == (
        changed.astimezone(ZoneInfo("America/New_York")).date().isoformat()
    )
    assert len(told) == 2


def test_the_feed_names_the_newest_first(client, pages):
    desk.change(pages["knees/overview"], title="New knees")

    root = ET.fromstring(client.get("/feed/").content)
    atom = "{http://www.w3.org/2005/Atom}"

    assert [e.find(f"{atom}title").text for e in root.iter(f"{atom}entry")] == [
        "New knees",
        "Creaking knees",
    ]


def test_crawlers_are_kept_from_patients_pages(client, db):
    told = client.get("/robots.txt").content.decode()

    assert "Disallow: /intake/" in told
    assert "Sitemap: http://127.0.0.1:8000/sitemap.xml" in told


def test_sitemap_and_feed_tell_only_what_was_published(client, pages, settings):
    settings.DEMO = False

    for path in ("/sitemap.xml", "/feed/"):
        assert b"/conditions/knees/" not in client.get(path, secure=True).content

"""Contact, people, visits and costs as visitors read them."""

import re
from datetime import timedelta
from decimal import Decimal
from unittest import mock

import pytest
from django.utils import timezone

from clinic.translated import Translated
from education.models import Picture
from education.services import pictures
from intake.models.clinic_pages import ClinicianProfile, ClinicText, InsurancePlan, LocationProfile
from intake.models.clinic_time import Closure, Location, OpeningHours, VisitType
from tests import builders
from tests.education.samples import png
from tests.intake import book
from tests.intake.clinic_pages import samples

pytestmark = pytest.mark.django_db
PAGES = ("/contact/", "/people/", "/visits/", "/costs/")
# page → statements; on the contact page three more read the calendar
QUERIES = {"/contact/": 2, "/people/": 3, "/visits/": 2, "/costs/": 2}
HOSTILE = '<script>alert("1")</script>\u202e'


def shown(client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return response.content.decode()


def headings(html: str) -> list[str]:
    return [re.sub("<.*?>", "", text) for text in re.findall(r"<h[1-4][^>]*>(.*?)</h[1-4]>", html)]


def body_of(html: str) -> str:
    return html.partition("<main")[2].partition("</main>")[0]


@pytest.mark.parametrize("path", PAGES)
def test_an_empty_clinic_has_no_empty_heading_and_says_how_to_ask(client, path):
    page = body_of(shown(client, path))

    assert not re.search(r"<(h[1-4]|dt|dd|li|p|ul|ol|dl|div)\b[^>]*>\s*</\1>", page)
    assert not re.search(r"</h[2-4]>\s*(<h[1-4]|</section>|</article>)", page)
    assert "202-555-0123" in page
    assert "Bus and train" not in page


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("prefix", ["", "/es"])
def test_a_whole_clinic_leaves_no_heading_without_text(client, path, prefix):
    samples.whole()
    page = body_of(shown(client, prefix + path))

    assert not re.search(r"<(h[1-4]|dt|dd|li|p|ul|ol|dl|div)\b[^>]*>\s*</\1>", page)
    assert ("(inventado)" if prefix else "(invented)") in page
    assert ("(inventado)" in page) is bool(prefix)


@pytest.mark.parametrize("path", ["/", "/privacy/", "/search/", "/intake/", "/my/", "/no/page/"])
def test_every_page_leads_to_contact(client, path):
    page = client.get(path).content.decode()
    footer = page.partition("<footer>")[2]

    assert 'href="/contact/"' in footer
    if "<nav" in page.partition("<main")[0]:
        assert 'href="/contact/"' in page.partition("<main")[0]


@pytest.mark.parametrize(("path", "statements"), QUERIES.items())
def test_a_page_reads_a_fixed_number_of_statements(
    client, django_assert_num_queries, path, statements
):
    samples.whole()
    with django_assert_num_queries(statements):
        shown(client, path)
    for number in range(3):
        who = book.clinician(f"Dr. {number}", place=book.location(f"Place {number}"))
        ClinicianProfile.objects.create(clinician=who, is_published=True)
        LocationProfile.objects.create(location=book.location(f"Place {number}"))
        InsurancePlan.objects.create(name=f"Plan {number}")
    with django_assert_num_queries(statements):
        shown(client, path)


def test_drafts_leavers_ended_hours_and_dropped_plans_are_not_shown(client):
    _place, (lee, okafor) = samples.whole()
    ClinicianProfile.objects.filter(clinician=lee).update(is_published=False)
    assert "Dr. Lee" not in shown(client, "/people/")
    assert "Dr. Okafor" in shown(client, "/people/")

    OpeningHours.objects.update(valid_until=timezone.localdate())
    assert "Works at" in shown(client, "/people/")
    OpeningHours.objects.update(valid_until=timezone.localdate() - timedelta(days=1))
    assert "Works at" not in shown(client, "/people/")

    VisitType.objects.filter(kind="video").update(is_active=False)
    assert "by video" not in shown(client, "/people/")
    assert "By video" not in headings(shown(client, "/visits/"))

    type(okafor).objects.update(is_active=False)
    assert "does not name our clinicians yet" in shown(client, "/people/")
    assert headings(body_of(shown(client, "/visits/")))[:3] == [
        *("How a visit goes", "Before your visit", "If you cannot come"),
    ]

    InsurancePlan.objects.update(is_accepted=False)
    assert "Example Health" not in shown(client, "/costs/")

    Location.objects.update(is_active=False)
    assert "12 Example Street" not in shown(client, "/contact/")


def test_what_a_hostile_member_of_staff_writes_is_text(client):
    samples.whole()
    texts = Translated(en=HOSTILE, es=HOSTILE)
    Location.objects.update(name=HOSTILE, address=HOSTILE, phone=HOSTILE)
    for model in (LocationProfile, ClinicianProfile, InsurancePlan, ClinicText):
        fields = {field.name for field in model._meta.get_fields()}
        names = fields & {"way", "transport", "parking", "access_note", "role", "sees"}
        names |= fields & {"languages", "note", "text"}
        model.objects.update(**dict.fromkeys(names, texts))
    InsurancePlan.objects.filter(needs_referral=True).update(name=HOSTILE)
    ClinicianProfile.objects.update(credentials=HOSTILE)

    for path in (*PAGES, "/es/contact/"):
        assert "<script>alert" not in body_of(shown(client, path))
    assert "&lt;script&gt;alert(" in shown(client, "/contact/")


@pytest.mark.parametrize(("hours", "remind", "says", "says_not"), [
    (24, [3, 1], ["until 24 hours before", "3 days and 1 day before"], []),
    (1, [2], ["until 1 hour before", "2 days before"], []),
    (0, [], ["until it begins"], ["hours before", "We remind you"]),
])  # fmt: skip
def test_the_rule_of_cancelling_is_the_rule_of_the_settings(
    client, settings, hours, remind, says, says_not
):
    settings.APPOINTMENT_CANCEL_HOURS, settings.APPOINTMENT_REMIND_DAYS = hours, remind
    page = " ".join(re.sub("<[^>]*>", "", shown(client, "/visits/")).split())

    for words in says:
        assert words in page
    for words in says_not:
        assert words not in page


@pytest.mark.usefixtures("calendar")
def test_odd_hours_and_a_closure_of_one_place_are_named(client, django_assert_num_queries):
    book.location()
    week = "Sun 00:00-24:00, Mon 22:00-24:00"
    night = Location.objects.create(name="Night clinic", time_zone="America/Chicago", week=week)
    day = timezone.localdate() + timedelta(days=3)
    Closure.objects.create(location=night, first_day=day, last_day=day)
    # the calendar is read anew with its rota, so that no kept page lacks a closure
    once = mock.patch("clinic.last_known.SECONDS", 60)
    with once, django_assert_num_queries(QUERIES["/contact/"] + 4):
        page = shown(client, "/contact/")

    assert "<dt>Sunday</dt><dd>all day</dd>" in page
    assert "<dt>Monday</dt><dd>10:00 pm to midnight</dd>" in page
    assert re.search("<li>[^<]*, Night clinic</li>", page)
    # nothing but the name is known of both places
    assert 'id="places"' not in page


def test_a_text_without_the_readers_language_is_marked_as_english(client):
    place = book.location()
    LocationProfile.objects.create(location=place, parking=Translated(en="Behind the house"))
    page = shown(client, "/es/contact/")

    assert re.search(r'<div lang="en">\s*<p>Behind the house', page)
    assert re.search(r"<div>\s*<p>Behind the house", shown(client, "/contact/"))


def test_the_map_link_names_the_place_by_coordinates_or_by_address(client):
    place = book.location()
    assert "geo:" not in shown(client, "/contact/")

    Location.objects.update(address="1 A St & Co\nB")
    assert 'href="geo:0,0?q=1%20A%20St%20%26%20Co%20B"' in shown(client, "/contact/")

    LocationProfile.objects.create(
        location=place, latitude=Decimal("38.9"), longitude=Decimal("-77.03")
    )
    assert 'href="geo:38.90000,-77.03000?q=38.90000,-77.03000(Main%20clinic)"' in shown(
        client, "/contact/"
    )


def test_no_page_names_a_moment_of_now(client, monkeypatch):
    samples.whole()
    before = [shown(client, path) for path in PAGES]
    later = timezone.now() + timedelta(hours=9)
    monkeypatch.setattr(timezone, "now", lambda: later)

    assert [shown(client, path) for path in PAGES] == before


def test_a_photo_has_its_words_and_a_deleted_one_breaks_no_page(client):
    """The release before deletes a picture without looking at profiles."""
    samples.whole()
    by = builders.member("content editor")
    photo = pictures.add(slug="dr-lee", alt='Dr. Lee "smiles"', data=png(), by=by)
    ClinicianProfile.objects.filter(order=0).update(picture=photo)
    LocationProfile.objects.update(picture=photo)
    for path in ("/people/", "/contact/"):
        found = re.findall(r'<img src="(/pictures/[^"]+)" alt="([^"]+)"', shown(client, path))
        assert found == [(photo.get_absolute_url(), "Dr. Lee &quot;smiles&quot;")]
    assert client.get(photo.get_absolute_url()).status_code == 200

    Picture.objects.filter(pk=photo.pk)._raw_delete("default")
    for path in ("/people/", "/contact/"):
        assert "/pictures/" not in shown(client, path)


def test_the_privacy_practices_are_linked_where_the_clinic_has_published_them(client, settings):
    for path in ("/privacy/", "/contact/"):
        assert "privacy practices" not in shown(client, path)
    settings.PRIVACY_PRACTICES = "/about/privacy-practices/"
    for path in ("/privacy/", "/contact/"):
        assert 'href="/about/privacy-practices/"' in shown(client, path)


def test_the_sitemap_names_the_pages(client):
    found = shown(client, "/sitemap.xml")
    for path in (*PAGES, "/es/contact/"):
        assert f"<loc>http://127.0.0.1:8000{path}</loc>" in found

"""Find, read and edit the pages that the program brings. They are loaded once for these tests."""

import time

import pytest
from django.core.management import call_command
from django.db import transaction

from education import search
from education.models import Page, PageVersion
from tests.education.test_editing import store
from tests.education.test_search import names
from tests.intake.patient import Patient

pytestmark = pytest.mark.django_db


@pytest.fixture(scope="module", autouse=True)
def _library(django_db_setup, django_db_blocker):
    """Load all pages in a transaction, in which each test has a savepoint. It takes a second."""
    with django_db_blocker.unblock(), transaction.atomic():
        call_command("load_pages", verbosity=0)
        yield
        transaction.set_rollback(True)


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("restless legs", "restless-legs/overview"),
        ("restles leg", "restless-legs/"),
        ("restlss legs", "restless-legs/"),
        ("RLS", "restless-legs/"),
        ("Willis-Ekbom", "restless-legs/"),
        ("jumpy legs", "restless-legs/"),
        ("DVT", "clots/overview"),
        ("PAD", "artery-disease/overview"),
        ("varicose", "vein-disease/overview"),
        ("\u202avari\u00adcose\u202c", "vein-disease/overview"),  # copied from another page
        ("iron", "restless-legs/iron"),
        ("ferritin", "restless-legs/iron"),
        ("pregn", "restless-legs/pregnancy"),
        ("pregnancies", "restless-legs/pregnancy"),
        ("pregnacy", "restless-legs/pregnancy"),
        ("augmentation", "restless-legs/"),
        ("augmentaton", "restless-legs/"),
        ("vein procedures", "restless-legs/vein-procedures"),
        ("opening hours", "about/contact"),
        ("verracose vains", "vein-disease/overview"),
        ("vericose viens", "vein-disease/overview"),
        ("artory", "restless-legs/veins-and-arteries"),
    ],
)
def test_what_people_type_leads_to_the_page_they_mean(typed, first):
    assert names(typed)[0].startswith(first)


@pytest.mark.parametrize(
    "typed",
    [
        "a" * 10_000,
        "a " * 5_000,
        "legs & | ! <-> :* ( ) ' \\",
        "'; drop table education_page; --",
        "%_%",
        "ноги беспокойные",
        "脚がむずむずする",
        "ساق",
        "👣",
        "\u202elegs",
        "<b>legs</b>",
        "the of and",
        "x:*",
        "\ue000legs\ue001",
    ],
)
def test_whatever_is_typed_there_is_an_answer(client, typed):
    assert client.get("/search/", {"q": typed}).status_code == 200


def test_a_search_through_all_pages_is_quick():
    assert Page.objects.count() > 15
    started = time.monotonic()
    for typed in ("restless", "augmentaton", "zzzz quux"):
        search.find(typed)
    assert time.monotonic() - started < 1.5


def test_another_name_finds_the_spanish_page(client):
    for typed in ("willis ekbom", "piernas nerviosas", "tvp", "mala circulación", "embarazada"):
        assert 'class="pages"' in client.get(f"/es/search/?q={typed}").content.decode(), typed


@pytest.mark.parametrize(
    ("typed", "first"),
    [
        ("benas barices", "vein-disease/overview"),
        ("piernas inkietas", "restless-legs/overview"),
        ("embaraso", "restless-legs/pregnancy"),
        ("medias de conpresion", "restless-legs/"),
    ],
)
def test_a_misspelled_spanish_search_finds_the_page(typed, first):
    assert search.find(typed, "es").pages[0].name.startswith(first)


def test_the_receipt_leads_to_pages_that_fit_and_tells_no_diagnosis():
    page = Patient().whole_journey()

    assert "Pages to read" in page.text
    assert "They do not say what you have." in page.text
    assert "Restless legs: an overview" in page.text


def test_every_page_the_program_brings_survives_opening_and_storing(editor):
    versions = PageVersion.objects.count()
    for page in Page.objects.all():
        assert store(editor, page).status_code == 302, page

    assert PageVersion.objects.count() == versions

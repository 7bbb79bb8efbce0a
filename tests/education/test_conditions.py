"""The conditions that pages belong to: editors name and order them."""

import pytest
from django.core.management import call_command
from django.test import Client

from education.models import Condition
from tests import builders
from tests.desk import Trail, cells, words
from tests.education import desk

pytestmark = pytest.mark.django_db
LIST = "/admin/education/condition/"


@pytest.fixture
def editor(pages) -> Client:
    return builders.sign_in(Client(), desk.editor())


def at(slug: str) -> str:
    return f"{LIST}{Condition.objects.get(slug=slug).pk}/change/"


def test_an_editor_renames_a_condition_and_readers_see_it_at_once(editor):
    trail = Trail()
    typed = {"title": "Knees at night", "order": "3", "title_es": "Rodillas de noche"}
    answer = editor.post(at("knees"), typed, follow=True)

    assert "Readers see it at once" in words(answer)
    assert "Knees at night" in Client().get("/conditions/").text
    assert "Rodillas de noche" in Client().get("/es/conditions/").text
    assert [event.subject for event in trail.events(action="update")] == ["knees"]


def test_what_an_editor_named_is_not_overwritten_from_files(pages, editor):
    call_command("load_pages", verbosity=0)
    editor.post(at("clots"), {"title": "Clots in a leg", "order": "0", "title_es": ""})
    call_command("load_pages", verbosity=0)

    assert Condition.objects.get(slug="clots").title == "Clots in a leg"
    assert Condition.objects.get(slug="vein-disease").title == "Vein disease"


def test_a_new_condition_waits_for_its_pages(editor):
    typed = {"slug": "ankles", "title": "Ankles", "order": "9", "title_es": ""}
    assert editor.post(f"{LIST}add/", typed).status_code == 302

    assert "Ankles" in cells(editor.get(LIST), "named")
    assert "Ankles" in editor.get("/admin/education/page/add/").text
    assert "Ankles" not in Client().get("/conditions/").text
    again = editor.post(f"{LIST}add/", typed | {"title": "Other ankles"})
    assert again.status_code == 422
    assert "There is a condition at this address already." in words(again)
    assert "Other ankles" in again.text


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        ({"title": "", "order": "1"}, "Give the title that readers see."),
        ({"title": "A", "order": "x"}, "Enter a whole number."),
        ({"title": "A", "order": "-1"}, "greater than or equal to 0"),
        ({"title": "A" * 81, "order": "1"}, "at most 80 characters"),
    ],
)
def test_what_is_wrong_is_said_by_the_field_and_nothing_changes(editor, typed, says):
    answer = editor.post(at("knees"), typed)

    assert answer.status_code == 422
    assert says in words(answer)
    assert Condition.objects.get(slug="knees").title == "Noisy knees"

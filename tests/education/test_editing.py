"""Editors and clinicians at work on pages, through the admin."""

from datetime import timedelta

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.test import Client
from django.utils import timezone

from clinic.models import Event
from education import content
from education.models import Page, PageVersion, Status
from tests import builders
from tests.desk import Trail, words
from tests.education import desk, samples
from tests.education.browser import ADD, LIST, at, store, typed
from tests.education.conftest import load

pytestmark = pytest.mark.django_db


# --- writing -------------------------------------------------------------------------------------


def test_an_editor_lands_on_the_list_and_a_clinician_on_the_worklist(page, editor, clinician):
    assert editor.get("/admin/").headers["Location"] == LIST
    assert clinician.get("/admin/").headers["Location"] == "/admin/intake/submission/"
    assert f'href="{LIST}"' in clinician.get("/admin/intake/submission/").content.decode()


def test_an_editor_changes_a_section_and_it_is_written_down(page, editor):
    trail = Trail()
    answer = store(editor, page, **{"section-2-body": "Swimming.\r\n\r\nAnd rest [2]."})

    assert answer.status_code == 302
    page = desk.fresh(page)
    assert page.as_written().sections[2] == content.Section(
        "What helps", "Swimming.\n\nAnd rest [2]."
    )
    newest = PageVersion.objects.filter(page=page).first()
    assert newest.by == desk.editor()
    [event] = trail.of(answer)
    assert (event.action, event.subject) == ("update", str(page.pk))
    assert "Swimming" not in str(event.detail)


def test_storing_what_was_opened_changes_nothing(editor, page):
    before = desk.read(page), PageVersion.objects.count()

    assert store(editor, page).status_code == 302

    assert (desk.read(page), PageVersion.objects.count()) == before


def test_sections_and_sources_are_added_taken_out_and_moved_by_number(page, editor):
    store(
        editor,
        page,
        **{
            "section-1-gone": "on",
            "section-3-heading": "Stairs",
            "section-3-body": "Slowly [1].",
            "section-3-place": "2",
            "source-0-place": "2",
            "source-2-text": "A third study",
            "source-2-url": "example.org/third",
        },
    )

    text = desk.fresh(page).as_written()
    assert [section.heading for section in text.sections] == ["", "Stairs", "What helps"]
    assert [source.text for source in text.sources] == [
        "A book of knees",
        "A study of knees",
        "A third study",
    ]
    assert text.sources[2].url == "https://example.org/third"


@pytest.mark.parametrize(
    ("moved", "to", "order"),
    [
        (3, "2", ["", "D", "B", "C", "E"]),
        (1, "4", ["", "C", "D", "B", "E"]),
        (4, "2", ["", "E", "B", "C", "D"]),
        (1, "99", ["", "C", "D", "E", "B"]),
        (2, "", ["", "B", "D", "E", "C"]),
    ],
)
def test_a_section_lands_at_the_number_it_was_given(editor, page, moved, to, order):
    sections = (desk.section("", "Intro."), *(desk.section(h, "x") for h in "BCDE"))
    desk.change(page, sections=sections)

    store(editor, page, **{f"section-{moved}-place": to})

    assert [s.heading for s in desk.fresh(page).as_written().sections] == order


def test_a_new_page_is_made_as_a_draft(pages, editor, settings):
    settings.DEMO = False
    form = typed(editor.get(ADD)) | {
        "condition": str(pages["knees/overview"].condition_id),
        "language": "en",
        "slug": "stairs",
        "title": "Knees on stairs",
        "summary": "How to climb.",
        "audience": "Everybody with stairs",
        "order": "3",
        "section-0-body": "Slowly.",
    }
    trail = Trail()
    answer = editor.post(ADD, form)

    page = Page.objects.get(slug="stairs")
    assert answer.headers["Location"] == at(page)
    assert (page.status, page.shown, page.name) == (Status.DRAFT, None, "knees/stairs")
    assert [event.action for event in trail.of(answer)] == ["create"]
    assert Client().get("/conditions/knees/stairs/").status_code == 404

    spanish = editor.post(ADD, form | {"language": "es", "title": "Rodillas en la escalera"})
    assert spanish.status_code == 302
    assert Page.objects.get(slug="stairs", language="es").title == "Rodillas en la escalera"

    again = editor.post(ADD, form | {"title": "Knees on other stairs"})
    assert again.status_code == 422
    assert "There is a page at this address already." in words(again)
    assert typed(again)["title"] == "Knees on other stairs"


# --- errors are shown, and the typed text stays --------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"title": ""}, "Write a title."),
        ({"title": "x" * 121}, "at most 120 characters"),
        ({"order": "many"}, "Enter a whole number."),
        ({"order": "1e9"}, "Enter a whole number."),
        ({"order": ""}, "Give a number from 0 to 999."),
        ({"written": "yesterday"}, "Enter a valid date."),
        ({"related": "Knees!"}, "“Knees!” is not written like restless-legs/iron."),
        ({"section-1-heading": ""}, "Write a heading: only the first section has none."),
        ({"section-1-place": "-1"}, "greater than or equal to 0"),
        ({"section-0-body": "a\0b"}, ""),
        ({"source-0-url": "javascript:alert(1)"}, "Give the whole address"),
        ({"source-0-url": "ftp://example.org/x"}, "Give the whole address"),
        ({"source-1-text": "", "source-1-url": "https://x.org"}, "Describe the source"),
        ({f"section-{n}-gone": "on" for n in range(3)}, "Write at least one section."),
        ({"section-0-body": "word " * 7000, "section-1-body": "word " * 2000}, "too long for one"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(page, editor, changes, sentence):
    before = desk.read(page)
    answer = store(editor, page, **{"section-2-body": "Typed with care."} | changes)

    assert 400 <= answer.status_code < 500
    if sentence:
        assert answer.status_code == 422
        assert sentence in words(answer)
        form = typed(answer)
        assert form["section-2-body"] == "Typed with care."
        for name, value in changes.items():
            assert form[name].strip() == value.strip() or name.endswith("-gone")
    assert desk.read(page) == before


def test_a_form_that_lost_its_parts_is_refused_and_breaks_nothing(page, editor):
    whole = typed(editor.get(at(page)))
    for broken in (
        {},
        {name: value for name, value in whole.items() if "FORMS" not in name},
        whole | {"section-TOTAL_FORMS": "1000"},
        whole | {"section-TOTAL_FORMS": "many", "read": "é" * 70},
        whole | {"read": "x" * 64},
    ):
        assert editor.post(at(page), broken).status_code in (409, 422)
    assert desk.fresh(page).as_written() == samples.creaking()


def test_two_editors_at_once_the_second_is_told_and_keeps_what_was_typed(page, editor):
    other = builders.sign_in(Client(), desk.editor("edna"))
    mine, theirs = editor.get(at(page)), other.get(at(page))
    store(other, page, theirs, **{"section-0-body": "Knees click [1, 2]."})

    late = store(editor, page, mine, **{"section-2-body": "Only my words."})

    assert late.status_code == 409
    assert "Another person changed this page meanwhile." in words(late)
    assert typed(late)["section-2-body"] == "Only my words."
    assert "− removed Knees click [1, 2]." in words(late).replace("  ", " ")
    assert desk.fresh(page).as_written().sections[0].body == "Knees click [1, 2]."

    # the editor sees the other person's change, copies it into the form, and stores
    agreed = store(editor, page, late, **{"section-0-body": "Knees click [1, 2]."})
    assert agreed.status_code == 302
    text = desk.fresh(page).as_written()
    assert [s.body for s in text.sections][::2] == ["Knees click [1, 2].", "Only my words."]


# --- beside the page, and the list ---------------------------------------------------------------


def test_problems_and_reading_grades_stand_beside_the_page(page, editor):
    store(
        editor,
        page,
        **{
            "section-0-body": "[A](/conditions/nowhere/) and [b](http://example.org) [7].",
            "section-2-body": "Individuals experiencing symptomatology require evaluation.",
        },
    )

    told = words(editor.get(at(page)))

    for sentence in (
        "A link leads to no page of this site introduction: /conditions/nowhere/",
        "A mark has no source introduction: [7]",
        "A source is named nowhere sources: [2]",
        "A link leads to no proper https address introduction: http://example.org",
        "too hard",
    ):
        assert sentence in told


def test_the_list_is_filtered_by_state_condition_review_and_problems(pages, editor):
    page = desk.publish(pages["knees/creaking"])
    Page.objects.filter(pk=page.pk).update(next_review_on=timezone.localdate() - timedelta(days=1))
    desk.change(pages["knees/overview"], sections=(desk.section("", "No [9]."),))

    def titles(**query: str) -> set[str]:
        answer = editor.get(LIST, query)
        assert answer.status_code == 200
        return {
            title
            for title in ("Creaking knees", "Knees")
            if f">{title}</a></th>" in answer.content.decode()
            or f">{title}</a></td>" in answer.content.decode()
        }

    assert titles() == {"Creaking knees", "Knees"}
    assert titles(review="overdue") == {"Creaking knees"}
    assert titles(review="never") == {"Knees"}
    assert titles(review="soon") == set()
    assert titles(problems="yes") == {"Knees"}
    assert titles(problems="no") == {"Creaking knees"}
    assert titles(state="published") == {"Creaking knees"}
    assert titles(state="unread") == {"Knees"}
    assert titles(about="knees") == {"Creaking knees", "Knees"}
    assert titles(about="about") == set()
    assert titles(state="zzz", review="zzz", problems="zzz", about="zzz") == titles()
    desk.change(page, title="Creaking knees")
    assert "overdue" in words(editor.get(LIST))


def test_no_column_behind_the_list_can_be_asked_for(page, editor):
    for lookup in ("reviewed_by__password__startswith", "status", "shown__isnull", "loaded_hash"):
        answer = editor.get(LIST, {lookup: "a"})
        assert answer.status_code in (302, 400, 403)
        assert "e=1" in answer.headers.get("Location", "e=1")


def test_the_list_asks_as_many_questions_for_many_pages_as_for_few(
    editor, pages, django_assert_num_queries
):
    editor.get(LIST)
    with django_assert_num_queries(8):
        editor.get(LIST)
    load(
        *(
            msgspec.structs.replace(samples.creaking(), slug=f"creaking-{n}", related=())
            for n in range(20)
        )
    )
    with django_assert_num_queries(8):
        editor.get(LIST)


def test_an_unknown_page_is_not_found(pages, editor):
    for name in ("change", "history"):
        assert editor.get(f"{LIST}nonsense/{name}/").status_code == 404
        assert editor.get(f"{LIST}00000000-0000-0000-0000-000000000000/{name}/").status_code == 404
    assert Event.objects.filter(subject="nonsense").count() == 0
    assert get_user_model().objects.count() == 1

"""Editors and clinicians at work on pages, through the admin's own door."""

from datetime import timedelta

import msgspec
import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client
from django.utils import timezone

from clinic.models import Event
from education import content
from education.checks import FOLDER
from education.models import Page, PageVersion, Status
from education.services import loading
from tests import builders
from tests.education import desk, samples
from tests.education.browser import at, buttons, store, typed
from tests.education.conftest import load
from tests.staff.desk import Trail, words

pytestmark = pytest.mark.django_db

LIST = "/admin/education/page/"
ADD = f"{LIST}add/"


@pytest.fixture
def page(pages) -> Page:
    return pages["knees/creaking"]


@pytest.fixture
def editor() -> Client:
    return builders.sign_in(Client(), desk.editor())


@pytest.fixture
def clinician() -> Client:
    return builders.sign_in(Client(), desk.clinician())


def press(client: Client, page: Page, move: str, **data: str):
    """A button of the page, with the text that is there now."""
    data = {"read": desk.read(page)} | data
    return client.post(at(page, move), data, follow=True)


def in_a_year() -> str:
    return (timezone.localdate() + timedelta(days=365)).isoformat()


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


def test_every_page_the_program_brings_survives_opening_and_storing(editor, db):
    loading.load_pages(conditions=content.read_conditions(FOLDER), pages=content.read_pages(FOLDER))
    versions = PageVersion.objects.count()
    for page in Page.objects.all():
        assert store(editor, page).status_code == 302, page

    assert PageVersion.objects.count() == versions


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


# --- what is wrong is said, and what was typed stays ---------------------------------------------


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

    # having seen it, the editor takes over what the other wrote, and stores
    agreed = store(editor, page, late, **{"section-0-body": "Knees click [1, 2]."})
    assert agreed.status_code == 302
    text = desk.fresh(page).as_written()
    assert [s.body for s in text.sections][::2] == ["Knees click [1, 2].", "Only my words."]


# --- review and publication ----------------------------------------------------------------------


def test_a_page_goes_from_the_editor_to_the_clinician_to_the_readers(
    page, editor, clinician, settings
):
    settings.DEMO = False
    assert "Publish" not in buttons(editor.get(at(page)))
    said = press(editor, page, "ask_for_review")
    assert "The page is in review." in words(said)

    seen = clinician.get(at(page))
    assert "I reviewed this text: it is right" in buttons(seen)
    assert typed(seen) == {}
    press(clinician, page, "review", next_on=in_a_year())
    assert "Publish" not in buttons(clinician.get(at(page)))
    assert Client().get(page.get_absolute_url()).status_code == 404

    assert "Publish" in buttons(editor.get(at(page)))
    press(editor, page, "publish")
    assert Client().get(page.get_absolute_url()).status_code == 200
    assert desk.fresh(page).next_review_on.isoformat() == in_a_year()

    press(editor, page, "take_down")
    assert Client().get(page.get_absolute_url()).status_code == 404


def test_what_nobody_reviewed_is_not_published_whatever_is_pressed(page, editor):
    press(editor, page, "ask_for_review")

    said = press(editor, page, "publish")

    assert "A clinician must review exactly this text first." in words(said)
    assert desk.fresh(page).shown is None


def test_a_text_changed_under_the_reviewers_eyes_is_not_reviewed(page, clinician):
    seen = desk.read(page)
    desk.change(page, title="Other knees")

    said = press(clinician, page, "review", read=seen, next_on=in_a_year())

    assert "Another person changed this page meanwhile." in words(said)
    assert desk.fresh(page).reviewed_by is None


def test_who_wrote_it_cannot_review_it(page):
    both = desk.editor("doctor-editor")
    both.groups.add(Group.objects.get(name="clinician"))
    client = builders.sign_in(Client(), both)
    store(client, page, title="My knees")

    shown = client.get(at(page))
    assert "I reviewed this text: it is right" not in buttons(shown)
    assert "another clinician must review it" in words(shown)
    said = press(client, page, "review", next_on=in_a_year())
    assert "You wrote a part of this text, so another clinician must review it." in words(said)
    assert desk.fresh(page).reviewed_by is None


@pytest.mark.parametrize(
    ("day", "sentence"),
    [
        ("", "Give the day of the next review."),
        ("soon", "Give the day as 2027-11-26."),
        ("2020-01-01", "The next review must be in the future."),
    ],
)
def test_a_review_wants_a_day_for_the_next_one(page, clinician, day, sentence):
    answer = clinician.post(at(page, "review"), {"read": desk.read(page), "next_on": day})

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert desk.fresh(page).reviewed_by is None


def test_the_buttons_of_others_are_refused_and_the_refusal_is_recorded(page, editor, clinician):
    for client, move in ((editor, "review"), (clinician, "publish"), (clinician, "take_down")):
        trail = Trail()
        answer = client.post(at(page, move), {"read": desk.read(page), "next_on": in_a_year()})
        assert answer.status_code == 403
        assert [event.action for event in trail.of(answer)] == ["deny"]
    assert clinician.post(at(page), {}).status_code == 403
    assert clinician.post(at(page, "restore"), {}).status_code == 403
    assert desk.fresh(page).as_written() == samples.creaking()


# --- preview -------------------------------------------------------------------------------------


def test_the_preview_shows_the_draft_in_the_public_template_and_to_staff_alone(page, clinician):
    page = desk.publish(page)
    desk.change(page, title="Knees tomorrow")

    shown = clinician.get(at(page, "shown"))

    assert "Preview: readers do not see this text yet" in words(shown)
    assert "Knees tomorrow" in words(shown)
    assert '<div class="card care now">' in shown.content.decode()
    assert "Knees tomorrow" not in words(Client().get(page.get_absolute_url()))
    assert "no-store" in shown["Cache-Control"]
    assert shown["X-Robots-Tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in shown.content.decode()
    assert "canonical" not in shown.content.decode()
    assert Client().get(at(page, "shown")).status_code == 302


def test_only_the_preview_may_stand_in_a_frame_and_only_in_ours(page, editor):
    shown, around = editor.get(at(page, "shown")), editor.get(at(page, "preview"))

    assert shown["X-Frame-Options"] == "SAMEORIGIN"
    assert "frame-ancestors 'self'" in shown["Content-Security-Policy"]
    assert around["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in around["Content-Security-Policy"]
    assert "frame-src 'self'" in around["Content-Security-Policy"]
    assert (
        'class="preview wide"'
        in editor.get(at(page, "preview"), {"width": "wide"}).content.decode()
    )


def test_scripts_and_false_links_are_harmless_in_preview_and_form(page, editor):
    evil = "<script>alert(1)</script> [x](javascript:alert(2)) <img src=x onerror=alert(3)>"
    stored = store(editor, page, **{"section-0-body": f"{evil} [1, 2]"}, preview="1")
    assert stored.headers["Location"] == at(page, "preview")

    for name in ("shown", "change", "preview", "history"):
        body = editor.get(at(page, name)).content.decode()
        assert "<script>alert" not in body
        assert "<img src=x" not in body
        assert 'href="javascript' not in body
    assert "There is html, which would be shown as text" in words(editor.get(at(page, "preview")))


def test_a_huge_table_is_harmless(page, editor):
    def table(rows):
        return "| a | b |\n| - | - |\n" + "| 1 | 2 |\n" * rows

    assert store(editor, page, **{"section-0-body": table(10_000)}).status_code == 413

    # as long as a form can be
    stored = store(editor, page, **{"section-0-body": table(3_500) + "\nAnd [1, 2]."})
    assert stored.status_code == 302
    for name in ("shown", "change", "preview", "history"):
        assert editor.get(at(page, name)).status_code == 200
    assert "3497 lines are the same" not in words(editor.get(at(page, "history")))
    assert editor.get(LIST).status_code == 200


# --- history -------------------------------------------------------------------------------------


def test_the_history_tells_who_wrote_what_and_what_differs(page, editor, clinician):
    desk.change(page, title="Louder knees")
    opened = editor.get(at(page))
    body = typed(opened)["section-2-body"]
    store(editor, page, opened, **{"section-2-body": body.replace("call {phone}", "swim")})

    told = words(clinician.get(at(page, "history")))

    assert "Version 1: " in told
    assert "from a file" in told
    assert "1 line added, 1 line removed" in told
    assert "+ added Walking." in told
    assert "<ins>swim</ins>" in clinician.get(at(page, "history")).content.decode()
    assert "Restore this text" not in told


def test_any_two_texts_are_compared_and_what_readers_see_too(page, editor):
    page = desk.publish(page)
    desk.change(page, title="Louder knees")
    desk.change(page, title="Loudest knees")
    first = PageVersion.objects.filter(page=page).last()

    default = words(editor.get(at(page, "history")))
    assert "− removed Title: Creaking knees + added Title: Loudest knees" in default
    same = editor.get(at(page, "history"), {"old": "shown", "new": str(first.pk)})
    assert "These two texts are the same." in words(same)
    for bad in ("", "x", "00000000-0000-0000-0000-000000000000"):
        odd = editor.get(at(page, "history"), {"old": bad, "new": bad})
        assert odd.status_code == 200
        assert "Choose two texts of this page." in words(odd)


def test_an_old_text_comes_back_as_a_new_version_that_needs_its_review(page, editor):
    page = desk.publish(page)
    desk.change(page, title="A mistake")
    first = PageVersion.objects.filter(page=page).last()

    answer = editor.post(
        at(page, "restore"), {"version": str(first.pk), "read": desk.read(page)}, follow=True
    )

    assert "The old text is restored as a draft." in words(answer)
    page = desk.fresh(page)
    assert page.as_written() == samples.creaking()
    assert page.status == Status.DRAFT
    assert PageVersion.objects.filter(page=page).count() == 3
    stale = editor.post(
        at(page, "restore"), {"version": str(first.pk), "read": "0" * 64}, follow=True
    )
    assert "Another person changed this page meanwhile." in words(stale)
    other = PageVersion.objects.exclude(page=page).first()
    gone = editor.post(at(page, "restore"), {"version": str(other.pk), "read": desk.read(page)})
    assert gone.status_code == 404


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

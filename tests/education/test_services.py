"""Loading, writing, review and publication of pages, and what the database forbids."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from clinic.models import Event
from education.models import Page, PageVersion, Status
from education.services import editing, loading, rights
from tests import builders
from tests.education import desk, samples
from tests.education.conftest import GROUPS, load

pytestmark = pytest.mark.django_db


# --- from files ----------------------------------------------------------------------------------


def test_files_become_drafts_that_nobody_reviewed(pages):
    page = pages["knees/creaking"]

    assert page.as_written() == samples.creaking()
    assert (page.status, page.reviewed_by, page.published_by) == (Status.DRAFT, None, None)
    assert page.next_review_on is None
    assert "Knees creak. Most of them" in page.reader_text
    assert "When to call" in page.reader_text


def test_loading_again_changes_nothing(pages):
    versions, events = PageVersion.objects.count(), Event.objects.count()

    again = loading.load_pages(conditions=GROUPS, pages=(samples.overview(), samples.creaking()))

    assert (again.created, again.updated, again.left_alone) == ([], [], [])
    assert (PageVersion.objects.count(), Event.objects.count()) == (versions, events)


def test_a_changed_file_changes_the_page_nobody_touched(pages):
    loading.load_pages(conditions=GROUPS, pages=[samples.creaking(title="Knees that creak")])

    assert desk.fresh(pages["knees/creaking"]).title == "Knees that creak"


def test_what_an_editor_changed_is_left_alone_and_named(pages):
    page = desk.change(pages["knees/creaking"], title="My knees")

    loaded = loading.load_pages(conditions=GROUPS, pages=[samples.creaking(title="Other knees")])

    assert loaded.left_alone == ["knees/creaking"]
    assert desk.fresh(page).title == "My knees"


@pytest.mark.parametrize("move", ["in_review", "published"])
def test_a_text_that_a_person_stands_behind_is_left_alone(pages, move):
    page = pages["knees/creaking"]
    if move == "published":
        desk.publish(page)
    else:
        editing.ask_for_review(page=page, by=desk.editor(), read=desk.read(page))

    loaded = loading.load_pages(conditions=GROUPS, pages=[samples.creaking(title="Other knees")])

    assert loaded.left_alone == ["knees/creaking"]
    assert desk.fresh(page).title == "Creaking knees"


def test_a_page_that_was_changed_and_changed_back_follows_its_file_again(pages):
    page = desk.change(pages["knees/creaking"], title="My knees")
    desk.change(page, title="Creaking knees")

    loaded = loading.load_pages(conditions=GROUPS, pages=[samples.creaking(title="Other knees")])

    assert loaded.updated == ["knees/creaking"]


def test_loading_is_written_down_without_a_word_of_the_text(pages):
    event = Event.objects.filter(actor="system:load-pages").latest("seq")

    assert event.detail["count"] == 2
    assert "knee" not in str(event.detail)


# --- review and publication ----------------------------------------------------------------------


def test_a_page_goes_from_draft_through_review_to_the_readers(pages, settings):
    settings.DEMO = False
    page, editor = pages["knees/creaking"], desk.editor()
    soon = timezone.localdate() + timedelta(days=365)
    editing.ask_for_review(page=page, by=editor, read=desk.read(page))
    assert not Page.objects.visible().exists()

    editing.review(page=page, by=desk.clinician(), read=desk.read(page), next_on=soon)
    editing.publish(page=page, by=editor, read=desk.read(page))

    page = Page.objects.visible().get()
    assert page.status == Status.PUBLISHED
    assert (page.reviewed_by, page.published_by) == (desk.clinician(), editor)
    assert page.next_review_on == soon
    assert page.as_read() == samples.creaking()


def test_what_nobody_reviewed_is_not_published(pages):
    page = pages["knees/creaking"]

    with pytest.raises(rights.ActRefused, match="review exactly this text"):
        editing.publish(page=page, by=desk.editor(), read=desk.read(page))


def test_a_word_changed_after_the_review_needs_another_one(pages):
    page = pages["knees/creaking"]
    editing.review(page=page, by=desk.clinician(), read=desk.read(page), next_on=None)
    desk.change(page, title="Safe knees")

    with pytest.raises(rights.ActRefused, match="review exactly this text"):
        editing.publish(page=page, by=desk.editor(), read=desk.read(page))


def test_nobody_reviews_their_own_words(pages):
    both = desk.editor("both")
    builders.member("clinician", "both")
    page = desk.change(pages["knees/creaking"], by=both, title="My knees")
    desk.change(page, by=desk.editor(), summary="A comma, by another editor.")

    with pytest.raises(rights.ActRefused, match="another clinician must review"):
        editing.review(page=page, by=both, read=desk.read(page), next_on=None)
    editing.review(page=page, by=desk.clinician(), read=desk.read(page), next_on=None)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        ("content editor", {"ask_for_review"}),
        ("clinician", {"review"}),
        ("front desk", set()),
        ("administrator", set()),
    ],
)
def test_each_role_does_its_part_and_no_other(pages, role, allowed):
    page, person = pages["knees/creaking"], builders.member(role)
    done = set()
    for name, more in (("ask_for_review", {}), ("review", {"next_on": None})):
        try:
            getattr(editing, name)(page=page, by=person, read=desk.read(page), **more)
            done.add(name)
        except rights.ActRefused:
            pass
    assert done == allowed


def test_readers_keep_what_was_published_while_somebody_works_on_it(pages, settings):
    settings.DEMO = False
    page = desk.publish(pages["knees/creaking"])

    page = desk.change(page, title="Half a thou")

    assert page.status == Status.DRAFT
    assert page.as_read().title == page.reader_title == "Creaking knees"
    assert page.as_written().title == "Half a thou"
    assert Page.objects.visible().count() == 1


def test_a_page_taken_down_is_a_draft_that_nobody_sees(pages, settings):
    settings.DEMO = False
    page = desk.publish(pages["knees/creaking"])

    editing.take_down(page=page, by=desk.editor(), read=desk.read(page))

    assert desk.fresh(page).status == Status.DRAFT
    assert not Page.objects.visible().exists()


def test_what_is_sent_back_needs_its_review_again(pages):
    page = pages["knees/creaking"]
    editing.review(page=page, by=desk.clinician(), read=desk.read(page), next_on=None)

    editing.send_back(page=page, by=desk.editor(), read=desk.read(page))

    assert desk.fresh(page).reviewed_by is None
    with pytest.raises(rights.ActRefused):
        editing.publish(page=page, by=desk.editor(), read=desk.read(page))


def test_of_two_who_change_at_once_one_is_told_to_look_again(pages):
    page = pages["knees/creaking"]
    before = desk.read(page)
    desk.change(page, title="First")

    for late in (
        lambda: editing.save_text(
            page=page, text=samples.creaking(), by=desk.editor(), read=before
        ),
        lambda: editing.review(page=page, by=desk.clinician(), read=before, next_on=None),
    ):
        with pytest.raises(rights.Changed, match="look at it again"):
            late()


def test_a_review_for_yesterday_is_refused(pages):
    page = pages["knees/creaking"]

    with pytest.raises(rights.ActRefused, match="future"):
        editing.review(
            page=page, by=desk.clinician(), read=desk.read(page), next_on=timezone.localdate()
        )


def test_every_move_is_written_down_with_codes_alone(pages):
    page = desk.publish(pages["knees/creaking"])

    moves = Event.objects.filter(subject=str(page.pk)).order_by("seq")

    assert [(e.action, e.detail.get("to")) for e in moves] == [
        ("state", "in_review"),
        ("state", "published"),
    ]


def test_every_text_is_kept_with_its_writer(pages):
    page = desk.change(pages["knees/creaking"], title="My knees")

    mine, files = page.versions.all()

    assert (mine.by, files.by) == (desk.editor(), None)
    assert files.as_written() == samples.creaking()


# --- what the database forbids -------------------------------------------------------------------


@pytest.mark.parametrize(
    "columns",
    [
        {"status": "published"},
        {"status": "unknown"},
        {"reviewed_at": timezone.now()},
        {"reviewed_hash": "x"},
        {"published_at": timezone.now()},
        {"shown": {}},
    ],
)
def test_no_page_is_half_reviewed_or_published(pages, columns):
    with pytest.raises(IntegrityError), transaction.atomic():
        Page.objects.update(**columns)


def test_one_address_is_one_page(pages):
    with pytest.raises(IntegrityError), transaction.atomic():
        Page.objects.update(slug="same")


def test_the_pages_that_come_with_the_program_load(django_assert_max_num_queries):
    from django.core.management import call_command

    call_command("load_pages", verbosity=0)
    count = Page.objects.count()
    call_command("load_pages", verbosity=0)

    assert Page.objects.count() == count == PageVersion.objects.count()


def test_a_group_that_nobody_named_is_refused_before_anything_is_stored():
    with pytest.raises(KeyError):
        load(samples._page("moon/overview", samples.OVERVIEW, {}))
    assert not Page.objects.exists()

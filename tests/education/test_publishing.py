"""Review and publication of a page, its preview and its history."""

import pytest
from django.contrib.auth.models import Group
from django.test import Client

from education.models import PageVersion, Status
from tests import builders
from tests.desk import Trail, words
from tests.education import desk, samples
from tests.education.browser import LIST, at, buttons, in_a_year, press, store, typed

pytestmark = pytest.mark.django_db


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
    assert "There is HTML, which would be shown as text" in words(editor.get(at(page, "preview")))


def test_a_huge_table_is_harmless(page, editor):
    def table(rows):
        return "| a | b |\n| - | - |\n" + "| 1 | 2 |\n" * rows

    assert store(editor, page, **{"section-0-body": table(10_000)}).status_code == 413

    # the longest text that a form can hold
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


# --- several pages at once -----------------------------------------------------------------------


def publish_chosen(client, *chosen):
    given = {"action": "publish_chosen", "index": "0", "_selected_action": [p.pk for p in chosen]}
    return client.post(LIST, given, follow=True)


def test_chosen_pages_are_published_each_with_its_event_or_the_reason(pages, editor, clinician):
    reviewed, unread, *_others = pages.values()
    press(editor, reviewed, "ask_for_review")
    press(clinician, reviewed, "review", next_on=in_a_year())
    trail = Trail()
    said = words(publish_chosen(editor, reviewed, unread))

    assert "1 page is published." in said
    refusal = f"{unread.title} (en): A clinician must review exactly this text first."
    assert refusal in said
    assert desk.fresh(reviewed).shown is not None
    assert desk.fresh(unread).shown is None
    (event,) = trail.events(action="state")
    assert event.subject == str(reviewed.pk)
    # again is refused like the button of the page
    assert "This text is published already." in words(publish_chosen(editor, reviewed))


def test_the_clinician_has_no_action_and_publishes_nothing(page, editor, clinician):
    press(editor, page, "ask_for_review")
    press(clinician, page, "review", next_on=in_a_year())
    assert "Publish the chosen pages" in words(editor.get(LIST))
    assert "Publish the chosen pages" not in words(clinician.get(LIST))
    publish_chosen(clinician, page)
    assert desk.fresh(page).shown is None

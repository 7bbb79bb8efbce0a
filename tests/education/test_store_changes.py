"""A change of a page shows at once: in the store, in every process, and despite slow requests."""

import shutil
import threading

import pytest
from django.db import connection, transaction
from django.test import Client

from clinic.pagecache import rendered, store
from education import views
from education.models import Condition, Page
from education.services import editing, pictures
from tests.education import desk, samples
from tests.education.conftest import load
from tests.education.stored import COMMITTED, KEPT, KNEES, html

# --- after a change ------------------------------------------------------------------------------


@COMMITTED
def test_what_an_editor_publishes_and_takes_down_is_seen_at_once(client, pages, kept, settings):
    settings.DEMO = False
    settings.SECURE_SSL_REDIRECT = False
    assert client.get(KNEES).status_code == 404
    assert "Creaking" not in html(client, "/conditions/")

    page = desk.publish(pages["knees/creaking"])
    tag = client.get("/conditions/")["ETag"]
    assert "Creaking knees" in html(client, KNEES)
    assert "Creaking knees" in html(client, "/conditions/")
    assert KNEES in html(client, "/sitemap.xml")

    editing.take_down(page=page, by=desk.editor(), read=desk.read(page))
    assert client.get(KNEES).status_code == 404
    assert client.get("/conditions/", headers={"If-None-Match": tag}).status_code == 200


@COMMITTED
def test_a_demonstration_shows_a_draft_as_soon_as_it_is_written(client, pages, kept):
    assert "Creaking knees" in html(client, KNEES)

    desk.change(pages["knees/creaking"], title="Knees that creak")

    assert "Knees that creak" in html(client, KNEES)


@COMMITTED
def test_other_words_of_a_picture_are_on_the_pages_that_show_it(
    client, pages, kept, django_assert_num_queries
):
    picture = pictures.add(slug="knee", alt="Bent", data=samples.png(), by=desk.editor())
    shows = desk.section("", "![](picture:knee) [1, 2]")
    desk.change(pages["knees/creaking"], sections=(shows,))
    assert 'alt="Bent"' in html(client, KNEES)

    pictures.describe(picture=picture, alt="Straight", by=desk.editor())

    with django_assert_num_queries(0):
        assert 'alt="Straight"' in html(client, KNEES)


@COMMITTED
def test_pages_from_files_are_rendered_as_they_are_loaded(
    client, pages, kept, no_database, django_assert_num_queries
):
    load(samples.creaking(title="Loud knees"), samples.overview())

    with django_assert_num_queries(0):
        for path in KEPT:
            assert client.get(path).status_code == 200, path
        assert "Loud knees" in html(client, KNEES)
    no_database()
    assert "Loud knees" in html(client, KNEES)


@COMMITTED
def test_the_same_pages_loaded_again_render_nothing(client, kept):
    load()
    before = kept.current()
    load()
    assert kept.current() == before

    load(samples.creaking(title="Loud knees"), samples.overview())
    assert kept.current() != before
    assert "Loud knees" in html(client, KNEES)


def _lose(kept, monkeypatch):
    if isinstance(kept, store.Redis):
        kept.redis.flushall()
    else:
        shutil.rmtree(kept.path)


def _cut_off(kept, monkeypatch):
    """Begin a generation without rendering its pages, as when the process dies before rendering."""
    store.begin(kept, rendered._complete())


def _other_edition(kept, monkeypatch):
    monkeypatch.setattr(rendered, "edition", lambda: "another")


def _other_rows(kept, monkeypatch):
    """Change a row without rendering, as a restored backup does.

    A process that dies between its commit and the rendering leaves the same state.
    """
    Condition.objects.filter(slug="knees").update(title="Old knees", edited=True)


def _edit(kept, monkeypatch):
    desk.change(Page.objects.get(slug="creaking"), title="Knees that creak")


@COMMITTED
@pytest.mark.parametrize("harm", [_lose, _cut_off, _other_edition, _other_rows, _edit])
def test_loading_renders_what_the_store_has_not_or_not_from_these_rows(
    client, kept, monkeypatch, harm, no_database
):
    load()
    harm(kept, monkeypatch)
    before = kept.current()
    load()
    renewed = kept.current()
    assert renewed != before
    load()
    assert kept.current() == renewed

    seen = html(client, "/conditions/")
    no_database()
    assert all(client.get(path).status_code == 200 for path in KEPT)
    assert ("Old knees" in seen) == (harm is _other_rows)


@COMMITTED
def test_what_was_rolled_back_changes_nothing(client, pages, kept):
    html(client, KNEES)
    before = kept.current()

    with transaction.atomic():
        desk.change(pages["knees/creaking"], title="Half a thought")
        transaction.set_rollback(True)

    assert kept.current() == before
    assert "Creaking knees" in html(client, KNEES)


@pytest.mark.django_db
def test_rendering_for_the_store_leaves_the_editors_language_alone(pages, folder):
    with rendered.translation.override("es"):
        rendered.renew()
        assert rendered.translation.get_language() == "es"


@pytest.mark.django_db
def test_another_edition_of_the_program_does_not_use_our_pages(client, pages, kept, monkeypatch):
    html(client, KNEES)
    monkeypatch.setattr(rendered, "edition", lambda: "another")

    assert rendered._read(kept, kept.current(), KNEES) is None


def test_a_protocol_is_among_what_pages_are_made_of():
    """Pages say how soon patients are seen, and the protocol sets these times."""
    made_of = {path.name for path in rendered._files()}
    assert {"rules.yaml", "questionnaire.yaml", "es.yaml"} <= made_of


def test_each_setting_that_pages_show_makes_another_edition(settings):
    editions = {rendered.edition.__wrapped__()}
    for name, value in (
        ("LANGUAGES", settings.LANGUAGES[:1]),
        ("CLINIC_PHONE", "+1 202-555-0199"),
        ("SITE_ORIGIN", "https://other.example"),
    ):
        setattr(settings, name, value)
        editions.add(rendered.edition.__wrapped__())
    assert len(editions) == 4


# --- several processes at once -------------------------------------------------------------------


@COMMITTED
def test_a_slow_reader_does_not_bring_the_older_text_back(pages, kept, monkeypatch):
    """The request begins before a publication, and ends after the publication."""
    read, go_on = threading.Event(), threading.Event()
    whole = views.page_context

    def slow(row, others):
        context = whole(row, others)
        if threading.current_thread().name == "slow":
            read.set()
            assert go_on.wait(10)
        return context

    monkeypatch.setattr(views, "page_context", slow)
    seen = []

    def reader():
        seen.append(html(Client(), KNEES))
        connection.close()

    thread = threading.Thread(target=reader, name="slow")
    thread.start()
    assert read.wait(10)
    desk.change(pages["knees/creaking"], title="Knees that creak")
    go_on.set()
    thread.join(10)

    assert "<h1>Creaking knees</h1>" in seen[0]
    assert "<h1>Knees that creak</h1>" in html(Client(), KNEES)


@COMMITTED
def test_of_many_changes_at_once_the_last_one_stays(pages, kept):
    errors = []

    def change(name: str, title: str) -> None:
        try:
            for n in range(4):
                desk.change(pages[name], by=editors[name], title=f"{title} {n}")
                assert f"<h1>{title} {n}</h1>" in html(Client(), pages[name].get_absolute_url())
        except BaseException as error:
            errors.append(error)
        finally:
            connection.close()

    editors = {name: desk.editor(f"ed-{n}") for n, name in enumerate(pages)}
    threads = [
        threading.Thread(target=change, args=(name, title))
        for name, title in (("knees/creaking", "Creaks"), ("knees/overview", "Bends"))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert not errors
    for path in ("/conditions/", KNEES, "/conditions/knees/"):
        shown = html(Client(), path)
        assert "Creaks 3" in shown, path
        assert "Bends 3" in shown, path
    assert kept.read(kept.current(), rendered._complete()) is not None


@COMMITTED
def test_another_process_sees_a_change_at_once(client, pages, folder):
    """Two processes share one folder, and each keeps pages in its own memory."""
    theirs = Client()
    for each in (client, theirs):
        assert "Creaking knees" in html(each, KNEES)

    desk.change(pages["knees/creaking"], title="Knees that creak")

    for each in (client, theirs):
        assert "Knees that creak" in html(each, KNEES)

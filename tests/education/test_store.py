"""Public pages come from the store: the same for all, never old, served without a database."""

import gzip
from urllib.parse import quote

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection
from django.test import Client

from clinic.pagecache import rendered, store
from education.services import editing
from tests.education import desk
from tests.education.stored import COMMITTED, KEPT, KNEES, html

# --- served --------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_first_reader_costs_two_queries_and_the_next_none(
    pages, kept, settings, django_assert_max_num_queries, django_assert_num_queries
):
    for path in KEPT:
        client = Client()
        with django_assert_max_num_queries(2):
            first = client.get(path)
        client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
        with django_assert_num_queries(0):
            second = client.get(path)

        assert first.status_code == second.status_code == 200, path
        assert first.content == second.content
        assert not first.cookies
        assert not second.cookies
        told = [dict(response.items()) for response in (first, second)]
        assert told[0].pop("X-Request-ID") != told[1].pop("X-Request-ID")
        assert told[0] == told[1]
        assert second["Vary"] == "Accept-Encoding"
        assert "default-src 'none'" in second["Content-Security-Policy"]
        assert second["X-Frame-Options"] == "DENY"
        assert second["X-Content-Type-Options"] == "nosniff"
        assert second["Cross-Origin-Resource-Policy"] == "same-origin"
        assert second["Cache-Control"] == "public, no-cache"


@pytest.mark.django_db
def test_a_kept_page_is_sent_compressed_and_only_when_it_changed(client, pages, folder):
    plain = client.get(KNEES)
    packed = client.get(KNEES, headers={"Accept-Encoding": "br, gzip"})

    assert gzip.decompress(packed.content) == plain.content
    assert packed["Content-Encoding"] == "gzip"
    assert int(packed["Content-Length"]) == len(packed.content)
    assert "Content-Encoding" not in plain
    for known in (
        {"If-None-Match": plain["ETag"]},
        {"If-None-Match": packed["ETag"], "Accept-Encoding": "gzip"},
        {"If-Modified-Since": plain["Last-Modified"]},
    ):
        again = client.get(KNEES, headers=known)
        assert (again.status_code, again.content) == (304, b"")
        assert again["ETag"] == plain["ETag"]
        assert "default-src 'none'" in again["Content-Security-Policy"]
    assert client.get(KNEES, headers={"If-None-Match": '"other"'}).status_code == 200
    head = client.head(KNEES)
    assert (head.status_code, head["Content-Length"]) == (200, plain["Content-Length"])


@pytest.mark.django_db
def test_the_log_names_a_page_from_the_store(client, pages, folder, written_log):
    for _time in range(2):
        client.get(KNEES)

    assert written_log.getvalue().count('"route": "education:page"') == 2


@pytest.mark.django_db
def test_a_host_that_is_not_ours_gets_nothing(client, pages, folder):
    html(client, KNEES)

    assert client.get(KNEES, headers={"Host": "elsewhere.example"}).status_code == 400


@pytest.mark.django_db
def test_production_leads_to_tls_first(client, pages, folder, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/", secure=True).status_code == 200

    assert client.get("/").status_code == 301


# --- never stored --------------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_is_anybodys_own_is_never_kept(client, pages, folder):
    for path in (
        *("/search/", "/search/?q=knee", "/no/such/page/", "/conditions/none/", "/intake/", "/my/"),
        *("/appointments/", "/admin/", "/account/login/", "/healthz", "/readyz"),
        *("/conditions/overview", "/conditions/knees/overview/", f"{KNEES}?from=mail"),
    ):
        client.get(path, headers={"Accept-Encoding": "gzip"})
        client.head(path)
    assert client.post(KNEES).status_code == 405

    assert [entry.name for entry in (folder.path / folder.current()).iterdir()] == ["before"]


@pytest.mark.django_db
@pytest.mark.parametrize("path", [f"{KNEES}?utm=1", KNEES.upper(), quote("/conditions/é/")])
def test_a_strange_address_is_no_way_round(client, pages, folder, path):
    html(client, KNEES)

    assert client.get(path).status_code in (200, 404)
    assert len(list((folder.path / folder.current()).iterdir())) == 2


def test_an_answer_that_touched_a_session_is_not_kept(rf, folder):
    def personal(request):
        response = rendered.HttpResponse("yours")
        response["Cache-Control"] = "public, no-cache"
        response["Vary"] = "Cookie"
        return response

    rendered.RenderedMiddleware(personal)(rf.get("/"))

    assert [entry.name for entry in (folder.path / folder.current()).iterdir()] == ["before"]


# --- failures ------------------------------------------------------------------------------------


@COMMITTED
def test_a_crash_in_the_middle_leaves_no_page_old_and_none_missing(
    client, pages, kept, monkeypatch, no_database
):
    rendered.renew()
    ask = rendered._ask

    def dies(path):
        if path == "/conditions/":
            raise KeyboardInterrupt
        return ask(path)

    monkeypatch.setattr(rendered, "_ask", dies)
    with pytest.raises(KeyboardInterrupt):
        desk.change(pages["knees/creaking"], title="Knees that creak")
    monkeypatch.undo()

    # while the database is down, readers get the pages that were stored before the change
    with monkeypatch.context() as without:
        without.setattr(connection, "cursor", _gone)
        assert "<h1>Knees</h1>" in html(client, "/conditions/knees/")
        assert "Creaking knees" in html(client, KNEES)
    assert "Knees that creak" in html(client, KNEES)
    with monkeypatch.context() as without:
        without.setattr(connection, "cursor", _gone)
        assert "Knees that creak" in html(client, KNEES)


def _gone(*_args, **_kwargs):
    raise OperationalError("connection to server at 10.1.2.3 failed")


@COMMITTED
def test_what_was_taken_down_does_not_come_back_with_the_database_away(
    client, pages, kept, settings, no_database
):
    settings.DEMO = False
    settings.SECURE_SSL_REDIRECT = False
    page = desk.publish(pages["knees/creaking"])
    html(client, KNEES)
    editing.take_down(page=page, by=desk.editor(), read=desk.read(page))
    no_database()

    assert client.get(KNEES).status_code == 503
    assert html(client, "/conditions/")


@pytest.mark.django_db
def test_without_a_database_pages_stay_and_the_rest_says_so(client, pages, kept, no_database):
    rendered.renew()
    no_database()

    for path in KEPT:
        client.cookies["staff"] = "a" * 32
        assert client.get(path).status_code == 200, path
    assert client.get("/search/?q=knee").status_code == 503


@COMMITTED
@pytest.mark.parametrize("harm", ["a file for a folder", "no Redis"])
def test_a_store_that_fails_costs_time_and_nothing_else(client, pages, settings, tmp_path, harm):
    if harm == "no Redis":
        settings.PAGE_STORE = "redis://127.0.0.1:1/0"
    else:
        (tmp_path / "pages").write_text("in the way")
        settings.PAGE_STORE = str(tmp_path / "pages")

    assert "Creaking knees" in html(client, KNEES)
    desk.change(pages["knees/creaking"], title="Knees that creak")
    assert "Knees that creak" in html(client, KNEES)


@pytest.mark.django_db
def test_half_a_file_is_rendered_anew(client, pages, folder):
    html(client, KNEES)
    for entry in (folder.path / folder.current()).iterdir():
        entry.write_bytes(entry.read_bytes()[:100])

    assert "Creaking knees" in html(Client(), KNEES)


@pytest.mark.django_db
def test_what_somebody_else_wrote_into_the_store_is_shown_to_nobody(client, pages, kept):
    html(client, KNEES)
    key = rendered._key(KNEES)
    entry = kept.read(kept.current(), key)
    forged = msgspec.msgpack.encode(
        rendered.KeptPage("education:page", (), b"<script src=//evil.example>", b"", '"x"', None)
    )
    for written in (forged, entry[:32] + forged, entry.replace(b"Creaking", b"Curating")):
        kept.write(kept.current(), key, written)
        assert "Creaking knees" in html(Client(), KNEES)


@pytest.mark.django_db
def test_an_entry_counts_only_where_it_was_written(client, pages, kept):
    html(client, KNEES)
    entry = kept.read(kept.current(), rendered._key(KNEES))
    kept.write(kept.current(), rendered._key("/privacy/"), entry)

    assert "Creaking knees" not in html(Client(), "/privacy/")


@COMMITTED
def test_old_generations_are_cleared_away(pages, kept):
    for n in range(4):
        desk.change(pages["knees/creaking"], title=f"Creaks {n}")

    if isinstance(kept, store.Folder):
        assert sum(entry.is_dir() and not entry.is_symlink() for entry in kept.path.iterdir()) == 2
    else:
        assert len(kept.redis.smembers(kept.ALL)) == 2


# --- the command ---------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_command_renders_every_page(pages, folder, capsys):
    call_command("render_pages")

    assert capsys.readouterr().out == "26 pages rendered.\n"
    assert {path for path in KEPT if rendered._read(folder, folder.current(), path)} == set(KEPT)


@COMMITTED
def test_the_command_says_what_is_wrong(pages, settings, tmp_path, no_database):
    (tmp_path / "pages").write_text("in the way")
    settings.PAGE_STORE = str(tmp_path / "pages")
    with pytest.raises(CommandError, match="cannot be written"):
        call_command("render_pages")
    settings.PAGE_STORE = str(tmp_path / "others")
    no_database()
    with pytest.raises(CommandError, match="database"):
        call_command("render_pages")

"""Addresses that pages lead to and that are gone: asked outside of any page, told beside it."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from education import links
from education.models import GoneLink
from tests import builders
from tests.education import desk
from tests.education.browser import at
from tests.staff.desk import words

pytestmark = pytest.mark.django_db
KNEES = "https://example.org/knees"


class Elsewhere(BaseHTTPRequestHandler):
    """Another site: /200, /404 …; /only-get answers no HEAD."""

    def do_GET(self):
        self.send_response(200 if self.path == "/only-get" else int(self.path[1:]))
        self.end_headers()

    def do_HEAD(self):
        self.send_response(405 if self.path == "/only-get" else int(self.path[1:]))
        self.end_headers()

    def log_message(self, *args):
        """Not into the tests' output."""


@pytest.fixture(scope="module")
def site():
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "gone"),
    [
        ("/200", False),
        ("/only-get", False),
        ("/404", True),
        ("/410", True),
        ("/403", None),
        ("/429", None),
        ("/503", None),
    ],
)
def test_only_what_says_so_is_gone(site, path, gone):
    assert links.is_gone(site + path) is gone


def test_a_host_that_refuses_is_gone():
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        port = server.server_port
    assert links.is_gone(f"http://127.0.0.1:{port}/") is True


def test_an_editor_is_told_beside_the_page_until_it_answers_again(pages, monkeypatch, capsys):
    page = pages["knees/creaking"]
    editor = builders.sign_in(Client(), desk.editor())
    desk.change(page, sections=(desk.section("", "[Here](https://example.org/there) [1, 2]."),))
    monkeypatch.setattr(links, "is_gone", lambda url: url == KNEES)
    call_command("check_links")

    assert f"gone: {KNEES}" in capsys.readouterr().out
    for name in ("change", "preview"):
        assert f"Addresses that are gone {KNEES} Nothing was there on" in words(
            editor.get(at(page, name))
        )
    monkeypatch.setattr(links, "is_gone", lambda url: None if url == KNEES else False)
    call_command("check_links", verbosity=0)
    assert GoneLink.objects.filter(url=KNEES).exists()
    monkeypatch.setattr(links, "is_gone", lambda url: False)
    call_command("check_links", verbosity=0)
    assert "Addresses that are gone" not in words(editor.get(at(page)))


@pytest.mark.parametrize("told", [True, None])
def test_without_a_way_out_nothing_is_called_gone(pages, monkeypatch, told):
    monkeypatch.setattr(links, "is_gone", lambda url: told)

    with pytest.raises(CommandError, match="Is there a way out"):
        call_command("check_links")
    assert not GoneLink.objects.exists()


@pytest.mark.parametrize(("number", "gone"), [(socket.EAI_NONAME, True), (socket.EAI_AGAIN, None)])
def test_a_name_server_that_is_away_tells_nothing(monkeypatch, number, gone):
    def look_up(*_args, **_more):
        raise socket.gaierror(number, "")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert links.is_gone(KNEES) is gone

"""Links to other sites: a command finds links that are gone, and editors see these links."""

import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from education import link_check
from education.models import GoneLink
from tests import builders
from tests.desk import words
from tests.education import desk
from tests.education.browser import at

pytestmark = pytest.mark.django_db
KNEES = "https://example.org/knees"


class Elsewhere(BaseHTTPRequestHandler):
    """Another site. A path that is a number is answered with that status: /404 with 404.

    /only-get refuses HEAD, and /to?x redirects to the address x.
    """

    def do_GET(self, only_get=200):
        path, _sign, other = self.path.partition("?")
        self.send_response({"/only-get": only_get, "/to": 302}.get(path) or int(path[1:]))
        if other:
            self.send_header("Location", other)
        self.end_headers()

    def do_HEAD(self):
        self.do_GET(only_get=405)

    def log_message(self, *args):
        """Log nothing, so that the tests' output does not list requests."""


@pytest.fixture(scope="module")
def site():
    server = HTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def near(monkeypatch):
    """Let the link check treat 127.0.0.1 as the only address outside of the clinic's network."""
    monkeypatch.setattr(link_check, "is_public_address", lambda address: address == "127.0.0.1")


@pytest.fixture
def inside():
    """A server inside of the clinic's network, and the paths that were requested from it."""
    asked: list[str] = []

    class Inside(Elsewhere):
        def do_HEAD(self):
            asked.append(self.path)
            super().do_HEAD()

        do_GET = do_HEAD

    server = HTTPServer(("127.0.0.2", 0), Inside)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.2:{server.server_port}", asked
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("host", ["127.0.0.2", "[::ffff:127.0.0.2]"])
def test_nothing_of_the_own_network_is_asked(inside, host):
    server, asked = inside
    assert link_check.is_gone(f"{server.replace('127.0.0.2', host)}/404") is None
    assert link_check.is_gone("http://127.0.0.1:1/") is None
    assert not asked


def test_nobody_is_led_into_the_own_network(site, near, inside):
    server, asked = inside
    assert link_check.is_gone(f"{site}/to?{server}/404") is None
    assert link_check.is_gone(f"{site}/to?{server.replace('http', 'ftp')}/404") is None
    assert link_check.is_gone(f"{site}/to?{site}/404") is True
    assert not asked


@pytest.mark.parametrize(
    ("address", "outside"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1::1", True),
        ("10.1.2.3", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.1.2.3", False),
        ("224.0.0.1", False),
    ],
)
def test_outside_is_what_everybody_can_reach(address, outside):
    assert link_check.is_public_address(address) is outside


@pytest.mark.usefixtures("near")
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
    assert link_check.is_gone(site + path) is gone


def test_a_host_that_refuses_is_gone(near):
    with HTTPServer(("127.0.0.1", 0), Elsewhere) as server:
        port = server.server_port
    assert link_check.is_gone(f"http://127.0.0.1:{port}/") is True


def test_an_editor_is_told_beside_the_page_until_it_answers_again(pages, monkeypatch, capsys):
    page = pages["knees/creaking"]
    editor = builders.sign_in(Client(), desk.editor())
    desk.change(page, sections=(desk.section("", "[Here](https://example.org/there) [1, 2]."),))
    monkeypatch.setattr(link_check, "is_gone", lambda url: url == KNEES)
    call_command("check_links")

    assert f"gone: {KNEES}" in capsys.readouterr().out
    for name in ("change", "preview"):
        assert f"Addresses that are gone {KNEES} Gone when checked on" in words(
            editor.get(at(page, name))
        )
    monkeypatch.setattr(link_check, "is_gone", lambda url: None if url == KNEES else False)
    call_command("check_links", verbosity=0)
    assert GoneLink.objects.filter(url=KNEES).exists()
    monkeypatch.setattr(link_check, "is_gone", lambda url: False)
    call_command("check_links", verbosity=0)
    assert "Addresses that are gone" not in words(editor.get(at(page)))


@pytest.mark.parametrize("told", [True, None])
def test_without_a_way_out_nothing_is_called_gone(pages, monkeypatch, told):
    monkeypatch.setattr(link_check, "is_gone", lambda url: told)

    with pytest.raises(CommandError, match="Is there a network"):
        call_command("check_links")
    assert not GoneLink.objects.exists()


@pytest.mark.parametrize(("number", "gone"), [(socket.EAI_NONAME, True), (socket.EAI_AGAIN, None)])
def test_a_name_server_that_is_away_tells_nothing(monkeypatch, number, gone):
    def look_up(*_args, **_more):
        raise socket.gaierror(number, "")

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert link_check.is_gone(KNEES) is gone

"""A stored page is sent without asking Django. The answer equals the answer of Django."""

import json
from io import BytesIO

import pytest
from django.core.handlers.wsgi import WSGIHandler

from clinic.pagecache.front import Front

pytestmark = pytest.mark.django_db

GIVEN = {
    "as it is": {},
    "compressed": {"HTTP_ACCEPT_ENCODING": "gzip, br"},
    "with somebody's cookie": {"HTTP_COOKIE": "staff=abc"},
}
SENT_ON = {
    "a query": {"QUERY_STRING": "q=a"},
    "HEAD": {"REQUEST_METHOD": "HEAD"},
    "POST": {"REQUEST_METHOD": "POST"},
    "a condition": {"HTTP_IF_NONE_MATCH": '"a"'},
    "a strange host": {"HTTP_HOST": "evil.example"},
    "no host": {"HTTP_HOST": ""},
    "a mount point": {"SCRIPT_NAME": "/clinic"},
    "a path of bytes": {"PATH_INFO": "/\xc3\xa9/"},
    "a static file": {"PATH_INFO": "/static/css/base.css"},
    "no page": {"PATH_INFO": "/nowhere/"},
}


@pytest.fixture(autouse=True)
def _store(tmp_path, settings):
    settings.PAGE_STORE = str(tmp_path / "pages")


def ask(application, **changes):
    """Return status, headers and body of a WSGI application's answer."""
    told = {}

    def start_response(status, headers, exc_info=None):
        told.update(status=status, headers=dict(headers))

    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/privacy/",
        "QUERY_STRING": "",
        "SCRIPT_NAME": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "HTTP_HOST": "localhost",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **changes,
    }
    body = b"".join(application(environ, start_response))
    assert told["headers"].pop("X-Request-ID")
    return told["status"], told["headers"], body


def never(environ, start_response):
    raise AssertionError("Django was asked")


@pytest.mark.parametrize("asked", GIVEN.values(), ids=GIVEN)
def test_a_kept_page_is_sent_without_django_and_is_the_same(asked):
    django = WSGIHandler()
    ask(django)  # the first reader has the page rendered and stored
    usual = ask(django, **asked)

    assert ask(Front(never), **asked) == usual
    assert "gzip" in usual[1].get("Content-Encoding", "") or not asked.get("HTTP_ACCEPT_ENCODING")
    assert "default-src 'none'" in usual[1]["Content-Security-Policy"]


@pytest.mark.parametrize("asked", SENT_ON.values(), ids=SENT_ON)
def test_whatever_asks_for_more_goes_on_to_django(asked):
    ask(WSGIHandler())
    with pytest.raises(AssertionError, match="Django was asked"):
        ask(Front(never), **asked)


def test_before_anybody_read_it_django_makes_the_page():
    with pytest.raises(AssertionError, match="Django was asked"):
        ask(Front(never))
    assert ask(Front(WSGIHandler()))[0] == "200 OK"
    assert ask(Front(never))[0] == "200 OK"


def test_where_tls_is_wanted_only_a_page_asked_for_by_tls_is_sent(settings):
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    by_tls = {"HTTP_X_FORWARDED_PROTO": "https"}
    settings.SECURE_SSL_REDIRECT = True
    ask(WSGIHandler(), **by_tls)

    assert ask(Front(never), **by_tls)[0] == "200 OK"
    for other in ({}, {"HTTP_X_FORWARDED_PROTO": "http"}):
        with pytest.raises(AssertionError, match="Django was asked"):
            ask(Front(never), **other)


def test_the_log_has_one_line_for_it(written_log):
    ask(WSGIHandler())
    before = written_log.getvalue().count("\n")
    ask(Front(never))
    (line,) = map(json.loads, written_log.getvalue().splitlines()[before:])

    assert (line["event"], line["route"], line["status"]) == ("request", "privacy", 200)

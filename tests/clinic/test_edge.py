"""Which requests are refused, what every answer carries, and what happens when something fails."""

import gzip
import io
import json
import logging
import re

import pytest
from django.db import OperationalError
from django.test import Client

from clinic import logs, views
from clinic.middleware import is_sound

CANARY = "CANARY-7f3a91"
CSP = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "form-action 'self'",
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "object-src 'none'",
}
FORM = "application/x-www-form-urlencoded"
pytestmark = pytest.mark.urls("tests.clinic.strange_views")


@pytest.fixture
def client() -> Client:
    """A client that turns an exception into a page, as a server does, not into a failed test."""
    return Client(raise_request_exception=False)


@pytest.fixture
def log_lines():
    """Every line of the root logger, as the program would write it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.JsonFormatter())
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


# --- which requests are refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    "path",
    [
        "/a%00b/",
        "/%00",
        "/echo/?q=a%00b",
        "/echo/?%00",
        "/static/css/base.css%00",
        "/es/%00/",
        "/admin/%00/",
        "/no/such/?x=%00",
    ],
)
def test_nul_in_an_address_is_400(client, path):
    assert client.get(path).status_code == 400


def test_raw_nul_in_a_query_is_400(client):
    assert client.get("/echo/", QUERY_STRING="q=a\0b").status_code == 400


@pytest.mark.parametrize("query", ["q=%2500", "q=100%", "q=%E9", "q=%zz", "q=a+b&q=c"])
def test_other_queries_are_left_alone(client, query):
    assert client.get(f"/?{query}").status_code == 200


@pytest.mark.parametrize(
    "body",
    [
        b"words=a%00b",
        b"words=a\x00b",
        b"w%00rds=a",
        b"words=%ff",
        b"words=\xff\xfe",
        b"words=%C3",
        b"words=%C3&more=%A9",
        b"words=%ED%A0%80",
        b"words=%C0%80",
        b"words=100%",
        b"words=%zz",
        b"words=%u0041",
    ],
)
def test_a_form_that_no_browser_writes_is_400(client, body):
    assert not is_sound(body)
    assert client.post("/echo/", body, content_type=FORM).status_code == 400


@pytest.mark.parametrize(
    ("body", "read"),
    [
        (b"", {}),
        (b"words=a+b%20c", {"words": ["a b c"]}),
        (b"words=%C3%A9", {"words": ["\u00e9"]}),
        ("words=\u00e9".encode(), {"words": ["\u00e9"]}),
        (b"words=100%25&words=%2500", {"words": ["100%", "%00"]}),
        (b"a=1&a=2&b=%F0%9F%A6%B5", {"a": ["1", "2"], "b": ["\U0001f9b5"]}),
    ],
)
def test_a_form_is_read_whole_after_the_check(client, body, read):
    response = client.post("/echo/", body, content_type=f"{FORM}; charset=UTF-8")

    assert response.status_code == 200
    assert json.loads(response.content) == read


def test_a_form_in_parts_is_read_and_a_broken_one_is_400(client):
    assert json.loads(client.post("/echo/", {"a": "1"}).content) == {"a": ["1"]}

    broken = client.post("/echo/", b"--x\r\n", content_type="multipart/form-data; boundary=")
    assert broken.status_code == 400


BOUNDARY = "multipart/form-data; boundary=x"
IN_PARTS = b'--x\r\nContent-Disposition: form-data; name="words"\r\n%s\r\n%s\r\n--x--\r\n'


def test_a_form_in_parts_keeps_its_letters(client):
    body = IN_PARTS % (b"", "\u00e9 \U0001f9b5".encode())

    for content_type in (BOUNDARY, f"{BOUNDARY}; charset=UTF-8"):
        response = client.post("/echo/", body, content_type=content_type)
        assert json.loads(response.content) == {"words": ["\u00e9 \U0001f9b5"]}


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (IN_PARTS % (b"", b"\xff"), BOUNDARY),
        (IN_PARTS % (b"", b"caf\xc3"), BOUNDARY),
        (IN_PARTS % (b"", b"a\x00b"), BOUNDARY),
        (IN_PARTS % (b"Content-Transfer-Encoding: base64\r\n", b"/w=="), BOUNDARY),
        ((IN_PARTS % (b"", b"a")).replace(b"words", b"w\xffrds"), BOUNDARY),
        ((IN_PARTS % (b"", b"a")).replace(b'name="words"', b"name*=utf-8''%FF"), BOUNDARY),
        ((IN_PARTS % (b"", b"a")).replace(b'name="words"', b"name*=utf-8''%00"), BOUNDARY),
        (IN_PARTS % (b"", b"caf\xc3\xa9"), f"{BOUNDARY}; charset=latin-1"),
        (IN_PARTS % (b"", b"caf\xc3\xa9"), f"{BOUNDARY}; charset=ascii"),
        (IN_PARTS % (b"", b"a"), f"{BOUNDARY}; charset=utf-16"),
        (400 * (IN_PARTS[:-7] % (b"", b"a")) + b"--x--\r\n", BOUNDARY),
    ],
)
def test_a_form_in_parts_that_no_browser_writes_is_400(client, body, content_type):
    # not `post`, which would encode the body again
    response = client.generic("POST", "/echo/", body, content_type)

    assert response.status_code == 400
    assert response["X-Frame-Options"] == "DENY"


def test_a_form_too_large_is_413_and_kindly(client, settings):
    body = b"words=" + b"a" * settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    for content_type in (FORM, "multipart/form-data; boundary=x", "text/plain"):
        response = client.post("/echo/", body, content_type=content_type)
        assert response.status_code == 413
        assert b"too much at once" in response.content


def test_too_many_fields_are_400(client):
    body = "&".join(f"f{i}=1" for i in range(400))
    assert client.post("/echo/", body, content_type=FORM).status_code == 400


def test_a_length_that_is_no_number_is_400(client):
    response = client.post("/echo/", b"a=1", content_type=FORM, CONTENT_LENGTH="many")
    assert response.status_code == 400


@pytest.mark.parametrize("method", ["TRACE", "PUT", "PATCH", "DELETE", "PROPFIND", CANARY])
@pytest.mark.parametrize("path", ["/", "/echo/", "/no/such/"])
def test_other_methods_are_405(client, method, path):
    response = client.generic(method, path)

    assert response.status_code == 405
    assert response["Allow"] == "GET, HEAD, POST, OPTIONS"


def test_a_host_that_is_not_ours_is_400_and_not_quoted(client, log_lines, capfd):
    response = client.get("/", headers={"host": f"{CANARY}.example"})

    assert response.status_code == 400
    assert CANARY.encode() not in response.content
    assert CANARY not in log_lines()
    assert CANARY not in "".join(capfd.readouterr())


# --- what every answer carries --------------------------------------------------------------------

ANSWERS = [
    ("get", "/", 200),
    ("get", "/moved/", 302),
    ("get", "/%00", 400),
    ("get", "/no/such/", 404),
    ("put", "/", 405),
    ("post", "/", 405),
    ("get", "/crashes/", 500),
    ("get", "/guarded/", 503),
    ("get", "/static/css/base.css", 200),
    ("get", "/static/css/none.css", 404),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_headers_on_every_answer(client, method, path, status):
    response = getattr(client, method)(path)

    assert response.status_code == status
    assert set(response["Content-Security-Policy"].split("; ")) == CSP
    assert response["X-Frame-Options"] == "DENY"
    assert response["Cross-Origin-Resource-Policy"] == "same-origin"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Referrer-Policy"] == "same-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin"
    assert response["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert "camera=()" in response["Permissions-Policy"]
    assert "publickey-credentials-get=(self)" in response["Permissions-Policy"]
    assert re.fullmatch(r"[0-9a-f]{32}", response["X-Request-ID"])
    assert not response.cookies
    response.getvalue()  # closes the static file


@pytest.mark.parametrize("path", ["/", "/static/css/base.css"])
def test_pages_and_static_files_are_made_smaller_for_a_browser_that_asks(client, path):
    plain, small = client.get(path), client.get(path, headers={"accept-encoding": "gzip"})

    assert gzip.decompress(small.getvalue()) == plain.getvalue()
    assert small["Content-Encoding"] == "gzip"
    assert "Accept-Encoding" in small["Vary"]
    assert set(small["Content-Security-Policy"].split("; ")) == CSP


def test_a_static_file_that_did_not_change_carries_the_headers_too(client):
    file = client.get("/static/css/base.css")
    since = {"if-modified-since": file["Last-Modified"]}
    same = client.get("/static/css/base.css", headers=since)

    assert file.getvalue()
    assert same.status_code == 304
    assert set(same["Content-Security-Policy"].split("; ")) == CSP
    assert same["X-Frame-Options"] == "DENY"


def test_a_client_does_not_choose_the_request_id(client):
    response = client.get("/", headers={"x-request-id": CANARY})
    other = client.get("/", headers={"x-request-id": CANARY})

    assert CANARY not in response["X-Request-ID"]
    assert response["X-Request-ID"] != other["X-Request-ID"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["/intake/echo/", "/intake/", "/es/intake/", "/appointments/", "/admin/", "/account/login/"],
)
def test_private_pages_are_neither_kept_nor_found(client, path):
    response = client.get(path)

    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"


@pytest.mark.parametrize("path", ["/", "/privacy/", "/admin-like/", "/cached/"])
def test_public_pages_may_be_kept(client, path):
    response = client.get(path)

    assert "no-store" not in response.headers.get("Cache-Control", "")
    assert "X-Robots-Tag" not in response


def test_a_view_may_say_itself_how_long_to_keep_its_page(client):
    assert client.get("/intake/cached/")["Cache-Control"] == "private"


# --- the database goes away -----------------------------------------------------------------------


def test_a_form_comes_back_with_what_was_typed(client):
    response = client.post("/saves/legs/", {"words": "it hurts"})

    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert "please send again.|it hurts|['step']" in response.content.decode()


@pytest.mark.parametrize("request_", [("get", "/saves/legs/"), ("post", "/saves-badly/")])
def test_else_a_page_that_needs_nothing_says_so(client, request_):
    method, where = request_
    response = getattr(client, method)(where)

    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert b"We are busy right now" in response.content
    assert b'href="tel:' in response.content


def test_a_database_lost_before_the_view_is_503_not_500(client, settings, monkeypatch):
    from clinic.people.sessions import SessionStore

    def gone(self):
        raise OperationalError(CANARY)

    monkeypatch.setattr(SessionStore, "_get_session_from_db", gone)
    client.cookies[settings.SESSION_COOKIE_NAME] = "a" * 32
    response = client.get("/admin/")

    assert response.status_code == 503
    assert response["Retry-After"] == "30"
    assert set(response["Content-Security-Policy"].split("; ")) == CSP
    assert CANARY.encode() not in response.content


# --- a form's token -------------------------------------------------------------------------------


@pytest.fixture
def guarded() -> Client:
    return Client(enforce_csrf_checks=True, raise_request_exception=False)


@pytest.mark.parametrize(
    "headers",
    [{}, {"sec-fetch-site": "same-origin"}, {"origin": "http://testserver"}],
)
def test_an_old_token_gives_the_form_back(guarded, headers):
    response = guarded.post("/guarded/", {"words": "it hurts"}, headers=headers)

    assert response.status_code == 403
    assert "nothing was saved" in response.content.decode()
    assert "|it hurts|" in response.content.decode()


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
def test_another_sites_form_gets_nothing_back(guarded, headers):
    response = guarded.post("/guarded/", {"words": CANARY}, headers=headers)

    assert response.status_code == 403
    assert CANARY.encode() not in response.content


# --- typed text stays out of pages and logs -------------------------------------------------------


@pytest.mark.parametrize(
    ("where", "status"),
    [("/crashes/", 500), ("/saves-badly/", 503), (f"/{CANARY}/", 404), (f"/?q={CANARY}%00", 400)],
)
def test_no_error_page_and_no_log_line_quotes_what_was_sent(client, log_lines, where, status):
    response = client.post(where, {"words": CANARY}, headers={"user-agent": CANARY})

    assert response.status_code == status
    assert CANARY.encode() not in response.content
    assert CANARY not in log_lines()
    assert log_lines()


def test_one_line_per_request_with_the_id_of_the_answer(client, log_lines):
    response = client.get("/privacy/")

    lines = [json.loads(line) for line in log_lines().splitlines()]
    (line,) = [line for line in lines if line.get("event") == "request"]
    assert line["request_id"] == response["X-Request-ID"]
    assert (line["method"], line["route"], line["status"]) == ("GET", "privacy", 200)
    assert isinstance(line["ms"], int)


def test_the_page_of_last_resort_stands_alone(rf):
    """The page uses no base template, user or session, because one of these may have failed."""
    response = views.server_error(rf.get("/"))

    assert response.status_code == 500
    assert b"Something went wrong on our side" in response.content
    assert not hasattr(response, "context_data")

import json
import logging
import sys

import pytest
from django.db import IntegrityError

from clinic import logs

SECRET = "Maria Silva, 1961-04-03, maria@example.org"


def write(name="clinic", msg="draft saved", args=(), exc_info=None, level=logging.INFO, **extra):
    record = logging.LogRecord(name, level, "/srv/views.py", 7, msg, args, exc_info)
    record.__dict__.update(extra)
    text = logs.JsonFormatter().format(record)
    assert "\n" not in text
    return json.loads(text)


def caught(error):
    try:
        raise error
    except type(error):
        return sys.exc_info()


def test_a_line_has_time_level_logger_and_event():
    line = write()
    assert line.pop("ts").endswith("Z")
    assert line == {"level": "INFO", "logger": "clinic", "event": "draft saved"}


def test_known_fields_are_kept_and_unknown_ones_are_not():
    line = write(
        request_id="ab12",
        method="POST",
        route="intake:page",
        status=302,
        ms=12.5,
        actor="staff:3",
        submission="7F3K-92QD",
        rows=4,
        answers=SECRET,
        path="/intake/?name=Maria",
    )
    assert set(line) == {"ts", "level", "logger", "event", *logs.FIELDS}
    assert (line["status"], line["route"], line["rows"]) == (302, "intake:page", 4)


@pytest.mark.parametrize("value", [SECRET, "two words", "", "x" * 81, {"a": 1}, ["a"], b"x", None])
def test_a_field_that_is_no_code_is_left_out(value):
    assert "submission" not in write(submission=value)


@pytest.mark.parametrize(
    "msg", [SECRET, "saved for Maria", "sent 3", "", "x" * 65, "a\nb", {"event": 1}, 7]
)
def test_an_event_that_is_no_constant_is_left_out(msg):
    assert "event" not in write(msg=msg)


def test_a_message_with_arguments_is_left_out():
    assert "event" not in write(msg="saved for %s", args=(SECRET,))
    assert "event" not in write(msg="%(name)s", args=({"name": "maria"},))
    assert "aria" not in json.dumps(write(args=(SECRET,)))


@pytest.mark.parametrize(
    "name", ["django.request", "django.db.backends", "gunicorn.error", "clinical", "root", "axes"]
)
def test_of_a_foreign_record_nothing_but_its_place_is_kept(name):
    line = write(
        name=name,
        msg="draft saved",
        exc_info=caught(IntegrityError(SECRET)),
        level=logging.ERROR,
        status=500,
        actor="staff:3",
        submission="maria",
        request="<WSGIRequest: GET '/search/?q=Maria'>",
        sql="select 'Maria'",
        params=[SECRET],
    )
    assert set(line) == {"ts", "level", "logger", "exc_type", "exc_module", "exc_line"}
    assert line["exc_type"] == "django.db.utils.IntegrityError"
    assert "aria" not in json.dumps(line)


def test_an_exception_is_its_type_and_our_line_never_its_text():
    code = compile("def fail(deeper):\n    deeper()\n", "services.py", "exec")
    ours = {"__name__": "intake.services"}
    exec(code, ours)

    def deeper():
        raise KeyError(SECRET)

    try:
        ours["fail"](deeper)
    except KeyError:
        line = write(exc_info=sys.exc_info())
    assert line["exc_type"] == "builtins.KeyError"
    assert (line["exc_module"], line["exc_line"]) == ("intake.services", 2)
    assert SECRET not in json.dumps(line)


def test_an_exception_of_others_alone_is_named_by_its_innermost_line():
    assert write(exc_info=caught(KeyError(SECRET)))["exc_module"] == __name__


def test_an_exception_that_cannot_say_itself_does_no_harm():
    class Rude(Exception):
        def __str__(self):
            raise RuntimeError

    assert write(exc_info=caught(Rude()))["exc_type"].endswith("Rude")
    assert "exc_type" not in write(exc_info=True)
    assert "exc_type" not in write(exc_info=(None, None, None))


def test_the_request_under_way_is_named_on_every_line():
    token = logs.request_id.set("ab12")
    try:
        assert write(name="django.request")["request_id"] == "ab12"
        assert write(request_id="cd34")["request_id"] == "cd34"
    finally:
        logs.request_id.reset(token)
    assert "request_id" not in write()


def test_log_writes_an_event_with_fields(caplog):
    with caplog.at_level(logging.INFO, logger="clinic"):
        logs.log("mail sent", rows=3)
        logs.log("mail failed", level=logging.ERROR, exc_info=caught(OSError(SECRET)))
    first, second = (json.loads(logs.JsonFormatter().format(record)) for record in caplog.records)
    assert (first["event"], first["rows"], first["logger"]) == ("mail sent", 3, "clinic")
    assert (second["level"], second["exc_type"]) == ("ERROR", "builtins.OSError")


def test_log_refuses_unknown_fields_and_free_text():
    with pytest.raises(TypeError, match="email, name"):
        logs.log("mail sent", name="Maria", email="maria@example.org", rows=1)
    with pytest.raises(ValueError) as refusal:
        logs.log(SECRET)
    assert SECRET not in str(refusal.value)

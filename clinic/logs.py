"""Write logs as JSON lines on standard output, with an allow-list of their keys.

Log records of libraries may quote a patient: in a path, a query, the text of a database error. So
of these records only the logger, the level, and the type and place of an exception are written.
"""

import json
import logging
import re
from contextvars import ContextVar
from datetime import UTC, datetime
from traceback import walk_tb
from typing import Any

OUR_PACKAGES = ("clinic", "intake", "education")
FIELDS = ("request_id", "method", "route", "status", "ms", "actor", "submission", "rows")
# An event is a constant in our code, in small letters. Names, numbers, dates and templates such as
# "saved %s" do not match this pattern. The arguments of a template are never read.
_EVENT = re.compile(r"[a-z][a-z ._-]{0,63}")
_CODE = re.compile(r"[\w.:/<>-]{1,80}", re.ASCII)

# the id of the current request, so that log lines of libraries also name the request
request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonFormatter(logging.Formatter):
    """Write one log record as one line of JSON. Never raises.

    The keys are ts, level, logger, event, the FIELDS, exc_type, exc_module and exc_line. Event and
    fields are written only for our own loggers. A value that is not a code is left out.
    """

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC)
        line: dict[str, Any] = {
            "ts": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname,
            "logger": record.name,
        }
        if current := request_id.get():
            line["request_id"] = current
        if _is_ours(record.name):
            if isinstance(record.msg, str) and _EVENT.fullmatch(record.msg):
                line["event"] = record.msg
            for name in FIELDS:
                value = getattr(record, name, None)
                if isinstance(value, int | float) or (
                    isinstance(value, str) and _CODE.fullmatch(value)
                ):
                    line[name] = value
        if isinstance(record.exc_info, tuple) and record.exc_info[0]:
            line |= _place(record.exc_info)
        return json.dumps(line)


def log(event: str, *, level: int = logging.INFO, exc_info: Any = None, **fields: Any) -> None:
    """Log an event, such as log("mail sent", rows=3).

    `event` is a constant in small letters; any other text raises ValueError. A field that is not in
    FIELDS raises TypeError.
    """
    if unknown := fields.keys() - set(FIELDS):
        raise TypeError(f"not in the allow-list of logs: {', '.join(sorted(unknown))}")
    if not _EVENT.fullmatch(event):
        raise ValueError("an event is a constant in small letters, without figures")
    logging.getLogger("clinic").log(level, event, exc_info=exc_info, extra=fields)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OUR_PACKAGES


def _place(exc_info: Any) -> dict[str, Any]:
    """Return the type of an exception and its place: the innermost line of our code, if any."""
    kind, _error, traceback = exc_info
    place: dict[str, Any] = {"exc_type": f"{kind.__module__}.{kind.__qualname__}"}
    frames = [(frame.f_globals.get("__name__", ""), line) for frame, line in walk_tb(traceback)]
    ours = [frame for frame in frames if _is_ours(frame[0])]
    if frames:
        place["exc_module"], place["exc_line"] = (ours or frames)[-1]
    return place

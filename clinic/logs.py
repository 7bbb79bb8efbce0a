"""Logs as JSON lines on standard output, with an allow-list of what may stand in them.

What others log (a path, a query, the text of a database error) may quote a patient. Of a foreign
record only its logger, level and the place of its exception are kept.
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
# An event is a constant of the program in small letters; a name, number or date is none, nor is a
# template such as "saved %s". What would fill one is never looked at.
_EVENT = re.compile(r"[a-z][a-z ._-]{0,63}")
_CODE = re.compile(r"[\w.:/<>-]{1,80}", re.ASCII)

# the request under way, for records of libraries that know of none
request_id: ContextVar[str] = ContextVar("request_id", default="")


class JsonFormatter(logging.Formatter):
    """Writes one record as one line of JSON. It never raises and knows no other key than these:

    ts, level, logger, event, the FIELDS, exc_type, exc_module, exc_line. Event and fields are
    taken from our own loggers alone, and left out if they are no codes.
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
    """Write one event of ours, such as log("mail sent", rows=3).

    `event` is a constant in small letters. Raises TypeError for a field that is not in FIELDS and
    ValueError for an event that is none.
    """
    if unknown := fields.keys() - set(FIELDS):
        raise TypeError(f"not in the allow-list of logs: {', '.join(sorted(unknown))}")
    if not _EVENT.fullmatch(event):
        raise ValueError("an event is a constant in small letters, without figures")
    logging.getLogger("clinic").log(level, event, exc_info=exc_info, extra=fields)


def _is_ours(name: str) -> bool:
    return name.partition(".")[0] in OUR_PACKAGES


def _place(exc_info: Any) -> dict[str, Any]:
    """Type of an exception and where it was raised: our innermost line, else the innermost."""
    kind, _error, traceback = exc_info
    place: dict[str, Any] = {"exc_type": f"{kind.__module__}.{kind.__qualname__}"}
    frames = [(frame.f_globals.get("__name__", ""), line) for frame, line in walk_tb(traceback)]
    ours = [frame for frame in frames if _is_ours(frame[0])]
    if frames:
        place["exc_module"], place["exc_line"] = (ours or frames)[-1]
    return place

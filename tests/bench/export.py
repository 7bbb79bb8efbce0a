"""Measure how long the export of 10,000 submissions takes, and the first bytes of its file.

The export opens each sealed answer, so it is bound by the processor. No goal depends on the
machine: the measured time is for docs/performance.md, and a file that is not whole is a miss.
"""

import time
from datetime import timedelta
from typing import Any

from django.core.management import call_command
from django.utils import timezone

from clinic.models import Event
from intake.desk import export
from intake.models.submissions import Submission
from intake.protocols import served
from tests import builders
from tests.bench.goals import Line
from tests.desk import WORKLIST

ROWS = export.MOST
FORMATS = ("csv", "jsonl")


def measure() -> list[Line]:
    """Export ROWS submissions of one protocol in each format. The bench's database must run."""
    call_command("demo", submissions=ROWS * len(served()), verbosity=0)
    return [_line(served()[0].name, format) for format in FORMATS]


def _line(name: str, format: str) -> Line:
    rows = Submission.objects.filter(protocol__name=name).count()
    first, whole, size, lines = _exported(name, format)
    head = format == "csv"
    events = Event.objects.filter(action="export").count()
    data: dict[str, Any] = {"first_s": first, "whole_s": whole, "bytes": size, "rows": rows}
    return Line(
        goal="X",
        what=f"export of {rows} submissions, every part, as {format}",
        wanted="whole, one event each",
        measured=f"{whole:.1f} s, first bytes {first:.2f} s, {size / 1e6:.1f} MB",
        met=lines == rows + head and events >= rows,
        data=data,
    )


def _exported(name: str, format: str) -> tuple[float, float, int, int]:
    """Return seconds to the first bytes and to the end, the bytes, and the lines of the file."""
    client = builders.staff_client("clinician")
    today = timezone.localdate()
    form = {
        "protocol": name,
        "since": (today - timedelta(days=4000)).isoformat(),
        "until": today.isoformat(),
        "format": format,
        "ground": "quality",
        "parts": ["identity", "private", "own_words", "notes"],
    }
    begin = time.perf_counter()
    response = client.post(f"{WORKLIST}export/", form, headers={"host": "127.0.0.1"})
    assert response.status_code == 200, response.content.decode()[-2000:]
    first, size, lines = 0.0, 0, 0
    for part in response.streaming_content:
        first = first or time.perf_counter() - begin
        size += len(part)
        lines += part.count(b"\r\n" if format == "csv" else b"\n")
    return first, time.perf_counter() - begin, size, lines

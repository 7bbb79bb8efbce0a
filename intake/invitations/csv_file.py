"""Read the file of a day's list: its encoding, its separator, its columns, each row.

Everything in a file is text. A cell that a spreadsheet would take for a formula is refused, or is a
phone number. Nothing here needs the database.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clinic.ids import parse_reference
from clinic.secrets.sealing import fold
from intake.domain.stored import PHONE
from intake.domain.typed_date import read_date
from intake.domain.wrong_answers import InvalidAnswer
from intake.forms.fields import EmailField, PhoneField, PlainTextField
from intake.wording.languages import month_names

MOST_ROWS = 1000
SEPARATORS = ",;\t"
BYTE_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
# what a spreadsheet program takes for the beginning of a formula
FORMULA = ("=", "+", "-", "@")
COLUMNS = {
    "name": ("name", "patient", "patientname", "fullname"),
    "birth_date": ("birthdate", "dateofbirth", "dob", "born", "birthday"),
    "email": ("email", "emailaddress", "mail"),
    PHONE: ("phone", "phonenumber", "telephone", "mobile", "cell"),
    "visit": ("visit", "visitreference", "reference", "appointment"),
    "date": ("date", "visitdate", "day"),
    "time": ("time", "visittime"),
    "guardian": ("guardian", "parent", "parentorguardian"),
}
"""For each column, its names without spaces and signs, in small letters."""
NEEDED = ("name", "birth_date")
_GUARDIAN = re.compile(r"(?P<name>[^,(]+)[,(]\s*(?P<relation>[^,()]+)\)?\s*", re.ASCII)
# 3/4/1984 is the fourth of March, as spreadsheets in the USA write it
_DATES = (
    re.compile(r"(?P<y>\d{4})-(?P<m>\d{1,2})-(?P<d>\d{1,2})", re.ASCII),
    re.compile(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})/(?P<y>\d{4})", re.ASCII),
)
_TIMES = ("%H:%M", "%H:%M:%S", "%I:%M %p", "%I:%M%p", "%I %p", "%I%p")


class NotReadable(Exception):
    """The file cannot be read as a list. The message is for the member of staff who sent it."""


@dataclass
class Row:
    """One line of the list: the person, the visit, and what is wrong with the line."""

    line: int
    person: dict[str, Any] = field(default_factory=dict)
    guardian: dict[str, str] = field(default_factory=dict)
    reference: str = ""
    visit: str = ""
    visit_at: datetime | None = None
    problems: list[str] = field(default_factory=list)


@dataclass
class Read:
    """A file that was read: its rows, and how its letters were read."""

    rows: list[Row]
    encoding: str


ENCODINGS = {
    "utf-8": gettext_lazy("UTF-8"),
    "utf-8-sig": gettext_lazy("UTF-8"),
    "utf-16": gettext_lazy("UTF-16"),
    "cp1252": gettext_lazy("Windows-1252. Check the names with accents"),
}


def read(data: bytes) -> Read:
    """Return the rows of a file. Raises NotReadable if the file as a whole cannot be read."""
    encoding, text = _decoded(data)
    head = next((line for line in text.splitlines() if line.strip()), "")
    separator = max(SEPARATORS, key=head.count)
    try:
        cells = list(_lines(text, separator))
    except csv.Error:
        raise NotReadable(_("A quotation mark in the file is not closed.")) from None
    numbered = [(n, row) for n, row in cells if any(map(str.strip, row))]
    if not numbered:
        raise NotReadable(_("The file is empty."))
    (_line, names), *rest = numbered
    if len(rest) > MOST_ROWS:
        sentence = _("The file has %(rows)s rows. Send at most %(most)s at once.")
        raise NotReadable(sentence % {"rows": f"{len(rest):,}", "most": f"{MOST_ROWS:,}"})
    columns = _columns(names)
    return Read([_row(line, columns, row) for line, row in rest], encoding)


def _decoded(data: bytes) -> tuple[str, str]:
    """Return the encoding of a file and its text."""
    if data[:4] == b"PK\x03\x04" or data[:4] == b"\xd0\xcf\x11\xe0":
        raise NotReadable(_("This is an Excel workbook. Save the list as CSV, then send it."))
    marked = next((name for mark, name in BYTE_MARKS if data.startswith(mark)), None)
    for encoding in [marked] if marked else ["utf-8", "cp1252"]:
        try:
            text = data.decode(encoding)
        except (UnicodeDecodeError, UnicodeError):
            continue
        if "\0" not in text:
            return encoding, text
    raise NotReadable(
        _("We cannot read the letters of this file. Save the list as CSV UTF-8, then send it.")
    )


def _lines(text: str, separator: str) -> Iterable[tuple[int, list[str]]]:
    """Yield each row with the number of the line on which it begins."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    for row in reader:
        yield before + 1, row
        before = reader.line_num


def _columns(names: list[str]) -> list[str]:
    """Return the column that each cell of a row belongs to, or '' for an unknown column."""
    known = {alias: column for column, aliases in COLUMNS.items() for alias in aliases}
    found = [known.get(fold(name), "") for name in names]
    twice = next((c for c in found if c and found.count(c) > 1), "")
    if twice:
        raise NotReadable(_("Two columns are called “%(name)s”.") % {"name": _title(twice)})
    missing = [_title(column) for column in NEEDED if column not in found]
    if missing:
        sentence = _(
            "The first line must name the columns. This is missing: %(names)s. The columns are: "
            "name, birth date, e-mail, phone, visit, date, time, guardian."
        )
        raise NotReadable(sentence % {"names": ", ".join(missing)})
    return found


def _title(column: str) -> str:
    return {"birth_date": "birth date", "email": "e-mail", PHONE: "phone"}.get(column, column)


def _row(line: int, columns: list[str], cells: list[str]) -> Row:
    row = Row(line)
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        row.problems.append(_("This line has more cells than the first line."))
    given = {c: cell.strip() for c, cell in zip(columns, cells, strict=False) if c}
    for column, text in given.items():
        if text.startswith(FORMULA) and not (column == PHONE and text.startswith("+")):
            row.problems.append(
                _("“%(name)s” begins with %(sign)s, like a formula.")
                % {"name": _title(column), "sign": text[0]}
            )
    readers: dict[str, Callable[[str], Any]] = {
        "name": PlainTextField(max_length=120, required=False).clean,
        "birth_date": _birth_date,
        "email": EmailField(required=False).clean,
        PHONE: PhoneField(required=False).clean,
    }
    for column, reader in readers.items():
        try:
            value = reader(given.get(column, ""))
        except ValidationError as error:
            row.problems += [f"{_title(column)}: {sentence}" for sentence in error.messages]
            continue
        if value:
            row.person[column] = value
        elif column in NEEDED:
            row.problems.append(_("“%(name)s” is missing.") % {"name": _title(column)})
    _read_visit(row, given)
    _read_guardian(row, given.get("guardian", ""))
    return row


def _birth_date(text: str) -> str:
    found = _date(text)
    if found and not date(1900, 1, 1) <= found <= timezone.localdate():
        raise ValidationError(_("This date of birth cannot be right."))
    return found.isoformat() if found else ""


def _date(text: str) -> date | None:
    """Read a date as 1984-02-29, 2/29/1984, or with the month as a word. Raises ValidationError."""
    if not text:
        return None
    try:
        for form in _DATES:
            if match := form.fullmatch(text):
                return date(int(match["y"]), int(match["m"]), int(match["d"]))
        return read_date([text, "", ""], month_names())
    except (InvalidAnswer, ValueError):
        raise ValidationError(_("Write the date like 2/29/1984 or 1984-02-29.")) from None


def _read_visit(row: Row, given: dict[str, str]) -> None:
    """Read the reference of the visit, or its day and time in one cell or in two."""
    told, day, clock = (given.get(name, "") for name in ("visit", "date", "time"))
    if reference := parse_reference(told):
        row.reference = reference
        return
    if told and not day and re.match(r"\d{1,4}[-/]", told):
        day, _space, clock = told.replace("T", " ").partition(" ")
    elif told:
        row.visit = told[:60]
    if not day:
        if clock:
            row.problems.append(_("A time needs a date."))
        return
    try:
        when = _date(day)
        at = _time(clock)
    except ValidationError as error:
        row.problems += error.messages
        return
    if when:
        moment = datetime.combine(when, at, timezone.get_default_timezone())
        row.visit_at = moment
        if moment <= timezone.now():
            row.problems.append(_("This visit has begun already."))


def _time(text: str) -> time:
    """Read a time such as 14:30 or 2:30 PM; without a time, the whole day counts."""
    plain = re.sub(r"\.", "", text.strip()).upper()
    if not plain:
        return time(23, 59)
    for form in _TIMES:
        try:
            return datetime.strptime(plain, form).time()  # noqa: DTZ007  a time of day
        except ValueError:
            continue
    raise ValidationError(_("Write the time like 14:30 or 2:30 PM."))


def _read_guardian(row: Row, text: str) -> None:
    if not text or text.startswith(FORMULA):
        return
    if match := _GUARDIAN.fullmatch(text):
        row.guardian = {name: match[name].strip()[:120] for name in ("name", "relation")}
    else:
        row.problems.append(_("Write the guardian like: Maria Lopez (mother)."))

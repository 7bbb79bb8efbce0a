"""Opening hours as a value, and calculations with opening time. No function here reads a clock.

Opening hours are wall times of one time zone. They are turned into moments day by day, so that
holidays and days of 23 or 25 hours count correctly. A wall time that occurs twice on a day means
its first occurrence. A wall time that a clock change skips means the moment of the change. Closures
are moments, which are taken away from the hours.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from heapq import merge
from itertools import groupby, pairwise
from operator import itemgetter
from zoneinfo import ZoneInfo

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SPAN = re.compile(r"([0-2]?\d):([0-5]\d)-([0-2]?\d):([0-5]\d)", re.ASCII)
_MIDNIGHT = 24 * 60
_MINUTE = timedelta(minutes=1)
_DAY = timedelta(days=1)
_TICK = timedelta.resolution
# No closure lasts longer in the arithmetic, so that a mistyped year does not overflow.
_LAST = datetime(3000, 1, 1, tzinfo=UTC)

Minutes = tuple[int, int]  # start and end, in minutes of the wall clock since midnight
Moments = tuple[datetime, datetime]  # start and end, in UTC


@dataclass(frozen=True)
class ClinicHours:
    """A week of opening hours in one time zone, without holidays and closures. See `parse`."""

    week: tuple[tuple[Minutes, ...], ...]  # Monday first; the opening spans of each day in order
    holidays: frozenset[date]
    zone: ZoneInfo
    closed: tuple[Moments, ...] = ()  # in order and disjoint; see `without`
    # open as well whenever one of these is open; see `together`
    others: tuple["ClinicHours", ...] = ()

    @classmethod
    def parse(cls, text: str, holidays: Iterable[str], time_zone: str) -> "ClinicHours":
        """Read hours such as "Mon-Fri 08:00-12:00 13:00-17:00, Sat 09:00-12:00".

        `holidays` are ISO dates. Raises ValueError for a part that cannot be read (the message
        names it), for spans that overlap or end before they begin, and for a week without hours.
        """
        week: list[list[Minutes]] = [[] for _day in _DAYS]
        for part in filter(None, map(str.strip, text.split(","))):
            name, *texts = part.split()
            if not texts:
                raise ValueError(f"{part!r} has no times. Write it like 'Mon-Fri 08:30-17:00'.")
            for day in _parse_days(name):
                week[day] += map(_parse_span, texts)
        if not any(week):
            raise ValueError("there are no opening hours. Write them like 'Mon-Fri 08:30-17:00'.")
        for day, spans in enumerate(week):
            spans.sort()
            if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
                raise ValueError(f"{_DAYS[day].title()} has hours that overlap.")
        try:
            zone = ZoneInfo(time_zone)
        except (LookupError, ValueError, OSError):
            raise ValueError(f"{time_zone!r} is no time zone.") from None
        return cls(tuple(map(tuple, week)), frozenset(map(_parse_date, holidays)), zone)

    def without(self, closures: Iterable[Moments]) -> "ClinicHours":
        """Return these hours without the time of some closures, which may overlap."""
        spans = ((start, min(end, _LAST)) for start, end in closures)
        spans = ((start, end) for start, end in (*self.closed, *spans) if start < end)
        return replace(self, closed=tuple(_joined(sorted(spans))))

    @property
    def usual(self) -> "ClinicHours":
        """The hours of a usual week, without closures and holidays."""
        others = tuple(hours.usual for hours in self.others)
        return replace(self, holidays=frozenset(), closed=(), others=others)

    def is_open(self, at: datetime) -> bool:
        """Return whether the clinic is open at a moment. The closing time itself is not open."""
        at = _utc(at)
        return next(self._spans_after(at))[0] <= at

    def closing(self, at: datetime) -> datetime:
        """Return the next moment after `at` when the clinic closes."""
        return self._local(next(self._spans_after(_utc(at)))[1])

    def next_opening(self, at: datetime) -> datetime:
        """Return `at` if the clinic is open then, else the moment when it opens next."""
        at = _utc(at)
        return self._local(max(at, next(self._spans_after(at))[0]))

    def add_open(self, at: datetime, duration: timedelta) -> datetime:
        """Return the moment when `duration` of opening time has passed since `at`.

        A duration that fills a day exactly ends at that day's closing, not at the next opening. A
        duration of zero returns `at`. Raises ValueError for a negative duration.
        """
        at = _utc(at)
        if duration < timedelta(0):
            raise ValueError("a duration of opening time is not negative")
        if not duration:
            return self._local(at)
        for opens, closes in self._spans_after(at):
            opens = max(opens, at)
            if duration <= closes - opens:
                return self._local(opens + duration)
            duration -= closes - opens
        raise AssertionError("a week with opening hours has no end")

    def open_time_between(self, start: datetime, end: datetime) -> timedelta:
        """Return the opening time between two moments: zero if `end` is before `start`."""
        start, end = _utc(start), _utc(end)
        total = timedelta(0)
        for opens, closes in self._spans_after(start):
            if opens >= end:
                break
            total += min(closes, end) - max(opens, start)
        return max(total, timedelta(0))

    def business_days_between(self, start: datetime, end: datetime) -> int:
        """Return how many business days after the day of `start` have closed before `end`."""
        start, end = _utc(start), _utc(end)
        day, last = start.astimezone(self.zone).date(), end.astimezone(self.zone).date()
        closings: dict[date, datetime] = {}
        for _opens, closes in self._spans_after(start):
            begun = (closes - _TICK).astimezone(self.zone).date()
            if begun > last:
                break
            closings[begun] = closes
        return sum(begun > day and closes <= end for begun, closes in closings.items())

    def add_business_days(self, at: datetime, days: int) -> datetime:
        """Return the closing time of the `days`-th business day after the day of `at`.

        A business day has opening hours and is not a holiday. Raises ValueError for `days` below 1.
        """
        if days < 1:
            raise ValueError("the number of business days is 1 or more")
        day = _utc(at).astimezone(self.zone).date()
        while days:
            day = self._day_after(day)
            spans = self._spans(day)
            days -= bool(spans)
        return self._local(spans[-1][1])

    def keepable(self, at: datetime) -> datetime:
        """Return the moment nearest to `at` by which the clinic can keep a promise.

        That is `at` while the clinic is open, else an earlier closing of that day, else the next
        closing after `at`.
        """
        at = _utc(at)
        if self.is_open(at - _TICK):
            return self._local(at)
        earlier = [end for _start, end in self._spans(at.astimezone(self.zone).date()) if end <= at]
        return self._local(earlier[-1]) if earlier else self.closing(at)

    def is_delayed(self, at: datetime) -> bool:
        """Return whether a closure or holiday lies between `at` and the next opening."""
        return not self.is_open(at) and self.usual.next_opening(at) < self.next_opening(at)

    def describe(self) -> list[tuple[str, str]]:
        """Return the opening hours in the current language. Days with the same hours share a line.

        For example [("Monday to Friday", "8:30 am to 5:00 pm")]; closed days are left out.
        """
        # imported here, because the settings import this module before Django is ready
        from django.utils.translation import gettext as _

        lines = []
        for spans, group in groupby(range(7), key=self.week.__getitem__):
            if spans:
                texts = (
                    _("all day")
                    if span == (0, _MIDNIGHT)
                    else _("%(start)s to %(end)s")
                    % {"start": wall_words(span[0]), "end": wall_words(span[1])}
                    for span in spans
                )
                lines.append((_day_names(list(group)), ", ".join(texts)))
        return lines

    def _spans_after(self, at: datetime) -> Iterator[Moments]:
        """Yield every span of opening that ends after `at`, in order and without end."""
        own = self._own_spans_after(at)
        if not self.others:
            return own
        return _disjoint(merge(own, *(hours._spans_after(at) for hours in self.others)))

    def _own_spans_after(self, at: datetime) -> Iterator[Moments]:
        day = at.astimezone(self.zone).date()
        while True:
            for span in self._own_spans(day):
                if span[1] > at:
                    yield span
            day = self._own_day_after(day)

    def _day_after(self, day: date) -> date:
        """Return the next day on which these hours, or other ones, may be open."""
        return min(hours._own_day_after(day) for hours in (self, *self.others))

    def _own_day_after(self, day: date) -> date:
        """Return the next day that is not closed as a whole: a closure may last for years."""
        day += _DAY
        if not self.closed:
            return day
        begins = self._moment(day, 0)
        found = bisect_right(self.closed, begins, key=itemgetter(0))
        if found and (ends := self.closed[found - 1][1]) > begins:
            return max(day, ends.astimezone(self.zone).date())
        return day

    def _spans(self, day: date) -> list[Moments]:
        spans = [span for hours in (self, *self.others) for span in hours._own_spans(day)]
        return list(_disjoint(sorted(spans)))

    def _own_spans(self, day: date) -> list[Moments]:
        if day in self.holidays:
            return []
        spans = ((self._moment(day, a), self._moment(day, b)) for a, b in self.week[day.weekday()])
        return [rest for span in spans if span[0] < span[1] for rest in self._without_closed(span)]

    def _without_closed(self, span: Moments) -> Iterator[Moments]:
        """Yield the parts of a span that no closure takes."""
        start, end = span
        first = bisect_right(self.closed, start, key=itemgetter(1))
        for closes, opens in self.closed[first:]:
            if closes >= end:
                break
            if start < closes:
                yield start, closes
            start = max(start, opens)
        if start < end:
            yield start, end

    def _moment(self, day: date, minutes: int) -> datetime:
        wall = datetime.combine(day, time()) + minutes * _MINUTE
        while True:
            moment = wall.replace(tzinfo=self.zone).astimezone(UTC)
            if moment.astimezone(self.zone).replace(tzinfo=None) == wall:
                return moment
            wall += _MINUTE  # the clock skips this wall time

    def _local(self, at: datetime) -> datetime:
        return at.astimezone(self.zone)


def together(places: Iterable[ClinicHours]) -> ClinicHours:
    """Return the hours in which at least one of some places is open."""
    first, *others = places
    return replace(first, others=tuple(others))


def _disjoint(spans: Iterable[Moments]) -> Iterator[Moments]:
    """Yield spans that are sorted by their start, each without the time of those before it."""
    reached = datetime.min.replace(tzinfo=UTC)
    for start, end in spans:
        if end > reached:
            yield max(start, reached), end
            reached = end


def _joined(spans: Iterable[Moments]) -> Iterator[Moments]:
    """Yield spans that are sorted by their start, with those that touch each other as one span."""
    last: Moments | None = None
    for start, end in spans:
        if last and start <= last[1]:
            last = last[0], max(last[1], end)
            continue
        if last:
            yield last
        last = start, end
    if last:
        yield last


def _utc(at: datetime) -> datetime:
    if at.utcoffset() is None:
        raise ValueError(f"{at!r} has no time zone, so it is no moment")
    return at.astimezone(UTC)


def _parse_days(name: str) -> list[int]:
    first, _dash, last = name.casefold().partition("-")
    if first not in _DAYS or (last or first) not in _DAYS:
        raise ValueError(f"{name!r} is no day. Write Mon, Tue, Wed, Thu, Fri, Sat, Sun or Mon-Fri.")
    start = _DAYS.index(first)
    # modulo 7, because a span such as Sun-Thu continues past the end of the week
    count = (_DAYS.index(last or first) - start) % 7 + 1
    return [(start + step) % 7 for step in range(count)]


def _parse_span(text: str) -> Minutes:
    if match := _SPAN.fullmatch(text):
        hour, minute, to_hour, to_minute = map(int, match.groups())
        start, end = hour * 60 + minute, to_hour * 60 + to_minute
        if start < end <= _MIDNIGHT:
            return start, end
    raise ValueError(
        f"{text!r} is no time of opening. Write it like 08:30-17:00, to 24:00 at most."
    )


def _parse_date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"the holiday {text!r} is no date. Write it like 2026-12-25.") from None


def _day_names(days: list[int]) -> str:
    from django.utils.dates import WEEKDAYS
    from django.utils.translation import gettext as _

    first, last = WEEKDAYS[days[0]], WEEKDAYS[days[-1]]
    if len(days) == 1:
        return str(first)
    if len(days) == 2:
        return _("%(first)s and %(last)s") % {"first": first, "last": last}
    return _("%(first)s to %(last)s") % {"first": first, "last": last}


def wall_words(minutes: int) -> str:
    from django.utils.dateformat import time_format
    from django.utils.translation import gettext as _
    from django.utils.translation import pgettext

    if minutes % _MIDNIGHT == 0:
        return _("midnight")
    if minutes == _MIDNIGHT // 2:
        return _("noon")
    # translators: how a time of day is written, in the letters of Django's time filter, such as H:i
    pattern = pgettext("time of day", "g:i A")
    return time_format(time(*divmod(minutes, 60)), pattern).lower()

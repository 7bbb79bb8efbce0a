"""Turn wall times of a time zone into moments, even on days when the clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Final

_MINUTE: Final = timedelta(minutes=1)


class NoSuchTime(Exception):
    """The clock changes, so a wall time occurs twice on its day or not at all.

    `choices` are the moments that a person can choose instead, earliest first. `message` is a
    sentence that names them.
    """

    def __init__(self, message: str, choices: tuple[datetime, ...]) -> None:
        super().__init__(message)
        self.message = message
        self.choices = choices


def moments(wall: datetime, zone: tzinfo) -> tuple[datetime, ...]:
    """Return the moments, in UTC, at which the zone's clocks show this wall time: 0, 1 or 2."""
    found = []
    for fold in (0, 1):
        moment = wall.replace(tzinfo=zone, fold=fold).astimezone(UTC)
        if moment.astimezone(zone).replace(tzinfo=None, fold=0) == wall.replace(fold=0):
            found.append(moment)
    return tuple(sorted(set(found)))


def first_moment(wall: datetime, zone: tzinfo) -> datetime:
    """Return the first moment of a wall time. A skipped wall time means the clock change itself."""
    while not (found := moments(wall, zone)):
        wall += _MINUTE
    return found[0]


def resolve_wall(wall: datetime, zone: tzinfo, *, name: str = "") -> datetime:
    """Return the moment of a wall time that a person typed. `name` is the name of the time zone.

    Raises NoSuchTime if the clock skips the wall time or shows it twice. If 2:30 is skipped because
    the clock goes from 2:00 to 3:00, the choices are 1:30 and 3:30.
    """
    found = moments(wall, zone)
    if len(found) == 1:
        return found[0].astimezone(zone)
    where = f" ({name})" if name else ""
    if found:
        choices = tuple(moment.astimezone(zone) for moment in found)
        named = " or ".join(f"{at:%H:%M} {at.tzname()}" for at in choices)
        raise NoSuchTime(
            f"The clock is set back on this day{where}, so {wall:%H:%M} comes twice."
            f" Choose which one: {named}.",
            choices,
        )
    # The skipped time is read with the offset after the change and with the offset before it.
    earlier, later = sorted(
        wall.replace(tzinfo=zone, fold=fold).astimezone(UTC).astimezone(zone) for fold in (0, 1)
    )
    raise NoSuchTime(
        f"The clock is set forward on this day{where}, so {wall:%H:%M} does not exist."
        f" Choose {earlier:%H:%M} or {later:%H:%M}.",
        (earlier, later),
    )

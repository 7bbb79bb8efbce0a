"""Move the clock without waiting."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import connection
from django.utils import timezone

from intake.models.clinic_time import Location


def make_it_noon(settings: Any) -> datetime:
    """Let it be between noon and one o'clock at the clinic and its places. Returns the moment.

    So no test that needs a whole hour of today runs over midnight.
    """
    now = timezone.now()
    settings.TIME_ZONE = f"Etc/GMT{now.hour - 12:+}"
    Location.objects.update(time_zone=settings.TIME_ZONE)
    return now.astimezone(ZoneInfo(settings.TIME_ZONE))


def pass_time(seconds: float) -> None:
    """Make the limits, the codes and the messages older by `seconds`."""
    ago = timedelta(seconds=seconds)
    with connection.cursor() as cursor:
        cursor.execute("update clinic_bucket set at = at - %s", [ago])
        cursor.execute("update intake_challenge set expires_at = expires_at - %s", [ago])
        cursor.execute(
            "update clinic_message set created_at = created_at - %s, due_at = due_at - %s,"
            " next_at = next_at - %s, expires_at = expires_at - %s",
            [ago] * 4,
        )


def touched(seconds: float) -> None:
    """Set the last use of every limit to exactly `seconds` ago."""
    with connection.cursor() as cursor:
        cursor.execute(
            "update clinic_bucket set at = clock_timestamp() - %s", [timedelta(seconds=seconds)]
        )

"""Move the clock without waiting."""

from datetime import timedelta

from django.db import connection


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

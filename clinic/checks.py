"""System checks of the program as a whole."""

from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.utils import InterfaceError, OperationalError

DURABLE: Final = ("fsync", "synchronous_commit", "full_page_writes")


@register(Tags.database)
def durability(
    app_configs: Any = None, databases: Sequence[str] | None = None, **kwargs: Any
) -> list[CheckMessage]:
    """Check that the database keeps committed rows after a power cut.

    The program tells patients that their request is sent as soon as the row is committed. If the
    database does not answer, the check reports no error, because the program may start without a
    database.
    """
    if settings.DEMO or not databases:
        return []
    try:
        with connections["default"].cursor() as cursor:
            cursor.execute(
                "select name from pg_settings where name = any(%s) and setting in ('off', 'local')",
                [list(DURABLE)],
            )
            wrong = sorted(name for (name,) in cursor.fetchall())
    except (OperationalError, InterfaceError):
        return []
    return [
        Error(
            f"The database has {name} off. A power cut could lose answers that patients have sent.",
            hint=f"Set {name} = on in postgresql.conf, or remove it from the role's settings.",
            id="clinic.E001",
        )
        for name in wrong
    ]

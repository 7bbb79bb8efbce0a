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
    """What a patient was told is sent must outlast a power cut. A database that is away says
    nothing: the program starts without it."""
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
            f"The database has {name} off: what patients were told is sent could be lost.",
            hint=f"Set {name} = on in postgresql.conf, or take it out of the role's settings.",
            id="clinic.E001",
        )
        for name in wrong
    ]

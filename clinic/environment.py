"""Read settings from the environment, and on a laptop also from the file `.env` beside manage.py.

Each function refuses a wrong value and says how to correct it. The settings import this module
before Django is ready.
"""

import os
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parent.parent


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.is_file():
        return {}
    values = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        name, sign, value = line.partition("=")
        if not sign:
            raise ImproperlyConfigured(f".env line {number}: write the line as NAME=value.")
        values[name.strip()] = value.strip().strip("\"'")
    return values


ENV = _read_dotenv(BASE_DIR / ".env") | os.environ


def env_text(name: str, default: str | None = None, fix: str = "") -> str:
    """Return the text of a setting.

    If the variable NAME_FILE is set, the text is read from the file that NAME_FILE names.
    """
    if path := ENV.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise ImproperlyConfigured(f"{name}_FILE: cannot read {path}: {error}.") from None
    value = ENV.get(name, "").strip()
    if value:
        return value
    if default is None:
        raise ImproperlyConfigured(f"{name} is not set. {fix}".strip())
    return default


def env_bool(name: str, default: bool) -> bool:
    value = ENV.get(name, "").strip().casefold()
    if value in ("", "on", "true", "yes", "1", "off", "false", "no", "0"):
        return value in ("on", "true", "yes", "1") if value else default
    raise ImproperlyConfigured(f"{name}={value!r} is neither on nor off. Write {name}=on or =off.")


def env_int(name: str, default: int, low: int, high: int) -> int:
    value = ENV.get(name, "").strip()
    if not value:
        return default
    if not (value.isascii() and value.isdigit() and low <= int(value) <= high):
        raise ImproperlyConfigured(f"{name}={value!r}: write a whole number from {low} to {high}.")
    return int(value)


def env_list(name: str, default: str) -> list[str]:
    return [part.strip() for part in env_text(name, default).split(",") if part.strip()]


def env_phone(name: str, default: str | None, fix: str = "") -> str:
    """Return a phone number in the form in which people read it, such as +1 202-555-0123."""
    number = env_text(name, default, fix)
    if not re.fullmatch(r"[ +().-]*(?:[0-9][ +().-]*){3,}", number):
        raise ImproperlyConfigured(
            f"{name}={number!r}: write at least 3 digits, else only spaces and + ( ) - ."
        )
    return number


def env_date(name: str) -> date | None:
    """Return a day such as 2026-01-31 that is not in the future, or None without a value."""
    value = ENV.get(name, "").strip()
    if not value:
        return None
    try:
        day = date.fromisoformat(value)
    except ValueError:
        day = None
    # in the zone furthest east, today began 14 hours before today in UTC
    if day is None or day > (datetime.now(UTC) + timedelta(hours=14)).date():
        raise ImproperlyConfigured(
            f"{name}={value!r}: write a day that is not in the future, such as 2026-01-31."
        )
    return day


def env_file(name: str, laptop: Path | None) -> Path:
    """Return the path of a key file that a setting names.

    `laptop` is the default path, at which the program makes a key file when it first needs one.
    """
    value = ENV.get(name, "").strip()
    if value:
        return Path(value)
    if laptop:
        return laptop
    raise ImproperlyConfigured(
        f"{name} is not set. Set {name}=PATH, make the file with `python manage.py make_keys PATH`"
        " (--index for the index key), and keep it out of the database's backup."
    )


def database(url: str) -> dict[str, object]:
    """Return Django's settings for the database at this URL. Accepts only a URL of PostgreSQL."""
    parts = urlsplit(url)
    if parts.scheme not in ("postgres", "postgresql") or not parts.path.strip("/"):
        raise ImproperlyConfigured(
            "DATABASE_URL: write postgresql://user:password@host:5432/name. Only PostgreSQL is "
            "supported: the guarantees of this program are its constraints and locks."
        )
    extra = dict(parse_qsl(parts.query))
    if unknown := set(extra) - {"sslmode", "sslrootcert", "sslcert", "sslkey", "application_name"}:
        raise ImproperlyConfigured(
            f"DATABASE_URL: remove {', '.join(sorted(unknown))}. After '?' write only sslmode, "
            "sslrootcert, sslcert, sslkey or application_name."
        )
    # parts.hostname would change capitals in a socket's folder (which is written with %2F for /)
    host, _colon, port = parts.netloc.rpartition("@")[2].partition(":")
    if port and not (re.fullmatch(r"[0-9]{1,5}", port) and 0 < int(port) < 65_536):
        raise ImproperlyConfigured(
            "DATABASE_URL: the port is not a number from 1 to 65535. Write host:5432, or no port."
        )
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.strip("/"),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(host),
        "PORT": port,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {
            **extra,
            "connect_timeout": 2,
            "options": "-c statement_timeout=10000 -c lock_timeout=3000"
            " -c idle_in_transaction_session_timeout=10000",
        },
    }

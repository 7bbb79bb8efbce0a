"""Run `python -m tests.bench.profile`: show which parts of the program take an intake's time.

The requests run in this process, without a server in between; the test client's own time is left
out. cProfile overstates the cost of small functions, so compare the shares and not the
milliseconds.
"""

import cProfile
import os
import pstats
import sys
import tempfile
from collections import Counter
from pathlib import Path

from tests.bench import servers

INTAKES = 30
# a function belongs to the first entry whose key occurs in its path or name
PARTS = {
    "/django/test/": "",  # the test client is no part of the program
    "/tests/": "",
    "/unittest/": "",
    "psycopg2": "SQL: PostgreSQL and its driver",
    "/django/db/": "SQL: Django's layer above it",
    "/intake/domain/": "the questionnaire and its rules",
    "/intake/": "views, services and forms of the intake",
    "/clinic/": "edge, log, hours, sealing",
    "/cryptography/": "edge, log, hours, sealing",
    "/json/": "edge, log, hours, sealing",
    "/logging/": "edge, log, hours, sealing",
    "/django/template/": "templates (check and sent page; the rest is drawn once)",
    "/django/utils/safestring": "templates (check and sent page; the rest is drawn once)",
    "/django/forms/": "templates (check and sent page; the rest is drawn once)",
    "/django/urls/": "Django: finding and making addresses",
    "/csp/": "Django: middleware of others (CSP, sign-in, static files)",
    "/allauth/": "Django: middleware of others (CSP, sign-in, static files)",
    "/axes/": "Django: middleware of others (CSP, sign-in, static files)",
    "/whitenoise/": "Django: middleware of others (CSP, sign-in, static files)",
    "/dataclasses": "Django: middleware of others (CSP, sign-in, static files)",
    "/gzip": "compressing pages",
    "/django/": "Django: request, response, its own middleware",
    "/asgiref/": "Django: request, response, its own middleware",
}
OTHER = "Python itself: built-in functions, regular expressions, the rest"


def part_of(file: str, name: str) -> str:
    """Return the part of the program that a function belongs to, or '' for a function of tests."""
    where = f"{file} {name}"
    return next((part for sign, part in PARTS.items() if sign in where), OTHER)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        os.environ.update(servers.environment(folder), DJANGO_SETTINGS_MODULE="clinic.settings")
        import django

        django.setup()
        with servers.database(folder):
            profile = _profiled()
    times: Counter[str] = Counter()
    for (file, _line, name), (_calls, _n, own, _whole, _by) in pstats.Stats(profile).stats.items():  # type: ignore[attr-defined]
        times[part_of(file, name)] += own
    del times[""]
    total = sum(times.values())
    for part, seconds in times.most_common():
        sys.stdout.write(f"{seconds / total:5.0%}  {seconds / INTAKES * 1000:5.1f} ms  {part}\n")
    sys.stdout.write(f"       {total / INTAKES * 1000:5.1f} ms  one intake, under the profiler\n")


def _profiled() -> cProfile.Profile:
    import logging

    from django.db import connection

    from tests.bench import goals, patients

    logging.disable(logging.WARNING)
    for _warm_up in range(3):
        list(patients.intake(goals.InProcess()))
    profile = cProfile.Profile()
    for _intake in range(INTAKES):
        browser = goals.InProcess()
        profile.enable()
        list(patients.intake(browser))
        profile.disable()
    connection.close()
    return profile


if __name__ == "__main__":
    main()

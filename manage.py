#!/usr/bin/env python
"""Django's command line. With DEMO=on it runs the embedded database around every command."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
    try:
        from django.core.exceptions import ImproperlyConfigured
        from django.core.management import execute_from_command_line
    except ImportError:
        sys.exit(
            "Django is not installed here. Run `make setup`, then .venv/bin/python manage.py …"
        )
    try:
        from django.conf import settings

        embedded = settings.EMBEDDED_DATABASE
    except ImproperlyConfigured as error:
        sys.exit(f"Settings: {error}")
    if not embedded:
        execute_from_command_line(sys.argv)
        return
    from clinic import devdb

    with devdb.running(settings.LOCAL_DIR / "pg"):
        execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()

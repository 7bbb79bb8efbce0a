"""What `make check` reads the migrations with: the program's settings, and the linter as an app.

Only here, because production does not have the linter. Its options are in pyproject.toml.
"""

from clinic.settings import *  # noqa: F403
from clinic.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]

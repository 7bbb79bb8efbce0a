"""The settings by which `make check` reads the migrations: the program's, and the linter.

They are apart because production does not have the linter. Its options are in pyproject.toml.
"""

from clinic.settings import *  # noqa: F403
from clinic.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]

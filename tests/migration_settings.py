"""The settings with which `make check` checks the migrations: the program's, and the linter's app.

The linter is not in the program's settings, because production does not have the linter. The
linter's options are in pyproject.toml.
"""

from clinic.settings import *  # noqa: F403
from clinic.settings import INSTALLED_APPS

INSTALLED_APPS = [*INSTALLED_APPS, "django_migration_linter"]

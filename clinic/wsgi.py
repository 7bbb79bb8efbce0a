"""What gunicorn serves. It starts only when the system checks find nothing wrong: production must
not ask patients questions that no clinician has signed."""

import gc
import os
import sys

from django.core.checks import ERROR, Tags, run_checks
from django.core.wsgi import get_wsgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
_django = get_wsgi_application()

from clinic.pagecache.front import Front  # noqa: E402  (it imports models, so Django comes first)

application = Front(_django)

# those of the database run only when they are named
_found = [*run_checks(), *run_checks(tags=[Tags.database], databases=["default"])]
_errors = [message for message in _found if message.level >= ERROR]
connections.close_all()  # workers that are forked from here make their own
if _errors:
    sys.exit("Not started:\n" + "\n".join(str(message) for message in _errors))

# What is here stays. Later collections leave it alone, so that forked workers (preload_app) go on
# sharing it.
gc.collect()
gc.freeze()

"""The WSGI application that gunicorn serves.

The application starts only if the system checks find no error: production must not ask patients
questions that no clinician has signed.
"""

import gc
import os
import sys

from django.core.checks import ERROR, Tags, run_checks
from django.core.wsgi import get_wsgi_application
from django.db import connections

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
_django = get_wsgi_application()

from clinic.pagecache.front import Front  # noqa: E402  (imports models, which need Django)

application = Front(_django)

# Django runs database checks only for the databases that the call names
_found = [*run_checks(), *run_checks(tags=[Tags.database], databases=["default"])]
_errors = [message for message in _found if message.level >= ERROR]
connections.close_all()  # each forked worker opens its own
if _errors:
    sys.exit("Not started:\n" + "\n".join(str(message) for message in _errors))

# The objects that exist now are used until the end. The garbage collector does not touch frozen
# objects, so that the forked workers (preload_app) go on sharing the memory of these objects.
gc.collect()
gc.freeze()

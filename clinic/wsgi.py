"""What gunicorn serves. It starts only when the system checks find nothing wrong: production must
not ask patients questions that no clinician has signed."""

import gc
import os
import sys

from django.core.checks import ERROR, run_checks
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clinic.settings")
_django = get_wsgi_application()

from clinic.front import Front  # noqa: E402  (it imports models, so Django comes first)

application = Front(_django)

_errors = [message for message in run_checks() if message.level >= ERROR]
if _errors:
    sys.exit("Not started:\n" + "\n".join(str(message) for message in _errors))

# What is here stays. Later collections leave it alone, so that forked workers (preload_app) go on
# sharing it.
gc.collect()
gc.freeze()

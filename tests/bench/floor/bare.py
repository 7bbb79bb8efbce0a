"""The least that Django can do: one view without middleware that returns the bytes of a file.

The project has a database, as every Django project does, but the view makes no query.
"""

import os
from pathlib import Path

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpResponse
from django.urls import path

from tests.bench.floor.settings import DATABASES

BODY = Path(os.environ["FLOOR_PAGE"]).read_bytes()

settings.configure(
    SECRET_KEY="floor-only-" + "x" * 50,
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF=__name__,
    MIDDLEWARE=[],
    DATABASES=DATABASES,
    USE_TZ=True,
)


def page(request):
    # without a length gunicorn would send the body in chunks
    return HttpResponse(BODY, headers={"Content-Length": len(BODY)})


urlpatterns = [path("page/", page)]
application = get_wsgi_application()

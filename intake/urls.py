from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern
from django.urls import path as django_path

from intake.models import Kind
from intake.views import pages, sending, start, stops

app_name = "intake"


def path(route, view, *args, **kwargs) -> URLPattern:
    """A patient's page: no staff session is looked at, let alone loaded."""
    return django_path(route, login_not_required(view), *args, **kwargs)


urlpatterns = [
    path("intake/", start.start, name="start"),
    path("intake/p/<slug:step>/", pages.page, name="page"),
    path("intake/check/", sending.check, name="check"),
    path("intake/sent/", sending.sent, name="sent"),
    path("intake/emergency/", stops.emergency, name="emergency"),
    path("intake/leave/", start.leave, name="leave"),
    path("intake/refused/", start.refused, name="refused"),
    path("appointments/", start.start, {"kind": Kind.APPOINTMENT}, name="appointments"),
]

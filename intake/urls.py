from django.contrib.auth.decorators import login_not_required
from django.urls import URLPattern
from django.urls import path as django_path

from intake.models.submissions import Kind
from intake.my_page import views, visits
from intake.questionnaire.views import emergencies, pages, saving, sending, start, young

app_name = "intake"


def path(route, view, *args, **kwargs) -> URLPattern:
    """A patient's page: no staff session is looked at, let alone loaded."""
    return django_path(route, login_not_required(view), *args, **kwargs)


urlpatterns = [
    path("intake/", start.start, name="start"),
    path("intake/p/<slug:step>/", pages.page, name="page"),
    path("intake/sure/", young.sure, name="sure"),
    path("intake/check/", sending.check, name="check"),
    path("intake/sent/", sending.sent, name="sent"),
    path("intake/emergency/", emergencies.emergency, name="emergency"),
    path("intake/leave/", start.leave, name="leave"),
    path("intake/refused/", start.refused, name="refused"),
    path("intake/save/", saving.save, name="save"),
    path("intake/resume/", views.resume, name="resume"),
    path("my/", views.my, name="my"),
    path("my/find/", views.find, name="find"),
    path("my/code/", views.code, name="code"),
    path("my/choose/", views.choose, name="choose"),
    path("my/reply/", views.reply, name="reply"),
    path("my/withdraw/", views.withdraw, name="withdraw"),
    path("my/offer/", visits.offer, name="offer"),
    path("my/times/", visits.choose_time, name="times"),
    path("my/cancel/", visits.cancel, name="cancel"),
    path("my/wait/", visits.wait, name="wait"),
    path("my/calendar.ics", visits.calendar, name="calendar"),
    path("my/add/", views.add, name="add"),
    path("my/leave/", views.leave, name="my_leave"),
    path("appointments/", start.start, {"kind": Kind.APPOINTMENT}, name="appointments"),
]

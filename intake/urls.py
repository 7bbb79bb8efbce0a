from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.http import HttpResponse
from django.urls import URLPattern
from django.urls import path as django_path

from intake.clinic_pages import views as clinic_pages
from intake.invitations import views as invitations
from intake.models.submissions import Kind
from intake.my_page import choose_time, views, visits, way_in, which_draft
from intake.questionnaire.views import (
    check_page,
    emergencies,
    pages,
    part_2,
    receipt,
    saving,
    start,
    young,
)

app_name = "intake"


def path(
    route: str,
    view: Callable[..., HttpResponse],
    options: dict[str, Any] | None = None,
    *,
    name: str,
) -> URLPattern:
    """Return the URL pattern of a page for patients, for which no staff session is loaded."""
    return django_path(route, login_not_required(view), options, name=name)


urlpatterns = [
    path("contact/", clinic_pages.contact, name="contact"),
    path("people/", clinic_pages.people, name="people"),
    path("visits/", clinic_pages.visits, name="visits"),
    path("costs/", clinic_pages.costs, name="costs"),
    path("intake/", start.start, name="start"),
    # an old kind of address without a protocol, which redirects to a page of the browser's draft
    path("intake/p/<slug:step>/", pages.page, name="page_of_draft"),
    path("intake/sure/", young.confirm_age, name="sure"),
    path("intake/check/", check_page.check, name="check"),
    path("intake/copy/", check_page.copy, name="copy"),
    path("intake/sent/", receipt.sent, name="sent"),
    path("intake/part-2/", part_2.begin, name="part_2"),
    path("intake/questions/", part_2.all_questions_of_request, name="questions"),
    path("intake/emergency/", emergencies.emergency, name="emergency"),
    path("intake/leave/", start.leave, name="leave"),
    path("intake/refused/", start.refused, name="refused"),
    path("intake/save/", saving.save, name="save"),
    path("intake/resume/", way_in.resume, name="resume"),
    path("intake/<slug:protocol>/", start.start, name="start_of"),
    path("intake/<slug:protocol>/p/<slug:step>/", pages.page, name="page"),
    path("i/", invitations.invited, name="invited"),
    path("i/declined/", invitations.declined, name="declined"),
    path("my/", way_in.my, name="my"),
    path("my/find/", way_in.find, name="find"),
    path("my/back/", way_in.back, name="back"),
    path("my/code/", way_in.code, name="code"),
    path("my/which/", which_draft.which, name="which"),
    path("my/choose/", views.choose, name="choose"),
    path("my/reply/", views.reply, name="reply"),
    path("my/alarm/", views.alarm, name="my_alarm"),
    path("my/withdraw/", views.withdraw, name="withdraw"),
    path("my/offer/", visits.offer, name="offer"),
    path("my/times/", choose_time.choose_time, name="times"),
    path("my/times/confirm/", choose_time.confirm_time, name="confirm_time"),
    path("my/cancel/", visits.cancel, name="cancel"),
    path("my/restore/", visits.restore, name="restore"),
    path("my/here/", visits.arrive, name="here"),
    path("my/again/", visits.again, name="again"),
    path("my/wait/", visits.wait, name="wait"),
    path("my/calendar.ics", visits.calendar, name="calendar"),
    path("my/add/", views.add, name="add"),
    path("my/part-2/", views.answer_part_2, name="my_part_2"),
    path("my/questions/", views.answer_all_questions, name="my_questions"),
    path("my/leave/", views.leave, name="my_leave"),
    path("appointments/", start.start, {"kind": Kind.APPOINTMENT}, name="appointments"),
    path(
        "appointments/<slug:protocol>/",
        start.start,
        {"kind": Kind.APPOINTMENT},
        name="appointments_of",
    ),
]

"""Views with faults that no view of the program may have."""

import json

from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.views.decorators.csrf import csrf_exempt

from clinic import urls


@csrf_exempt
def echo(request):
    return HttpResponse(json.dumps(dict(request.POST.lists())))


def typed(request, kind=OperationalError):
    raise kind(f"could not write {request.POST.get('words')}")


def again(request, *, status, notice, **kwargs):
    words = request.POST.get("words", "")
    return HttpResponse(f"{notice}|{words}|{sorted(kwargs)}", status=status)


typed.again = again


@csrf_exempt
def saves(request, step):
    return typed(request)


saves.again = again


@csrf_exempt
def saves_badly(request):
    return typed(request, InterfaceError)


def again_fails(request, **kwargs):
    raise OperationalError


saves_badly.again = again_fails


@csrf_exempt
def crashes(request):
    raise ValueError(f"cannot read {request.POST.get('words')}")


urlpatterns = [
    path("echo/", echo),
    path("guarded/", typed),
    path("saves/<slug:step>/", saves),
    path("saves-badly/", saves_badly),
    path("crashes/", crashes),
    path("intake/echo/", echo),
    path("admin-like/", echo),
    path("moved/", lambda request: redirect("/")),
    path("cached/", lambda request: HttpResponse(headers={"Cache-Control": "max-age=60"})),
    path("intake/cached/", lambda request: HttpResponse(headers={"Cache-Control": "private"})),
    *urls.urlpatterns,
]
handler400, handler403, handler404 = urls.handler400, urls.handler403, urls.handler404
handler429, handler500 = urls.handler429, urls.handler500

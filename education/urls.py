from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.http.response import HttpResponseBase
from django.urls import URLPattern
from django.urls import path as django_path

from clinic.pagecache import rendered
from education import views, web

app_name = "education"


def path(route: str, view: Callable[..., HttpResponseBase], *, name: str) -> URLPattern:
    """Return the URL pattern of a page for readers, for which no staff session is loaded."""
    return django_path(route, login_not_required(view), name=name)


urlpatterns = [
    path("conditions/", views.conditions, name="conditions"),
    path("conditions/<slug:condition>/", views.overview, name="condition"),
    path("conditions/<slug:condition>/<slug:slug>/", views.page, name="page"),
    path("pictures/<slug:digest>.<slug:kind>", views.picture, name="picture"),
    path("search/", views.search, name="search"),
    path("robots.txt", web.robots, name="robots"),
    path("sitemap.xml", web.sitemap, name="sitemap"),
    path("feed/", rendered.kept(web.ChangedPages()), name="feed"),
    path("about/<slug:slug>/", views.about, name="about"),
]

from django.contrib import admin
from django.urls import path

from tests.bench.floor import views

urlpatterns = [
    path("", views.page),
    path("wide/", views.page, {"form_class": views.WideForm}),
    path("thanks/", views.thanks),
    path("slot/", views.slot),
    path("admin/", admin.site.urls),
]

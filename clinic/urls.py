"""All addresses of the site. No other module of `clinic` imports the apps."""

from allauth.account import urls as account_urls
from allauth.mfa import urls as mfa_urls
from django.conf.urls.i18n import i18n_patterns
from django.contrib import admin
from django.urls import include, path

from clinic import views
from clinic.people import keyboard, unsent_page

# The pages of allauth that the site serves. Pages for sign-up and for mailed links are left out,
# because staff do not need these pages, and a page that is not served cannot be made to send mail.
# The page `account_signup` only says that sign-up is closed; allauth links to it.
ACCOUNT_PAGES = {
    "account_login",
    "account_logout",
    "account_inactive",
    "account_signup",
    "account_reauthenticate",
    "account_change_password",
    "account_set_password",
}

urlpatterns = [
    path("healthz", views.healthz, name="healthz"),
    path("readyz", views.readyz, name="readyz"),
    path("webhooks/", include("clinic.webhooks")),
    path("admin/", admin.site.urls),
    path("account/", include([p for p in account_urls.urlpatterns if p.name in ACCOUNT_PAGES])),
    path("account/2fa/", include(mfa_urls)),
    path("account/keyboard/", keyboard.keys_page, name="keyboard"),
    path("account/stay/", keyboard.stay, name="stay"),
    path("account/unsent/", unsent_page.back, name="unsent_form"),
    path("account/unsent/<uuid:pk>/", unsent_page.form_page, name="unsent_one"),
    path("account/unsent/<uuid:pk>/copy/", unsent_page.copy_page, name="unsent_copy"),
    *i18n_patterns(
        path("", views.home, name="home"),
        path("privacy/", views.privacy, name="privacy"),
        path("accessibility/", views.accessibility, name="accessibility"),
        path("language-help/", views.language_help, name="language_help"),
        path("nondiscrimination/", views.nondiscrimination, name="nondiscrimination"),
        path("", include("intake.urls")),
        path("", include("education.urls")),
        prefix_default_language=False,
    ),
]

handler400 = views.bad_request
handler403 = views.permission_denied
handler404 = views.not_found
handler429 = views.handler429
handler500 = views.server_error

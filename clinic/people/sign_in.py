"""Staff at the door: a password, then a second factor, and a session that ends.

allauth knows the factors. This module says that there must be two, for how long a session lasts,
and writes what happens at the door into the audit trail. Nobody signs up: an administrator makes
the accounts.
"""

import base64
import time
from contextlib import contextmanager
from io import BytesIO

from allauth.account.adapter import DefaultAccountAdapter
from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.authentication import get_authentication_records
from allauth.account.signals import authentication_step_completed, password_changed
from allauth.core import context
from allauth.mfa import signals as mfa_signals
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.base.internal.flows import post_authentication
from allauth.mfa.models import Authenticator
from allauth.mfa.utils import is_mfa_enabled
from django.conf import settings
from django.contrib.auth import logout, signals
from django.contrib.auth.views import redirect_to_login
from django.db import transaction
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from clinic import audit, limits
from clinic.people import attempts, sessions
from clinic.secrets import sealing

FRESH_SECONDS = 5 * 60
SEEN_EVERY_SECONDS = 60
STARTED, SEEN = "staff_started", "staff_seen"

# What a session may open that has shown a password only. Not more: with the password of somebody
# who has a second factor, one could else look at the recovery codes or take the factor away.
FIRST_FACTOR_PAGES = {"account_logout", "account_reauthenticate"}
ENROL_PAGES = FIRST_FACTOR_PAGES | {"mfa_activate_totp", "mfa_add_webauthn"}
PROVE_PAGES = {"account_logout", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


def client_address(request) -> str | None:
    """The address that sign-in limits go by: the same as all our limits, without its mask."""
    address = limits.peer(request).partition("/")[0]
    return None if address == "unknown" else address


class AccountAdapter(DefaultAccountAdapter):
    def is_open_for_signup(self, request):
        return False

    def get_logout_redirect_url(self, request):
        return reverse("account_login")

    def get_client_ip(self, request):
        return client_address(request) or "unknown"

    def pre_authenticate(self, request, **credentials):
        """Passwords are counted by axes, in the database and for all processes, not here too."""

    def is_reauthentication_required(self, *args, **kwargs):
        """A sign-in of a moment ago is proof enough for adding the first factor.

        Else a new member of staff types the password, is sent to enrol, and is asked for it again.
        """
        request = context.request
        records = get_authentication_records(request, request.user)
        if records and time.time() - records[-1]["at"] < FRESH_SECONDS:
            return False
        return super().is_reauthentication_required(*args, **kwargs)

    def get_reauthentication_methods(self, user):
        """Who has a second factor proves it is them by that, not by the password."""
        methods = super().get_reauthentication_methods(user)
        return [way for way in methods if way["id"].startswith("mfa_")] or methods

    def login(self, request, user):
        super().login(request, user)
        # Django keeps the key when the same person signs in again; an old copy of it must die.
        request.session.cycle_key()
        request.session[STARTED] = request.session[SEEN] = time.time()


class RoleBackend(AuthenticationBackend):
    """Roles alone say who may do what (roles.py): a permission given to one person by hand is
    not looked at, and not asked for. Sign-in, lock and audit trail mean one account by a name."""

    def _authenticate_by_username(self, username, password):
        return self._check_password(attempts.account(username), password)

    def get_user_permissions(self, user_obj, obj=None):
        return set()


class MFAAdapter(DefaultMFAAdapter):
    _PLACE = "mfa_authenticator|data"
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("Incorrect code. If you used it a moment ago, wait for the next one.")
    }

    def encrypt(self, text):
        """Seeds of codes are stored sealed: a copy of the database makes no codes."""
        return base64.b64encode(sealing.seal(text.encode(), self._PLACE)).decode()

    def decrypt(self, encrypted_text):
        return sealing.unseal(base64.b64decode(encrypted_text), self._PLACE).decode()

    def build_totp_svg(self, url):
        """The square as a part of the page: our policy for the browser takes no `data:` images.

        It brings its own white ground, so that phones read it in dark mode too.
        """
        import qrcode
        from qrcode.image.svg import SvgPathFillImage

        buffer = BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage).save(buffer)
        text = buffer.getvalue().decode()
        return text[text.index("<svg") :]


def has_second_factor(request) -> bool:
    """Has this session, of this very user, shown more than a password?"""
    # without the user the list is always empty
    records = get_authentication_records(request, request.user)
    return any(record.get("method") == "mfa" for record in records)


class SecondFactorMiddleware:
    """Signed-in people get nowhere but the sign-in pages until the session has two factors.

    It also ends sessions: after 15 idle minutes, and after 12 hours whatever happens. The visit is
    noted at most once a minute, so that reading pages does not write a row each time. A visitor
    without our session cookie costs nothing, and a page that needs no sign-in
    (`login_not_required`) loads no session, so it stays up without the database.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return None
        name = request.resolver_match.url_name or ""
        open_to_all = not getattr(view, "login_required", True)
        if open_to_all and not name.startswith(("account_", "mfa_")):
            return None
        if not request.user.is_authenticated:
            return None if open_to_all else _show_typed(request)
        if _is_over(request.session):
            logout(request)
            to = request.get_full_path() if request.method == "GET" else ""
            return _show_typed(request) or redirect_to_login(to)
        if has_second_factor(request):
            return None
        path = request.get_full_path()
        if is_mfa_enabled(request.user):
            if name in PROVE_PAGES:
                return None
            return redirect(f"{reverse('mfa_reauthenticate')}?{urlencode({'next': path})}")
        return None if name in ENROL_PAGES else redirect("mfa_activate_totp")


def _show_typed(request):
    """What somebody wrote into a form of a session that is over, to copy; None when it is nothing
    that would have to be thought up anew."""
    posted = request.POST.lists() if request.method == "POST" else ()
    typed = [
        text
        for name, values in posted
        if "password" not in name
        for text in values
        if " " in text.strip()
    ]
    return render(request, "account/ended.html", {"typed": typed}, status=403) if typed else None


def _is_over(session) -> bool:
    """Is the session past one of its two limits? If not, the visit is noted."""
    now = time.time()
    seen = session.get(SEEN, 0)
    if now - seen > settings.STAFF_IDLE_SECONDS:
        return True
    if now - session.get(STARTED, 0) > settings.STAFF_SESSION_SECONDS:
        return True
    if now - seen >= SEEN_EVERY_SECONDS:
        session[SEEN] = now
    return False


# --- what happens at the door is audited: no event, no sign-in ------------------------------------


def _note(request, user, action: str, subject: str = "-", **detail: str | int) -> None:
    with transaction.atomic():
        audit.record(
            actor=audit.staff(user) if user else audit.ANONYMOUS,
            action=action,
            subject=subject,
            request_id=getattr(request, "request_id", ""),
            detail=detail,
        )


def _on_login(sender, request, user, **kwargs):
    _note(request, user, "login")


def _on_logout(sender, request, user, **kwargs):
    if user is not None:
        _note(request, user, "logout")


def _on_login_failed(sender, credentials, request=None, **kwargs):
    # What was typed is not kept: people type their password into the other box.
    user = attempts.account(credentials.get("username") or "")
    _note(request, user, "login-fail", step="password")


def _on_factor_failed(sender, request, user, **kwargs):
    _note(request, user, "login-fail", step="second factor")


def _on_step(sender, request, user, method, **kwargs):
    """Proving oneself again gives the session a new key, as signing in does."""
    if kwargs.get("reauthenticated"):
        request.session.cycle_key()


def _on_password_changed(sender, request, user, **kwargs):
    with _others_end(request, user):
        _note(request, user, "update", kind="password")


def _on_factor(step: str):
    def note(sender, request, user, authenticator, **kwargs):
        _note(request, user, "mfa", step=step, kind=str(authenticator.type))

    return note


def _on_factor_gone(step: str):
    note = _on_factor(step)

    def end(sender, request, user, **kwargs):
        with _others_end(request, user):
            note(sender, request, user, **kwargs)

    return end


@contextmanager
def _others_end(request, user):
    """What somebody changed of their own way in ends their other sessions, in one transaction."""
    with transaction.atomic():
        count = sessions.end(user, but=request.session.session_key)
        yield
        if count:
            _note(request, user, "logout", audit.staff(user), count=count)


def _on_enrolled(sender, request, user, authenticator, **kwargs):
    """The code that enrolled an app has proved it: it counts once, so no page asks for it again."""
    if authenticator.type == Authenticator.Type.TOTP:
        post_authentication(request, authenticator, reauthenticated=True)


_HANDLERS = (
    (signals.user_logged_in, _on_login),
    (signals.user_logged_out, _on_logout),
    (signals.user_login_failed, _on_login_failed),
    (authentication_step_completed, _on_step),
    (password_changed, _on_password_changed),
    (mfa_signals.authentication_failed, _on_factor_failed),
    (mfa_signals.authenticator_added, _on_factor("added")),
    (mfa_signals.authenticator_added, _on_enrolled),
    (mfa_signals.authenticator_removed, _on_factor_gone("removed")),
    (mfa_signals.authenticator_reset, _on_factor_gone("reset")),
)


def listen() -> None:
    """Connect the handlers above; called once, when the app is ready."""
    for number, (signal, handler) in enumerate(_HANDLERS):
        signal.connect(handler, weak=False, dispatch_uid=f"clinic.people.sign_in.{number}")

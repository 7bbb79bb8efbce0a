"""The sign-in of staff: a password, then a second factor, and a session that ends.

allauth checks the password and the second factor. This module requires both, ends sessions, and
records sign-ins in the audit trail. Nobody can sign up: an administrator makes the accounts.
"""

import base64
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import Any, cast

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
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser, User
from django.contrib.auth.views import redirect_to_login
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.dispatch import Signal
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from clinic import audit, limits
from clinic.people import attempts, sessions
from clinic.people.keyboard import load_choice
from clinic.people.sessions import SEEN, STARTED
from clinic.people.unsent_page import keep_form, say_what_waits
from clinic.requests import Request, signed_in_user
from clinic.secrets import sealing

FRESH_SECONDS = 5 * 60
SEEN_EVERY_SECONDS = 60

# The pages that a session may open after the password alone. A person who has stolen a password
# must not see the recovery codes or remove the second factor.
FIRST_FACTOR_PAGES = {"account_logout", "account_reauthenticate"}
ENROL_PAGES = FIRST_FACTOR_PAGES | {"mfa_activate_totp", "mfa_add_webauthn"}
PROVE_PAGES = {"account_logout", "mfa_reauthenticate", "mfa_reauthenticate_webauthn"}


def client_address(request: HttpRequest) -> str | None:
    """Return the network address by which sign-ins are counted.

    It is the address that `limits.peer` returns, without the "/64" at the end of an IPv6 address.
    """
    address = limits.peer(request).partition("/")[0]
    return None if address == "unknown" else address


class AccountAdapter(DefaultAccountAdapter):
    """The adapter through which allauth handles accounts and passwords."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def get_logout_redirect_url(self, request: HttpRequest) -> str:
        return reverse("account_login")

    def get_client_ip(self, request: HttpRequest) -> str:
        return client_address(request) or "unknown"

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Do nothing, because axes counts wrong passwords, in the database for all processes."""

    def is_reauthentication_required(self, *args: Any, **kwargs: Any) -> bool:
        """Return False within FRESH_SECONDS after the sign-in; after that, allauth's own answer.

        So new staff, who come from the sign-in to the page that enrols a second factor, need not
        type the password again.
        """
        request = context.request
        records = get_authentication_records(request, request.user)
        if records and time.time() - records[-1]["at"] < FRESH_SECONDS:
            return False
        required: bool = super().is_reauthentication_required(*args, **kwargs)
        return required

    def get_reauthentication_methods(
        self, user: AbstractBaseUser | AnonymousUser
    ) -> list[dict[str, Any]]:
        """Return the user's second factors; the password only if the user has no second factor."""
        methods: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        return [way for way in methods if way["id"].startswith("mfa_")] or methods

    def login(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        if not hasattr(user, "backend"):  # allauth signs in after the second factor
            # the path in the settings, because allauth would store the class's module, which could
            # be another path
            user.backend = settings.AUTHENTICATION_BACKENDS[-1]
        super().login(request, user)
        # When the same person signs in again, Django keeps the session's key. A new key makes a
        # stolen copy of the old key useless.
        request.session.cycle_key()
        request.session[STARTED] = request.session[SEEN] = time.time()


class RoleBackend(AuthenticationBackend):
    """Find the account of a typed name by `attempts.account`; take permissions from roles alone.

    Permissions that were given by hand to a single account do not count and are not queried.
    """

    def _authenticate_by_username(self, username: str, password: str) -> AbstractBaseUser | None:
        return self._check_password(attempts.account(username), password)

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        return set()


class MFAAdapter(DefaultMFAAdapter):
    """The adapter through which allauth handles the second factor."""

    _PLACE = "mfa_authenticator|data"
    error_messages = DefaultMFAAdapter.error_messages | {
        "incorrect_code": _("Incorrect code. If you used it a moment ago, wait for the next one.")
    }

    def encrypt(self, text: str) -> str:
        """Seal the seed of an app, so that nobody can make codes from a copy of the database."""
        return base64.b64encode(sealing.seal(text.encode(), self._PLACE)).decode()

    def decrypt(self, encrypted_text: str) -> str:
        return sealing.unseal(base64.b64decode(encrypted_text), self._PLACE).decode()

    def build_totp_svg(self, url: str) -> str:
        """Draw the QR code as SVG inside the page, because our CSP forbids pictures from `data:`.

        The drawing has a white background, so that phones can read the code in dark mode.
        """
        import qrcode
        from qrcode.image.svg import SvgPathFillImage

        buffer = BytesIO()
        qrcode.make(url, image_factory=SvgPathFillImage).save(buffer)
        text = buffer.getvalue().decode()
        return text[text.index("<svg") :]


def has_second_factor(request: HttpRequest) -> bool:
    """Return whether the user has proved a second factor in this session."""
    # without the user, allauth would return an empty list
    records = get_authentication_records(request, signed_in_user(request))
    return any(record.get("method") == "mfa" for record in records)


class SecondFactorMiddleware:
    """Keep staff on the sign-in pages until both factors are proved in their session.

    The middleware also ends sessions: after 15 idle minutes, and after 12 hours in any case. The
    time of the last request is stored once a minute at most, so that most requests write no row. A
    request without our session cookie loads no session. A page that needs no sign-in
    (`login_not_required`) loads no session either, so that it works without the database.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: object, kwargs: object
    ) -> HttpResponse | None:
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return keep_form(request)
        match = request.resolver_match
        name = (match.url_name if match else None) or ""
        open_to_all = not getattr(view, "login_required", True)
        if open_to_all and not name.startswith(("account_", "mfa_")):
            return None
        if not request.user.is_authenticated:
            return None if open_to_all else keep_form(request)
        if _has_ended(request.session):
            logout(request)
            to = request.get_full_path() if request.method == "GET" else ""
            return keep_form(request) or redirect_to_login(to)
        if has_second_factor(request):
            cast(Request, request).signed_in_account = signed_in_user(request).pk
            return None
        return _ask_for_second_factor(request, name)


def _ask_for_second_factor(request: HttpRequest, name: str) -> HttpResponse | None:
    """Redirect to the page where the user enrols or proves a second factor.

    Returns None if the request is for that page.
    """
    if not is_mfa_enabled(signed_in_user(request)):
        return None if name in ENROL_PAGES else redirect("mfa_activate_totp")
    if name in PROVE_PAGES:
        return None
    query = urlencode({"next": request.get_full_path()})
    return redirect(f"{reverse('mfa_reauthenticate')}?{query}")


def ask_for_fresh_factor(request: HttpRequest) -> HttpResponse | None:
    """Redirect to the page that asks for the second factor once more, before a sensitive act.

    Returns None if the user proved a second factor within FRESH_SECONDS. A form that is posted
    later than that has to be filled in again.
    """
    records = get_authentication_records(request, signed_in_user(request))
    proved = [record["at"] for record in records if record["method"] == "mfa"]
    if proved and time.time() - proved[-1] < FRESH_SECONDS:
        return None
    query = urlencode({"next": request.path})
    return redirect(f"{reverse('mfa_reauthenticate')}?{query}")


def _has_ended(session: SessionBase) -> bool:
    """Return whether the session was idle too long or is too old. If not, store the time of this
    request."""
    now = time.time()
    seen = session.get(SEEN, 0)
    if now - seen > settings.STAFF_IDLE_SECONDS:
        return True
    if now - session.get(STARTED, 0) > settings.STAFF_SESSION_SECONDS:
        return True
    if now - seen >= SEEN_EVERY_SECONDS:
        session[SEEN] = now
    return False


# --- sign-ins are audited: without the event there is no sign-in --------------------------------


def _record(
    request: HttpRequest | None,
    user: User | None,
    action: str,
    subject: str = "-",
    **detail: str | int,
) -> None:
    with transaction.atomic():
        audit.record(
            actor=audit.staff(user) if user else audit.ANONYMOUS,
            action=action,
            subject=subject,
            request_id=getattr(request, "request_id", ""),
            detail=detail,
        )


def _on_login(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record(request, user, "login")
    load_choice(request, user)
    say_what_waits(request, user)


def _on_logout(sender: object, request: HttpRequest, user: User | None, **kwargs: Any) -> None:
    if user is not None:
        _record(request, user, "logout")


def _on_login_failed(
    sender: object, credentials: dict[str, Any], request: HttpRequest | None = None, **kwargs: Any
) -> None:
    # The typed name is not stored, because some people type their password into its box.
    user = attempts.account(credentials.get("username") or "")
    _record(request, user, "login-fail", step="password")


def _on_factor_failed(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    _record(request, user, "login-fail", step="second factor")


def _on_step(sender: object, request: HttpRequest, user: User, method: str, **kwargs: Any) -> None:
    """Give the session a new key, as at sign-in, when the second factor was proved again.

    Enrolling an app counts as a proof of the second factor, too.
    """
    if kwargs.get("reauthenticated"):
        request.session.cycle_key()


def _on_password_changed(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
    with _ending_other_sessions(request, user):
        _record(request, user, "update", kind="password")


def _on_factor(step: str) -> Callable[..., None]:
    def record(
        sender: object,
        request: HttpRequest,
        user: User,
        authenticator: Authenticator,
        **kwargs: Any,
    ) -> None:
        _record(request, user, "mfa", step=step, kind=str(authenticator.type))

    return record


def _on_factor_gone(step: str) -> Callable[..., None]:
    record = _on_factor(step)

    def end(sender: object, request: HttpRequest, user: User, **kwargs: Any) -> None:
        with _ending_other_sessions(request, user):
            record(sender, request, user, **kwargs)

    return end


@contextmanager
def _ending_other_sessions(request: HttpRequest, user: User) -> Iterator[None]:
    """End the user's other sessions in the transaction that changes the password or the factor."""
    with transaction.atomic():
        count = sessions.end(user, but=request.session.session_key)
        yield
        if count:
            _record(request, user, "logout", audit.staff(user), count=count)


def _on_enrolled(
    sender: object, request: HttpRequest, user: User, authenticator: Authenticator, **kwargs: Any
) -> None:
    """Let the code or the key that was just enrolled prove the second factor in this session.

    So the recovery codes are shown at once, and no second code or touch is asked for.
    """
    if authenticator.type != Authenticator.Type.RECOVERY_CODES:
        post_authentication(request, authenticator, reauthenticated=True)


_HANDLERS: tuple[tuple[Signal, Callable[..., None]], ...] = (
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


def connect_handlers() -> None:
    """Connect the handlers of this module. ClinicConfig.ready calls this function once."""
    for number, (signal, handler) in enumerate(_HANDLERS):
        signal.connect(handler, weak=False, dispatch_uid=f"clinic.people.sign_in.{number}")

"""The forms that take a code of the second factor: a code counts once, for as long as it is right.

allauth remembers a used code for half a minute. That is too short: with one step of tolerance
(MFA_TOTP_TOLERANCE), for phones whose clock is off, a code is right for three of them.
"""

from allauth.mfa import app_settings
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP
from django.core.cache import cache


def _use(user, code: str) -> None:
    """Remember a code of the user's app until it is right no longer."""
    key = TOTP(Authenticator(user=user))._get_used_cache_key(code)
    steps = 2 * app_settings.TOTP_TOLERANCE + 1
    cache.set(key, "used", timeout=steps * app_settings.TOTP_PERIOD)


class _UsesUp:
    def clean_code(self) -> str:
        code = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            _use(self.user, code)
        return code


class AuthenticateForm(_UsesUp, forms.AuthenticateForm):
    """At the sign-in."""


class ReauthenticateForm(_UsesUp, forms.ReauthenticateForm):
    """To prove oneself again."""


class ActivateForm(ActivateTOTPForm):
    """To enrol."""

    def clean_code(self) -> str:
        code = super().clean_code()
        _use(self.user, code)
        return code

"""The forms that take a code of the second factor. Each code can be used once only.

allauth remembers a used code for one step of 30 seconds. That is too short, because a code is valid
for three steps: MFA_TOTP_TOLERANCE also accepts the codes of the step before and the step after,
for phones whose clock is wrong.
"""

from allauth.mfa import app_settings
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import TOTP
from django.contrib.auth.models import User
from django.core.cache import cache


def _mark_used(user: User, code: str) -> None:
    """Remember, until the code expires, that the user has used this code of their app."""
    key = TOTP(Authenticator(user=user))._get_used_cache_key(code)
    steps = 2 * app_settings.TOTP_TOLERANCE + 1
    cache.set(key, "used", timeout=steps * app_settings.TOTP_PERIOD)


class _SingleUseCode(forms.BaseAuthenticateForm):
    """A base class for forms of allauth that refuses a code that was used before."""

    user: User
    authenticator: Authenticator

    def clean_code(self) -> str:
        code = super().clean_code()
        if self.authenticator.type == Authenticator.Type.TOTP:
            _mark_used(self.user, code)
        return code


class AuthenticateForm(_SingleUseCode, forms.AuthenticateForm):
    """The form for the code at sign-in."""


class ReauthenticateForm(_SingleUseCode, forms.ReauthenticateForm):
    """The form for the code that a signed-in person must type before a sensitive change."""


class ActivateForm(ActivateTOTPForm):
    """The form for the first code of an app that is being enrolled."""

    def clean_code(self) -> str:
        code: str = super().clean_code()
        _mark_used(self.user, code)
        return code

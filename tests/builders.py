"""Plain functions that make people, answers, drafts and submissions for tests."""

import time
from typing import Any

from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value
from django.conf import settings
from django.contrib.auth import (
    BACKEND_SESSION_KEY,
    HASH_SESSION_KEY,
    SESSION_KEY,
    get_user_model,
)
from django.contrib.auth.models import Group
from django.http import HttpRequest
from django.test import Client

from clinic.people.sessions import SessionStore
from clinic.people.sign_in import SEEN, STARTED
from intake.draft_content import APPOINTMENT, CONTACT, Content
from intake.models.submissions import Draft, Submission
from intake.protocols import current
from intake.questionnaire import drafts, sending
from intake.questionnaire.walk import Walk

# A man of 44 with only mild restless legs. Every question that he is asked has an answer.
ORDINARY: dict[str, Any] = {
    "em_now": ("none",),
    "em_past": ("none",),
    "who": "self",
    "age_years": 44,
    "sex_at_birth": "male",
    "main_reason": "restless",
    "onset": "over_1y",
    "leg_side": "both",
    "rls_urge": "yes",
    "rls_rest": "yes",
    "rls_move": "yes",
    "rls_evening": "evening",
    "rls_with": ("none",),
    "rls_freq": "d1",
    "lr7_days": 1,
    "lr7_nights": 1,
    "lr7_strength": 3,
    "lr7_interfere": "little",
    "drowsy_drive": "no",
    "family_rls": "no",
    "leg_new": ("none",),
    "swell_long": "none",
    "vein_look": ("none",),
    "walk_pain": "no",
    "foot_signs": ("none",),
    "conditions": ("none",),
    "blood_in_stool": "no",
    "iron_results": "no",
    "meds_classes": ("none",),
    "tobacco": "never",
    "habits": ("none",),
    "phq2_interest": "not_at_all",
    "phq2_down": "several_days",
    "si_screen": "none",
}

CONTACT_DETAILS: dict[str, Any] = {
    "name": "Quentin Canary",
    "birth_date": "1982-03-27",
    "callback_phone": "+12025550147",
    "email": "quentin.canary@example.org",
    "prefer": "phone",
    "prefer_time": "any",
    "lang_help": "english",
    "ack": True,
    "consent": {"version": "draft-1", "at": "2026-11-23T10:00:00+00:00"},
}

WISH: dict[str, Any] = {
    "visit_type": "in_person",
    "place": "Main clinic",
    "days": ["mon", "thu"],
    "times": ["morning"],
    "earliest": None,
}


def content(contact: dict[str, Any] | None = None, **answers: Any) -> Content:
    """Return a finished draft's content: the ordinary man's answers, changed by `answers`."""
    everything = {**ORDINARY, **answers}
    given = {name: value for name, value in everything.items() if value is not None}
    details = {**CONTACT_DETAILS, **(contact or {})}
    whole = Content(answers=given, contact=details, wish=WISH)
    return Content(
        answers=given,
        contact=details,
        wish=WISH,
        visited=(*Walk(current(), whole).steps, CONTACT, APPOINTMENT),
    )


def draft(contact: dict[str, Any] | None = None, **answers: Any) -> tuple[Draft, str]:
    """Return a finished draft, ready to be sent, with its browser key."""
    return drafts.begin(kind="intake", language="en", content=content(contact, **answers))


def submission(contact: dict[str, Any] | None = None, **answers: Any) -> Submission:
    """Return a sent submission."""
    return sending.submit(draft=draft(contact, **answers)[0])


def member(role: str, username: str = "") -> Any:
    """Return a member of staff with one role. The account has no usable password; see `sign_in`."""
    user, _new = get_user_model().objects.get_or_create(
        username=username or role.replace(" ", "-"), defaults={"is_staff": True}
    )
    user.groups.add(Group.objects.get(name=role))
    return user


def totp(secret: str, steps: int = 0) -> str:
    """Return the current six digits, or the digits of `steps` half minutes from now.

    The program accepts the current digits for half a minute more, so the digits do not expire while
    a test runs on a busy machine.
    """
    return format_hotp_value(hotp_value(secret, int(time.time()) // 30 + steps))


def sign_in(client: Client, user: Any) -> Client:
    """Sign a user in with both factors, without the sign-in pages.

    The sign-in pages have their own tests. The session is stored once, and no sign-in is recorded.
    Django's `force_login` would run 28 statements, a tenth of all statements in the tests.
    """
    request = HttpRequest()
    session = request.session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = "clinic.people.sign_in.RoleBackend"
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    for method in ("password", "mfa"):
        record_authentication(request, user, method)
    session[STARTED] = session[SEEN] = time.time()
    session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = session.session_key
    return client


def staff_client(role: str = "clinician", username: str = "") -> Client:
    """Return a browser in which a member of staff with this role is signed in."""
    return sign_in(Client(), member(role, username))

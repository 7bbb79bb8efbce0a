"""Ada, a member of staff who signs in with a password and an authenticator app."""

from django.core.cache import cache
from django.test import Client

from clinic.models import Event
from tests import builders

PASSWORD = "seven green bicycles at noon"
SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
LOGIN, AUTHENTICATE = "/account/login/", "/account/2fa/authenticate/"
ENROL, REAUTHENTICATE = "/account/2fa/totp/activate/", "/account/2fa/reauthenticate/"
CODES = "/account/2fa/recovery-codes/"
COOKIE = "staff"


def code(secret: str = SECRET, steps: int = 0) -> str:
    return builders.totp(secret, steps)


def password(client: Client, name: str = "ada", word: str = PASSWORD, **more: str):
    return client.post(LOGIN, {"login": name, "password": word, **more})


def sign_in(client: Client) -> None:
    password(client)
    cache.clear()  # forget that the code was used, so that a test need not wait for the next code
    assert client.post(AUTHENTICATE, {"code": code()}).status_code == 302


def events(start: int):
    return Event.objects.filter(seq__gt=start).order_by("seq")


def actions(start: int) -> list[tuple[str, str]]:
    return list(events(start).values_list("actor", "action"))

"""Read SMS_URL. The settings import this module before Django is ready."""

import re
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlsplit

TIMEOUT = 8  # seconds until Twilio must have answered a request
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_NEEDS = {
    "ACCOUNT_SID": r"AC[0-9a-fA-F]{32}",
    "AUTH_TOKEN": r"[0-9a-zA-Z]{16,64}",
    "FROM": r"\+[1-9][0-9]{6,14}|MG[0-9a-fA-F]{32}",
}
_HOW = "write twilio:?ACCOUNT_SID=AC…&AUTH_TOKEN=…&FROM=+12025550123, or no SMS_URL."


@dataclass(frozen=True)
class TwilioWay:
    """SMS_URL, split into what Twilio needs. `sender` is a number or a messaging service."""

    account: str
    token: str
    sender: str
    api: str


def read(url: str, *, demo: bool) -> TwilioWay:
    """Read twilio:?ACCOUNT_SID=AC…&AUTH_TOKEN=…&FROM=+12025550123.

    FROM is a number of ours or a messaging service (MG…). In a demonstration, API may name a server
    on this machine. Raises ValueError, whose message does not quote the URL, because the URL
    contains a token.
    """
    scheme, _colon, rest = url.partition(":?")
    # a plus sign is part of a number here, although it means a space in forms
    values = dict(parse_qsl(rest.replace("+", "%2B")))
    if scheme != "twilio" or values.keys() - {*_NEEDS, "API"}:
        raise ValueError(_HOW)
    for name, pattern in _NEEDS.items():
        if not re.fullmatch(pattern, values.get(name, "")):
            raise ValueError(f"{name} is missing or not what Twilio shows in its console: {_HOW}")
    api = values.get("API", "https://api.twilio.com")
    if "API" in values and not (demo and urlsplit(api).hostname in _LOOPBACK):
        raise ValueError("API is for a test on one machine (DEMO=on). Remove it.")
    return TwilioWay(values["ACCOUNT_SID"], values["AUTH_TOKEN"], values["FROM"], api)

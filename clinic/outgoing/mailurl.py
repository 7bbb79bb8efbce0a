"""Read EMAIL_URL. The settings import this module before Django is ready."""

from dataclasses import dataclass, field
from email.utils import parseaddr
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

TIMEOUT = 10  # seconds for each exchange with a mail server or provider
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_PORTS = {"smtp": 587, "smtps": 465}
# the mail providers that django-anymail serves without a further package
PROVIDERS = (
    *("brevo", "mailersend", "mailgun", "mailjet", "mailtrap", "mandrill", "postal", "postmark"),
    *("resend", "scaleway", "sendgrid", "sparkpost", "unisender_go"),
)
WITHOUT_METADATA = ("mailersend", "postal")  # these refuse a mail with metadata


@dataclass(frozen=True)
class Way:
    """EMAIL_URL, split into the values of Django's mail settings."""

    backend: str
    host: str = ""
    port: int = 25
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False
    folder: str | None = None
    provider: str = ""
    options: dict[str, str] = field(default_factory=dict)


def read(url: str) -> Way:
    """Read smtp://user:password@host:587, smtps://…, file:PATH, or PROVIDER:?NAME=value&….

    With smtp://, TLS starts before anything is sent, except to a server on this machine. Raises
    ValueError, whose message says how to write the URL and does not quote the URL, because the URL
    contains a password.
    """
    scheme, _colon, rest = url.partition(":")
    if scheme in _PORTS:
        return _smtp(scheme, url)
    if scheme == "file":
        if not rest:
            raise ValueError("name the folder, such as file:.local/mail.")
        return Way("clinic.outgoing.mail.FileBackend", folder=str(Path(rest).absolute()))
    if scheme in PROVIDERS:
        if not rest.startswith("?") or not (options := dict(parse_qsl(rest[1:]))):
            raise ValueError(f"write {scheme}:?{scheme.upper()}_…=… with what the provider needs.")
        return Way(f"anymail.backends.{scheme}.EmailBackend", provider=scheme, options=options)
    raise ValueError(
        "write smtp://user:password@host:587, smtps://user:password@host, or one of "
        f"{', '.join(PROVIDERS)} with ':?NAME=value'."
    )


def _smtp(scheme: str, url: str) -> Way:
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port or _PORTS[scheme]
    except ValueError:
        host, port = None, 0
    if not host or parts.path.strip("/") or parts.query:
        raise ValueError(f"write {scheme}://user:password@host:{_PORTS[scheme]}.")
    if bool(parts.username) != bool(parts.password):
        raise ValueError("a user needs a password, and a password a user.")
    return Way(
        "clinic.outgoing.mail.SmtpBackend",
        host=host,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=scheme == "smtp" and host not in _LOOPBACK,
        tls=scheme == "smtps",
    )


def is_sender(text: str) -> bool:
    """Return whether the text is one mail address, with or without a name."""
    _name, address = parseaddr(text)
    local, at, domain = address.rpartition("@")
    return bool(local and at and domain) and not set(address) & set(" \r\n,;") and "\n" not in text

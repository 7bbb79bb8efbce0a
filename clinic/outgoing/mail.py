"""Our two backends of Django's mail: an SMTP server that may be slow, and a folder on a laptop."""

import os
import time
from pathlib import Path

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone


class Hurried:
    """A conversation that ends while its message is still ours alone.

    Each word may take EMAIL_TIMEOUT, so that a slow server could stretch the whole of it beyond
    the lease, and a second worker would send the same message. After half of the lease nothing
    new is begun.
    """

    until = 0.0

    def putcmd(self, cmd: str, args: str = "") -> None:
        if time.monotonic() > self.until and cmd != "quit":
            raise TimeoutError
        super().putcmd(cmd, args)


class SmtpBackend(EmailBackend):
    """Django's own, with an end to its patience."""

    @property
    def connection_class(self) -> type:
        until = time.monotonic() + settings.OUTBOX_LEASE_SECONDS / 2
        return type("SMTP", (Hurried, super().connection_class), {"until": until})


class FileBackend(BaseEmailBackend):
    """Each mail a file in EMAIL_FILE_PATH that opens as text; only its owner reads it."""

    def send_messages(self, email_messages: list[EmailMessage]) -> int:
        folder = Path(settings.EMAIL_FILE_PATH)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.chmod(0o700)
        for message in email_messages:
            text = message.message()
            key = text["Message-ID"].strip("<>").partition("@")[0]
            path = folder / f"{timezone.localtime():%Y%m%d-%H%M%S}-{key}.eml"
            draft = path.with_suffix(".part")
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
                file.write(text.as_bytes())
            draft.rename(path)
        return len(email_messages)

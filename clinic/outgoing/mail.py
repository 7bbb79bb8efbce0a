"""Our two mail backends: an SMTP server with a time limit, and a folder on a laptop."""

import os
import smtplib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend
from django.utils import timezone


class Hurried(smtplib.SMTP):
    """An SMTP conversation that ends before the lease of its message ends.

    Each SMTP command may take EMAIL_TIMEOUT. So with a slow server the conversation could last
    longer than the lease, and a second worker would send the same message. Therefore no command is
    sent after half of the lease.
    """

    until = 0.0
    refused: dict[str, tuple[int, bytes]]

    def putcmd(self, cmd: str, args: str = "") -> None:
        if time.monotonic() > self.until and cmd != "quit":
            raise TimeoutError
        super().putcmd(cmd, args)

    def sendmail(self, *args: Any, **options: Any) -> dict[str, tuple[int, bytes]]:
        refused = super().sendmail(*args, **options)
        self.refused |= refused
        return refused


class SmtpBackend(EmailBackend):
    """Django's SMTP backend with a time limit for the whole conversation.

    `refused` has the recipients whom the server refused while it accepted others.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.refused: dict[str, tuple[int, bytes]] = {}

    @property
    def connection_class(self) -> type:
        until = time.monotonic() + settings.OUTBOX_LEASE_SECONDS / 2
        own = {"until": until, "refused": self.refused}
        return type("SMTP", (Hurried, super().connection_class), own)


class FileBackend(BaseEmailBackend):
    """Write each mail to a text file in the folder EMAIL_FILE_PATH. Only its owner can read it."""

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        folder = Path(str(settings.EMAIL_FILE_PATH))
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

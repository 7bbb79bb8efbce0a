"""A mail server on loopback that stores the mail it gets, or misbehaves on command.

ok               accepts everything
451, 550         answers the recipient with this code
hang             accepts the connection and says nothing
cut              accepts the message, and cuts the connection before answering
drop-after-250   answers 250, and cuts the connection
late             accepts the message, and answers after `seconds`
"""

import asyncio
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP


@dataclass(frozen=True)
class Mail:
    message_id: str
    to: tuple[str, ...]
    body: str

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()


class _Server(SMTP):
    """The conversation on one connection."""

    sink: "Sink"
    answered = False

    async def _handle_client(self) -> None:
        if self.sink.mode == "hang":
            await asyncio.sleep(60)
        await super()._handle_client()

    async def push(self, status: Any) -> None:
        await super().push(status)
        if self.sink.mode == "drop-after-250" and self.answered:
            self.transport.close()


class Sink:
    """A mail server that runs during a `with` block.

    `mails` are the accepted mails. A test may change `mode` at any time.
    """

    def __init__(self, mode: str = "ok", *, pause: float = 0.0, seconds: float = 2.0) -> None:
        self.mode, self.pause, self.seconds = mode, pause, seconds
        self.mails: list[Mail] = []
        self.took = threading.Condition()
        self.port = 0
        self._connections: list[_Server] = []

    def __enter__(self) -> "Sink":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(5)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _listen(self) -> asyncio.Server:
        return await self._loop.create_server(self._connection, "127.0.0.1", 0)

    def _connection(self) -> SMTP:
        server = _Server(self, hostname="sink", loop=self._loop)
        server.sink = self
        self._connections.append(server)
        return server

    def __exit__(self, *error: object) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(5)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    async def _close(self) -> None:
        self._server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        for connection in self._connections:
            if connection.transport:
                connection.transport.abort()
        await asyncio.sleep(0.01)

    def wait_for(self, enough: Callable[[], bool], seconds: float) -> bool:
        with self.took:
            return self.took.wait_for(enough, seconds)

    # --- called by aiosmtpd ----------------------------------------------------------------------
    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, _o: Any):
        if self.mode in ("451", "550"):
            return f"{self.mode} not {address}"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(self.pause)
        mail: EmailMessage = message_from_bytes(envelope.content, policy=policy.default)
        with self.took:
            self.mails.append(Mail(mail["Message-ID"], (*envelope.rcpt_tos,), mail.get_content()))
            self.took.notify_all()
        if self.mode == "late":
            await asyncio.sleep(self.seconds)
        if self.mode == "cut":
            server.transport.close()
        server.answered = True
        return "250 OK"

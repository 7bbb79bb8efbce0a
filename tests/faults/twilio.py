"""A Twilio on loopback that stores the texts it gets, or misbehaves on command.

ok               accepts everything
429, 500, 503    answers a new text with this status
21610            answers a new text with status 400 and this code of Twilio
cut              accepts the text, and cuts the connection before answering
late             accepts the text, and answers only after `seconds`
never            accepts nothing, and cuts the connection
blind            like "cut", and look-ups fail, too
"""

import hashlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

ACCOUNT, TOKEN, SENDER = "AC" + "0" * 32, "0123456789abcdef0123456789abcdef", "+12025550100"


@dataclass(frozen=True)
class Sms:
    """A text that the server accepted. `report_to` is the address for reports about it."""

    sid: str
    to: str
    body: str
    report_to: str
    at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body.encode()).hexdigest()

    @property
    def message_id(self) -> str:
        """The id of our message, from the address for reports."""
        return self.report_to.rstrip("/").rpartition("/")[2]


class Twilio:
    """A server that runs during a `with` block.

    `texts` are the accepted texts, `asked` counts the look-ups. A test may change `mode` at any
    time.
    """

    def __init__(self, mode: str = "ok", *, pause: float = 0.0, seconds: float = 2.0) -> None:
        self.mode, self.pause, self.seconds = mode, pause, seconds
        self.texts: list[Sms] = []
        self.asked = 0
        self.took = threading.Condition()

    def __enter__(self) -> "Twilio":
        handler = type("Handler", (_Handler,), {"twilio": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    @property
    def api(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    @property
    def url(self) -> str:
        """The value of SMS_URL with which the program sends its texts here."""
        return f"twilio:?ACCOUNT_SID={ACCOUNT}&AUTH_TOKEN={TOKEN}&FROM={SENDER}&API={self.api}"

    def wait_for(self, enough: Callable[[], bool], seconds: float) -> bool:
        with self.took:
            return self.took.wait_for(enough, seconds)

    def accept(self, fields: dict[str, str]) -> Sms:
        with self.took:
            sid = f"SM{len(self.texts):032x}"
            sms = Sms(sid, fields["To"], fields["Body"], fields.get("StatusCallback", ""))
            self.texts.append(sms)
            self.took.notify_all()
        return sms


class _Handler(BaseHTTPRequestHandler):
    """The conversation on one connection."""

    twilio: Twilio

    def do_POST(self) -> None:
        length = int(self.headers["Content-Length"])
        fields = dict(parse_qsl(self.rfile.read(length).decode(), keep_blank_values=True))
        time.sleep(self.twilio.pause)
        match self.twilio.mode:
            case "never":
                self.close_connection = True
            case "cut" | "blind":
                self.twilio.accept(fields)
                self.close_connection = True
            case "late":
                sms = self.twilio.accept(fields)
                time.sleep(self.twilio.seconds)
                self._answer(201, {"sid": sms.sid, "status": "queued"})
            case "ok":
                sms = self.twilio.accept(fields)
                self._answer(201, {"sid": sms.sid, "status": "queued"})
            case mode if len(mode) == 3:
                self._answer(int(mode), {"code": 20429 if mode == "429" else None})
            case mode:
                # the words of the answer quote the number, as Twilio's do
                self._answer(400, {"code": int(mode), "message": f"not {fields['To']}"})

    def do_GET(self) -> None:
        self.twilio.asked += 1
        if self.twilio.mode == "blind":
            self._answer(503, {})
            return
        number = parse_qs(urlsplit(self.path).query)["To"][0]
        rows = [
            {"sid": sms.sid, "to": sms.to, "body": sms.body, "status": "sent"}
            | {"date_created": format_datetime(sms.at)}
            for sms in self.twilio.texts
            if sms.to == number
        ]
        self._answer(200, {"messages": rows[::-1]})

    def _answer(self, status: int, answer: dict[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def handle(self) -> None:
        try:
            super().handle()
        except ConnectionError:  # the program gave up waiting
            self.close_connection = True

    def log_message(self, *_args: object) -> None:
        """Print nothing."""

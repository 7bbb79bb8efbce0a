"""A minimal browser, which takes so little time that it does not distort the servers' times."""

import contextlib
import gzip
import re
import socket
from dataclasses import dataclass
from urllib.parse import urlencode

TOKEN = re.compile(rb'name="csrfmiddlewaretoken" value="(\w+)"')
COOKIE = re.compile(rb"(?im)^set-cookie: ([^=]+)=([^;\r]*)")


@dataclass(frozen=True)
class Answer:
    status: int
    head: bytes
    body: bytes

    def header(self, name: str) -> str:
        found = re.search(rb"(?im)^" + name.encode() + rb": ([^\r]*)", self.head)
        return found[1].decode() if found else ""

    @property
    def html(self) -> bytes:
        packed = self.header("content-encoding") == "gzip"
        return gzip.decompress(self.body) if packed else self.body

    @property
    def token(self) -> str:
        found = TOKEN.search(self.html)
        assert found, "a page without a form token"
        return found[1].decode()


class Browser(contextlib.AbstractContextManager["Browser"]):
    """One visitor: one connection that stays open, cookies, and the form token of the last page."""

    def __init__(self, port: int, headers: str = "") -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=30)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.fixed = f"Host: 127.0.0.1:{port}\r\n{headers}"
        self.cookies: dict[str, str] = {}
        self.requests = 0

    def __exit__(self, *_error: object) -> None:
        self.socket.close()

    def get(self, path: str) -> Answer:
        return self._ask(f"GET {path}", b"")

    def post(self, path: str, fields: list[tuple[str, str]]) -> Answer:
        return self._ask(f"POST {path}", urlencode(fields).encode())

    def _ask(self, line: str, body: bytes) -> Answer:
        head = f"{line} HTTP/1.1\r\n{self.fixed}"
        if self.cookies:
            pairs = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
            head += f"Cookie: {pairs}\r\n"
        if line.startswith("POST"):
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
            head += f"Content-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode() + b"\r\n" + body)
        self.requests += 1
        return self._read()

    def _read(self) -> Answer:
        data = b""
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        answer = Answer(int(data[9:12]), data[:end], b"")
        length = int(answer.header("content-length"))
        body = data[end + 4 :]
        while len(body) < length:
            body += self._receive()
        for name, value in COOKIE.findall(answer.head):
            self.cookies[name.decode()] = value.decode()
        return Answer(answer.status, answer.head, body)

    def _receive(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the server closed the connection")
        return data

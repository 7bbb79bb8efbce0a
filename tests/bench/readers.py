"""Measure G1 and G2: many readers of a public page at once, against a bare Django view."""

import re
import selectors
import socket
import statistics
import time

from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from clinic.pagecache import rendered, store
from tests.bench.goals import RUNS, Line
from tests.bench.servers import Server

CONNECTIONS = (8, 32)
# the number of short slices in which one run measures each server; the servers take turns, so that
# other load on the machine slows both servers alike
SLICES = 24
EACH = 100  # answers in one slice


def page_nearest(size: int) -> tuple[str, bytes]:
    """Return the path and the bytes of the public page whose size is nearest to `size` bytes."""
    kept = store.opened(settings.PAGE_STORE)
    sitemap = Client(SERVER_NAME="127.0.0.1").get(rendered.SITEMAP).content.decode()
    found = {}
    for address in re.findall("<loc>(.*?)</loc>", sitemap):
        path = address.removeprefix(settings.SITE_ORIGIN)
        found[path] = Client(SERVER_NAME="127.0.0.1").get(path).content
    assert kept is not None
    return min(found.items(), key=lambda row: abs(len(row[1]) - size))


def crowd(port: int, path: str, connections: int, answers: int) -> tuple[float, list[float]]:
    """Return the answers per second, and how many seconds each answer took.

    All requests come from one thread, so that measuring takes little CPU time.
    """
    ask = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode()
    times: list[float] = []
    begun = 0
    with selectors.DefaultSelector() as waiting:
        everybody = [socket.create_connection(("127.0.0.1", port), 30) for _ in range(connections)]
        begin = time.perf_counter()
        for one in everybody:
            one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            one.sendall(ask)
            waiting.register(one, selectors.EVENT_READ, [time.perf_counter(), 0, 0])
            begun += 1
        while len(times) < begun:
            for key, _events in waiting.select(30):
                one, state = key.fileobj, key.data
                data = one.recv(1 << 18)
                if not state[2]:  # the header gives the length of the body
                    head, _end, _body = data.partition(b"\r\n\r\n")
                    assert head.startswith(b"HTTP/1.1 200"), head[:80]
                    length = re.search(rb"(?i)content-length: (\d+)", head)
                    state[2] = len(head) + 4 + int(length[1])
                state[1] += len(data)
                if state[1] < state[2]:
                    continue
                now = time.perf_counter()
                times.append(now - state[0])
                if begun < answers:
                    state[:] = [now, 0, 0]
                    one.sendall(ask)
                    begun += 1
        seconds = time.perf_counter() - begin
        for one in everybody:
            one.close()
    return len(times) / seconds, times


def public_pages(ours: Server, bare: int, path: str) -> Line:
    """Measure G1: a stored public page against a bare Django view that returns the same bytes."""
    data, met, told = {}, True, []
    for connections in CONNECTIONS:
        for port, where in ((ours.port, path), (bare, "/page/")):
            crowd(port, where, connections, EACH)
        runs = []
        for _run in range(RUNS):
            speed = {"ours": [], "bare": []}
            times = {"ours": [], "bare": []}
            for _slice in range(SLICES):
                for name, port, where in (("ours", ours.port, path), ("bare", bare, "/page/")):
                    fast, took = crowd(port, where, connections, EACH)
                    speed[name].append(fast)
                    times[name] += took
            middle = {name: statistics.median(found) for name, found in speed.items()}
            late = {name: statistics.quantiles(t, n=20)[18] * 1000 for name, t in times.items()}
            runs.append(
                {
                    "ours_s": middle["ours"],
                    "bare_s": middle["bare"],
                    "ratio": middle["ours"] / middle["bare"],
                    "ours_p95_ms": late["ours"],
                    "bare_p95_ms": late["bare"],
                    "p95_ratio": late["ours"] / late["bare"],
                }
            )
        ratio = statistics.median(run["ratio"] for run in runs)
        late_ratio = statistics.median(run["p95_ratio"] for run in runs)
        met = met and ratio >= 0.90 and late_ratio <= 1.3
        one = sorted(runs, key=lambda run: run["ratio"])[RUNS // 2]
        told.append(
            f"{connections} connections: {ratio:.2f} × ({one['ours_s']:.0f} to {one['bare_s']:.0f}"
            f" a second), p95 {late_ratio:.2f} ×"
        )
        data[str(connections)] = runs
    what = f"warm {path} to a bare Django view of the same bytes"
    return Line("G1", what, "≥ 0.90 ×, p95 ≤ 1.3", "; ".join(told), met, data)


def queries(path: str) -> Line:
    """Measure G2: the database statements of a public page, before and after the page is stored.

    No answer may set a cookie.
    """
    before = store.opened(settings.PAGE_STORE)
    store.begin(before, "nothing")
    counts, cookies = [], 0
    for _ask in range(2):
        with CaptureQueriesContext(connection) as asked:
            answer = Client(SERVER_NAME="127.0.0.1").get(path)
        counts.append(len(asked))
        cookies += len(answer.cookies)
    miss, warm = counts
    told = f"{warm} warm, {miss} on a miss, {cookies} cookies"
    met = warm == 0 and miss <= 2 and not cookies
    return Line("G2", "statements of a public page", "0 / ≤ 2 / no cookie", told, met, {})

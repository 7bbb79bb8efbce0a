"""A Redis on loopback for tests. Without an installed Redis the tests that need it are skipped."""

import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator

import pytest

LEFT_OUT = (
    "The tests of the store in Redis were left out: no redis-server was found. To run them, install"
    " one (Debian and Ubuntu: apt-get install redis-server)."
)


@contextlib.contextmanager
def running() -> Iterator[str]:
    """Yield the address of an empty Redis.

    Without redis-server the test is skipped, or fails if CLINIC_REQUIRE_REDIS=1 is set.
    """
    program = shutil.which("redis-server")
    if not program:
        if os.environ.get("CLINIC_REQUIRE_REDIS") == "1":
            pytest.fail(LEFT_OUT)
        pytest.skip(LEFT_OUT)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        server = subprocess.Popen(
            [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder],
            stdout=subprocess.DEVNULL,
        )
        try:
            _wait(port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(10)


def _wait(port: int) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise AssertionError("the Redis for tests did not start")

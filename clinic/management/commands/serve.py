"""Run the whole program on a laptop (`make run`). Production starts gunicorn itself."""

import os
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from io import StringIO
from multiprocessing import get_context
from typing import Any

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection

from clinic.environment import ENV


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # the server runs all checks itself
    help = "Migrate, load roles, pages and demonstration data, and serve on 127.0.0.1 until Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *, port: int, **options: Any) -> None:
        if not settings.DEMO:
            raise CommandError(
                "serve is for a laptop (DEMO=on). In production run "
                "`gunicorn --config deploy/gunicorn.conf.py clinic.wsgi`; see docs/operations.md."
            )
        # links in mails lead to this server, unless SITE_ORIGIN is set
        settings.SITE_ORIGIN = ENV.get("SITE_ORIGIN") or f"http://127.0.0.1:{port}"
        call_command("migrate", verbosity=0)
        connection.close()  # the child process must not share the connection
        server = get_context("fork").Process(target=_serve, args=(port,))
        server.start()
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, lambda *_: server.terminate())
        try:
            # Pages can be loaded while the server starts, because nobody uses the server yet.
            call_command("load_pages", verbosity=0)
            people = StringIO()
            call_command("demo", "--once", "--list", verbosity=0, stdout=people)
            while server.is_alive() and not _answers(port):
                time.sleep(0.05)
            # The worker starts only when the server answers: starting together, they would slow
            # each other down.
            worker = subprocess.Popen(
                [sys.executable, "manage.py", "worker"],
                cwd=settings.BASE_DIR,
                env=os.environ | {"SITE_ORIGIN": settings.SITE_ORIGIN},
                start_new_session=True,
            )
        except BaseException:
            server.terminate()
            raise
        self.stdout.write(f"\n  Open  http://127.0.0.1:{port}/         (patients)")
        self.stdout.write(f"        http://127.0.0.1:{port}/admin/   (staff)\n")
        self.stdout.write("  Demonstration sign-ins; `make code` prints the six digits of now:")
        self.stdout.write(people.getvalue())
        if settings.EMAIL_FILE_PATH:
            self.stdout.write(f"\n  Mails are files in {settings.EMAIL_FILE_PATH}")
        self.stdout.write("\n  Ctrl-C stops everything.\n")
        self.stdout.flush()
        server.join()
        status = server.exitcode
        worker.terminate()
        worker.wait()
        if status not in (0, -signal.SIGTERM):
            raise CommandError(
                f"The server stopped by itself (status {status}). Is port {port} taken? "
                "Try `make run PORT=8001`."
            )


def _answers(port: int) -> bool:
    """Return whether the program answers. The port opens before the program is loaded."""
    probe = HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        probe.request("GET", "/healthz")
        return probe.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        probe.close()


def _serve(port: int) -> None:
    """Run gunicorn in this forked process, which has the program loaded already."""
    os.setsid()  # Ctrl-C reaches only the parent process, which then stops this process
    os.chdir(settings.BASE_DIR)
    sys.argv = [
        "gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "1", "--threads", "8",
        "--no-control-socket", "--log-level", "warning", "clinic.wsgi",
    ]  # fmt: skip
    from gunicorn.app.wsgiapp import WSGIApplication

    WSGIApplication(prog="gunicorn").run()

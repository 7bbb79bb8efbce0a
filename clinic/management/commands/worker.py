"""The worker: runs the tasks, and each minute sweeps up what was left."""

import logging
import signal
import threading
import time
from typing import Any

from django.core.management.base import BaseCommand
from django.db import InterfaceError, OperationalError, close_old_connections, connection
from django.utils.crypto import get_random_string
from django_tasks_db.management.commands.db_worker import Worker

from clinic import sweeps
from clinic.logs import log
from clinic.outgoing import outbox

EVERY = 1.0  # seconds between looks when there is nothing to do
SWEEP = 60.0
PRUNE = 3600.0
WITHOUT_DATABASE = 5.0
DATABASE_DOWN = (OperationalError, InterfaceError)


class Command(BaseCommand):
    help = "Send messages and run tasks until SIGTERM or Ctrl-C, beside the web server."

    def handle(self, **options: Any) -> None:
        self.stopping = threading.Event()
        self.tasks: Worker | None = None
        self.swept = self.pruned = float("-inf")
        for name in (signal.SIGINT, signal.SIGTERM):
            signal.signal(name, self.stop)
        log("worker started")
        while not self.stopping.is_set():
            pause = EVERY
            try:
                self.round()
            except DATABASE_DOWN:
                log("worker without database", level=logging.ERROR, exc_info=True)
                connection.close()
                pause = WITHOUT_DATABASE
            except Exception:  # one bad task is no reason to leave the others
                log("worker round failed", level=logging.ERROR, exc_info=True)
                pause = WITHOUT_DATABASE
            self.stopping.wait(pause)
        log("worker stopped")

    def stop(self, *signal_and_frame: Any) -> None:
        """Ends after the message under way; a message takes a minute at most."""
        self.stopping.set()
        outbox.stop()
        if self.tasks:
            self.tasks.running = False

    def round(self) -> None:
        """All tasks that are ready, and the sweep when it is time for it."""
        close_old_connections()
        if time.monotonic() - self.swept >= SWEEP:
            outbox.sweep()
            sweeps.run()
            self.swept = time.monotonic()
        if time.monotonic() - self.pruned >= PRUNE:
            outbox.prune()
            self.pruned = time.monotonic()
        self.tasks = Worker(
            queue_names=["*"],
            excluded_queue_names=[],
            backend_name="default",
            worker_id=get_random_string(32),
            batch=True,  # until there is no more
            max_tasks=100,  # or it is time to sweep
            interval=0,
            startup_delay=False,
        )
        if not self.stopping.is_set():
            self.tasks.run()

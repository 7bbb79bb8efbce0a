"""The command of the worker, which runs queued tasks and, each minute, the sweeps."""

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

EVERY = 1.0  # seconds between polls when the queue is empty
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
            except Exception:  # one failing task must not stop the worker
                log("worker round failed", level=logging.ERROR, exc_info=True)
                pause = WITHOUT_DATABASE
            self.stopping.wait(pause)
        log("worker stopped")

    def stop(self, *signal_and_frame: Any) -> None:
        """End the worker after the message that it is sending, within a minute at most."""
        self.stopping.set()
        outbox.stop()
        if self.tasks:
            self.tasks.running = False

    def round(self) -> None:
        """Run all tasks that are ready, and the sweeps that are due."""
        close_old_connections()
        if time.monotonic() - self.swept >= SWEEP:
            self.swept = time.monotonic()
            outbox.work_until(self.swept + SWEEP)
            sweeps.run()
            outbox.sweep()
        if time.monotonic() - self.pruned >= PRUNE:
            outbox.prune()
            self.pruned = time.monotonic()
        self.tasks = Worker(
            queue_names=["*"],
            excluded_queue_names=[],
            backend_name="default",
            worker_id=get_random_string(32),
            batch=True,  # stop when the queue is empty
            max_tasks=100,  # stop after 100 tasks, to see whether a sweep is due
            interval=0,
            startup_delay=False,
        )
        if not self.stopping.is_set():
            self.tasks.run()

"""Settings of gunicorn in production:

    gunicorn --config deploy/gunicorn.conf.py clinic.wsgi

The environment can change the address, the workers and the threads.
"""

import os

bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:8000")
# Each thread may hold one connection to PostgreSQL. Keep the sum of workers * threads over all
# machines below its max_connections.
workers = int(os.environ.get("GUNICORN_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("GUNICORN_THREADS", "8"))

# The system checks run once, before any worker starts. An unsigned protocol or a wrong setting ends
# the start with its message; without this, each worker would die in turn.
preload_app = True

# Longer than the database's own limits (statement 10 s, lock 3 s), so that these apply first.
timeout = 30
graceful_timeout = 20
keepalive = 5
# Each worker restarts after this many requests. The jitter prevents all from restarting at once.
max_requests = 20_000
max_requests_jitter = 2_000

# Requests are small. The program itself refuses bodies above 100 kB.
limit_request_line = 4094
limit_request_fields = 60

# No control socket in a home folder: it could control the running server.
control_socket_disable = True
# The worker's heartbeat file: in memory if the machine has such a file system.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108

# The program writes one line of JSON for each request, without path, query or address. gunicorn's
# access log would contain all three.
accesslog = None
errorlog = "-"
loglevel = "warning"

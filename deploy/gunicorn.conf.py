"""How gunicorn serves the clinic in production:

    gunicorn --config deploy/gunicorn.conf.py clinic.wsgi

Every value can be set from the environment where a clinic's machine differs.
"""

import os

bind = os.environ.get("GUNICORN_BIND", "127.0.0.1:8000")
# Each thread may hold one connection to PostgreSQL: workers * threads over all machines has to stay
# below its max_connections.
workers = int(os.environ.get("GUNICORN_WORKERS", "2"))
worker_class = "gthread"
threads = int(os.environ.get("GUNICORN_THREADS", "8"))

# The system checks run once, before there is a worker: an unsigned protocol or a wrong setting ends
# the start with its message instead of worker after worker dying.
preload_app = True

# Longer than the database's own limits (statement 10 s, lock 3 s), which answer first.
timeout = 30
graceful_timeout = 20
keepalive = 5
# A worker is renewed from time to time, not all at once.
max_requests = 20_000
max_requests_jitter = 2_000

# Answers are small; the program itself refuses bodies above 100 kB.
limit_request_line = 4094
limit_request_fields = 60

# Nobody steers a running server through a socket in a home folder.
control_socket_disable = True
# A worker's heartbeat file, on a file system in memory where there is one.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None  # noqa: S108

# The program writes one line of JSON per request, without path, query or address. gunicorn's own
# access log would hold all three.
accesslog = None
errorlog = "-"
loglevel = "warning"

"""How gunicorn serves the shop: `gunicorn -c python:fulfillment.kernel.server "wsgi:serve()"`.

The app is loaded once and forked, so that a worker that dies is back within milliseconds and the
workers share its memory; each opens its own database connections.
"""

from __future__ import annotations

import os
from typing import Any

from fulfillment.kernel import db

bind = os.environ.get("SHOP_BIND", "127.0.0.1:8000")
workers = int(os.environ.get("SHOP_WEB_WORKERS", "2"))
worker_class = "gthread"
threads = 16  # most of them only wait: for their turn to write, for the card provider
preload_app = True
timeout = 60
graceful_timeout = 5
keepalive = 5
max_requests = 20_000
max_requests_jitter = 2_000
accesslog = None
control_socket_disable = True  # it is one for all houses of a user, and nobody of ours asks there


def post_fork(_server: Any, _worker: Any) -> None:
    """Connections made before the fork belong to the parent."""
    db.after_fork()

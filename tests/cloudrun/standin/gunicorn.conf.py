"""A small container for the local platform's own tests; gunicorn's threads instead of greenlets keep it plain."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '80')}"
workers = 1
worker_class = "gthread"
threads = 24
graceful_timeout = 5
header_map = os.environ.get("STANDIN_HEADER_MAP", "drop")

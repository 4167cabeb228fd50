"""The entry of the server: `gunicorn -c gunicorn.conf.py wsgi:app`.

Always something that answers: with wrong settings or an unreachable store it says so (yunliao/first_start.py), and the
lines on stderr say it in the terminal. A start that only failed would show nothing but "Readiness probe failed" in the
platform's console.
"""

import os

from yunliao.first_start import Starting

starting = Starting(os.environ)
app = starting.app

"""The entry of the server: `gunicorn -c gunicorn.conf.py wsgi:app`."""

import os
import sys

from yunliao.errors import YunliaoError
from yunliao.factory import create_app
from yunliao.settings import Settings, SettingsError

try:
    app = create_app(Settings.from_env(os.environ))
except SettingsError as mistakes:
    for problem in mistakes.problems:
        sys.stderr.write(f"yunliao: {problem}\n")
    # 4 is gunicorn's own code for an application that cannot be loaded: it gives up instead of trying for ever.
    sys.exit(4)
except YunliaoError as failed:
    sys.stderr.write(f"yunliao: {failed.detail or failed.en}\n")
    sys.exit(4)

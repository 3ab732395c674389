"""`python -m genrekit` is the command `genrekit`."""

import sys

from .commands.main import run_process

sys.exit(run_process())

"""The modules of this folder are also run as programs; the tests import them by their names."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

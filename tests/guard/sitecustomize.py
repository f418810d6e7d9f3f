"""What Python runs first in each process that a test starts: it refuses to open files of the team's.

Where the process is a language host it may become the front of one that has the SDK already.
"""

import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

team_files = runpy.run_path(str(HERE.parent / "team_files.py"))
sys.addaudithook(team_files["refuse_team_files"])

if "TENANTRY_TEST_HOSTS" in os.environ and any(word.endswith("/language_host.py") for word in sys.orig_argv):
    runpy.run_path(str(HERE / "preloaded_host.py"))["front"]()

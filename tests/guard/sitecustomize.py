"""What Python runs first in each process that a test starts: it refuses to open files of the team's.

A process that a launcher of `devtools` started may become the front of one that has its imports already.
"""

import os
import runpy
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent

team_files = runpy.run_path(str(HERE.parent / "team_files.py"))
sys.addaudithook(team_files["refuse_team_files"])

if "TENANTRY_TEST_FORKS" in os.environ and sys.orig_argv[1:2] == ["-P"]:
    runpy.run_path(str(HERE / "preloaded.py"))["front"]()

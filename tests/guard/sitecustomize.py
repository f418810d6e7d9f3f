"""What Python runs first in each process that a test starts: it refuses to open files of the team's."""

import runpy
import sys
from pathlib import Path

team_files = runpy.run_path(str(Path(__file__).resolve().parents[1] / "team_files.py"))
sys.addaudithook(team_files["refuse_team_files"])

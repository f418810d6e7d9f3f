"""The program starts quickly: no service of AWS is loaded before its first resource is made."""

import subprocess
import sys

from tests.cells import ROOT

# The SDK's packages are lazy: whoever touches one loads thousands of classes. A service whose classes are
# needed at once shows by the module that holds them.
LOADED = r"""
import re, sys
import components.entry
print(*sorted(m for m in sys.modules if re.fullmatch(r"pulumi_aws\.\w+\._inputs", m)))
"""


def test_importing_the_program_loads_no_service_of_the_sdk() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [], "annotate as text (from __future__ import annotations)"

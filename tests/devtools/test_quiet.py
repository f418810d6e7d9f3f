"""What is left of the engine's output where nobody looks at a terminal."""

import subprocess
import sys

import pytest

from devtools.progress_filter import is_wanted_line
from tests.cells import ROOT

DONE = """\
@ updating....
 +  aws:s3:BucketLogging archive-trail-logging creating (0s)
 +  aws:s3:BucketLogging archive-trail-logging created (0.00s)
 ~  aws:rds:Instance monolith-instance updating (0s) [diff: ~tags,tagsAll]
 -  aws:apigateway:UsagePlanKey amber-pay-tenant-api-usage deleting (0s)
 ++ tls:index:PrivateKey ca-key-1 creating replacement (0s)
 +- aws:ecs:TaskDefinition monolith replaced (0.00s)
    pulumi:pulumi:Stack tenantry-dev running
    tenantry:cell:Platform platform created
    pulumi:pulumi:Stack tenantry-dev
Loading policy packs...: done
"""
SAID = """\
Updating (dev):
 ~  aws:cloudtrail:Trail trail updating (0s) [diff: +x]; error: updating CLOUDTRAIL Trail (arn:x): Refused
 ~  aws:cloudtrail:Trail trail **updating failed** [diff: +x]; error: updating
    pulumi:pulumi:Stack tenantry-dev running error: update failed
    pulumi:pulumi:Stack tenantry-dev **failed** 1 error
Policies:
        - [mandatory]  guardrails  (aws:kms:Key: a-key)
Resources:
    + 184 created
    184 unchanged
Duration: 7s
TENANT         ISOLATION  NETWORK    DATA TIER
amber-pay      pool       shared     shard-a
"""


@pytest.mark.parametrize("line", DONE.splitlines())
def test_what_was_done_is_left_out(line: str) -> None:
    assert not is_wanted_line(line)


@pytest.mark.parametrize("line", SAID.splitlines())
def test_everything_else_is_said(line: str) -> None:
    assert is_wanted_line(line)


def test_children_are_filtered_and_nothing_is_lost_at_the_end() -> None:
    program = (
        "import subprocess, sys\nfrom devtools.progress_filter import without_progress_lines\n"
        "with without_progress_lines():\n    subprocess.run([sys.executable, '-c', sys.argv[1]])\n"
        "print('after')\n"
    )
    child = f"print({DONE + SAID!r} * 200, end=''); print('the last, without an end', end='')"
    done = subprocess.run(
        [sys.executable, "-c", program, child], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout == SAID * 200 + "the last, without an endafter\n"

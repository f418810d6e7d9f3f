"""Refuses to begin in an account of the sandbox whose quotas are not enough for the stack.

The stack's file says which quotas its account has (`tenantry:quotas`), and who believes it of a new account
fails at some resource in the middle of a deployment. Here the cloud says what its accounts are like.
"""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from devtools.paths import ToolchainError, UsageError
from sandbox.cloud.profile import VARIABLE, Profile, ProfileError, asked_profile, recorded_profile
from sandbox.cloud.store import FILE
from tenants.examination import examine
from tenants.files import registry_file
from tenants.models import QuotaProfile
from tenants.project import Project
from tenants.quotas import problems


def refuse_small_quotas(project: Path, home: Path, stack: str, env: Mapping[str, str]) -> None:
    """Raise `ToolchainError` where the account is new and the stack takes more than it has."""
    if _profile(home, env) is not Profile.FRESH or not registry_file(project, stack).is_file():
        return
    files = Project(project)
    found = examine(files, stack, locked=False)
    if found.cell is None or found.findings:
        return  # refused anyway, by whoever reads the files
    cell = replace(found.cell, quotas=QuotaProfile.FRESH)
    lines = problems(files, cell, found.entries.models.values(), found.ledger, found.extended)
    if lines:
        raise ToolchainError(
            f"stack {stack}: the sandbox's accounts are new ones, whose quotas are not enough; nothing was"
            " changed:\n" + "\n".join(map(str, lines)) + f"\nsay tenantry:quotas: {cell.quotas} in"
            f" Pulumi.{stack}.yaml, so that make check finds this too"
        )


def _profile(home: Path, env: Mapping[str, str]) -> Profile:
    """What the cloud's accounts are like, or are to be like where there is no cloud yet."""
    try:
        asked = asked_profile(env)
    except ProfileError as wrong:
        raise UsageError(str(wrong)) from None
    recorded = recorded_profile(home / FILE)
    if asked and recorded and asked is not recorded:
        raise ToolchainError(
            f"{VARIABLE}={asked}: the cloud in {home} was made as {recorded}, and accounts do not get new"
            " again; begin anew (make clean), or in another folder (TENANTRY_SANDBOX_DIR)"
        )
    return recorded or asked or Profile.RAISED

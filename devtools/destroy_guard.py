"""Refuses to destroy a stack with protected resources, before the first deletion.

Protection alone is not enough: `pulumi destroy` of a stack with one protected resource deletes the
others first and then fails (tried: 3 of 5 gone).
"""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from devtools.paths import real_cli
from recovery.engine import mapping

SHOWN = 3


def destroy_refusal(stack: str, config: Path, env: Mapping[str, str] | None = None) -> str | None:
    """Why the stack may not be destroyed, in a sentence with the remedy; None where it may."""
    values = mapping(mapping(yaml.safe_load(config.read_text(encoding="utf-8"))).get("config"))
    found = state_resources(stack, env)
    if found is None:
        return f"stack {stack}: its state cannot be read, so nothing was deleted; try `pulumi stack export`"
    protected = [r["urn"].rsplit("::", 1)[1] for r in found if r.get("protect")]
    remedy = (
        "a sandbox goes with `make clean`; on AWS, take the protection off in a reviewed change first"
        f" (tenantry:protectData in Pulumi.{stack}.yaml, which prod may not, or `pulumi state unprotect`)"
    )
    if protected:
        some = ", ".join(sorted(protected)[:SHOWN])
        more = f" and {len(protected) - SHOWN} more" if len(protected) > SHOWN else ""
        what = f"{len(protected)} resources hold protected data ({some}{more})"
        return f"stack {stack}: {what}; nothing was deleted; {remedy}"
    if str(values.get("tenantry:protectData")).lower() == "true":  # `pulumi config set` writes it as text
        what = "its settings protect its data (tenantry:protectData)"
        return f"stack {stack}: {what}; nothing was deleted; {remedy}"
    return None


def state_resources(stack: str, env: Mapping[str, str] | None = None) -> list[dict[str, Any]] | None:
    """The resources of the stack's state, secrets left encrypted; None where it cannot be read."""
    state = exported_state(stack, env)
    return None if state is None else json.loads(state)["deployment"].get("resources") or []


def exported_state(stack: str, env: Mapping[str, str] | None = None) -> str | None:
    """The stack's state as JSON, secrets left encrypted; None where it cannot be read."""
    done = subprocess.run(
        [real_cli(), "stack", "export", "--stack", stack],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    return None if done.returncode else done.stdout

"""Writes a dated, sealed bundle about a plan that an auditor can read and a machine can verify.

`manifest.json` has the SHA-256 of each file, and the digests of what was judged (plan, registry, ledger,
code). The manifest's own SHA-256 is the bundle's seal: keep it apart from the bundle (in a ticket, a signed
tag), and no change of the bundle goes unnoticed.
"""

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, cast

from policies import HERE
from policies.checking import Verdicts, report, verdicts
from policies.controls import controls, page, result, results
from policies.escalation import analyse
from policies.exceptions import read_exceptions
from policies.inventory import RULES
from policies.model import UNKNOWN, Plan
from policies.preview import Preview, PreviewError
from policies.settings import settled

ROOT: Final = HERE.parent
VERSION: Final = 1  # of the bundle's format
MANIFEST: Final = "manifest.json"
SEAL: Final = "manifest.sha256"
CODE: Final = ("__main__.py", "components", "plan", "tenants", "policies", "functions", "requirements.txt")


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def plan_digest(plan: Plan) -> str:
    """The SHA-256 of what a plan says: every resource with its inputs, whatever the order."""

    def shown(value: Any) -> Any:
        return str(value) if value is UNKNOWN else repr(value)

    rows = sorted(
        json.dumps([r.urn, r.type, r.parent, r.protect, r.inputs], sort_keys=True, default=shown)
        for r in plan.resources
    )
    return digest("\n".join(rows).encode())


def write_bundle(preview: Preview, stack: str | None, out: Path, exceptions: Path) -> tuple[Verdicts, str]:
    """Write a bundle into a new folder: the verdicts and the seal; `PreviewError` for a used folder."""
    if out.exists() and any(out.iterdir()):
        raise PreviewError(f"{out}: is not empty; evidence is written once, name a new folder")
    plan = settled(preview.plan, stack)
    allowed = read_exceptions(exceptions)
    found = verdicts(plan, RULES, allowed, whole=preview.whole)
    files = {
        "rules.json": _json({"rules": _rules(found), **report(found)}),
        "exceptions.json": _json([asdict(a) for a in allowed.allowed]),
        "escalation.json": _json(asdict(analyse(plan))),
        "controls.json": _json(_controls(found)),
        "controls.md": page(found, f"the plan of {plan.stack}").encode(),
        "README.txt": _README.encode(),
    }
    manifest = _json({**_about(plan, found), "files": {name: digest(data) for name, data in files.items()}})
    staged = out.with_name(f".{out.name}.part")
    shutil.rmtree(staged, ignore_errors=True)
    staged.mkdir(parents=True)
    for name, data in {**files, MANIFEST: manifest}.items():
        (staged / name).write_bytes(data)
    seal = digest(manifest)
    (staged / SEAL).write_text(f"{seal}  {MANIFEST}\n", "utf-8")
    if out.exists():
        out.rmdir()
    staged.rename(out)
    return found, seal


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, sort_keys=True, default=str) + "\n").encode()


def _rules(found: Verdicts) -> list[dict[str, Any]]:
    by_rule = results(found)
    return [
        {
            "id": r.id,
            "title": r.title,
            "severity": str(r.severity),
            "controls": sorted(set(r.controls)),
            "result": by_rule[r.id],
        }
        for r in RULES
    ]


def _controls(found: Verdicts) -> list[dict[str, Any]]:
    by_rule = results(found)
    return [{**asdict(c), "gap": c.gap, "result": result(c, by_rule, found.plan)} for c in controls()]


def _about(plan: Plan, found: Verdicts) -> Mapping[str, Any]:
    """What was judged, when, by what."""
    return {
        "format": VERSION,
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "stack": plan.stack,
        "account": plan.setting("accountId"),
        "region": plan.setting("region"),
        "resources": len(plan.resources),
        "fine": found.fine,
        "plan": plan_digest(plan),
        "commit": _commit(),
        "judged": {
            name: _tree(ROOT / name)
            for name in (*CODE, f"Pulumi.{plan.stack}.yaml", f"tenants/{plan.stack}.yaml", _ledger(plan))
            if (ROOT / name).exists()
        },
    }


def _ledger(plan: Plan) -> str:
    return f"tenants/ledger/{plan.stack}.yaml"


def _tree(path: Path) -> str:
    """The digest of a file, or of all files below a folder by name and content."""
    if path.is_file():
        return digest(path.read_bytes())
    found = sorted(
        f"{p.relative_to(path)} {digest(p.read_bytes())}"
        for p in path.rglob("*")
        if p.is_file() and "__pycache__" not in p.parts
    )
    return digest("\n".join(found).encode())


def _commit() -> str | None:
    """The commit that is checked out, with a mark where files differ from it; None without git."""
    try:
        head = _git("rev-parse", "HEAD")
        return head and head + ("-modified" if _git("status", "--porcelain") else "")
    except FileNotFoundError:
        return None


def _git(*words: str) -> str | None:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S603, S607
    return done.stdout.strip() if done.returncode == 0 else None


def verify(folder: Path, seal: str | None = None) -> list[str]:
    """What is wrong with a bundle: changed, missing or additional files, another seal. Empty if nothing is.

    Raises `PreviewError` where the folder is no bundle of this version.
    """
    try:
        data = (folder / MANIFEST).read_bytes()
        manifest = cast("dict[str, Any]", json.loads(data))
        files = cast("dict[str, str]", manifest["files"])
        version = manifest["format"]
    except (OSError, ValueError, KeyError, TypeError):
        raise PreviewError(f"{folder}: is no bundle of evidence; it has no whole {MANIFEST}") from None
    if version != VERSION:
        raise PreviewError(f"{folder}: is a bundle of format {version}; this version reads {VERSION}")
    wrong: list[str] = []
    written = (folder / SEAL).read_text("utf-8").split()[:1] if (folder / SEAL).is_file() else []
    for expected in filter(None, (seal, written[0] if written else "no seal")):
        if digest(data) != expected:
            wrong.append(f"{MANIFEST}: its digest is {digest(data)}, expected {expected}")
    for name, expected in files.items():
        path = folder / name
        if not path.is_file():
            wrong.append(f"{name}: is missing")
        elif digest(path.read_bytes()) != expected:
            wrong.append(f"{name}: was changed")
    known = {*files, MANIFEST, SEAL}
    wrong += [f"{p.name}: does not belong to it" for p in sorted(folder.iterdir()) if p.name not in known]
    return wrong


_README: Final = """\
What a plan of the platform was judged to be, before it was applied.

controls.md     every control: what serves it, and the result; gaps are named as gaps
controls.json   the same for machines
rules.json      every rule with its result; each refusal, doubt and exception by resource
exceptions.json what was allowed otherwise: who answers for it, why, until when
escalation.json which role could become more than it is, and by which steps
manifest.json   when, of which stack, account and commit; SHA-256 of the plan, of registry, ledger and
                code, and of each file here
manifest.sha256 the seal: SHA-256 of manifest.json. Compare it with the one that was noted elsewhere.

To verify: tenantry policy verify FOLDER [--seal SHA256], or
sha256sum -c manifest.sha256, and sha256sum of each file against manifest.json.
"""

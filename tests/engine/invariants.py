"""What holds after every run, whatever was done to it: `assert_invariants(space)`.

1. State and cloud agree: all that the state names is there, and nothing else is, unless it is reported.
2. Nothing that something names is gone.
3. Nothing protected was replaced or lost: the copies of the state remember it.
4. No secret is in clear in the state, its copies, logs, events, plans, or what runs printed. Every value
   that the engine holds as a secret is a canary: generated passwords, keys, and secrets set by a test.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from devtools.orphaned_resources import orphaned_urns
from sandbox.aws.refusals.relations import links, relation
from sandbox.aws.type_descriptions import describe
from tests.engine.workspace import Workspace

SECRET: Final = "4dabf18193072939515e22adb298388d"  # the engine's mark, beside the value
SHORTEST: Final = 12  # shorter ones may stand anywhere by chance
# Where secrets belong: the cloud itself and its copies, the databases, the key of the state.
KEEPERS: Final = ("cloud.sqlite", "plane", "undo", "passphrase", "plugins")

State = list[dict[str, Any]]


def assert_invariants(space: Workspace) -> None:
    state = space.state("--show-secrets")
    assert_state_and_cloud_agree(space, state)
    assert_nothing_named_is_gone(space)
    assert_nothing_protected_was_lost(space, state)
    assert_no_secret_in_clear(space, state)


def assert_state_and_cloud_agree(space: Workspace, state: State) -> None:
    recorded = {(r["type"], r["id"]): r["urn"] for r in state if r["type"].startswith("aws:")}
    there = {(r.type, r.id): r.urn for r in space.everything()}
    gone = sorted(urn for key, urn in recorded.items() if key not in there)
    assert gone == [], "recorded, and not in the cloud"
    mine = f"urn:pulumi:{space.stack}::"
    unknown = sorted(u for key, u in there.items() if u.startswith(mine) and key not in recorded)
    assert unknown == orphaned_urns(space.stack, space.env), "in the cloud, not recorded and not reported"
    assert len(unknown) <= space.orphans, unknown


def assert_nothing_named_is_gone(space: Workspace) -> None:
    handles = space.handles()
    gone: list[str] = []
    for row in space.everything():
        described = describe(row.type)
        for key, word in links(described, row.outputs):
            kind = described.refs[key]
            if not _is_elsewhere(kind, word) and (kind, word) not in handles:
                gone.append(f"{row.urn}: {key}: {word}")
    assert gone == []


def _is_elsewhere(kind: str, word: str) -> bool:
    """What AWS keeps itself, or a person made by hand: not in this cloud."""
    pattern = relation(kind).elsewhere
    return bool(pattern and re.match(pattern, word)) or "::aws:" in word


def assert_nothing_protected_was_lost(space: Workspace, state: State) -> None:
    now = {r["urn"]: r for r in state}
    copies = sorted((space.sandbox / "copies" / space.stack).glob("*.json"))
    for copy in copies:
        for one in json.loads(copy.read_text(encoding="utf-8"))["deployment"].get("resources") or []:
            if one.get("protect") and one["urn"] not in space.unprotected:
                assert one["urn"] in now, "a protected resource is gone"
                assert now[one["urn"]]["id"] == one["id"], f"{one['urn']} was replaced"


def assert_no_secret_in_clear(space: Workspace, state: State) -> None:
    canaries = {*space.canaries, *_secrets(state)}
    written = {p: p.read_text(encoding="utf-8", errors="replace") for p in _files(space)}
    written |= {Path(f"output-{n}"): text for n, text in enumerate(space.outputs_seen)}
    for path, text in written.items():
        found = [c[:4] for c in canaries if c in text or json.dumps(c)[1:-1] in text]
        assert found == [], f"secrets that begin with these are in clear in {path}"


def _secrets(found: Any) -> Iterator[str]:
    """Every text that the engine holds as a secret, however deep."""
    if isinstance(found, list):
        for one in found:
            yield from _secrets(one)
    elif isinstance(found, dict):
        if SECRET in found and isinstance(found.get("plaintext"), str):
            yield from (s.strip() for s in _texts(json.loads(found["plaintext"])) if len(s) >= SHORTEST)
        else:
            for one in found.values():
                yield from _secrets(one)


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, list | dict):
        for one in found.values() if isinstance(found, dict) else found:
            yield from _texts(one)


def _files(space: Workspace) -> Iterator[Path]:
    for path in (*space.sandbox.rglob("*"), space.project.parent / "events.json"):
        inside = path.relative_to(space.sandbox).parts if path.is_relative_to(space.sandbox) else ()
        if path.is_file() and not any(part.startswith(KEEPERS) for part in inside):
            yield path

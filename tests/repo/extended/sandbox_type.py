"""Resources of the new type are checked, created, updated and deleted through the emulator's provider."""

import os
import tempfile
from pathlib import Path
from typing import Any

from sandbox.cloud.store import FILE
from sandbox.providers.aws import Aws
from tests.cells import ROOT

TOKEN, NAME = "aws:athena/workgroup:Workgroup", "reports"
URN = f"urn:pulumi:dev::tenantry::{TOKEN}::{NAME}"
ARN = f"arn:aws:athena:eu-west-1:111122223333:workgroup/{NAME}"
PROVIDER = {"region": "eu-west-1", "allowedAccountIds": ["111122223333"]}


def checked(provider: Aws, **inputs: Any) -> dict[str, Any]:
    """The inputs as the engine gets them back; nothing is wrong with them."""
    answer = provider.check(TOKEN, NAME, inputs, {}, b"seed")
    assert answer.problems == [], answer.problems
    return dict(answer.inputs)


def live(provider: Aws) -> None:
    made = checked(provider, name=NAME, tags={"tenant": "amber-pay"})
    refused = provider.check(TOKEN, NAME, {"name": "a b", "hue": 1}, {}, b"seed").problems
    assert [key for key, _ in refused] == ["hue", "name"], refused
    assert "regular expression pattern" in refused[1][1]
    group, outputs = provider.create(TOKEN, URN, made, preview=False)
    assert (group, outputs["arn"], outputs["state"]) == (NAME, ARN, "ENABLED")
    tagged = checked(provider, name=NAME, tags={"tenant": "cobalt-fx"})
    change = provider.diff(TOKEN, made, outputs, tagged, [])
    assert (change.replaces, set(change.updated)) == (frozenset(), {"tags", "tagsAll"})
    assert provider.diff(TOKEN, made, outputs, checked(provider, name="b"), []).replaces == {"name"}
    updated = provider.update(TOKEN, group, URN, outputs, tagged)
    assert (updated["tagsAll"], updated["arn"]) == ({"tenant": "cobalt-fx"}, ARN)
    provider.delete(TOKEN, group)
    assert (provider.read(TOKEN, group, {}, {}, known=True), provider.count(TOKEN)) == (None, 0)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        os.environ["SANDBOX_DIR"] = folder
        provider = Aws()
        provider.configure(PROVIDER)
        live(provider)
        assert (Path(folder) / FILE).is_file()
    page = (ROOT / "docs" / "sandbox-coverage.md").read_text("utf-8")
    assert f"| `{TOKEN}` | 6 of 7 |" in page.split("## Known, and not in use")[1]

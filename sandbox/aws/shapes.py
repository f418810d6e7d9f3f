"""What the SDK says of each described type: inputs, required ones, outputs. `shapes.json` is made here.

`python -m sandbox.aws.shapes` writes the file from the installed `pulumi_aws`; a test says when it is stale.
Importing the SDK takes seconds and a plugin starts in tenths, hence the file.
"""

import importlib
import inspect
import json
import re
from pathlib import Path
from typing import Any, Final

FILE: Final = Path(__file__).with_name("shapes.json")
MODULES: Final = {"lambda": "lambda_"}


def shape(token: str) -> dict[str, list[str]]:
    """Inputs, required and computed ones of one type, by the engine's names; KeyError if unknown."""
    _, path, name = token.split(":")
    module = path.split("/")[0]
    found = getattr(importlib.import_module(f"pulumi_aws.{MODULES.get(module, module)}"), name, None)
    if found is None:
        raise KeyError(token)
    names = _names(found)
    init = found._internal_init
    parameters = set(inspect.signature(init).parameters) - {"__self__", "resource_name", "opts", "__props__"}
    inputs = [names.get(n, n) for n in parameters]
    required = [names[n] for n in re.findall(r"Missing required property '(\w+)'", inspect.getsource(init))]
    outputs = set(names.values()) - {"id", "urn", "pulumi_resource_name", "pulumi_resource_type"}
    return {
        "inputs": sorted(inputs),
        "required": sorted(required),
        "computed": sorted(outputs - set(inputs)),
    }


def _names(owner: Any) -> dict[str, str]:
    """Python name → the engine's name, which the getters carry."""
    return {
        n: getattr(p.fget, "_pulumi_name", n)
        for n, p in inspect.getmembers(owner, lambda m: isinstance(m, property) or hasattr(m, "fget"))
    }


def described() -> list[str]:
    """The tokens of `types/*.yaml`."""
    text = "".join(p.read_text(encoding="utf-8") for p in sorted(Path(__file__).parent.glob("types/*.yaml")))
    return sorted(re.findall(r"^(aws:[\w/]+:\w+):", text, re.MULTILINE))


def render() -> str:
    return json.dumps({t: shape(t) for t in described()}, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    from sandbox.aws import rules  # made of the same types, so that one command is enough

    rules.FILE.write_text(rules.render(), encoding="utf-8")

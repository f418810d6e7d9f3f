"""Compiles `sdk_inputs.json`: inputs, required inputs and outputs of each described type in the SDK.

`python -m sandbox.aws.sdk_inputs` writes the file from the installed `pulumi_aws`; a test says when it is
stale.
Importing the SDK takes seconds and a plugin starts in tenths, hence the file.
"""

import json
from pathlib import Path
from typing import Final

from sandbox.aws.sources.sdk import shape
from sandbox.aws.type_descriptions import described

FILE: Final = Path(__file__).with_name("sdk_inputs.json")


def render() -> str:
    return json.dumps({t: shape(t) for t in described()}, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    FILE.write_text(render(), encoding="utf-8")
    from sandbox.aws import input_rules  # made of the same types, so that one command is enough

    input_rules.FILE.write_text(input_rules.render(), encoding="utf-8")

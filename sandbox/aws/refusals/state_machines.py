"""What Step Functions refuses of a state machine (API reference, CreateStateMachine, 2026-11).

The words are those of public threads. The definition is checked as far as a typing error goes, since a parser
of the language takes a second to import; the data plane parses it whole when an execution starts.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from sandbox.aws.refusals.network import one
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN
from sandbox.json_values import members

MACHINE: Final = "aws:sfn/stateMachine:StateMachine"
ROLE: Final = "aws:iam/role:Role"
GROUP_AND_STREAMS: Final = ":*"  # how the ARN of a log destination ends


@rule(INPUTS, MACHINE, checks=("definition",))
def check_state_machine_definition(at: RuleContext) -> Iterator[Refusal]:
    text = at.known("definition")
    if not isinstance(text, str) or UNKNOWN in text:
        return
    try:
        found: object = json.loads(text)
    except ValueError:
        yield _invalid("INVALID_JSON_DESCRIPTION: The JSON is not valid")
        return
    definition: Mapping[str, Any] = cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}
    states = members(definition.get("States"))
    targets = [("StartAt", definition.get("StartAt")), *_targets(states)]
    for where, target in targets:
        if target not in states:
            yield _invalid(f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at {where}")


def _targets(states: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, state in states.items():
        choices = [(f"/States/{name}/Choices", c) for c in state.get("Choices", ())]
        catches = [(f"/States/{name}/Catch", c) for c in state.get("Catch", ())]
        for where, part in [(f"/States/{name}", state), *choices, *catches]:
            yield from ((f"{where}/{word}", part[word]) for word in ("Next", "Default") if word in part)


def _invalid(words: str) -> Refusal:
    return Refusal("InvalidDefinition", f"Invalid State Machine Definition: '{words}'", "definition")


@rule(INPUTS, MACHINE, checks=("loggingConfiguration",))
def check_state_machine_log(at: RuleContext) -> Iterator[Refusal]:
    destination = members(at.known("loggingConfiguration")).get("logDestination")
    known = isinstance(destination, str) and UNKNOWN not in destination
    if known and not str(destination).endswith(GROUP_AND_STREAMS):
        words = "Invalid Logging Configuration: The log destination must end with ':*'"
        yield Refusal("InvalidLoggingConfiguration", words, "loggingConfiguration")


@rule(CREATE, MACHINE, checks=("roleArn",))
def check_state_machine_role(at: RuleContext) -> Iterator[Refusal]:
    role = one(at, ROLE, at.known("roleArn"))
    if role and "states.amazonaws.com" not in str(role.outputs.get("assumeRolePolicy")):
        words = (
            "Neither the global service principal states.amazonaws.com, nor the regional one is authorized to"
            " assume the provided role."
        )
        yield Refusal("AccessDeniedException", words, "roleArn")

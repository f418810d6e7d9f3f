"""Rules on containers and functions: sizes that go together, and resources that they name.

Sources: Amazon ECS API reference (RegisterTaskDefinition, CreateService) and Fargate task definitions guide,
the pairs as cfn-lint keeps them (`input_rules.json`); AWS Lambda API reference (CreateFunction,
CreateEventSourceMapping) and quotas (4 KB of environment); 2026-11.
"""

import json
from collections.abc import Iterator
from typing import Any, Final, cast

from sandbox.aws.input_validation import rules
from sandbox.aws.refusals.network import one
from sandbox.aws.refusals.rule import CREATE, INPUTS, Refusal, RuleContext, rule
from sandbox.aws.templates import UNKNOWN
from sandbox.json_values import items, members

TASK, SERVICE = "aws:ecs/taskDefinition:TaskDefinition", "aws:ecs/service:Service"
FUNCTION, MAPPING = "aws:lambda/function:Function", "aws:lambda/eventSourceMapping:EventSourceMapping"
TARGETS, QUEUE, ROLE = "aws:lb/targetGroup:TargetGroup", "aws:sqs/queue:Queue", "aws:iam/role:Role"
LISTENER, LISTENER_RULE = "aws:lb/listener:Listener", "aws:lb/listenerRule:ListenerRule"
CLIENT: Final = "ClientException"
PARAMETER: Final = "InvalidParameterException"
AMOUNTS: Final = (
    "deploymentMaximumPercent",
    "deploymentMinimumHealthyPercent",
    "desiredCount",
    "healthCheckGracePeriodSeconds",
)
ENVIRONMENT: Final = 4_096
RESERVED: Final = {
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
}


def containers(text: Any) -> list[dict[str, Any]] | None:
    """The containers of a definition; None where the text is not such, or not known yet."""
    if not isinstance(text, str) or UNKNOWN in text:
        return None
    try:
        found = json.loads(text)
    except ValueError:
        return None
    if not isinstance(found, list):
        return None
    listed = cast("list[Any]", found)
    return listed if all(isinstance(c, dict) for c in listed) else None


def on_fargate(at: RuleContext) -> bool:
    return "FARGATE" in (at.inputs.get("requiresCompatibilities") or [])


# -- task definitions


@rule(INPUTS, TASK, checks=("cpu", "memory", "networkMode"))
def check_fargate_cpu_and_memory(at: RuleContext) -> Iterator[Refusal]:
    if not on_fargate(at):
        return
    cpu, memory = at.known("cpu"), at.known("memory")
    for key in ("cpu", "memory"):
        if at.inputs.get(key) is None:
            yield Refusal(CLIENT, f"Fargate requires that '{key}' be defined at the task level.", key)
    pairs = rules()["tables"]["fargate"]
    if cpu and memory and int(memory) not in pairs.get(str(cpu), []):
        words = f"No Fargate configuration exists for given values: {cpu} CPU, {memory} memory."
        yield Refusal(CLIENT, words, "cpu")
    if at.known("networkMode") not in ("awsvpc", None) or "networkMode" not in at.inputs:
        yield Refusal(CLIENT, "Fargate only supports network mode 'awsvpc'.", "networkMode")


@rule(INPUTS, TASK, checks=("containerDefinitions", "executionRoleArn"))
def check_container_definitions(at: RuleContext) -> Iterator[Refusal]:
    text = at.known("containerDefinitions")
    found = containers(text)
    key = "containerDefinitions"
    if found is None:
        if isinstance(text, str) and UNKNOWN not in text:
            yield Refusal(CLIENT, "Container definitions are not a list of containers in JSON", key)
        return
    names = [c.get("name") for c in found]
    if not found or None in names or any(not c.get("image") for c in found):
        yield Refusal(CLIENT, "Container.name and Container.image should not be null or empty.", key)
    if len(names) != len(set(names)):
        yield Refusal(CLIENT, "Container names must be unique within a task definition.", key)
    if not any(c.get("essential", True) for c in found):
        yield Refusal(CLIENT, "At least one container must be marked as essential.", key)
    yield from _memory_of(at, found)
    yield from _execution_role(at, found)


def _memory_of(at: RuleContext, found: list[dict[str, Any]]) -> Iterator[Refusal]:
    memory = at.known("memory")
    if not memory:
        return
    for container in found:
        if int(container.get("memory") or 0) > int(memory):
            words = (
                f"Invalid setting for container '{container.get('name')}'. The 'memory' setting for container"
                " is greater than for the task."
            )
            yield Refusal(CLIENT, words, "containerDefinitions")
    reserved = sum(int(c.get("memoryReservation") or c.get("memory") or 0) for c in found)
    if reserved > int(memory):
        words = "The sum of the containers' memory is greater than for the task."
        yield Refusal(CLIENT, words, "containerDefinitions")


def _execution_role(at: RuleContext, found: list[dict[str, Any]]) -> Iterator[Refusal]:
    if at.inputs.get("executionRoleArn") is not None or not on_fargate(at):
        return
    drivers = {members(c.get("logConfiguration")).get("logDriver") for c in found}
    if "awslogs" in drivers:
        words = "Fargate requires task definition to have execution role ARN to support log driver awslogs."
        yield Refusal(CLIENT, words, "executionRoleArn")
    if any(c.get("secrets") for c in found):
        words = (
            "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'."
        )
        yield Refusal(CLIENT, words, "executionRoleArn")


# -- services


@rule(INPUTS, SERVICE, checks=AMOUNTS)
def check_deployment_percentages(at: RuleContext) -> Iterator[Refusal]:
    most, least = at.known("deploymentMaximumPercent"), at.known("deploymentMinimumHealthyPercent")
    if most is not None and least is not None and int(most) == int(least) == 100:
        words = "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block deployments."
        yield Refusal(PARAMETER, words, "deploymentMaximumPercent")
    if most is not None and least is not None and int(most) < int(least):
        words = "maximumPercent cannot be less than minimumHealthyPercent."
        yield Refusal(PARAMETER, words, "deploymentMaximumPercent")
    for key in ("desiredCount", "healthCheckGracePeriodSeconds"):
        if at.known(key) is not None and int(at.known(key)) < 0:
            yield Refusal(PARAMETER, f"{key} must be a positive value.", key)


@rule(CREATE, SERVICE, checks=("loadBalancers", "taskDefinition", "networkConfiguration"))
def check_load_balanced_containers(at: RuleContext) -> Iterator[Refusal]:
    task = one(at, TASK, at.known("taskDefinition"))
    if task is None:
        return
    if task.outputs.get("networkMode") == "awsvpc" and not at.inputs.get("networkConfiguration"):
        words = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        yield Refusal(PARAMETER, words, "networkConfiguration")
    found = {c.get("name"): c for c in containers(task.outputs.get("containerDefinitions")) or []}
    for balancer in items(at.inputs.get("loadBalancers")):
        name, port = balancer.get("containerName"), balancer.get("containerPort")
        if name not in found:
            words = f"The container {name} does not exist in the task definition."
            yield Refusal(PARAMETER, words, "loadBalancers")
        elif int(port) not in [int(p.get("containerPort", 0)) for p in found[name].get("portMappings", [])]:
            words = f"The container {name} did not have a container port {port} defined."
            yield Refusal(PARAMETER, words, "loadBalancers")
        yield from _targets(at, balancer.get("targetGroupArn"))


def _targets(at: RuleContext, arn: Any) -> Iterator[Refusal]:
    group = one(at, TARGETS, arn)
    if group is None:
        return
    if not any(at.store.users(group, kind) for kind in (LISTENER, LISTENER_RULE)):
        words = f"The target group with targetGroupArn {arn} does not have an associated load balancer."
        yield Refusal(PARAMETER, words, "loadBalancers")
    if group.outputs.get("targetType") != "ip":
        words = (
            f"The provided target group {arn} has target type {group.outputs.get('targetType')}, which is"
            " incompatible with the awsvpc network mode specified in the task definition."
        )
        yield Refusal(PARAMETER, words, "loadBalancers")


@rule(INPUTS, "aws:appautoscaling/target:Target", checks=("maxCapacity", "minCapacity"))
def check_scaling_capacities(at: RuleContext) -> Iterator[Refusal]:
    least, most = at.known("minCapacity"), at.known("maxCapacity")
    if least is not None and most is not None and int(most) < int(least):
        words = "Maximum capacity cannot be less than minimum capacity"
        yield Refusal("ValidationException", words, "maxCapacity")


# -- functions


@rule(INPUTS, "aws:lambda/invocation:Invocation", checks=("input",))
def check_invocation_payload(at: RuleContext) -> Iterator[Refusal]:
    text = at.known("input")
    if isinstance(text, str) and UNKNOWN not in text:
        try:
            json.loads(text)
        except ValueError:
            words = "Could not parse request body into json: Could not parse payload into json"
            yield Refusal("InvalidRequestContentException", words, "input")


@rule(INPUTS, FUNCTION, checks=("environment",))
def check_function_environment(at: RuleContext) -> Iterator[Refusal]:
    variables = members(members(at.known("environment")).get("variables"))
    if not isinstance(variables, dict):
        return
    if reserved := sorted(RESERVED & variables.keys()):
        words = (
            "Lambda was unable to configure your environment variables because the environment variables you"
            " have provided contains reserved keys that are currently not supported for modification."
            f" Reserved keys used in this request: {', '.join(reserved)}"
        )
        yield Refusal("InvalidParameterValueException", words, "environment")
    if len(json.dumps(variables, separators=(",", ":"))) > ENVIRONMENT:
        words = (
            "Lambda was unable to configure your environment variables because the environment variables you"
            " have provided exceeded the 4KB limit."
        )
        yield Refusal("InvalidParameterValueException", words, "environment")


@rule(CREATE, FUNCTION, checks=("role",))
def check_function_role(at: RuleContext) -> Iterator[Refusal]:
    role = one(at, ROLE, at.known("role"))
    if role and "lambda.amazonaws.com" not in str(role.outputs.get("assumeRolePolicy")):
        words = "The role defined for the function cannot be assumed by Lambda."
        yield Refusal("InvalidParameterValueException", words, "role")


@rule(CREATE, MAPPING, checks=("eventSourceArn", "functionName"))
def check_queue_visibility_timeout(at: RuleContext) -> Iterator[Refusal]:
    queue, function = one(at, QUEUE, at.known("eventSourceArn")), one(at, FUNCTION, at.known("functionName"))
    if queue is None or function is None:
        return
    visible, runs = queue.outputs.get("visibilityTimeoutSeconds", 30), function.outputs.get("timeout", 3)
    if int(visible) < int(runs):
        words = f"Queue visibility timeout: {visible} seconds is less than Function timeout: {runs} seconds"
        yield Refusal("InvalidParameterValueException", words, "eventSourceArn")

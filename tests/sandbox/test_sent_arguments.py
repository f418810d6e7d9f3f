"""An update sends what differs from the state, so what a failed one left undone stays undone until a refresh.

`schema.ResourceData.HasChange` of terraform-plugin-sdk v2.33 compares with the state, and after an update
that failed the bridge keeps the new inputs as the state (`tests/provider_oracle`).
"""

from dataclasses import replace

from sandbox.providers.aws import Aws
from tests.sandbox.made import Made, make

QUEUE = "aws:sqs/queue:Queue"


def after_failed_update(made: Made, **changed: object) -> Made:
    inputs = {**made.inputs, **changed}
    state = made.aws.planned_update(made.token, made.inputs, made.state, inputs, False)
    return replace(made, inputs=inputs, state={**made.state, **state})


def test_what_a_failed_update_left_undone_is_not_sent_by_the_next_one(aws: Aws) -> None:
    made = make(aws, QUEUE, {"name": "one", "delaySeconds": 5, "maxMessageSize": 2048})
    failed = after_failed_update(made, delaySeconds=7)
    updated = replace(failed, inputs={**failed.inputs, "maxMessageSize": 4096}).updated()
    assert (updated.state["delaySeconds"], updated.state["maxMessageSize"]) == (5, 4096)
    again = updated.refreshed()
    assert again.differs() == {"delaySeconds"}
    assert again.updated().state["delaySeconds"] == 7


def test_what_a_failed_update_left_out_is_still_there(aws: Aws) -> None:
    made = make(aws, QUEUE, {"name": "two", "delaySeconds": 5, "maxMessageSize": 2048})
    without = {key: value for key, value in made.inputs.items() if key != "delaySeconds"}
    state = {**made.state, **aws.planned_update(QUEUE, made.inputs, made.state, without, False)}
    failed = replace(made, inputs={**without, "maxMessageSize": 4096}, state=state)
    assert failed.updated().state["delaySeconds"] == 5

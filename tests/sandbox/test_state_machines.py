"""Step Functions of the sandbox: who may start and describe executions, and that a name is one execution."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectionClosedError

from functions.common.call_record import CallRecord, done
from functions.lifecycle_starter.aws import RETRIES, StepFunctions
from functions.lifecycle_starter.executions import Tools, call_worker
from functions.lifecycle_starter.request import parse
from sandbox.aws.cloud import Cloud
from sandbox.cloud.store import FILE, Store
from sandbox.data_plane.certificate_authority import CertificateAuthority
from sandbox.data_plane.endpoint.access import ROLE_POLICY
from sandbox.data_plane.endpoint.server import Endpoint, Server
from sandbox.data_plane.endpoint.sessions import ROLE, session_of
from sandbox.data_plane.executions import MACHINE, Executions
from sandbox.data_plane.secret_store import SecretStore
from tests.parameters import FakeParameters
from tests.sandbox.live import ACCOUNT, ONCE, REGION, Live

ARN = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:lifecycle"
URN = "urn:pulumi:dev::tenantry"
KEY = "aws:kms/key:Key"
RECORD = CallRecord(parameter="/tenantry/dev/calls/acme-pay/move", asked="a" * 64, attempt="one")
RESULT = {"tenant": "acme-pay", "serves": "target"}
DEFINITION = json.dumps({"StartAt": "Done", "States": {"Done": {"Type": "Succeed"}}})


@dataclass
class Place:
    live: Live
    begun: list[str] = field(default_factory=list[str])

    def client(self, role: str = "starter", config: Config = ONCE) -> Any:
        found = self.live.store.get(ROLE, role, "-")
        assert found
        given = self.live.sessions.give(session_of(found, ACCOUNT, "test"), 900)
        keys = given.access_key, given.secret_key, given.token
        return self.live.signed("stepfunctions", *keys, config=config)

    def end(
        self, arn: str, status: str = "SUCCEEDED", output: str | None = '{"done": true}', **why: Any
    ) -> None:
        Executions(self.live.vault).end(arn, status, output, **why)


def policy(*actions: str) -> str:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_cloud(store: Store) -> None:
    cloud = Cloud(store, {})

    def make(token: str, urn: str, **inputs: Any) -> dict[str, Any]:
        return cloud.create(token, f"{URN}::{token}::{urn}", inputs)[1]

    for role, service, actions in (
        ("machine", "states", ("lambda:InvokeFunction",)),
        ("starter", "lambda", ("states:StartExecution", "states:DescribeExecution", "states:ListExecutions")),
        ("stranger", "lambda", ("ssm:GetParameter",)),
        ("keyless", "lambda", ("states:StartExecution", "states:DescribeExecution")),
    ):
        trust = {
            "Effect": "Allow",
            "Principal": {"Service": f"{service}.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
        make(
            ROLE,
            role,
            name=role,
            assumeRolePolicy=json.dumps({"Version": "2012-10-17", "Statement": [trust]}),
        )
        make(ROLE_POLICY, role, role=role, policy=policy(*actions))
    users = [f"arn:aws:iam::{ACCOUNT}:role/{role}" for role in ("machine", "starter")]
    use = {
        "Effect": "Allow",
        "Principal": {"AWS": users},
        "Action": ["kms:Decrypt", "kms:GenerateDataKey"],
        "Resource": "*",
    }
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    keep = {"Effect": "Allow", "Principal": root, "Action": ["kms:PutKeyPolicy"], "Resource": "*"}
    key = make(KEY, "key", policy=json.dumps({"Version": "2012-10-17", "Statement": [keep, use]}))
    encryption = {"type": "CUSTOMER_MANAGED_KMS_KEY", "kmsKeyId": key["arn"]}
    role_arn = f"arn:aws:iam::{ACCOUNT}:role/machine"
    make(
        MACHINE,
        "m",
        name="lifecycle",
        definition=DEFINITION,
        roleArn=role_arn,
        encryptionConfiguration=encryption,
    )


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    store = Store(tmp_path / FILE, ACCOUNT, REGION)
    make_cloud(store)
    vault, begun = SecretStore(tmp_path / "vault.sqlite"), list[str]()
    endpoint = Endpoint(tmp_path / FILE, vault, launched=lambda _cloud, arn: begun.append(arn))
    server = Server(endpoint, CertificateAuthority(tmp_path / "authority"))
    yield Place(Live(tmp_path, server, vault, store), begun)
    server.close()


def test_an_execution_begins_once_and_says_how_it_ended(place: Place) -> None:
    client = place.client()
    started = client.start_execution(stateMachineArn=ARN, name="one", input='{"round": 0}')
    arn = f"{ARN.replace('stateMachine', 'execution')}:one"
    assert (started["executionArn"], place.begun) == (arn, [arn])
    found = client.describe_execution(executionArn=arn)
    assert (found["status"], json.loads(found["input"])) == ("RUNNING", {"round": 0})
    place.end(arn)
    found = client.describe_execution(executionArn=arn)
    assert (found["status"], json.loads(found["output"])) == ("SUCCEEDED", {"done": True})
    (listed,) = client.list_executions(stateMachineArn=ARN, statusFilter="SUCCEEDED")["executions"]
    assert (listed["name"], listed["executionArn"]) == ("one", arn)


def test_a_name_is_one_execution_while_it_runs_with_the_same_input_and_never_again(place: Place) -> None:
    client = place.client()
    asked = {"stateMachineArn": ARN, "name": "one", "input": '{"round": 0}'}
    first, again = client.start_execution(**asked), client.start_execution(**asked)
    assert first["executionArn"] == again["executionArn"]
    assert len(place.begun) == 1
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        client.start_execution(**{**asked, "input": "{}"})
    place.end(first["executionArn"])
    for given in (asked["input"], "{}"):
        with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
            client.start_execution(**{**asked, "input": given})
    assert len(place.begun) == 1


def test_after_90_days_an_execution_that_ended_is_forgotten_and_its_name_is_free(place: Place) -> None:
    """By the sandbox's clock; what runs is kept (API reference, StartExecution, 2026-11)."""
    client, store = place.client(), place.live.store
    names = ("ended", "runs", "later")
    arns = {n: client.start_execution(stateMachineArn=ARN, name=n)["executionArn"] for n in names}
    place.end(arns["ended"])
    store.move_clock(89)
    assert client.describe_execution(executionArn=arns["ended"])["status"] == "SUCCEEDED"
    place.end(arns["later"])
    with pytest.raises(ClientError, match="ExecutionAlreadyExists"):
        client.start_execution(stateMachineArn=ARN, name="ended")
    store.move_clock(1)
    listed = client.list_executions(stateMachineArn=ARN)["executions"]
    assert {found["name"] for found in listed} == {"runs", "later"}
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        client.describe_execution(executionArn=arns["ended"])
    again = client.start_execution(stateMachineArn=ARN, name="ended", input='{"round": 1}')
    assert client.describe_execution(executionArn=again["executionArn"])["input"] == '{"round": 1}'
    assert place.begun[-1] == arns["ended"]


def lose_answer(client: Any) -> None:
    """The next start is made, and its answer does not arrive."""
    lost: list[str] = []

    def send(request: Any, **_: object) -> None:
        if not lost:
            lost.append(request.url)
            assert client._endpoint.http_session.send(request).status_code == 200
            raise ConnectionClosedError(endpoint_url=request.url)

    client.meta.events.register("before-send.sfn.StartExecution", send)


@dataclass
class Starter:
    """The starter function with this client; its worker is done after the first look."""

    place: Place
    client: Any
    parameters: FakeParameters = field(default_factory=FakeParameters)

    def call(self, attempt: str = "one") -> Mapping[str, Any]:
        call = parse({"tenant": "acme-pay", "record": asdict(replace(RECORD, attempt=attempt))})
        assert call
        machine = StepFunctions(ARN, self.client)
        tools = Tools(
            machine=machine,
            parameters=self.parameters,
            worker="mover",
            seconds=60,
            sleep=lambda _: self.work(),
        )
        return call_worker(call, tools)

    def work(self) -> None:
        self.parameters.put(RECORD.parameter, done(RECORD, RESULT))
        self.place.end(self.place.begun[0], output=json.dumps(RESULT))


def test_a_start_whose_answer_was_lost_is_made_again_and_is_one_execution(place: Place) -> None:
    client = place.client(config=Config(retries={**RETRIES}))
    lose_answer(client)
    assert Starter(place, client).call() == RESULT
    assert len(place.begun) == 1


@pytest.mark.parametrize("attempt", ["one", "two"])
@pytest.mark.parametrize("ended", [False, True], ids=["running", "ended"])
def test_a_starter_that_lost_the_answer_and_is_called_again_takes_up_the_execution(
    place: Place, attempt: str, ended: bool
) -> None:
    """By who called it, who makes the call of this attempt again, or by the next run."""
    client = place.client(config=Config(retries={"total_max_attempts": 1}))  # so that the loss reaches it
    lose_answer(client)
    starter = Starter(place, client)
    with pytest.raises(ConnectionClosedError, match="Connection was closed"):
        starter.call()
    if ended:
        starter.work()
    assert starter.call(attempt) == RESULT
    assert len(place.begun) == 1


def test_a_failure_says_why(place: Place) -> None:
    client = place.client()
    arn = client.start_execution(stateMachineArn=ARN, name="one")["executionArn"]
    place.end(arn, "FAILED", None, error="MoveError", cause="no key")
    found = client.describe_execution(executionArn=arn)
    assert (found["status"], found["error"], found["cause"]) == ("FAILED", "MoveError", "no key")
    assert "output" not in found


def test_what_an_execution_was_given_lies_under_the_machines_key(place: Place) -> None:
    arn = place.client().start_execution(stateMachineArn=ARN, name="one", input='{"tenant": "acme-pay"}')[
        "executionArn"
    ]
    place.end(arn, output='{"told": "acme-pay"}')
    ((kept,),) = place.live.vault.rows("SELECT content FROM executions")
    assert "acme-pay" not in kept


@pytest.mark.parametrize(
    ("role", "operation", "message"),
    [
        ("stranger", "start", "not authorized to perform: states:StartExecution"),
        ("stranger", "describe", "not authorized to perform: states:DescribeExecution"),
        ("keyless", "describe", "not authorized to perform: kms:Decrypt"),
    ],
)
def test_who_may_not_is_refused(place: Place, role: str, operation: str, message: str) -> None:
    arn = place.client().start_execution(stateMachineArn=ARN, name="one")["executionArn"]
    client = place.client(role)
    calls = {
        "start": lambda: client.start_execution(stateMachineArn=ARN, name="two"),
        "describe": lambda: client.describe_execution(executionArn=arn),
    }
    with pytest.raises(ClientError, match=message):
        calls[operation]()
    assert len(place.begun) == 1


def test_metadata_are_described_without_the_key(place: Place) -> None:
    arn = place.client().start_execution(stateMachineArn=ARN, name="one")["executionArn"]
    found = place.client("keyless").describe_execution(executionArn=arn, includedData="METADATA_ONLY")
    assert (found["status"], "input" in found) == ("RUNNING", False)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"stateMachineArn": f"{ARN}s"}, "StateMachineDoesNotExist"),
        ({"name": "one/two"}, "InvalidName"),
        ({"input": "{"}, "InvalidExecutionInput"),
    ],
)
def test_what_is_no_execution_is_refused(place: Place, changes: dict[str, str], message: str) -> None:
    with pytest.raises(ClientError, match=message):
        place.client().start_execution(**{"stateMachineArn": ARN, "name": "one", "input": "{}", **changes})


def test_an_execution_that_is_not_there_is_named(place: Place) -> None:
    with pytest.raises(ClientError, match="ExecutionDoesNotExist"):
        place.client().describe_execution(executionArn=f"{ARN.replace('stateMachine', 'execution')}:none")

"""What was allowed a moment ago is asked for again, for as long as AWS may not know of it."""

import importlib
import io
import time
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from functions.common.aws_client import WAITS, aws_client

AWSResponse: Any = importlib.import_module("botocore.awsrequest").AWSResponse  # its stubs do not know it
DENIED = (
    400,
    b'{"__type": "AccessDeniedException", "Message": "not authorized to perform: ssm:GetParameter"}',
)
MISSING = (400, b'{"__type": "ParameterNotFound"}')
FOUND = (200, b'{"Parameter": {"Name": "n", "Value": "v"}}')
NOT_ALLOWED = (403, b"")  # as S3 answers to a HEAD


class Body(io.BytesIO):
    def stream(self, **_: Any) -> list[bytes]:
        return [self.read()]


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    found: list[float] = []
    monkeypatch.setattr(time, "sleep", found.append)
    return found


def answers(client: Any, *given: tuple[int, bytes]) -> Callable[[], int]:
    """Have a real client hear these answers, the last one for ever; how many it has heard."""
    heard: list[tuple[int, bytes]] = []

    def send(**_: Any) -> Any:
        heard.append(given[min(len(heard), len(given) - 1)])
        status, body = heard[-1]
        return AWSResponse("https://aws.example", status, {}, Body(body))

    client.meta.events.register("before-send", send)
    return lambda: len(heard)


def test_what_is_refused_at_first_is_asked_again(slept: list[float]) -> None:
    client = aws_client("ssm")
    answers(client, DENIED, DENIED, FOUND)
    assert client.get_parameter(Name="n")["Parameter"]["Value"] == "v"
    assert slept == list(WAITS[:2])


def test_what_is_refused_for_half_a_minute_is_refused(slept: list[float]) -> None:
    client = aws_client("ssm", retries={"mode": "adaptive", "max_attempts": 10})
    heard = answers(client, DENIED)
    with pytest.raises(ClientError, match="not authorized to perform: ssm:GetParameter"):
        client.get_parameter(Name="n")
    assert (heard(), slept) == (len(WAITS) + 1, list(WAITS))
    assert 30 < sum(WAITS) < 60


def test_an_answer_to_a_head_that_says_no_more_than_its_status_counts(slept: list[float]) -> None:
    client = aws_client("s3")
    heard = answers(client, NOT_ALLOWED, (200, b""))
    client.head_object(Bucket="b", Key="k")
    assert (heard(), slept) == (2, [WAITS[0]])


@pytest.mark.parametrize("waits", [True, False])
def test_nothing_else_is_waited_for(slept: list[float], waits: bool) -> None:
    client = aws_client("ssm") if waits else boto3.client("ssm")
    heard = answers(client, MISSING)
    with pytest.raises(ClientError, match="ParameterNotFound"):
        client.get_parameter(Name="n")
    assert (heard(), slept) == (1, [])

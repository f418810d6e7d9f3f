"""Waiting for what properties do not name, without making a preview unsure."""

import asyncio
from typing import Any

from pulumi import Output
from pulumi_aws import iam, sqs

from components.common.waiting import after
from devtools.mocks import Registered, run


def unknown() -> Output[str]:
    """What the engine hands over in a preview for something that is not there yet."""

    async def later(value: Any) -> Any:
        return value

    return Output(set(), later(None), later(False))


def probe(make: Any) -> Registered:
    """A resource that takes the output of `make` as its name."""
    return run(lambda: sqs.Queue("probe", name=make()), preview=True).one("sqs/queue:Queue", "probe")


def test_whoever_takes_it_waits_for_all() -> None:
    def make() -> Output[str]:
        first, second = (iam.Role(n, assume_role_policy="{}", name=n) for n in ("first", "second"))
        return after(first.name, [second.arn])

    found = probe(make)
    assert found.inputs["name"] == "first"
    assert {d.rsplit("::", 1)[1] for d in found.dependencies} == {"first", "second"}


def test_it_is_known_although_what_it_waits_for_is_not() -> None:
    assert probe(lambda: after(Output.from_input("here"), [unknown()])).inputs["name"] == "here"


def test_it_is_unknown_where_it_was() -> None:
    assert "here" not in str(probe(lambda: after(unknown(), [Output.from_input("here")])).inputs)


def test_a_secret_stays_one() -> None:
    seen: list[bool] = []

    def program() -> None:
        async def look() -> None:
            seen.append(await after(Output.secret("x"), [Output.from_input("y")]).is_secret())

        asyncio.ensure_future(look())  # noqa: RUF006 - the run waits for the loop
        iam.Role("any", assume_role_policy="{}")

    run(program)
    assert seen == [True]

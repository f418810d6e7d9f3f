"""IAM's judge against an independent one, on random policies and requests: a difference is a failure."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from iam.documents import Document, parse_data
from iam.evaluate import Decision, Outcome, Policies, Principal, Request, decide
from tests.iam.cases import (
    ACCOUNT,
    KEYS,
    ROLE,
    SERVICE,
    SESSION,
    TARGETS,
    TEAM,
    USER,
    Case,
    Context,
    Key,
    cases,
    operators,
    simulation,
    wanted,
)
from tests.iam.simulator import Simulator

pytestmark = pytest.mark.slow
WORDS = {
    Outcome.ALLOWED: "Allowed",
    Outcome.EXPLICIT: "ExplicitlyDenied",
    Outcome.IMPLICIT: "ImplicitlyDenied",
}
CALLERS = {
    SESSION: Principal("AWS", ROLE, ACCOUNT, SESSION),
    USER: Principal("AWS", USER, ACCOUNT),
    SERVICE: Principal("Service", SERVICE),
}


@pytest.fixture(scope="module")
def simulator() -> Iterator[Simulator]:
    started = Simulator()
    yield started
    started.close()


def ours(case: Case) -> Decision:
    def one(document: Mapping[str, Any] | None) -> Document | None:
        return None if document is None else parse_data(document)

    context = {k: (v,) if isinstance(v, str) else tuple(v) for k, v in case.context.items()}
    policies = Policies(
        identity=[parse_data(d) for d in case.identity],
        resource=one(case.resource),
        boundary=one(case.boundary),
        session=one(case.session),
        endpoint=one(case.endpoint),
        scps=[[parse_data(d) for d in level] for level in case.scps],
    )
    request = Request(case.target.action, case.target.resource, CALLERS[case.caller], context)
    return decide(request, policies, resource_decides=case.target.resource_decides or case.caller == SERVICE)


def contexts_of(key: Key) -> Iterator[Context]:
    """Every value of a key, each with and without the tag that variables take."""
    values = [*key.values, *key.malformed]
    given: list[Any] = [values[:2], values[1:4]] if key.several else values
    teams: list[Context] = [{TEAM: "blue"}, {TEAM: ""}, {}]
    for team in teams if any("${" in w for w in key.wanted) else teams[:1]:
        yield team
        yield from ({**team, key.name: value} for value in given)


def each_condition(key: Key) -> Iterator[tuple[Context, str, str]]:
    """Context, operator and wanted value: set operators of several values or none, `IfExists` of none."""
    for context in contexts_of(key):
        given = context.get(key.name)
        for operator in operators(key, given):
            if given is not None and ("IfExists" in operator or (isinstance(given, str) and ":" in operator)):
                continue  # which is left to random cases
            yield from ((context, operator, value) for value in wanted(key, operator, context))


@pytest.mark.parametrize("key", KEYS, ids=lambda key: key.name)
def test_each_condition_holds_alike(simulator: Simulator, key: Key) -> None:
    for context, operator, value in each_condition(key):
        case = Case(TARGETS[0], SESSION, context, identity=[allow_if(operator, key.name, value)])
        expected = simulator.decide(simulation(case))
        assert WORDS[ours(case).outcome] == expected, (operator, value, context)


def allow_if(operator: str, key: str, value: str) -> dict[str, Any]:
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [{**everything, "Condition": {operator: {key: value}}}]}


@given(case=cases())
@settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_two_judges_decide_alike(simulator: Simulator, case: Case) -> None:
    assert WORDS[ours(case).outcome] == simulator.decide(simulation(case))

"""What AWS answers otherwise than it was given, and whether a program would differ from it for ever."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

import pytest
import yaml

from plan.data.databases import PARAMETER_FAMILY
from sandbox.aws.answers import ANSWERS, parameter_defaults
from sandbox.aws.forms import FORMS
from sandbox.aws.type_descriptions import HERE, describe, described
from sandbox.providers.aws import Aws
from tests.data.server import running
from tests.sandbox.made import Made, make

LISTED: Final[list[dict[str, Any]]] = yaml.safe_load((HERE / "differences.yaml").read_text("utf-8"))
RUN, REFRESH, NEVER = "run", "refresh", "never"
# Of documents there are many; one of each kind is listed.
DOCUMENTS: Final = {"policy_as_kept", "json_as_kept"}


def label(listed: Mapping[str, Any]) -> str:
    return f"{listed['type'].rsplit(':', 1)[1]} {', '.join(listed['given'])}"


@pytest.fixture(params=LISTED, ids=label)
def listed(request: pytest.FixtureRequest) -> dict[str, Any]:
    return request.param


@pytest.fixture
def made(aws: Aws, listed: dict[str, Any]) -> Iterator[Made]:
    found = make(aws, listed["type"], listed["with"] | listed["given"])
    yield found
    found.forget()


def test_what_is_listed_differs_as_it_says(listed: dict[str, Any], made: Made) -> None:
    wrong = {*listed["given"]}
    assert made.differs() & wrong == (wrong if listed["differs"] == RUN else set())
    assert made.refreshed().differs() & wrong == (set() if listed["differs"] == NEVER else wrong)


def test_what_is_listed_differs_after_each_update_again(listed: dict[str, Any], made: Made) -> None:
    again = made.updated().refreshed().updated().refreshed()
    assert again.differs() & {*listed["given"]} == (
        set() if listed["differs"] == NEVER else {*listed["given"]}
    )


def test_what_is_to_be_given_instead_does_not_differ(aws: Aws, listed: dict[str, Any]) -> None:
    if listed["differs"] == NEVER:
        assert "instead" not in listed
        return
    settled = make(aws, listed["type"], listed["with"] | listed["instead"])
    assert (settled.differs(), settled.refreshed().differs()) == (set(), set())
    settled.forget()


def test_every_entry_has_a_source_of_a_day(listed: dict[str, Any]) -> None:
    assert listed["why"]
    assert listed["source"]
    assert listed["read"].isoformat().startswith("2026-11-")


def test_every_answer_of_a_type_is_listed() -> None:
    """So that each has its source."""
    answered = {(t, key) for t in described() for key in describe(t).answers}
    documents = {(t, key) for t, key in answered if describe(t).answers[key] in DOCUMENTS}
    assert answered - documents <= {(d["type"], key) for d in LISTED for key in d["given"]}
    assert {describe(d["type"]).answers.get(k) for d in LISTED for k in d["given"]} >= DOCUMENTS


def test_every_answer_and_form_is_of_some_type_and_of_an_input() -> None:
    found = [describe(t) for t in described()]
    assert {how for d in found for how in d.answers.values()} == {*ANSWERS}
    assert {form for d in found for form in d.same.values()} == {*FORMS}
    for d in found:
        assert {*d.answers, *d.same} <= {*d.inputs}, d.token


def test_a_document_that_says_something_else_differs(aws: Aws) -> None:
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["a:B","a:C"],"Resource":"*"}]}'
    kept = make(aws, "aws:iam/policy:Policy", {"name": "p", "policy": policy})
    for other in (
        policy.replace("a:C", "a:D"),
        policy.replace('"a:B",', ""),
        policy.replace("Allow", "Deny"),
    ):
        assert kept.differs({**kept.inputs, "policy": other}) == {"policy"}
    turned = policy.replace('"a:B","a:C"', '"a:C", "a:B"').replace('"*"', '["*"]')
    assert kept.differs({**kept.inputs, "policy": turned}) == set()


def test_the_defaults_are_those_of_the_postgresql_that_is_deployed() -> None:
    """RDS's own ones apart, whose source the file names."""
    given = {k: v for k, v in parameter_defaults()[PARAMETER_FAMILY].items() if not k.startswith("rds.")}
    with running() as server:
        found = dict(server.rows("postgres", "SELECT name, boot_val FROM pg_settings"))
    words = {"on": "1", "off": "0"}
    own = {k: words.get(found[k], found[k]) for k in given}
    assert {k: v for k, v in own.items() if v != given[k]} == {"idle_in_transaction_session_timeout": "0"}

"""The record that a function leaves of its call: written last, deleted with the resource."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from functions.common.call_record import ParameterStore, recorded
from functions.common.events import RequestError
from functions.common.going_on import GoesOn
from tests.parameters import FakeParameters

NAME = "/tenantry/dev/calls/acme-pay/move"
RECORD = {"parameter": NAME, "asked": "a" * 64, "attempt": "0123456789abcdef"}
EVENT = {"tenant": "acme-pay", "record": RECORD}
DONE = {"asked": "a" * 64, "attempt": "0123456789abcdef"}


def call(event: Mapping[str, Any], kept: FakeParameters, fails: bool = False) -> Mapping[str, Any]:
    def work() -> Mapping[str, Any]:
        assert NAME not in kept.values or event.get("lifecycle"), "recorded before the work was done"
        if fails:
            raise RuntimeError("it cannot be done")
        return {"done": True}

    return recorded(event, work, lambda: kept)


def test_what_was_done_is_recorded_after_the_work() -> None:
    kept = FakeParameters()
    assert call(EVENT, kept) == {"done": True}
    assert json.loads(kept.values[NAME]) == {**DONE, "result": {"done": True}}
    recorded(EVENT, lambda: {"long": "x" * 5000}, lambda: kept)
    assert json.loads(kept.values[NAME]) == DONE, "a parameter holds 4096 characters"


def test_what_failed_is_not_recorded() -> None:
    kept = FakeParameters()
    with pytest.raises(RuntimeError, match="it cannot be done"):
        call(EVENT, kept, fails=True)
    assert kept.values == {}


def test_what_goes_on_is_recorded_as_such_and_not_as_done() -> None:
    kept = FakeParameters()

    def work() -> Mapping[str, Any]:
        raise GoesOn("3 of 8 tables are copied", {"after": "r3"})

    answer = recorded(EVENT, work, lambda: kept)
    progress = {"goesOn": True, "progress": "3 of 8 tables are copied", "resume": {"after": "r3"}}
    assert answer == {"tenant": "acme-pay", **progress}
    found = json.loads(kept.values[NAME])
    assert found.keys() == {"goesOn"}, "an earlier program would take `asked` for a record of what is done"
    assert found["goesOn"].items() >= {**DONE, "progress": "3 of 8 tables are copied"}.items()


def test_the_record_goes_with_the_resource() -> None:
    kept = FakeParameters()
    call(EVENT, kept)
    call({**EVENT, "lifecycle": {"action": "delete"}}, kept)
    assert kept.values == {}


def test_an_event_from_before_there_were_records_leaves_none() -> None:
    kept = FakeParameters()
    assert call({"tenant": "acme-pay"}, kept) == {"done": True}
    assert kept.values == {}


@pytest.mark.parametrize(
    ("record", "message"),
    [
        ("x", "record: expected a mapping"),
        ({**RECORD, "asked": "x"}, r"record\.asked: "),
        ({**RECORD, "parameter": "/tenantry/dev/calls/other-pay/move"}, "not of tenant acme-pay"),
        ({k: v for k, v in RECORD.items() if k != "attempt"}, r"record\.attempt: "),
        ({**RECORD, "more": 1}, r"record\.more: "),
    ],
)
def test_a_wrong_record_is_refused_before_any_work(record: Any, message: str) -> None:
    kept = FakeParameters()
    with pytest.raises(RequestError, match=message):
        recorded({**EVENT, "record": record}, lambda: pytest.fail("it worked"), lambda: kept)
    assert kept.values == {}


class Client:
    """boto3's, as far as it is used."""

    class exceptions:  # noqa: N801 - boto3's name
        class ParameterNotFound(Exception):  # noqa: N818 - boto3's name
            pass

    def __init__(self) -> None:
        self.calls: list[tuple[str, dict[str, Any]]] = []

    def get_parameter(self, **given: Any) -> Any:
        self.calls.append(("get", given))
        if len(self.calls) > 1:
            raise self.exceptions.ParameterNotFound
        return {"Parameter": {"Value": "{}"}}

    def put_parameter(self, **given: Any) -> None:
        self.calls.append(("put", given))

    def delete_parameter(self, **given: Any) -> None:
        self.calls.append(("delete", given))
        raise self.exceptions.ParameterNotFound


def test_the_store_overwrites_and_takes_a_missing_parameter_for_deleted() -> None:
    client = Client()
    store = ParameterStore(client)
    assert (store.get(NAME), store.get(NAME)) == ("{}", None)
    store.put(NAME, "{}")
    store.delete(NAME)
    put = {"Name": NAME, "Value": "{}", "Type": "String", "Overwrite": True}
    assert client.calls[2:] == [("put", put), ("delete", {"Name": NAME})]

"""What the bootstrap function takes for a request: nothing that could open a tenant's place to another."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.common.events import RequestError
from functions.tenant_bootstrap.request import DEFAULTS, FIELDS, Action, parse

SECRET = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
EVENT: dict[str, Any] = {
    "tenant": "acme-pay",
    "role": "t_acme_pay",
    "schema": "t_acme_pay",
    "host": "tenantry-dev-shard-a.abc.eu-west-1.rds.amazonaws.com",
    "port": 5432,
    "database": "tenants",
    "masterSecret": f"{SECRET}rds!db-0a1b-XyZ",
    "tenantSecret": f"{SECRET}tenantry/dev/tenants/acme-pay/database-AbCdEf",
    "webhookSecret": None,
    "login": True,
    "hold": False,
    "connections": 20,
    "statementMs": 60000,
    "idleMs": 60000,
    "revision": 1,
    "lifecycle": {"action": "update", "prev_input": {"tenant": "acme-pay"}},
}


def refused(**changes: Any) -> str:
    with pytest.raises(RequestError, match=r".") as refusal:
        parse({k: v for k, v in {**EVENT, **changes}.items() if v is not ...})
    return str(refusal.value)


@pytest.mark.parametrize("action", Action)
def test_each_end_of_a_resources_life_is_served(action: Action) -> None:
    assert parse({**EVENT, "lifecycle": {"action": action.value}}).action is action


@pytest.mark.parametrize("lifecycle", [..., None, {}, "create", {"action": "drop"}, {"action": None}])
def test_what_happens_to_the_resource_must_be_said(lifecycle: Any) -> None:
    assert refused(lifecycle=lifecycle) == "lifecycle.action: expected one of create, update, delete"


def test_an_input_from_before_a_field_existed_still_ends_its_place() -> None:
    event = {k: v for k, v in EVENT.items() if k not in DEFAULTS}
    assert event.keys() < EVENT.keys()
    assert parse(event) == parse(EVENT)


@pytest.mark.parametrize("field", sorted(FIELDS.keys() - DEFAULTS.keys()))
def test_a_missing_field_is_named(field: str) -> None:
    assert refused(**{field: ...}) == f"{field}: missing"


def test_a_password_in_an_event_is_refused() -> None:
    assert refused(password="canary") == "password: not a field"


WRONG: dict[str, tuple[Any, ...]] = {
    "tenant": ("Acme", "acme_pay", "acme;", 'a"', "", None, 1),
    "role": ("postgres", "t_ACME", 't_a"; DROP ROLE x; --', "t_" + "a" * 62, "pg_read_all_data"),
    "schema": ("public", "pg_catalog", "t_a.b", "t_", "t_é"),
    "host": ("", "a b", "a/b", "a@b", "x" * 254),
    "port": (0, 65536, "5432", True, 1.5),
    "database": ('x"', "X", "", "template1;--"),
    "masterSecret": ("secret", "arn:aws:s3:::x", f"{SECRET}a b"),
    "tenantSecret": ("", f"{SECRET}'"),
    "webhookSecret": ("", 0, f"{SECRET}'"),
    "login": (1, "true", None),
    "hold": (0, "false", None),
    "connections": (0, -1, True, "20", 5001),
    "statementMs": (0, "1s", 86_400_001),
    "idleMs": (0, None),
}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in WRONG.items() for v in values])
def test_a_wrong_value_is_named_and_not_repeated(field: str, value: Any) -> None:
    """The text may end in a log: it says which field, and never what it held."""
    assert refused(**{field: value}) == f"{field}: not allowed"


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert refused(port=0, host="", extra=1) == "extra: not a field; host: not allowed; port: not allowed"


FOREIGN = {
    "another tenant's role": ({"role": "t_bolt"}, "role: expected t_acme_pay"),
    "another tenant's schema": ({"schema": "t_bolt"}, "schema: expected t_acme_pay"),
    "another tenant's secret": (
        {"tenantSecret": f"{SECRET}tenantry/dev/tenants/bolt/database-AbCdEf"},
        "tenantSecret: not a database secret of tenant acme-pay",
    ),
    "a tenant whose name ends alike": (
        {"tenantSecret": f"{SECRET}tenantry/dev/tenants/x-acme-pay/database-AbCdEf"},
        "tenantSecret: not a database secret of tenant acme-pay",
    ),
    "another tenant's key for webhooks": (
        {"webhookSecret": f"{SECRET}tenantry/dev/tenants/bolt/webhook-AbCdEf"},
        "webhookSecret: not a webhook secret of tenant acme-pay",
    ),
    "its secret for webhooks": (
        {"tenantSecret": f"{SECRET}tenantry/dev/tenants/acme-pay/webhook-AbCdEf"},
        "tenantSecret: not a database secret of tenant acme-pay",
    ),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_what_is_another_tenants_is_refused(name: str) -> None:
    changes, message = FOREIGN[name]
    assert refused(**changes) == message


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*FIELDS, "lifecycle"]), anything, min_size=1))
def test_whatever_an_event_holds_the_end_is_a_request_or_a_refusal(changes: dict[str, Any]) -> None:
    event = {**EVENT, **changes}
    try:
        request = parse(event)
    except RequestError:
        return
    assert request.role == "t_" + request.tenant.replace("-", "_") == request.schema
    assert f"/tenants/{request.tenant}/database-" in request.tenant_secret

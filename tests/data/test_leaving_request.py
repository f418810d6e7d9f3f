"""What the function of a tenant's leaving takes for a request: nothing that could end another tenant."""

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from functions.common.events import RequestError
from functions.tenant_leaving.request import FIELDS
from functions.tenant_leaving.stages import STAGES, parse_request
from plan.names import Names
from tests.data.leaving import ACCOUNT, EARLIER, KEY

SECRET = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:"
NAMES = Names("dev", ACCOUNT)
VALUES: dict[str, Any] = {
    "tenant": "acme-pay",
    "role": "t_acme_pay",
    "schema": "t_acme_pay",
    "host": "tenantry-dev-shard-a.abc.eu-west-1.rds.amazonaws.com",
    "port": 5432,
    "database": "tenants",
    "masterSecret": f"{SECRET}rds!db-0a1b-XyZ",
    "tenantSecret": f"{SECRET}tenantry/dev/tenants/acme-pay/database-AbCdEf",
    "bucket": NAMES.bucket("t", "acme-pay"),
    "handover": NAMES.bucket("handover", "acme-pay"),
    "keyArn": KEY,
    "earlierKeys": EARLIER,
    "keyDays": 30,
    "instances": [NAMES.label("database", "silo-acme-pay")],
    "copies": [f"eu-central-1/{NAMES.label('database', 'silo-acme-pay')}"],
    "secrets": [f"{SECRET}tenantry/dev/tenants/acme-pay/webhook-AbCdEf"],
    "evidence": NAMES.bucket("evidence"),
    "protected": {"columns": ["cards.number"], "keys": [KEY]},
}


NEEDS = {word: ("tenant", "stage", *stage.fields.needs) for word, stage in STAGES.items()}
MAY = {word: stage.fields.may for word, stage in STAGES.items()}
REMEMBERED = {word: stage.fields.remembered for word, stage in STAGES.items()}


def event(of: str, /, **changes: Any) -> dict[str, Any]:
    values = {k: v for k, v in VALUES.items() if k in NEEDS[of]}
    whole = {**values, "stage": of, "revision": 1, "lifecycle": {"action": "create"}, **changes}
    return {k: v for k, v in whole.items() if v is not ...}


def refused(of: str, /, **changes: Any) -> str:
    with pytest.raises(RequestError, match=r".") as refusal:
        parse_request(event(of, **changes))
    return str(refusal.value)


@pytest.mark.parametrize(("stage", "field"), [(s, f) for s in STAGES for f in NEEDS[s]])
def test_each_stage_asks_for_what_it_needs(stage: str, field: str) -> None:
    parse_request(event(stage))
    message = refused(stage, **{field: ...})
    if field in REMEMBERED[stage]:
        assert f"{field} unknown, since the run before did not close its key" in message
    else:
        assert message == f"{field}: missing"


@pytest.mark.parametrize("field", REMEMBERED["erase"])
def test_what_nothing_bears_the_name_of_any_more_is_taken_from_the_call_before(field: str) -> None:
    whole = {"earlierKeys": EARLIER}
    before = {"action": "update", "prev_input": event("close", **whole)}
    asked = event("erase", **{**whole, field: ..., "lifecycle": before})
    assert parse_request(asked) == parse_request(event("erase", **whole))
    assert parse_request(asked).keys == (KEY, *EARLIER)


@pytest.mark.parametrize("stage", [word for word, may in MAY.items() if "earlierKeys" in may])
def test_who_had_one_key_is_sent_no_earlier_ones(stage: str) -> None:
    """As everybody was before there were others: what was asked for then holds."""
    before = {"action": "update", "prev_input": event("close")}
    assert parse_request(event(stage, lifecycle=before)).keys == (KEY,)
    assert parse_request(event(stage, earlierKeys=EARLIER)).keys == (KEY, *EARLIER)


NOT_OF = [(s, f) for s in STAGES for f in FIELDS if f not in (*NEEDS[s], *MAY[s])]


@pytest.mark.parametrize(("stage", "field"), NOT_OF)
def test_what_a_stage_does_not_need_is_not_sent(stage: str, field: str) -> None:
    assert refused(stage, **{field: VALUES[field]}) == f"{field}: not a field of {stage}"


WRONG: dict[str, tuple[Any, ...]] = {
    "tenant": ("Acme", "acme_pay", "", None),
    "role": ("postgres", 't_a"', "t_" + "a" * 60),
    "port": (0, "5432", True),
    "bucket": ("", "A", "a/b", None),
    "handover": ("a" * 64,),
    "keyArn": ("", "alias/acme", "arn:aws:kms:eu-west-1:1:key/x", None),
    "earlierKeys": (None, KEY, [""], [1], EARLIER[:1] * 2),
    "keyDays": (6, 31, True, "7"),
    "instances": (None, "x", ["X"], [1], ["a", "a"], ["a/b"]),
    "copies": (None, "x", ["a"], ["eu-central-1"], ["eu-central-1/X"]),
    "secrets": (None, ["x"], [None]),
    "evidence": (None, "x" * 64),
    "protected": (None, []),
}
STAGE_OF = {f: next(s for s in [*STAGES][::-1] if f in (*NEEDS[s], *MAY[s])) for f in WRONG}


@pytest.mark.parametrize(("field", "value"), [(f, v) for f, values in WRONG.items() for v in values])
def test_a_wrong_value_is_named_and_not_repeated(field: str, value: Any) -> None:
    """Of a list, the entry is named by its index."""
    message = refused(STAGE_OF[field], **{field: value})
    assert re.fullmatch(rf"{field}(\[[01]\])?: not allowed", message)


def test_all_that_is_wrong_is_said_at_once() -> None:
    assert refused("close", keyArn="", keyDays=0, evidence=..., password="canary") == (
        "evidence: missing; keyArn: not allowed; keyDays: not allowed; password: not a field of close"
    )
    assert refused("export", stage="leave", tenant="") == "stage: not allowed; tenant: not allowed"


END = ("host", "port", "database", "masterSecret")


def test_only_what_is_erased_may_have_lost_its_database() -> None:
    gone = dict.fromkeys(END)
    assert parse_request(event("erase", **gone)).address is None
    assert refused("erase", host=None).endswith("null all together or not at all")
    assert refused("export", **gone) == "; ".join(f"{k}: not allowed" for k in sorted(END))


FOREIGN = {
    "role": ("erase", "t_bolt", "role: expected t_acme_pay"),
    "schema": ("export", "t_bolt", "schema: expected t_acme_pay"),
    "tenantSecret": (
        "export",
        f"{SECRET}tenantry/dev/tenants/x-acme-pay/database-AbCdEf",
        "tenantSecret: not a database secret of tenant acme-pay",
    ),
    "secrets": (
        "erase",
        [*VALUES["secrets"], f"{SECRET}tenantry/dev/tenants/bolt/webhook-AbCdEf"],
        "secrets: not all of tenant acme-pay",
    ),
    "earlierKeys": ("close", [KEY], "earlierKeys: the key in use is not one of them"),
    "bucket": ("erase", NAMES.bucket("t", "bolt"), "bucket: not of tenant acme-pay"),
    "handover": ("export", NAMES.bucket("t", "bolt"), "handover: not of tenant acme-pay"),
    "instances": ("erase", ["tenantry-dev-shard-a"], "instances: not all of tenant acme-pay"),
    "copies": ("erase", ["eu-central-1/tenantry-dev-silo-bolt"], "copies: not all of tenant acme-pay"),
    "evidence": ("erase", VALUES["bucket"], "bucket, handover, evidence: expected different ones"),
}


@pytest.mark.parametrize("field", FOREIGN)
def test_what_is_another_tenants_is_refused(field: str) -> None:
    stage, value, message = FOREIGN[field]
    assert refused(stage, **{field: value}) == message


@pytest.mark.parametrize("length", [1, 30, 40, 50, 59])
def test_names_that_were_cut_are_still_the_tenants(length: int) -> None:
    tenant = "a" * length
    sql = "t_" + tenant
    bucket, handover = NAMES.bucket("t", tenant), NAMES.bucket("handover", tenant)
    silo = NAMES.label("database", f"silo-{tenant}")
    taken = parse_request(
        event(
            "erase", tenant=tenant, role=sql, schema=sql, bucket=bucket, handover=handover, secrets=[],
            instances=[silo],
        )
    )  # fmt: skip
    assert (taken.bucket, taken.handover, taken.instances) == (bucket, handover, (silo,))


FIELD_OF = re.compile(r"\{(\w+)\}")


def test_each_stage_names_its_rights_by_fields_that_it_is_sent() -> None:
    for word, stage in STAGES.items():
        named = {f for right in stage.rights for f in FIELD_OF.findall(right.resource)}
        assert stage.rights, word
        assert named <= {*NEEDS[word], *MAY[word]}, word


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=5,
)


@given(
    st.sampled_from(list(STAGES)),
    st.dictionaries(st.sampled_from([*FIELDS, "lifecycle"]), anything, min_size=1),
)
def test_whatever_an_event_holds_the_end_is_a_request_or_a_refusal(
    stage: str, changes: dict[str, Any]
) -> None:
    try:
        request = parse_request(event(stage, **changes))
    except RequestError:
        return
    assert request.deleted or request.role in ("", "t_" + request.tenant.replace("-", "_"))

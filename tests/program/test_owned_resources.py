"""The table of what a tenant owns, against what the program registers, and against who reads and ends it."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from devtools.mocks import Recording, Registered
from functions.tenant_leaving import stores
from functions.tenant_leaving.erase import erase
from functions.tenant_leaving.request import FIELDS
from functions.tenant_leaving.stages import STAGES, parse_request
from functions.tenant_leaving.tools import Instance, Key, OffboardingError, Tools
from plan import plan_cell
from plan.tenants.inventory import owner_of
from plan.tenants.owned_resources import OWNED, OwnedResource, Owner
from plan.tenants.stores import PROOFS, Store, StoreKind, When
from plan.tenants.stores import Key as StoreKey
from policies.escalation import techniques
from policies.escalation.access import can_perform
from policies.escalation.targets import ReachableResource, plan_access
from tenants.allocation import extend
from tenants.models import Overrides, Registry, Tenant
from tenants.phases import Phase
from tenants.project import Project
from tenants.states import Leaving, Move, PlacementKind
from tests.cells import PROJECT, registry_of, settings_of
from tests.data.clouds import Clock, FakeDatabases, FakeKeys, FakeObjects, FakeSecrets
from tests.policies.platform import planned
from tests.program.cell import TODAY, belonging, deploy
from tests.strategies import committed_cell

ELSEWHERE = "eu-central-1"
COPYING = replace(committed_cell("dev"), backup_copy_region=ELSEWHERE)
GONE = Leaving(handed_over=True)
POOL, SILO = PlacementKind.POOL, PlacementKind.SILO
STAYING, READERS, DEDICATED = "birch-lending", "ember-cards", "fjord-custody"
MOVING, RESTORED, LEAVING = "amber-pay", "cobalt-fx", "delta-invoice"
# A tenant of each kind, and one in each process, at once.
AT_ONCE: Mapping[str, Mapping[str, Any]] = {
    STAYING: {"protected_columns": ("cards.number",)},
    READERS: {"overrides": Overrides(report_replicas=2)},
    DEDICATED: {},
    MOVING: {"move": Move(origin=POOL, to=SILO, stage=Phase.REPLICATE)},
    RESTORED: {"move": Move(origin=POOL, to=SILO, stage=Phase.PREPARE, at="2026-11-20T10:00:00Z")},
    LEAVING: {"state": Phase.EXPORTED, "leaving": GONE, "key": 2},
}
LEAVERS = (STAYING, READERS, DEDICATED)


def edited(changes: Mapping[str, Mapping[str, Any]]) -> Registry:
    """The dev cell with some of its tenants, changed, and places as a local run would give them."""
    before = registry_of("dev")
    now = tuple(replace(t, **changes[t.id]) for t in before.tenants if t.id in changes)
    return replace(before, tenants=now, ledger=extend(before.ledger, now, COPYING, TODAY))


@cache
def registry() -> Registry:
    return edited(AT_ONCE)


@cache
def recording() -> Recording:
    return deployed(registry())


def deployed(of: Registry) -> Recording:
    return deploy(plan_cell(replace(settings_of("dev"), backup_copy_region=ELSEWHERE), of))


def owner(tenant: str) -> Owner:
    return owner_of(registry(), COPYING, tenant)


def owned(tenant: str) -> dict[tuple[str, str], Registered]:
    """What the provider makes for a tenant; components are the program's own."""
    found = belonging(recording(), tenant)
    return {key: r for key, r in found.items() if not r.type.startswith("tenantry:")}


def texts(value: Any) -> Iterator[str]:
    """Every text in an input, and in the JSON that a text may be."""
    if isinstance(value, str):
        yield value.removeprefix("alias/")
        if value.startswith("{"):
            yield from texts(json.loads(value))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from texts(inner)


# ---- what is registered


@pytest.mark.parametrize("tenant", AT_ONCE)
def test_each_resource_of_a_tenant_is_of_a_type_of_the_table(tenant: str) -> None:
    known = {t for row in OWNED for t in row.types}
    assert {r.type for r in owned(tenant).values()} - known == set(), "add a row to owned_resources.py"


@pytest.mark.parametrize("row", OWNED, ids=lambda row: row.called)
def test_each_row_is_made_for_some_tenant_under_the_name_that_it_says(row: OwnedResource) -> None:
    made = {t: set(texts([r.inputs for r in owned(t).values() if r.type in row.types])) for t in AT_ONCE}
    named = {(t, name) for t in AT_ONCE for name in row.names(owner(t))}
    assert named, "a dead row"
    assert {(t, name) for t, name in named if name not in made[t]} == set()
    types = {r.type for t, _ in named for r in owned(t).values()}
    assert set(row.types) - types - UNPROTECTED == set(), "a type that is not registered"


# Made only where data is protected, which dev's is not.
UNPROTECTED = {"random:index/randomId:RandomId"}
# What bears the name that people know a thing by; what else a tenant has hangs on one of them.
NAMED = {
    "aws:s3/bucket:Bucket",
    "aws:secretsmanager/secret:Secret",
    "aws:rds/instance:Instance",
    "aws:kms/alias:Alias",
    "aws:sns/topic:Topic",
    "aws:apigateway/apiKey:ApiKey",
    "aws:ssm/parameter:Parameter",
    "aws:budgets/budget:Budget",
    "aws:ec2/vpc:Vpc",
    "aws:scheduler/schedule:Schedule",
}


@pytest.mark.parametrize("tenant", AT_ONCE)
def test_each_thing_with_a_name_is_shown_by_that_name(tenant: str) -> None:
    shown = {name for row in OWNED for name in row.names(owner(tenant))}
    made = [r for r in owned(tenant).values() if r.type in NAMED]
    assert [r.key for r in made if not shown & set(texts(r.inputs))] == [], "the table does not name it"


# ---- stores

# Encrypted, and no store: what passes through is kept until it is delivered.
PASSES = {"aws:sns/topic:Topic"}


def is_keyed(value: Any) -> bool:
    """Whether an input, however deep, names a key."""
    if isinstance(value, Mapping):
        return any(re.search(r"[kK]ms.*[kK]ey", k) or is_keyed(v) for k, v in value.items())
    return isinstance(value, list) and any(map(is_keyed, value))


def bucket_of(r: Registered, among: Iterable[Registered]) -> Registered:
    """The bucket that a resource configures, or the resource itself."""
    named = {f"{b.name}-id": b for b in among if b.type == techniques.BUCKET}
    return named.get(str(r.inputs.get("bucket")), r)


@pytest.mark.parametrize("tenant", AT_ONCE)
def test_whatever_is_encrypted_is_a_store_of_the_table(tenant: str) -> None:
    made = owned(tenant).values()
    keyed = {bucket_of(r, made).key: bucket_of(r, made) for r in made if is_keyed(r.inputs)}
    assert len(keyed) >= 4
    stores_of = [row for row in OWNED if row.store]
    holding = {name for row in stores_of for name in row.names(owner(tenant))}
    # What has no name of its own, such as a network's flow logs, is known by its type.
    types = {kind for row in OWNED for kind in row.types[1:]} | {row.types[0] for row in stores_of}
    loose = [
        r.key
        for r in keyed.values()
        if r.type not in PASSES
        and not (holding & set(texts(r.inputs)) if r.type in NAMED else r.type in types)
    ]
    assert loose == [], "its row must say what it holds"


UNPROVEN = {"master secret", "database log", "copy of backups", "restored shard"}


def test_the_certificate_looks_for_each_store_but_for_those_that_say_why_not() -> None:
    found = {row.called for row in OWNED if row.store and row.store.kind is None}
    assert found == UNPROVEN
    assert all(s.unproven for s in all_stores() if s.kind is None)
    assert not any(s.unproven for s in all_stores() if s.kind)


def all_stores() -> list[Store]:
    return [row.store for row in OWNED if row.store]


def test_the_function_knows_each_kind_of_store_by_the_same_words() -> None:
    assert [str(k) for k in StoreKind] == [str(k) for k in stores.StoreKind]
    assert {str(k): p for k, p in PROOFS.items()} == {str(k): p.looked for k, p in stores.PROOFS.items()}
    assert {s.kind for s in all_stores()} - {None} == set(StoreKind), "a kind that no store is of"
    sent = {s.sent_as for s in all_stores() if s.kind}
    assert sent - set(FIELDS) == set()
    ends = {f for word in ("close", "erase") for f in STAGES[word].fields.needs}
    assert sent <= ends


KEYS = {
    StoreKey.TENANT: "{tenant}-identity",
    StoreKey.COPY: "-copy-key",
    StoreKey.SHARD: "shard-a-data-key",
    StoreKey.CELL: "logs-key",
}


@pytest.mark.parametrize("tenant", [STAYING, READERS, DEDICATED, RESTORED, LEAVING])
def test_each_store_is_under_the_key_that_its_row_says(tenant: str) -> None:
    buckets = {
        r.inputs["bucket"]: r
        for r in owned(tenant).values()
        if r.type.endswith("BucketServerSideEncryptionConfiguration")
    }
    seen = 0
    for row in OWNED:
        if row.store is None or row.store.key not in KEYS:
            continue
        for name in row.names(owner(tenant)):
            for r in owned(tenant).values():
                if r.type != row.types[0] or name not in texts(r.inputs):
                    continue
                configured = buckets.get(f"{r.name}-id") or buckets.get(name)
                used = (
                    [configured.inputs]
                    if configured
                    else [v for k, v in r.inputs.items() if k in ("kmsKeyId", "kmsKeyArn")]
                )
                wanted = KEYS[row.store.key].format(tenant=tenant)
                if "replicateSourceDb" in r.inputs:
                    continue  # a replica may name no key: it has its source's
                assert wanted in json.dumps(used), (row.called, name, used)
                seen += 1
    assert seen >= 4


# ---- who may read

READS = {
    techniques.BUCKET: "s3:GetObject",
    techniques.SECRET: "secretsmanager:GetSecretValue",
    techniques.KEY: "kms:Decrypt",
}


def in_turn(tenant: Tenant) -> Mapping[When, bool]:
    return {
        When.ALWAYS: True,
        When.MOVING: tenant.move is not None,
        When.LEAVING: tenant.phase.row.tag is not None,
        When.REKEYED: tenant.key > 1,
    }


def readers_of(thing: ReachableResource, roles: Iterable[Any]) -> set[str]:
    """Words of the roles that may read a thing, and use the key that it is under."""
    found: set[str] = set()
    for role in roles:
        answer = can_perform(role, READS[thing.resource.type], thing.target)
        if answer and thing.key is not None:
            service = {"kms:viaservice": (f"{thing.key_service}.eu-west-1.amazonaws.com",)}
            key = replace(thing.key.target, facts={**thing.key.target.facts, **service})
            answer &= can_perform(role, "kms:Decrypt", key)
        if answer:
            word = role.name.removeprefix("tenantry-dev-")
            found.add("tenant" if word == f"tenant-{thing.tenant}" else word)
    return found


def row_of(thing: ReachableResource) -> OwnedResource | None:
    """The row of a thing; None for the key of a copy, which nobody of the cell may use."""
    if thing.resource.type == techniques.KEY:
        return KEY_ROW if "-identity" in thing.resource.name else None
    name = thing.resource.get("name") or thing.resource.get("bucket")
    rows = (row for row in OWNED if row.types[0] == thing.resource.type)
    return next(row for row in rows if name in row.names(owner(thing.tenant)))


KEY_ROW = next(row for row in OWNED if row.called == "key")


def test_the_roles_that_may_read_a_store_are_those_that_its_row_names() -> None:
    seen = plan_access(planned(recording(), "dev"))
    wrong: dict[tuple[str, str], tuple[set[str], set[str]]] = {}
    compared: Counter[str] = Counter()
    for thing in (thing for kind in READS for thing in seen.things[kind] if thing.tenant in AT_ONCE):
        row = row_of(thing)
        if row is None:
            continue
        assert row.store, row.called
        now = in_turn(owner(thing.tenant).tenant)
        expected = {role for role, when in row.store.readers.items() if now[when]}
        if (found := readers_of(thing, seen.roles)) != expected:
            wrong[row.called, thing.resource.name] = (found, expected)
        compared[row.called] += 1
    assert wrong == {}, "who may read, who should"
    assert {"bucket of artefacts", "hand-over bucket", "database secret", "webhook secret"} <= set(compared)
    assert {"API secret", "master secret", "key"} <= set(compared)


# ---- quotas

OF_A_TENANT = {"tenant", "pool", "silo", "dedicated", "webhook", "replica", "rate"}


def test_rows_take_of_each_quota_what_its_demand_says_of_a_tenant() -> None:
    quotas, findings = Project(PROJECT).quotas
    assert not findings
    claimed: dict[str, Counter[str]] = {}
    for row in OWNED:
        for quota, terms in row.takes.items():
            claimed.setdefault(quota, Counter()).update(terms)
    assert set(claimed) - set(quotas) == set(), "no quota of tenants/quotas.yaml"
    expected = {
        id_: Counter({t: n for t, n in quota.demand.items() if OF_A_TENANT & set(t.split(" * "))})
        for id_, quota in quotas.items()
    }
    assert claimed == {id_: terms for id_, terms in expected.items() if terms}


# ---- the end

ARN = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"


@cache
def ending(phase: Phase) -> tuple[Registry, Recording]:
    """Three tenants that leave: of the pool, with a database and readers, in a network."""
    changes = {t: {**AT_ONCE[t], "state": phase, "leaving": GONE} for t in LEAVERS}
    found = edited(changes)
    return found, deployed(found)


def event_of(phase: Phase, tenant: str) -> dict[str, Any]:
    """What the function is sent, with ARNs as AWS gives them."""
    _, made = ending(phase)
    call = made.one("lambda/invocation:Invocation", f"{tenant}-leaving-step")
    names = {r.name: r.inputs.get("name") for r in made.resources}

    def real(value: Any) -> Any:
        if isinstance(value, list):
            return [real(v) for v in value]
        if not isinstance(value, str) or not value.startswith("arn:aws:mock:"):
            return value
        name = value.rpartition(":")[2]
        return key_arn(name) if name.endswith("-key") else f"{ARN}{names.get(name, name)}-a1B2c3"

    return {k: real(v) for k, v in json.loads(call.inputs["input"]).items()}


def key_arn(name: str) -> str:
    return f"arn:aws:kms:eu-west-1:111122223333:key/{name}"


class Cloud:
    """Everything that a tenant has when its key is closed, as AWS would have it."""

    def __init__(self, tenant: str, evidence: str) -> None:
        self.clock = Clock()
        self.objects, self.databases, self.secrets = FakeObjects(), FakeDatabases(), FakeSecrets()
        self.keys = FakeKeys(self.clock)
        self.named: dict[str, str] = {}  # as the certificate calls it → the row
        closing, _ = ending(Phase.CLOSING)
        has = owner_of(closing, COPYING, tenant)
        for row in OWNED:
            for name in row.names(has) if row.store and row.store.kind else ():
                self._put(row, tenant, name)
        self.objects.buckets[evidence] = []

    def _put(self, row: OwnedResource, tenant: str, name: str) -> None:
        assert row.store
        match row.store.kind:
            case StoreKind.BUCKET:
                self.objects.buckets[name] = []
                self.objects.put(name, "a", b"x")
            case StoreKind.INSTANCE:
                self.databases.instances[name] = Instance(name, None, 7)
            case StoreKind.SECRET:
                name = f"{ARN}{name}-a1B2c3"
                self.secrets.arns.add(name)
            case StoreKind.KEY:
                name = key_arn(f"{tenant}-identity-key")
                self.keys.keys[name] = Key("Enabled")
            case _:
                return  # a schema, which is dropped in the database: tests/data/test_leaving_end.py
        self.named[f"{row.store.kind} {name}"] = row.called

    def tools(self) -> Tools:
        def unused(*_: object) -> Any:
            raise AssertionError("no database is opened")

        return Tools(
            connect=unused, store=None, keys=self.keys, objects=self.objects,  # type: ignore[arg-type]
            databases=self.databases, secrets=self.secrets, now=self.clock, step=lambda _: None,
        )  # fmt: skip


@pytest.mark.parametrize("tenant", LEAVERS)
def test_all_stores_are_erased_and_looked_for(tenant: str) -> None:
    """The events that the program sends, and the function on a cloud with all that the table names."""
    close, end = event_of(Phase.CLOSING, tenant), event_of(Phase.ERASING, tenant)
    cloud = Cloud(tenant, close["evidence"])
    tools = cloud.tools()
    STAGES["close"].run(parse_request(close), tools)
    cloud.clock.pass_days(31)
    if end["host"]:  # the pool's, which opens a database
        assert end["schema"] == end["role"] == owner_of(ending(Phase.CLOSING)[0], COPYING, tenant).own.sql
        end["masterSecret"] = f"{ARN}rds!db-1-a1B2c3"
    request = parse_request({**end, "lifecycle": {"action": "update", "prev_input": close}})
    erase(request, None, tools)
    assert all(versions == [] for name, versions in cloud.objects.buckets.items() if "evidence" not in name)
    certify = parse_request(event_of(Phase.ERASED, tenant))
    with pytest.raises(OffboardingError, match="is not gone, there is still: ") as refused:
        STAGES["certify"].run(certify, tools)
    there = set(str(refused.value).partition("still: ")[2].split(", "))
    assert there == {n for n in cloud.named if not n.startswith("key ")}, "each is looked for"
    # What the run of `erasing` deletes: nothing of the tenant's is registered in it any more.
    assert belonging(ending(Phase.ERASING)[1], tenant) == {}
    for name in [n for n in cloud.objects.buckets if n != certify.evidence]:
        del cloud.objects.buckets[name]
    cloud.databases.instances.clear()
    cloud.secrets.arns.clear()
    STAGES["certify"].run(certify, tools)
    found = json.loads(cloud.objects.content(certify.evidence)[f"tenants/{tenant}/certificate.json"])
    has = owner_of(ending(Phase.CLOSING)[0], COPYING, tenant)
    databases = [name for row in OWNED if row.called == "database" for name in row.names(has)]
    copied = [b["name"] for b in found["remaining"] if b["kind"] == "copied backups"]
    assert copied == [f"{ELSEWHERE}/{name}" for name in databases]
    assert {v["what"]: v["how"] for v in found["verified"]} == {
        what: PROOFS[StoreKind(what.partition(" ")[0])] for what in cloud.named
    }

"""The settings of a cell's stack file: how big, how safe, where. Typed, and refused with the key's name.

`Pulumi.yaml` declares the same keys, written from the fields here (`make generate`), so the engine
refuses a wrong type; this module refuses a wrong value. Pure: it takes a mapping and returns `Settings`.
"""

import ipaddress
import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from config.fields import Choice, Flag, ListOf, NumberChoice, Text, Whole
from config.settings_fields import (
    ACCOUNT,
    EMAIL,
    REGION,
    REGION_PATTERN,
    Places,
    key_of,
    parse,
    setting,
    text,
)

KINDS: Final = ("cell", "organization")
# CloudWatch Logs accepts only these (AWS API reference, PutRetentionPolicy, 2026-11).
LOG_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)
# Fargate's fixed pairs of CPU units and MiB that this platform offers (ECS developer guide, 2026-11).
FARGATE_MEMORY: Final[Mapping[int, range]] = {
    1024: range(2048, 8192 + 1, 1024),
    2048: range(4096, 16384 + 1, 1024),
    4096: range(8192, 30720 + 1, 1024),
}


def _private_network(prefix: int) -> Text:
    def refuses(value: str) -> str | None:
        try:
            network = ipaddress.IPv4Network(value)
        except ValueError:
            return "is not a network"
        return None if network.prefixlen == prefix and network.is_private else "is not allowed"

    meaning = f"a private /{prefix} network such as 10.16.0.0/{prefix}"
    return Text(re.compile(r"[0-9./]+"), meaning, longest=18, refuses=refuses)


def _of_several_regions(zones: tuple[str, ...]) -> bool:
    return len({z[:-1] for z in zones}) > 1


_ZONES = ListOf(
    text(r".*[a-f]", "an Availability Zone such as eu-west-1a"),
    fewest=2,
    most=4,
    meaning="two to four different Availability Zones of one Region, such as eu-west-1a",
    refuses=_of_several_regions,
)
_ROOTS = ListOf(
    text(r"[a-z][a-z0-9]{0,7}", "a short name such as a"),
    fewest=1,
    most=3,
    meaning="one to three different short names such as a, oldest first",
)
_SERIALS = ListOf(
    text(r"[0-9a-f]{1,40}", "a serial number of a certificate in lower-case hexadecimal, in quotes"),
    most=10_000,
    meaning="different serial numbers of certificates",
)
_BY_DIGEST = r"[0-9]{12}\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com/[a-z0-9._/-]+@sha256:[0-9a-f]{64}"
_AN_IMAGE = "an image in ECR by digest: ACCOUNT.dkr.ecr.REGION.amazonaws.com/NAME@sha256:…"
_IMAGE_OR_NONE = text(f"none|{_BY_DIGEST}", f"none, or {_AN_IMAGE}")
_DB_CLASS = text(r"db\.[a-z][a-z0-9]*\.(micro|small|medium|large|[0-9]*xlarge)", "such as db.r6g.large")
_DOMAIN = text(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,}", "a DNS name such as pay.example")
_LOG_DAYS = NumberChoice(LOG_RETENTION_DAYS)
_STORAGE = Whole(20, 65536)
_BACKUP = Whole(7, 35)
NOWHERE: Final = "none"
# Settings that there were once: what to do where a stack's file still has one.
REMOVED: Final[Mapping[str, str]] = {
    "debugLogDays": "is no setting any more, for nothing ever read it: delete the line",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountSettings:
    """What every kind of stack says: its account and Region, and what holds for its records."""

    stack: str = setting(
        "name of the stack; a cell has its stack's name",
        text(r"[a-z][a-z0-9-]{1,15}", "2 to 16 of a-z, 0-9 and -"),
    )
    kind: str = setting(
        "what the stack is: cell, or organization (the one stack without tenants)",
        Choice(KINDS),
        default="cell",
    )
    account_id: str = setting(
        "the one AWS account that the stack may touch, twelve digits in quotes", ACCOUNT
    )
    region: str = setting("AWS Region of the stack", REGION)
    protect_data: bool = setting(
        "deletion protection, engine protection and final snapshots", Flag(), default=True
    )
    alarm_email: str = setting("who is told of alarms", EMAIL)
    budget_usd: int = setting(
        "what the account may cost in a month before somebody is told, in USD",
        Whole(1, 10_000_000),
        default=10000,
    )
    audit_log_days: int = setting(
        "days that audit logs are kept; CloudWatch's values from 365",
        NumberChoice(tuple(d for d in LOG_RETENTION_DAYS if d >= 365)),
        default=400,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings(AccountSettings):
    """The typed content of a cell's `Pulumi.<stack>.yaml`; a key there is the camelCase of a field here."""

    environment: str = setting(
        "environment family that the cell belongs to: dev, staging or prod",
        Choice(("dev", "staging", "prod")),
    )
    account_scope: str = setting(
        "what the stack looks after beside the cell: account (all that AWS has once in an account or"
        " Region), region (another stack looks after the account) or none (another one does both)",
        Choice(("account", "region", "none")),
        default="account",
    )
    detection: str = setting(
        "who switches GuardDuty and Security Hub on in the account: own (the stack), handover (the stack, but"
        " it leaves them on once this is organization) or organization (the audit account, for all accounts)",
        Choice(("own", "handover", "organization")),
        default="own",
    )
    quotas: str = setting(
        "which quotas of AWS the account has: fresh (a new account's) or raised (those of one that has asked"
        " or was in use; what was granted beyond stands in tenants/quota-increases.yaml)",
        Choice(("fresh", "raised")),
        default="raised",
    )
    zones: tuple[str, ...] = setting("Availability Zones of the cell, two to four; three in prod", _ZONES)
    network_cidr: str = setting(
        "addresses of the cell's VPC, a private /16; no two cells share any", _private_network(16)
    )
    tenant_networks: str = setting(
        "addresses that dedicated tenant networks are cut from, a private /16", _private_network(16)
    )
    nat_per_zone: bool = setting(
        "a NAT gateway in each zone (true) or one for all (false)", Flag(), default=True
    )
    multi_az: bool = setting("databases with a standby in another zone", Flag(), default=True)
    backup_days: int = setting("days that database backups are kept, 7 to 35", _BACKUP, default=35)
    backup_copy_region: str = setting(
        "another Region that database backups are copied to, or none",
        text(rf"{NOWHERE}|{REGION_PATTERN}", "none, or an AWS Region such as eu-central-1"),
        default="none",
    )
    vault_days: int = setting(
        "days that daily snapshots of databases are kept in a vault; 0 for no vault",
        Whole(0, 3650),
        default=35,
    )
    vault_months: int = setting(
        "months that a monthly snapshot is kept in the vault; 0 for none", Whole(0, 120), default=0
    )
    vault_lock: str = setting(
        "whether snapshots can be deleted before: none (they can), governance (by who may change the lock)"
        " or compliance (by nobody, for ever)",
        Choice(("none", "governance", "compliance")),
        default="governance",
    )
    domain: str = setting("DNS name under which the API is served: api.<domain>", _DOMAIN)
    hosted_zone_id: str = setting(
        "Route 53 zone of the domain", text(r"Z[A-Z0-9]{5,31}", "a zone id such as Z0123456789ABC")
    )
    private_ca: str = setting(
        "who signs the services' certificates: tls (keys of the program's own) or acm-pca (AWS Private CA)",
        Choice(("tls", "acm-pca")),
        default="tls",
    )
    ca_roots: tuple[str, ...] = setting(
        "roots of the private CA that the cell trusts, oldest first; a new one is trusted before it signs",
        _ROOTS,
        default=("a",),
    )
    ca_signer: str = setting(
        "the root whose CA signs the services' certificates, one of caRoots",
        text(r"[a-z][a-z0-9]{0,7}", "one of caRoots"),
        default="a",
    )
    ca_leaves: int = setting(
        "generation of the services' keys; raise it to give all of them new ones", Whole(1, 1000), default=1
    )
    ca_revoked: tuple[str, ...] = setting(
        "serial numbers (hexadecimal) of certificates of the private CA that are no longer trusted",
        _SERIALS,
        default=(),
    )
    jwt_issuer: str = setting(
        "issuer of callers' access tokens: its https address, or cognito for a user pool of the cell's own",
        text(r"cognito|https://[^\s?#]+", "cognito, or an address such as https://login.example/tenant"),
        default="cognito",
    )
    jwt_audience: str = setting(
        "audience that tokens of another issuer must name",
        text(r"[!-~]{1,255}", "1 to 255 characters without blanks"),
        default="reports",
    )
    jwt_tenant_claim: str = setting(
        "claim of such a token that holds the tenant's id",
        text(r"[A-Za-z0-9_:./-]{1,128}", "the name of a claim, such as tenant"),
        default="tenant",
    )
    deploy_issuer: str = setting(
        "issuer of the tokens that CI deploys with, such as https://token.actions.githubusercontent.com, or"
        " none",
        text(rf"{NOWHERE}|https://[a-z0-9.-]+(/[A-Za-z0-9._/-]+)?", "none, or an https address"),
        default="none",
    )
    deploy_repository: str = setting(
        "repository whose CI deploys the cell, as owner/name, or none",
        text(rf"{NOWHERE}|[A-Za-z0-9._-]+/[A-Za-z0-9._-]+", "none, or owner/name"),
        default="none",
    )
    deploy_environment: str = setting(
        "protected environment of that CI from which changes are made, or none",
        text(r"[A-Za-z0-9._-]{1,100}", "none, or the name of an environment"),
        default="none",
    )
    deploy_state: str = setting(
        "bucket that the state is kept in, or none",
        text(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "none, or the name of a bucket"),
        default="none",
    )
    deploy_state_key: str = setting(
        "ARN of the key that secrets in the state are encrypted with, or none",
        text(rf"{NOWHERE}|arn:aws:kms:[a-z0-9-]+:[0-9]{{12}}:key/[0-9a-f-]+", "none, or the ARN of a key"),
        default="none",
    )
    application_log_days: int = setting(
        "days that application logs are kept; CloudWatch's values only", _LOG_DAYS, default=90
    )
    task_cpu: int = setting(
        "CPU units of a Fargate task: 1024 (one vCPU), 2048 or 4096",
        NumberChoice(tuple(FARGATE_MEMORY)),
        default=2048,
    )
    task_architecture: str = setting(
        "processor that both images are built for: ARM64 or X86_64",
        Choice(("ARM64", "X86_64")),
        default="ARM64",
    )
    task_memory: int = setting("MiB of a Fargate task, as its CPU allows", Whole(2048, 30720), default=4096)
    tasks_min: int = setting("fewest tasks of a service", Whole(1, 100), default=2)
    tasks_max: int = setting("most tasks of a service", Whole(1, 100), default=8)
    collector_image: str = setting(
        "image of the OpenTelemetry collector beside each service, in ECR by digest; none for no tracing",
        _IMAGE_OR_NONE,
        default="none",
    )
    monolith_image: str = setting(
        "image of the monolith in ECR, by digest; none before there is one: its service is then not made",
        _IMAGE_OR_NONE,
    )
    monolith_instance_class: str = setting(
        "instance class of the monolith's database", _DB_CLASS, default="db.r6g.large"
    )
    monolith_storage: int = setting("GiB of the monolith's database", _STORAGE, default=100)
    reports_image: str = setting(
        "image of the report service in ECR, by digest; none before there is one: its service is then not"
        " made",
        _IMAGE_OR_NONE,
    )
    reports_instance_class: str = setting(
        "instance class of the report service's database", _DB_CLASS, default="db.r6g.xlarge"
    )
    reports_storage: int = setting("GiB of the report service's database", _STORAGE, default=100)
    reports_replicas: int = setting(
        "read replicas of the report service's database, 0 to 15", Whole(0, 15), default=2
    )
    database_passwords: int = setting(
        "generation of the master passwords that this program makes (databases with readers); raise it to"
        " change them",
        Whole(1, 10_000),
        default=1,
    )
    shard_instance_class: str = setting("instance class of a pool shard", _DB_CLASS, default="db.r6g.large")
    shard_storage: int = setting("GiB of a pool shard", _STORAGE, default=100)
    shard_capacity: int = setting("most tenants on one shard", Whole(1, 200), default=16)
    shard_limit: int = setting("most shards in the cell, 1 to 26", Whole(1, 26), default=4)
    silo_instance_class: str = setting(
        "instance class of a silo unless its tenant overrides it", _DB_CLASS, default="db.r6g.large"
    )
    silo_storage: int = setting("GiB of a silo unless its tenant overrides it", _STORAGE, default=50)


def parse_settings(
    stack: str,
    values: Mapping[str, object],
    others: Collection[str] = (),
    places: Callable[[], Places] = dict,
) -> Settings:
    """Make `Settings` from configuration values by key, or raise `SettingsError` with all that is wrong."""
    return parse(Settings, stack, values, _contradictions, others, places, REMOVED)


def _contradictions(v: Mapping[str, Any]) -> list[str]:
    """What is wrong between settings that are each right."""
    memory = FARGATE_MEMORY[v["task_cpu"]]
    networks = [ipaddress.IPv4Network(v[k]) for k in ("network_cidr", "tenant_networks")]
    prod = v["environment"] == "prod"
    rules = (
        (
            v["task_memory"] in memory,
            f"taskMemory: taskCpu {v['task_cpu']} goes with {memory[0]} to {memory[-1]} in steps of 1024",
        ),
        (v["tasks_min"] <= v["tasks_max"], "tasksMin: must not be above tasksMax"),
        (
            v["private_ca"] == "tls" or not v["ca_revoked"],
            "caRevoked: AWS Private CA revokes by its own command; docs/runbooks/private-ca.md",
        ),
        (v["ca_signer"] in v["ca_roots"], f"caSigner: expected one of caRoots ({', '.join(v['ca_roots'])})"),
        (not networks[0].overlaps(networks[1]), "tenantNetworks: must not overlap networkCidr"),
        (all(z[:-1] == v["region"] for z in v["zones"]), f"zones: expected zones of {v['region']}"),
        (not prod or len(v["zones"]) >= 3, "zones: prod needs three"),
        (not prod or v["protect_data"], "protectData: prod must protect its data"),
        (not prod or v["multi_az"], "multiAz: prod needs a standby"),
        *_deployment(v),
        (v["backup_copy_region"] != v["region"], "backupCopyRegion: expected another Region than the cell's"),
        (
            v["vault_days"] > 0 or v["vault_lock"] == "none",
            "vaultLock: without vaultDays there is no vault to lock",
        ),
        (v["vault_days"] > 0 or v["vault_months"] == 0, "vaultMonths: without vaultDays there is no vault"),
        (not prod or v["vault_lock"] != "none", "vaultLock: prod needs a locked vault"),
    )
    return [text for right, text in rules if not right]


def _deployment(v: Mapping[str, Any]) -> list[tuple[bool, str]]:
    """Tokens are worth something only with all that narrows them."""
    fields = ("deploy_repository", "deploy_environment", "deploy_state", "deploy_state_key")
    needed = v["deploy_issuer"] != NOWHERE
    return [
        (not needed or v[f] != NOWHERE, f"{key_of(f)}: deployIssuer is set, so that this must be too")
        for f in fields
    ]

"""The plan that rules look at: resources with their inputs, known and unknown."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from functools import cached_property
from typing import Any, Final


class Unknown(Enum):
    """The type of `UNKNOWN`: a value that only exists once something else has been made."""

    UNKNOWN = "unknown until the update"

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN: Final = Unknown.UNKNOWN

# How the engine writes such a value into a preview (pulumi, sdk/go/common/resource/plugin/rpc.go).
SENTINELS: Final = frozenset(
    {
        "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",  # boolean
        "3eeb2bf0-c639-47a8-9e75-3b44932eb421",  # number
        "04da6b54-80e4-46f7-96ec-b56ff0331ba9",  # string
        "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",  # array
        "030794c1-ac77-496b-92df-f27374a8bd58",  # asset
        "e48ece36-62e2-4504-bad9-02848725956a",  # archive
        "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",  # object
    }
)
# A secret is not shown, so that what it says cannot be told either.
HIDDEN: Final = "[secret]"


class Outcome(StrEnum):
    """What a rule says of a resource. Sorts from good to bad."""

    PASS = "pass"  # noqa: S105 - not a password
    UNKNOWN = "cannot tell"
    FAIL = "fail"

    @property
    def rank(self) -> int:
        return list(Outcome).index(self)


@dataclass(frozen=True, slots=True)
class Verdict:
    """An outcome and why; a pass says nothing."""

    outcome: Outcome
    why: str = ""


PASS: Final = Verdict(Outcome.PASS)


def fail(why: str) -> Verdict:
    return Verdict(Outcome.FAIL, why)


def cannot_tell(why: str) -> Verdict:
    return Verdict(Outcome.UNKNOWN, why)


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The first of the worst verdicts: one failure is a failure, one doubt is a doubt."""
    return max(verdicts, key=lambda v: v.outcome.rank, default=PASS)


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """One resource as the engine would make it. Inputs have the engine's own names (`kmsKeyId`)."""

    urn: str
    type: str
    inputs: Mapping[str, Any]
    parent: str = ""
    protect: bool = False
    provider: str = ""
    # Property → URNs of the resources that its value is made of.
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    # What is known of it already, if it exists: id, arn, …
    identity: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def name(self) -> str:
        return self.urn.rsplit("::", 1)[-1]

    @property
    def label(self) -> str:
        """Type and name, the same in every stack."""
        return f"{self.type}::{self.name}"

    def get(self, path: str, default: Any = None) -> Any:
        """The input at a dotted path; `default` where it is missing, `UNKNOWN` where it cannot be known."""
        value: Any = self.inputs
        for word in path.split("."):
            if value is UNKNOWN:
                return UNKNOWN
            value = value.get(word) if isinstance(value, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
            if value is None:
                return default
        return value  # pyright: ignore[reportUnknownVariableType]


TENANCY: Final = "tenantry:tenancy:Tenancy"  # the component below which everything is one tenant's
PASSED_ON: Final = 8  # times that a value may be passed on from resource to resource
# Outputs by which others name a resource.
NAMES: Final = ("arn", "id", "keyId", "bucket", "name", "url", "identifier")


@dataclass(frozen=True, eq=False)
class Plan:
    """All resources of a stack as they will be, and the settings that rules depend on."""

    resources: tuple[Resource, ...]
    stack: str = ""
    config: Mapping[str, str] = field(default_factory=dict[str, str])

    def setting(self, key: str) -> str:
        """A value of the project's configuration, "" where the plan does not carry it."""
        return next((v for k, v in self.config.items() if k.rpartition(":")[2] == key), "")

    @property
    def prod(self) -> bool:
        """Whether the strict values hold: in prod, and wherever the plan does not say what it is."""
        return self.setting("environment") in ("prod", "")

    @cached_property
    def by_urn(self) -> Mapping[str, Resource]:
        return {r.urn: r for r in self.resources}

    @cached_property
    def by_type(self) -> Mapping[str, tuple[Resource, ...]]:
        found: dict[str, list[Resource]] = {}
        for r in self.resources:
            found.setdefault(r.type, []).append(r)
        return {kind: tuple(those) for kind, those in found.items()}

    def of(self, *types: str) -> Iterator[Resource]:
        for kind in types:
            yield from self.by_type.get(kind, ())

    @cached_property
    def _by_identity(self) -> Mapping[str, tuple[Resource, ...]]:
        found: dict[str, list[Resource]] = {}
        for r in self.resources:
            values = {r.identity.get(n) for n in NAMES} | {r.inputs.get(n) for n in NAMES}
            for value in values:
                if isinstance(value, str) and value:
                    found.setdefault(value, []).append(r)
        return {value: tuple(those) for value, those in found.items()}

    def named(self, value: object, *types: str) -> tuple[Resource, ...]:
        """The resources that a known value names by id, ARN or name, of these types if any are given."""
        found = self._by_identity.get(value, ()) if isinstance(value, str) else ()
        return tuple(r for r in found if not types or r.type in types)

    def source(self, resource: Resource, path: str, *types: str) -> tuple[Resource, ...]:
        """The resources of these types that an input names, whether or not its value is known yet."""
        value = resource.get(path)
        if isinstance(value, str):
            found = self.named(value, *types)
            if found:
                return found
        return self._made_of(resource, path.split(".", maxsplit=1)[0], types, PASSED_ON)

    def _made_of(
        self, resource: Resource, name: str, types: tuple[str, ...], far: int
    ) -> tuple[Resource, ...]:
        """What an input is made of. A resource that has an input of the same name passes that on, as the
        parts of a bucket do that are made one after the other.
        """
        parts = [r for r in map(self.by_urn.get, resource.sources.get(name, ())) if r is not None]
        found = tuple(r for r in parts if not types or r.type in types)
        if found or not far:
            return found
        return tuple({r: None for part in parts for r in self._made_of(part, name, types, far - 1)})

    @cached_property
    def _attached(self) -> dict[tuple[str, str, str], tuple[Mapping[str, tuple[Resource, ...]], int]]:
        return {}

    def attached(self, to: Resource, kind: str, path: str) -> tuple[tuple[Resource, ...], bool]:
        """Resources of a type whose input at `path` names `to`, and whether there may be more of them."""
        key = (to.type, kind, path)
        if key not in self._attached:
            found: dict[str, list[Resource]] = {}
            loose = 0  # whose owner cannot be told
            for r in self.by_type.get(kind, ()):
                owners = self.source(r, path, to.type)
                loose += not owners and (r.get(path) is UNKNOWN)
                for owner in owners:
                    found.setdefault(owner.urn, []).append(r)
            self._attached[key] = {u: tuple(rs) for u, rs in found.items()}, loose
        table, loose = self._attached[key]
        return table.get(to.urn, ()), loose > 0

    @cached_property
    def _tenants(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for r in self.resources:
            self._tenant(r, found)
        return found

    def _tenant(self, resource: Resource, found: dict[str, str]) -> str:
        """By its tag, else by the component that it hangs below."""
        if resource.urn not in found:
            tag, above = resource.get("tags.tenant"), self.by_urn.get(resource.parent)
            if resource.type == TENANCY:
                found[resource.urn] = resource.name
            elif isinstance(tag, str):
                found[resource.urn] = tag
            else:
                found[resource.urn] = self._tenant(above, found) if above else ""
        return found[resource.urn]

    def tenant_of(self, resource: Resource) -> str:
        """The tenant that a resource belongs to, "" for the cell's own."""
        return self._tenants.get(resource.urn, "")

    def component_tenant_of(self, resource: Resource) -> str:
        """The tenant below whose component a resource hangs, whatever its tag says; "" for none."""
        above: Resource | None = resource
        while above is not None and above.type != TENANCY:
            above = self.by_urn.get(above.parent)
        return above.name if above else ""

    @cached_property
    def tenants(self) -> frozenset[str]:
        return frozenset(self._tenants.values()) - {""}

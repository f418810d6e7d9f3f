"""The description of a type, from `types/*.yaml` and `sdk_inputs.json`; a service loads on first use."""

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

HERE: Final = Path(__file__).parent
LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class Undescribed(LookupError):  # noqa: N818 - says what is missing
    """The sandbox does not know the type or invoke; the text names the file that would describe it."""


@dataclass(frozen=True, kw_only=True)
class Description:
    """One type. The keys of `types/README.md`, and the SDK's inputs, required ones and outputs."""

    token: str
    id: str
    make: dict[str, Any] = field(default_factory=dict)
    fill: dict[str, Any] = field(default_factory=dict)
    copy: list[dict[str, Any]] = field(default_factory=list)
    named: str | None = None
    unique: list[str] | None = None
    exists: str = "AlreadyExists"
    regionless: bool = False
    replace: list[str] = field(default_factory=list)
    allow: dict[str, list[Any]] = field(default_factory=dict)
    range: dict[str, list[float]] = field(default_factory=dict)
    match: dict[str, str] = field(default_factory=dict)
    exclusive: list[str] = field(default_factory=list)
    refs: dict[str, str] = field(default_factory=dict)
    keep: list[str] = field(default_factory=list)
    secret: list[str] = field(default_factory=list)
    fresh: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    keeps: list[str] = field(default_factory=list)
    sets: list[str] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    json: list[str] = field(default_factory=list)
    same: dict[str, str] = field(default_factory=dict)
    answers: dict[str, str] = field(default_factory=dict)
    write_only: list[str] = field(default_factory=list)
    importable: bool = True
    invoked: bool = False
    framework: bool = False
    inputs: list[str]
    required: list[str]
    computed: list[str]

    @property
    def taggable(self) -> bool:
        return "tagsAll" in self.computed


def service_of(token: str) -> str:
    """`aws:kms/key:Key` → `kms`."""
    return token.split(":")[1].split("/", maxsplit=1)[0]


def _read(path: Path) -> Any:
    # The loader is yaml's safe one, in C where it is there.
    return yaml.load(path.read_text(encoding="utf-8"), Loader=LOADER)  # noqa: S506


@cache
def _service(service: str) -> dict[str, dict[str, Any]]:
    path = HERE / "types" / f"{service}.yaml"
    return _read(path) if path.exists() else {}


@cache
def provider_types() -> dict[str, str]:
    """Token → `sdk` or `framework`, the library that implements the type."""
    return _read(HERE / "provider_types.yaml")


@cache
def _shapes() -> dict[str, dict[str, list[str]]]:
    return json.loads((HERE / "sdk_inputs.json").read_text(encoding="utf-8"))


@cache
def describe(token: str) -> Description:
    """What is known of a type; raises `Undescribed` where nothing is."""
    service = service_of(token)
    found, shape = _service(service).get(token), _shapes().get(token)
    if found is None:
        raise Undescribed(
            f"the sandbox does not know {token}: sandbox/aws/types/{service}.yaml would describe it"
        )
    if shape is None:
        raise Undescribed(
            f"the sandbox has no inputs and outputs of {token}: run `python -m sandbox.aws.sdk_inputs`"
        )
    library = provider_types().get(token)
    if library is None:
        raise Undescribed(
            f"the sandbox does not know the library of {token}: sandbox/aws/provider_types.yaml would say it"
        )
    known: dict[str, Any] = {k: v for k, v in found.items() if k != "global"} | shape
    return Description(token=token, framework=library == "framework", **known)


@cache
def is_global(token: str) -> bool:
    """Whether the type's names are one name space over all accounts, as buckets' are."""
    return bool(_service(service_of(token)).get(token, {}).get("global"))


def described() -> list[str]:
    """The tokens of `types/*.yaml`."""
    text = "".join(p.read_text(encoding="utf-8") for p in sorted(Path(__file__).parent.glob("types/*.yaml")))
    return sorted(re.findall(r"^(aws:[\w/]+:\w+):", text, re.MULTILINE))

"""What the schemas and service models say is known, fresh, and refused in AWS's words."""

import pytest

from sandbox.aws.input_rules import FILE, mapping, render
from sandbox.aws.input_validation import invalid_inputs, rules
from sandbox.aws.templates import UNKNOWN
from sandbox.aws.type_descriptions import described

KEY, ROLE, GROUP = "aws:kms/key:Key", "aws:iam/role:Role", "aws:lb/targetGroup:TargetGroup"
SERVICE, SECRET = "aws:ecs/service:Service", "aws:secretsmanager/secretVersion:SecretVersion"
MUST = "failed to satisfy constraint: Member must"

REFUSED = {
    "below the least value": (
        KEY,
        {"rotationPeriodInDays": 5},
        f"{MUST} have value greater than or equal to 90",
    ),
    "none of the values": (
        KEY,
        {"keyUsage": "NONSENSE"},
        f"{MUST} satisfy enum value set: [ENCAPSULATE_DECAPSULATE, ENCRYPT_DECRYPT",
    ),
    "not of the pattern": (ROLE, {"name": "a b"}, f"{MUST} satisfy regular expression pattern"),
    "too long": (KEY, {"description": "x" * 8193}, f"{MUST} have length less than or equal to 8192"),
    "too many": (
        SERVICE,
        {"tags": {f"k{i}": "v" for i in range(51)}},
        f"{MUST} have length less than or equal to 50",
    ),
    "of another kind": (GROUP, {"port": "https"}, "expected integer, got https"),
    "nested, out of range": (GROUP, {"healthCheck": {"interval": 4}}, "healthCheck.interval: Value '4'"),
    "nested, missing": (
        SERVICE,
        {"networkConfiguration": {}},
        "networkConfiguration.subnets: Missing required",
    ),
    "nested, unknown": (
        SERVICE,
        {"networkConfiguration": {"subnets": [], "hue": 1}},
        '"hue" is not expected here',
    ),
    "in a list": (
        SERVICE,
        {"capacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1001}]},
        "capacityProviderStrategies[0].weight: Value '1001'",
    ),
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_rules_are_those_of_the_installed_sources() -> None:
    assert FILE.read_text(encoding="utf-8") == render(), "stale: run `python -m sandbox.aws.input_rules`"


def test_every_mapped_type_is_described_and_every_described_type_has_rules() -> None:
    assert set(mapping()) - set(described()) == set()
    assert set(rules()["types"]) == set(described())


@pytest.mark.parametrize("case", sorted(REFUSED))
def test_what_the_sources_refuse_is_refused_in_their_words(case: str) -> None:
    token, given, words = REFUSED[case]
    found = list(invalid_inputs(token, given))
    assert [key for key, _ in found] == [next(iter(given))]
    assert words in found[0][1]


def test_what_is_not_known_yet_is_not_judged() -> None:
    given = {"name": UNKNOWN, "networkConfiguration": {"subnets": [UNKNOWN], "securityGroups": UNKNOWN}}
    assert list(invalid_inputs(SERVICE, given)) == []


def test_a_refusal_does_not_show_a_secret() -> None:
    found = list(invalid_inputs(SECRET, {"secretString": "canary" + "x" * 65_536}))
    assert len(found) == 1
    assert "Value '[secret]' at 'secretString'" in found[0][1]
    assert "canary" not in str(found)

"""A cell makes a repository for the images that it has none for yet, and keeps what is in its own."""

import json

import pytest

from devtools.mocks import Recording, run
from plan import CellPlan, parse_settings, plan_cell
from plan.services.services import ServicePlan
from tenants.models import Ledger, Registry
from tests.cells import values_of
from tests.components.edge_parts import Parts, statements

DIGEST = f"sha256:{'0' * 64}"
REGISTRY = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
OWN = f"{REGISTRY}/tenantry/dev/monolith@{DIGEST}"


def planned(image: str) -> CellPlan:
    registry = Registry(stack="dev", tenants=(), plans={}, ledger=Ledger())
    return plan_cell(parse_settings("dev", {**values_of("dev"), "monolithImage": image}), registry)


def monolith(image: str) -> ServicePlan:
    return planned(image).monolith


def made(image: str) -> Recording:
    return run(lambda: Parts(planned(image)).monolith())


@pytest.mark.parametrize(
    "image",
    [
        f"{REGISTRY}/monolith@{DIGEST}",
        f"{REGISTRY}/tenantry/prod/monolith@{DIGEST}",
        f"999900001111.dkr.ecr.eu-west-1.amazonaws.com/tenantry/dev/monolith@{DIGEST}",
        f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/tenantry/dev/monolith@{DIGEST}",
    ],
)
def test_the_repository_of_somebody_else_is_left_to_them(image: str) -> None:
    assert monolith(image).repository is None
    assert made(image).of("ecr/repository:Repository") == []


@pytest.mark.parametrize("image", ["none", OWN])
def test_the_cells_own_repository_stays_when_its_image_comes(image: str) -> None:
    recording = made(image)
    repository = recording.one("ecr/repository:Repository", "monolith-service-images-repository").inputs
    assert repository["name"] == "tenantry/dev/monolith"
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}
    (encryption,) = repository["encryptionConfigurations"]
    key = recording.one("kms/key:Key", "monolith-service-images-key")
    assert encryption == {
        "encryptionType": "KMS",
        "kmsKey": f"arn:aws:mock:eu-west-1:111122223333:{key.name}",
    }


def test_only_the_role_that_starts_tasks_pulls_from_it() -> None:
    policy = made(OWN).one("ecr/repositoryPolicy:RepositoryPolicy", "monolith-service-images-policy")
    (pull,) = statements(policy).values()
    assert pull["Principal"] == {
        "AWS": ["arn:aws:mock:eu-west-1:111122223333:monolith-service-task-execution-role"]
    }
    assert not [a for a in pull["Action"] if a.startswith(("ecr:Put", "ecr:Upload"))]


def test_no_image_that_a_tag_names_ever_expires() -> None:
    policy = made(OWN).one("ecr/lifecyclePolicy:LifecyclePolicy", "monolith-service-images-lifecycle")
    statuses = [r["selection"]["tagStatus"] for r in json.loads(policy.inputs["policy"])["rules"]]
    assert statuses == ["untagged"]


def test_before_there_is_an_image_there_is_all_but_what_would_run_it() -> None:
    before, after = made("none"), made(OWN)
    late = {(r.type, r.name) for r in after.resources} - {(r.type, r.name) for r in before.resources}
    kinds = {kind.rsplit(":", 1)[1] for kind, _ in late}
    assert kinds == {"Service", "TaskDefinition", "Parameter", "Scaling", "Target", "Policy", "MetricAlarm"}
    assert {(r.type, r.name) for r in before.resources} < {(r.type, r.name) for r in after.resources}

"""What was allowed a moment ago is refused once, as by AWS, of which not every part knows it yet."""

import json
import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from functions.common.aws_client import WAITS
from sandbox.aws.cloud import Cloud
from sandbox.cloud.store import FILE, Store
from sandbox.data_plane.endpoint.access import ROLE_POLICY
from sandbox.data_plane.execution_process import Caller
from sandbox.data_plane.executions import MACHINE
from sandbox.data_plane.service import Service
from sandbox.data_plane.state_interpreter import Refused
from tests.sandbox.live import ACCOUNT, REGION, Live, refused

TENANT, OTHER = "amber-pay", "birch-pay"


@pytest.fixture
def young(dev_cloud: Path, tmp_path: Path) -> Iterator[Live]:
    """The platform a moment after it was made, as functions find it."""
    shutil.copy2(dev_cloud, tmp_path / FILE)
    with closing(Service(tmp_path, propagates=True)) as service:
        yield Live(
            service.plane.folder,
            service.server,
            service.secret_store,
            Store(tmp_path / FILE, ACCOUNT, REGION),
        )


def written(live: Live) -> str:
    """The words with which the bootstrap function may not write a tenant's secret, none where it may."""
    secret = live.row("aws:secretsmanager/secret:Secret", f"{TENANT}-tenant-secrets-database")
    client = live.client("secretsmanager", "bootstrap")
    return refused(lambda: client.put_secret_value(SecretId=secret.id, SecretString="one"))


def listed(live: Live, tenant: str) -> str:
    """The same of a tenant that lists the objects of its bucket, or of another's."""
    bucket = f"tenantry-dev-t-{tenant}-{ACCOUNT}"
    return refused(lambda: live.client("s3", f"tenant-{TENANT}").list_objects_v2(Bucket=bucket))


def test_what_a_new_policy_allows_is_refused_at_first(young: Live) -> None:
    answers = [written(young) for _ in WAITS]
    assert "is not authorized to perform: secretsmanager:PutSecretValue" in answers[0]
    first = answers.index("")
    assert 0 < first < 4, answers
    assert set(answers[first:]) == {""}


def test_what_one_process_has_learnt_is_known_to_the_next(young: Live, tmp_path: Path) -> None:
    while written(young):
        pass
    with closing(Service(tmp_path, propagates=True)) as service:
        later = Live(service.plane.folder, service.server, service.secret_store, young.store)
        assert written(later) == ""


def test_what_the_policy_of_before_allows_is_allowed_while_it_changes(young: Live) -> None:
    while written(young):
        pass
    (row,) = (r for r in young.store.all(ROLE_POLICY) if r.inputs["role"] == "tenantry-dev-bootstrap")
    document = json.loads(row.inputs["policy"])
    document["Statement"].append({**document["Statement"][0], "Sid": "More"})
    changed = {**row.inputs, "policy": json.dumps(document)}
    Cloud(young.store, {}).update(ROLE_POLICY, row.id, row.urn, changed)
    assert written(young) == ""


def test_what_no_policy_allows_stays_refused(young: Live) -> None:
    while listed(young, TENANT):
        pass
    assert all(listed(young, OTHER) for _ in WAITS)


def test_the_role_of_a_state_machine_too_waits_for_its_policy(dev_cloud: Path, tmp_path: Path) -> None:
    """Its worker is a record only here, so that Lambda has nothing to run; but it is asked."""
    shutil.copy2(dev_cloud, tmp_path / FILE)
    store = Store(tmp_path / FILE, ACCOUNT, REGION)
    (machine,) = store.all(MACHINE)
    execution = {"role": machine.inputs["roleArn"], "machine": machine.id, "name": "move-1"}
    with closing(Service(tmp_path, propagates=True)) as service:
        caller, said = Caller(service, store, execution), list[str]()
        for _ in range(3):
            with pytest.raises(Refused, match="Exception: ") as refusal:
                caller.invoke("tenantry-dev-mover-worker", {})
            said.append(refusal.value.code)
    assert said[0] == "AccessDeniedException"
    assert "AccessDeniedException" not in said[1:]

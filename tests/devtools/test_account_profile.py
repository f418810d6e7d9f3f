"""A stack is not begun in new accounts of the sandbox whose quotas are not enough for it."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from devtools.account_profile import refuse_small_quotas
from devtools.paths import ToolchainError, UsageError
from sandbox.cloud.store import FILE, Store
from tests.cells import PROJECT

ACCOUNT, REGION = "111122223333", "eu-west-1"
FRESH: Mapping[str, str] = {"SANDBOX_PROFILE": "fresh"}
GRANTED = f"""\
function-concurrency: {{raised: {{{ACCOUNT}/{REGION}: 1000}}}}
fargate-vcpus: {{raised: {{{ACCOUNT}/{REGION}: 64}}}}
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return Path(shutil.copytree(PROJECT, tmp_path / "project"))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


def make_cloud(home: Path, monkeypatch: pytest.MonkeyPatch, profile: str) -> None:
    monkeypatch.setenv("SANDBOX_PROFILE", profile)
    Store(home / FILE, ACCOUNT, REGION).close()


def test_what_to_ask_for_is_listed_with_the_calls(project: Path, home: Path) -> None:
    with pytest.raises(ToolchainError, match="not enough; nothing was changed") as refused:
        refuse_small_quotas(project, home, "dev", FRESH)
    message = str(refused.value)
    for service, code, applied, needed in (
        ("lambda", "L-B99A9384", 10, 138),
        ("fargate", "L-3032A538", 6, 64),
    ):
        assert f"({applied} for account {ACCOUNT} in {REGION}, AWS 2026-11-29)" in message
        call = f"--service-code {service} --quota-code {code} --desired-value {needed} --region {REGION}"
        assert f"raised to {needed} (aws service-quotas request-service-quota-increase {call})" in message
    assert "tenantry:quotas: fresh in Pulumi.dev.yaml" in message
    assert not (home / FILE).exists()


def test_what_aws_has_granted_is_enough(project: Path, home: Path) -> None:
    (project / "tenants" / "quota-increases.yaml").write_text(GRANTED, "utf-8")
    refuse_small_quotas(project, home, "dev", FRESH)
    (project / "tenants" / "quota-increases.yaml").write_text(GRANTED.splitlines()[0], "utf-8")
    with pytest.raises(ToolchainError, match="more than the quota of Fargate vCPUs"):
        refuse_small_quotas(project, home, "dev", FRESH)


def test_accounts_in_use_are_not_asked(project: Path, home: Path) -> None:
    refuse_small_quotas(project, home, "dev", {})
    refuse_small_quotas(project, home, "dev", {"SANDBOX_PROFILE": "raised"})


def test_a_cloud_is_what_it_was_made_as(project: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_cloud(home, monkeypatch, "fresh")
    with pytest.raises(ToolchainError, match="L-B99A9384"):
        refuse_small_quotas(project, home, "dev", {})
    with pytest.raises(ToolchainError, match=r"SANDBOX_PROFILE=raised: the cloud in .* was made as fresh"):
        refuse_small_quotas(project, home, "dev", {"SANDBOX_PROFILE": "raised"})


def test_a_profile_that_there_is_not_is_refused_in_a_sentence(project: Path, home: Path) -> None:
    words = r"^SANDBOX_PROFILE: 'frsh' is not allowed; expected one of fresh, used, raised$"
    with pytest.raises(UsageError, match=words) as wrong:
        refuse_small_quotas(project, home, "dev", {"SANDBOX_PROFILE": "frsh"})
    assert wrong.value.status == 2

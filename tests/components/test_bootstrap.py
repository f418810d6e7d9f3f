"""The bootstrap function: what is shipped, and what it may do."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from components.common.function_code import FunctionCode, PackagingError, function_archive, function_files
from components.tenants.bootstrap import CODE
from devtools.mocks import Recording
from tests.components.parts import make_bootstrap, record


@cache
def made() -> Recording:
    return record(make_bootstrap)


def function() -> Mapping[str, Any]:
    return made().one("lambda/function:Function", "bootstrap-function").inputs


def statements() -> dict[str, dict[str, Any]]:
    policy = made().one("iam/rolePolicy:RolePolicy", "bootstrap-policy").inputs["policy"]
    return {s["Sid"]: s for s in json.loads(policy)["Statement"]}


def test_the_archive_is_sources_and_licences_in_a_fixed_order() -> None:
    files = function_files(CODE)
    assert list(files) == sorted(files)
    assert {Path(f).suffix for f in files} <= {".py", ".pem", ""}
    assert not [f for f in files if "__pycache__" in f or f.startswith(("/", ".."))]
    for distribution in CODE.distributions:
        folder = distribution.replace("-", "_")
        assert [f for f in files if f.startswith(folder) and "LICENSE" in f], distribution


def test_the_archive_is_what_the_engine_is_given() -> None:
    files = function_files(CODE)
    assert function()["code"] == {path: str(file) for path, file in files.items()}


def test_a_package_that_is_not_there_is_named_with_what_to_do() -> None:
    with pytest.raises(PackagingError, match=r"not-a-package is not installed here.*install the pinned"):
        function_archive(FunctionCode("tenant_bootstrap", ("not-a-package",)))


def test_a_package_with_anything_compiled_is_refused() -> None:
    with pytest.raises(PackagingError, match="grpcio is not pure Python"):
        function_archive(FunctionCode("tenant_bootstrap", ("grpcio",)))


def test_it_runs_inside_the_network_traced_encrypted_and_not_without_end() -> None:
    given = function()
    assert given["vpcConfig"] == {"subnetIds": ["subnet-a", "subnet-b"], "securityGroupIds": ["sg-fn"]}
    assert given["tracingConfig"] == {"mode": "Active"}
    assert given["architectures"] == ["arm64"]
    assert given["kmsKeyArn"].endswith(":bootstrap-key")
    assert given["deadLetterConfig"]["targetArn"].endswith("bootstrap-dead-letters")
    alarm = made().one("cloudwatch/metricAlarm:MetricAlarm", "bootstrap-dead-filled-alarm").inputs
    queue = made().one("sqs/queue:Queue", "bootstrap-dead-letters").inputs["name"]
    assert (alarm["dimensions"], alarm["threshold"]) == ({"QueueName": queue}, 0)
    assert given["reservedConcurrentExecutions"] > 0
    assert "SECRET" not in json.dumps(given["environment"]).upper()


def test_its_log_is_made_first_and_kept_as_an_audit() -> None:
    group = made().one("cloudwatch/logGroup:LogGroup", "bootstrap-logs").inputs
    assert function()["loggingConfig"] == {"logFormat": "JSON", "logGroup": group["name"]}
    assert group["retentionInDays"] >= 365


def test_it_has_its_rights_before_it_is_made() -> None:
    function_ = made().one("lambda/function:Function", "bootstrap-function")
    assert any("rolePolicy:RolePolicy::bootstrap-policy" in d for d in function_.dependencies)


def test_it_may_name_everything_only_where_aws_offers_no_resource() -> None:
    allowed = {sid: s for sid, s in statements().items() if s["Effect"] == "Allow"}
    assert {sid for sid, s in allowed.items() if s["Resource"] == ["*"]} == {"Trace", "LookAround"}
    assert not [a for s in statements().values() for a in s["Action"] if "*" in a]


def test_its_code_is_refused_what_lambda_does_with_its_role() -> None:
    denied = statements()["LeaveTheNetworkAlone"]
    assert denied["Effect"] == "Deny"
    allowed = [statements()[sid]["Action"] for sid in ("StandInTheNetwork", "LookAround")]
    assert denied["Action"] == [a for those in allowed for a in those]
    assert denied["Resource"] == ["*"]
    arn = f"arn:aws:lambda:eu-west-1:111122223333:function:{function()['name']}"
    assert denied["Condition"] == {"ArnEquals": {"lambda:SourceFunctionArn": arn}}


def test_it_keeps_secrets_of_this_cell_only() -> None:
    secret = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
    assert statements()["KeepTenantsSecrets"]["Resource"] == [
        f"{secret}tenantry/dev/tenants/*/database-*",
        f"{secret}tenantry/dev/tenants/*/webhook-*",
    ]
    assert statements()["ReadMasterSecretsOfTenantsDatabases"]["Resource"] == [
        f"{secret}tenantry/dev/databases/shard-*/master-*",
        f"{secret}tenantry/dev/databases/silo*-*/master-*",
    ]
    managed = statements()["ReadMasterSecretsThatRdsKeeps"]
    assert managed["Condition"]["ArnLike"] == {
        "aws:ResourceTag/aws:rds:primaryDBInstanceArn": [
            "arn:aws:rds:eu-west-1:111122223333:db:tenantry-dev-shard-*",
            "arn:aws:rds:eu-west-1:111122223333:db:tenantry-dev-silo*-*",
        ]
    }
    writes = {sid for sid, s in statements().items() if "secretsmanager:PutSecretValue" in s["Action"]}
    assert writes == {"KeepTenantsSecrets"}


def test_it_uses_keys_for_secrets_of_this_cell_only() -> None:
    keys = statements()["UseTheKeysOfTheseSecrets"]
    assert keys["Action"] == ["kms:Decrypt", "kms:GenerateDataKey"]
    assert keys["Condition"] == {
        "StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"},
        "ForAnyValue:StringLike": {"kms:ResourceAliases": "alias/tenantry/dev/*"},
    }


def test_secrets_manager_of_this_account_may_call_it_to_rotate() -> None:
    (permission,) = made().of("lambda/permission:Permission")
    assert permission.inputs["principal"] == "secretsmanager.amazonaws.com"
    assert permission.inputs["sourceAccount"] == "111122223333"


def test_its_role_is_bounded() -> None:
    role = made().one("iam/role:Role", "bootstrap-role").inputs
    assert role["permissionsBoundary"] == "arn:boundary"
    trust = json.loads(role["assumeRolePolicy"])["Statement"]
    assert [s["Principal"] for s in trust] == [{"Service": ["lambda.amazonaws.com"]}]

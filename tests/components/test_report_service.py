"""The report service: its queue, its bucket, its readers, its way to the monolith."""

import json

import pytest

from tests.components.edge_parts import KEY, cell, container, environment, services, statements

QUEUES = ("reports-jobs-queue", "reports-jobs-dead")


def test_failed_jobs_go_to_a_queue_that_keeps_them_longer() -> None:
    recording = services("dev")
    queue, dead = (recording.one("sqs/queue:Queue", n).inputs for n in QUEUES)
    redrive = json.loads(queue["redrivePolicy"])
    assert redrive == {
        "deadLetterTargetArn": "arn:aws:mock:eu-west-1:111122223333:reports-jobs-dead",
        "maxReceiveCount": 5,
    }
    assert dead["messageRetentionSeconds"] > queue["messageRetentionSeconds"]
    allowed = json.loads(dead["redriveAllowPolicy"])
    assert allowed == {
        "redrivePermission": "byQueue",
        "sourceQueueArns": [f"arn:aws:sqs:eu-west-1:111122223333:{queue['name']}"],
    }


@pytest.mark.parametrize("name", QUEUES)
def test_queues_are_encrypted_and_refuse_plain_text(name: str) -> None:
    recording = services("dev")
    queue = recording.one("sqs/queue:Queue", name).inputs
    assert queue["kmsMasterKeyId"] == KEY
    policy = recording.one("queuePolicy:QueuePolicy", f"{name}-policy")
    denied = statements(policy)["TlsOnly"]
    assert (denied["Effect"], denied["Principal"]) == ("Deny", "*")
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert denied["Resource"] == [f"arn:aws:sqs:eu-west-1:111122223333:{queue['name']}"]


def test_a_job_is_seen_again_only_after_the_longest_report() -> None:
    queue = services("dev").one("sqs/queue:Queue", "reports-jobs-queue").inputs
    assert queue["visibilityTimeoutSeconds"] >= 45 * 2


def test_old_and_failed_jobs_are_told_of() -> None:
    alarms = {a.name: a.inputs for a in services("dev").of("metricAlarm:MetricAlarm") if "-jobs-" in a.name}
    assert {(a["metricName"], a["dimensions"]["QueueName"]) for a in alarms.values()} == {
        ("ApproximateAgeOfOldestMessage", "tenantry-dev-reports"),
        ("ApproximateNumberOfMessagesVisible", "tenantry-dev-reports-dead"),
    }
    assert all(a["alarmActions"] for a in alarms.values())


def test_it_grows_with_the_jobs_that_wait_for_each_task() -> None:
    policy = services("dev").one("appautoscaling/policy:Policy", "reports-backlog").inputs
    found = policy["targetTrackingScalingPolicyConfiguration"]
    metrics = {m["id"]: m for m in found["customizedMetricSpecification"]["metrics"]}
    assert [k for k, m in metrics.items() if m["returnData"]] == ["backlog"]
    assert metrics["backlog"]["expression"] == "visible / running"
    names = {k: m["metricStat"]["metric"]["metricName"] for k, m in metrics.items() if "metricStat" in m}
    assert names == {"visible": "ApproximateNumberOfMessagesVisible", "running": "RunningTaskCount"}
    assert policy["resourceId"] == "service/tenantry-dev-services/tenantry-dev-reports"


def test_readers_and_writer_are_kept_apart() -> None:
    found = environment(services("dev", replicas=2), "reports")
    readers = found["DATABASE_READER_HOSTS"].split(",")
    assert len(readers) == 2
    assert all("reader" in host for host in readers)
    assert found["DATABASE_WRITER_HOST"] not in readers


def test_without_readers_the_writer_is_asked() -> None:
    found = environment(services("dev", replicas=0), "reports")
    assert found["DATABASE_READER_HOSTS"] == found["DATABASE_WRITER_HOST"]


def test_it_shows_its_own_certificate_to_the_monolith_and_checks_the_monolith_s() -> None:
    recording = services("dev")
    secrets = {s["name"]: s["valueFrom"] for s in container(recording, "reports")["secrets"]}
    assert "reports-client" in secrets["MONOLITH_CLIENT"]
    assert "reports-server" in secrets["TLS_SERVER"]
    found = environment(recording, "reports")
    assert found["MONOLITH_URL"] == f"https://{cell().monolith.host}"
    assert "cert-ca-root" in found["MONOLITH_TRUST_BUNDLE"]


def test_its_listener_has_a_public_certificate_and_answers_the_api_only() -> None:
    recording = services("dev")
    listener = recording.one("lb/listener:Listener", "reports-service-front-listener").inputs
    assert listener["certificateArn"].endswith("certificate/origin")
    assert listener["mutualAuthentication"] == {"mode": "passthrough"}
    routes = {}
    for rule in (r for r in recording.of("listenerRule:ListenerRule") if r.name.startswith("reports")):
        found = {k: v["values"] for c in rule.inputs["conditions"] for k, v in c.items()}
        assert sum(map(len, found.values())) <= 5  # ALB quota: condition values per rule
        routes[tuple(found["httpRequestMethod"])] = set(found["pathPattern"])
    assert routes == {
        ("POST",): {"/reports", "/v1/reports"},
        ("GET",): {"/reports", "/v1/reports", "/reports/*", "/v1/reports/*"},
    }


def test_its_bucket_is_private_encrypted_and_forgets() -> None:
    recording = services("prod")
    bucket = recording.one("s3/bucket:Bucket", "reports-work-bucket")
    assert bucket.protect
    encryption = recording.one("BucketServerSideEncryptionConfiguration", "reports-work-encryption").inputs
    assert KEY in json.dumps(encryption)
    rules = recording.one("BucketLifecycleConfiguration", "reports-work-lifecycle").inputs["rules"]
    assert [r["expiration"]["days"] for r in rules if "expiration" in r] == [cell("prod").reports.bucket_days]


def test_its_code_reaches_its_own_queue_bucket_secret_and_key() -> None:
    found = statements(services("dev").one("rolePolicy:RolePolicy", "reports-service-task-policy"))
    assert found["WorkTheQueue"]["Resource"] == ["arn:aws:sqs:eu-west-1:111122223333:tenantry-dev-reports"]
    assert found["WorkInTheBucket"]["Resource"] == ["arn:aws:s3:::tenantry-dev-reports-111122223333/*"]
    assert found["UseTheKey"]["Resource"][0] == KEY  # the other is the webhooks' queue's
    assert "sqs:PurgeQueue" not in found["WorkTheQueue"]["Action"]
    assert len(json.dumps(list(found.values()))) < 10_240  # inline policies of one role together


def test_it_knows_the_one_certificate_that_the_api_shows() -> None:
    recording = services("dev")
    made = recording.one("clientCertificate:ClientCertificate", "reports-gateway-certificate")
    assert environment(recording, "reports")["GATEWAY_CERTIFICATE"] == f"pem-of-{made.name}"

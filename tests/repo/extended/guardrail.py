"""The guardrail refuses its bad example, passes its good one and the platform, and serves its controls."""

from devtools.generators.controls import PAGE
from policies.examples import plan_of
from policies.inventory import BY_ID
from policies.judge import judge, look
from policies.model import Outcome
from tests.policies.plans import changed, committed

ID, QUEUE = "queue-keeps-messages", "reports-jobs-queue"


if __name__ == "__main__":
    rule = BY_ID[ID]
    (good, fine), (bad, short) = plan_of(rule.good), plan_of(rule.bad)
    assert look(rule, fine, good).outcome is Outcome.PASS
    refused = look(rule, short, bad)
    assert (refused.outcome, refused.why) == (
        Outcome.FAIL,
        "messageRetentionSeconds is 3600, expected at least 345600",
    )
    found = judge(committed("prod"))
    assert found.passed[ID] > 0
    assert ID not in {f.rule.id for f in found.findings}
    worse = judge(changed(committed("prod"), "sqs/queue:Queue", QUEUE, {"messageRetentionSeconds": 60}))
    assert [f.resource.name for f in worse.findings if f.rule.id == ID and f.stops] == [QUEUE]
    served = [line for line in PAGE.read_text("utf-8").splitlines() if f"rule `{ID}`" in line]
    assert len(served) == len(rule.controls)

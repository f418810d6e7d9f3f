"""The OpenTelemetry collector beside each service: what it accepts, where it sends, what it may use."""

import json
import re
from dataclasses import dataclass
from typing import Final

from plan.settings import NOWHERE, Settings

COLLECTOR: Final = "collector"
OTLP_PORT: Final = 4318  # OTLP over HTTP, on the loopback that the containers of a task share
ENDPOINT: Final = f"http://127.0.0.1:{OTLP_PORT}"
CPU: Final = 128  # units of the task's
MEMORY: Final = 256  # MiB of the task's, at most; the collector is told to stay below
# AWS Distro for OpenTelemetry reads its configuration from here (ADOT documentation, "ECS", 2026-11).
CONFIG_VARIABLE: Final = "AOT_CONFIG_CONTENT"
# AWS offers no resource for these (service authorization reference, 2026-11).
XRAY_ACTIONS: Final = (
    *("xray:PutTraceSegments", "xray:PutTelemetryRecords"),
    *("xray:GetSamplingRules", "xray:GetSamplingTargets"),
)
_REPOSITORY: Final = re.compile(r"(\d{12})\.dkr\.ecr\.([a-z0-9-]+)\.amazonaws\.com/([^@]+)@")


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectorPlan:
    """A second container of a task. The service lives on without it."""

    image: str  # by digest
    region: str
    user: str = "10001:10001"
    cpu: int = CPU
    memory: int = MEMORY

    @property
    def repository_arn(self) -> str:
        account, region, name = _REPOSITORY.findall(self.image)[0]
        return f"arn:aws:ecr:{region}:{account}:repository/{name}"

    @property
    def config(self) -> str:
        """Traces in by OTLP from the task itself, out to X-Ray; JSON, which is YAML."""
        return json.dumps(
            {
                "receivers": {"otlp": {"protocols": {"http": {"endpoint": f"127.0.0.1:{OTLP_PORT}"}}}},
                "processors": {
                    "memory_limiter": {"check_interval": "1s", "limit_mib": self.memory * 3 // 4},
                    "batch": {"timeout": "5s"},
                },
                "exporters": {"awsxray": {"region": self.region}},
                "service": {
                    "pipelines": {
                        "traces": {
                            "receivers": ["otlp"],
                            "processors": ["memory_limiter", "batch"],
                            "exporters": ["awsxray"],
                        }
                    }
                },
            },
            sort_keys=True,
        )


def plan_collector(settings: Settings) -> CollectorPlan | None:
    """None where nothing is traced."""
    if settings.collector_image == NOWHERE:
        return None
    return CollectorPlan(image=settings.collector_image, region=settings.region)

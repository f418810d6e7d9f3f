"""Lines of the log that CloudWatch makes metrics of."""

import json
import os
import time
from collections.abc import Mapping, Sequence
from typing import Any


def metric_line(
    namespace: str, metric: str, value: int, about: Mapping[str, Any], by: Sequence[str] = ("Cell",)
) -> str:
    """One count, with what there is to know about it; `by` are its dimensions, which `about` says.

    CloudWatch User Guide, "Specification: Embedded metric format", 2026-11.
    """
    metrics = {
        "Namespace": namespace,
        "Dimensions": [list(by)],
        "Metrics": [{"Name": metric, "Unit": "Count"}],
    }
    return json.dumps(
        {
            "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metrics]},
            "Cell": os.environ.get("CELL", ""),
            metric: value,
            **about,
        }
    )

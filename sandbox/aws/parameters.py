"""Parameters of Parameter Store, whether a program or a function made them (SSM API reference, 2026-11)."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.cloud.store import Row, Store

PARAMETER: Final = "aws:ssm/parameter:Parameter"
AT_RUNTIME: Final = ""  # the URN of what a function made, which no state knows


def parameters_below(store: Store, path: str, *, recursive: bool) -> Sequence[Row]:
    """In the order of their names; without `recursive` only those directly below the path."""
    start = path.rstrip("/") + "/"
    below = [r for r in store.all(PARAMETER) if str(r.outputs["name"]).startswith(start)]
    wanted = [r for r in below if recursive or "/" not in str(r.outputs["name"]).removeprefix(start)]
    return sorted(wanted, key=lambda r: str(r.outputs["name"]))


def value_of(row: Row) -> Any:
    return row.inputs.get("insecureValue", row.inputs.get("value"))


def put_parameter(store: Store, name: str, value: str) -> int:
    """Make or overwrite a parameter as a function does; its version. What else is known of one that a program
    made, as its tags, stays.
    """
    with store.change():
        arn = f"arn:aws:ssm:{store.region}:{store.account}:parameter{name}"
        made = {"name": name, "type": "String", "value": value}
        new = Row(PARAMETER, name, AT_RUNTIME, made, {**made, "arn": arn, "version": 0, "dataType": "text"})
        before = store.get(PARAMETER, name) or new
        version = int(before.outputs.get("version") or 1) + 1 if before is not new else 1
        outputs = {**_with_value(before.outputs, value), "version": version}
        store.put(
            Row(PARAMETER, name, before.urn, _with_value(before.inputs, value), outputs), handles=(name, arn)
        )
    return version


def _with_value(values: Mapping[str, Any], value: str) -> dict[str, Any]:
    return {**values, **{key: value for key in ("value", "insecureValue") if key in values}}


def delete_parameter(store: Store, name: str) -> bool:
    """Whether there was one."""
    with store.change():
        there = store.get(PARAMETER, name) is not None
        if there:
            store.remove(PARAMETER, name)
    return there

"""Tables that cfn-lint has beside the schemas: which values go together, by engine and Region."""

from typing import Any, Final

from sandbox.aws.sources.cfn import extension

ENGINE: Final = "postgres"


def all_tables() -> dict[str, Any]:
    return {
        "fargate": _fargate(),
        "postgres_versions": _versions(),
        "postgres_classes": _classes(),
    }


def _fargate() -> dict[str, list[int]]:
    """CPU units → the memory that goes with them, in MiB."""
    pairs = extension("aws_ecs_taskdefinition/fargate_cpu_memory")["then"]["anyOf"]
    found: dict[str, list[int]] = {}
    for pair in pairs:
        cpu, memory = (pair["properties"][k]["then"] for k in ("Cpu", "Memory"))
        for units in cpu["enum"]:
            found[str(units)] = _amounts(memory)
    return found


def _amounts(memory: dict[str, Any]) -> list[int]:
    if "enum" in memory:
        return sorted(int(m) for m in memory["enum"])
    return list(range(memory["minimum"], memory["maximum"] + 1, memory["multipleOf"]))


def _versions() -> list[str]:
    return sorted(_of_engine(extension("aws_rds_dbinstance/engine_version"), "EngineVersion"))


def _classes() -> dict[str, list[str]]:
    """Region → instance classes; what every Region has stands under `all`."""
    found = extension("aws_rds_dbinstance/dbinstanceclass_enum")
    by_region = {r: set(_of_engine(rules, "DBInstanceClass")) for r, rules in found.items()}
    first, *others = by_region.values()
    common = first.intersection(*others)
    return {"all": sorted(common), **{r: sorted(c - common) for r, c in sorted(by_region.items())}}


def _of_engine(rules: dict[str, Any], name: str) -> list[str]:
    """The values that the rules of the engine allow, of each licence."""
    return [
        value
        for rule in rules["allOf"]
        if ENGINE in _engines(rule["if"]["properties"].get("Engine", {}))
        for value in rule["then"]["properties"].get(name, {}).get("enum", [])
    ]


def _engines(engine: dict[str, Any]) -> list[str]:
    return engine.get("enum", [engine.get("const")])

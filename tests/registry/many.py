"""Projects with many registries, for what must not depend on their number."""

from pathlib import Path

from tenants.allocation import extend
from tenants.cell import read_cell
from tenants.entries import entry_text
from tenants.files import ledger_file, registry_file
from tenants.ledger import render_ledger
from tenants.models import Ledger
from tenants.project import Project
from tests.cells import PROJECT
from tests.registry.project import BASE
from tests.strategies import DAY

FROM_THE_PROJECT = (
    "Pulumi.yaml",
    "tenants/plans.yaml",
    "tenants/quotas.yaml",
    "tenants/quota-increases.yaml",
)


def values(number: int, host: str) -> dict[str, object]:
    """A tenant's fields: of ten, eight in the pool, one in a silo, one in a network of its own."""
    found: dict[str, object] = {
        "name": f"Tenant {number} of {host}",
        "isolation": "pool" if number % 10 < 8 else "silo",
        **({"network": "dedicated"} if number % 10 == 9 and number < 30 else {}),
        "residency": "eu",
        "plan": "standard",
        "contacts": {"email": f"ops@{host}.example"},
        **({"tags": {"segment": "banking"}, "key_rotation_days": 180} if number % 10 == 3 else {}),
        "since": "2026-03-01",
    }
    if number % 2:
        found["contacts"] = {
            "email": f"ops@{host}.example",
            "webhook": f"https://hooks.{host}.example/tenantry",
        }
    return found


def many(root: Path, stacks: int, tenants: int) -> Path:
    """`stacks` cells of `tenants` tenants, all placed; each cell in an account and addresses of its own."""
    (root / "tenants" / "ledger").mkdir(parents=True)
    for name in FROM_THE_PROJECT:
        (root / name).write_bytes((PROJECT / name).read_bytes())
    base = (
        (BASE / "Pulumi.dev.yaml")
        .read_text("utf-8")
        .replace("zones:", "natPerZone: false\n  tenantry:zones:")
    )
    for n in range(stacks):
        text = base.replace("111122223333", f"{10**11 + n:012d}")
        text = text.replace("10.16.0.0/16", f"10.{n}.0.0/18").replace("10.64.0.0/20", f"10.{n}.128.0/17")
        (root / f"Pulumi.c{n:03d}.yaml").write_text(text, "utf-8")
        ids = [f"c{n:03d}-t{t:02d}-pay" for t in range(tenants)]
        entries = "".join(entry_text(i, values(t, i)) for t, i in enumerate(ids))
        registry_file(root, f"c{n:03d}").write_text(entries, "utf-8")
        ledger_file(root, f"c{n:03d}").write_text(render_ledger(Ledger(), f"c{n:03d}"), "utf-8")
    project = Project(root)
    for stack in project.stacks:
        cell, findings = read_cell(root, stack)
        assert cell is not None, findings
        ledger = extend(Ledger(), project.entries(stack)[0].models.values(), cell, DAY)
        ledger_file(root, stack).write_text(render_ledger(ledger, stack), "utf-8")
    return root

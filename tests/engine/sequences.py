"""What is done to a stack in a test of sequences, and how a person brings it back at the end.

The stack has few tenants and is deployed once; each sequence works on a copy. Checkpoints are on, as against
AWS: what a killed run leaves is what it would leave there.
"""

import re
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

import yaml

from cli.sandbox.psql import login
from devtools.environment import FAST
from devtools.orphaned_resources import orphaned_urns
from sandbox.aws.cloud import GLOBAL
from sandbox.data_plane.service import SWITCH, Service
from sandbox.faults.plan import VARIABLE
from tenants.entries import entry_text, values_of
from tenants.ledger import parse_ledger
from tenants.lifecycle.registry_changes import TransitionOptions
from tenants.models import Ledger, Tenant
from tenants.phases import Phase, transition_by
from tenants.registry_files import read_tenants
from tests.engine.invariants import assert_invariants
from tests.engine.workspace import Run, Workspace
from tests.strategies import World, committed_cell, take_step

KEPT: Final = ("amber-pay", "birch-lending")
ROWS: Final = (
    "CREATE TABLE kept (id int PRIMARY KEY, said text)",
    "INSERT INTO kept SELECT n, current_user || n FROM generate_series(1, 100) n",
    "SELECT id, said FROM kept ORDER BY id",
)
DAY: Final = r"\b\d{4}-\d\d-\d\d\b"
RECORDED: Final = "accepted"  # what an invocation answers where databases are a record only
READ: Final = ROWS[-1]
DRIFTS: Final = {  # type → what a hand in the console changes; None deletes it
    "aws:rds/instance:Instance": {"backupRetentionPeriod": 9},
    "aws:ssm/parameter:Parameter": None,
    "aws:cloudwatch/metricAlarm:MetricAlarm": {"threshold": 12345},
}


class Sequence:
    """One stack from its first deployment to its last, whatever is done to it meanwhile."""

    def __init__(self, home: Path, *, live: bool = False) -> None:
        """`home` holds a copy of a deployed stack. `live`: its databases run, and get rows."""
        self.live = live
        self.space = Workspace(home, "dev")
        self.space.env[SWITCH] = "1" if live else "0"
        for key in FAST:
            self.space.env.pop(key, None)
        cell = committed_cell("dev")
        read, findings = read_tenants(self.space.registry.read_text(encoding="utf-8"), "dev")
        assert not findings
        self.world = World(cell, tuple(read.models.values()), self.ledger, date.today())
        if live:
            Service(self.space.sandbox).start(None, make=False)
        self.rows = {id_: self._as_tenant(id_, *ROWS) for id_ in KEPT} if live else {}

    def close(self) -> None:
        if self.live:
            Service(self.space.sandbox).remove_servers()

    @property
    def ledger(self) -> Ledger:
        found, findings = parse_ledger(
            self.space.ledger.read_text(encoding="utf-8"), "dev", committed_cell("dev").parent
        )
        assert not findings
        return found

    # -- what is done to it

    def write(self, world: World) -> None:
        """Write the registry; the ledger is the run's to write."""
        self.world = world
        self.space.registry.write_text(registry_text(world.entries), encoding="utf-8")

    def wait(self, days: int) -> None:
        """The world's day stays, since a run asks the clock: all that the ledger remembers grows older."""
        text = self.space.ledger.read_text(encoding="utf-8")
        aged = re.sub(DAY, lambda d: str(date.fromisoformat(d[0]) - timedelta(days=days)), text)
        self.space.ledger.write_text(aged, encoding="utf-8")
        self.world = replace(self.world, ledger=self.ledger)

    def step(self, id_: str, event: str, *faults: Mapping[str, Any], **wish: Any) -> Run:
        """The next stage of a tenant's life, and a run that may go wrong."""
        tenant = next(t for t in self.world.entries if t.id == id_)
        arrow = transition_by(event, tenant.phase)
        assert arrow
        self.write(take_step(self.world, id_, arrow, TransitionOptions(**wish)))
        return self.up(*faults)

    def up(self, *faults: Mapping[str, Any], refresh: bool = False) -> Run:
        if faults:
            self.space.env[VARIABLE] = yaml.safe_dump({"seed": 1, "faults": [dict(f) for f in faults]})
        run = self.space.pulumi("up", "--yes", "--skip-preview", *(["--refresh"] if refresh else []))
        self.space.env.pop(VARIABLE, None)
        self.world = replace(self.world, ledger=self.ledger)
        return run

    def recover(self) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "recovery", "recover", "dev"],
            cwd=self.space.project,
            env=self.space.env,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        result = done.stdout + done.stderr
        self.space.outputs_seen.append(result)
        assert done.returncode in (0, 3), result
        return result

    def drift(self, kind: str) -> None:
        """A change by hand, if there is anything of the kind."""
        cloud = self.space.cloud()
        rows = [r for r in cloud.all(kind) if r.urn.startswith("urn:pulumi:dev::")]
        change = DRIFTS[kind]
        if rows and change is None:
            with cloud.change():
                cloud.remove(kind, rows[0].id)
        elif rows:
            with cloud.change():
                new = replace(
                    rows[0], inputs={**rows[0].inputs, **change}, outputs={**rows[0].outputs, **change}
                )
                cloud.put(new)

    # -- how it ends

    def converge(self) -> None:
        """What a person does at the end; then nothing is left to change and every invariant holds."""
        self.recover()
        self.delete_orphans()
        run = self.up(refresh=True)
        assert run.status == 0, run.output
        preview = self.space.preview()
        assert (preview.status, preview.changes) == (0, ()), preview.output
        outputs = self.space.outputs()
        assert set(outputs["tenants"]) == {t.id for t in self.world.entries if t.phase.row.placed}
        stages = {t.id: str(t.move.stage) if self.live else RECORDED for t in self.world.entries if t.move}
        shown = outputs["moves"].items()
        assert {id_: answer["stage"] if self.live else answer for id_, answer in shown} == stages
        for id_ in self.rows.keys() & {t.id for t in self.world.entries if t.state is Phase.ACTIVE}:
            assert self._as_tenant(id_, READ) == self.rows[id_], f"rows of {id_}"
        assert_invariants(self.space)

    def _as_tenant(self, id_: str, *statements: str) -> Any:
        """Rows of the last statement, in a session of the tenant's own."""
        service = Service(self.space.sandbox)
        found = login(service, id_, "dev")
        secret = found.secret
        server = service.instances.cluster(found.instance)
        with closing(server.connect(secret["username"], secret["password"], secret["dbname"])) as session:
            return [session.run(s) for s in statements][-1]

    def where(self, id_: str) -> str:
        """The instance to which a tenant's secret leads."""
        return login(Service(self.space.sandbox), id_, "dev").instance.name

    def delete_orphans(self) -> None:
        """What nobody can look up is reported, and a person deletes it."""
        reported = set(orphaned_urns("dev", self.space.env))
        recorded = {(r["type"], r.get("id")) for r in self.space.state()}
        cloud = self.space.cloud()
        with cloud.change():
            for row in self.space.everything():
                if row.urn in reported and (row.type, row.id) not in recorded:
                    cloud.remove(row.type, row.id)
                    cloud.remove(row.type, row.id, GLOBAL)


def registry_text(entries: tuple[Tenant, ...]) -> str:
    return "\n".join(entry_text(t.id, values_of(t)) for t in entries)

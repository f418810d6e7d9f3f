"""The cell: connects all components by outputs. The only module that knows all of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pulumi
import pulumi_aws as aws
from pulumi import Output, ResourceOptions

from components.account.baseline import AccountBaseline, AccountBaselineArgs
from components.common.key import EncryptionKey, EncryptionKeyArgs
from components.data.backup_vault import BackupVault, BackupVaultArgs
from components.data.cell_data import CellData, CellDataArgs
from components.data.database_copy import CopyPlace
from components.edge.edge import Edge, EdgeArgs
from components.edge.public_certificate import PublicCertificate, PublicCertificateArgs
from components.network.dns import PrivateZone, PrivateZoneArgs
from components.network.network import Network, NetworkArgs
from components.operations.dashboard import Dashboard, DashboardArgs
from components.operations.keep_active import KeepActive, KeepActiveArgs
from components.operations.protected_check import ProtectedCheck, ProtectedCheckArgs
from components.operations.session_watch import SessionWatch, SessionWatchArgs
from components.services.cluster import Cluster, ClusterArgs
from components.services.fargate_service import task_role
from components.services.monolith import Monolith, MonolithArgs
from components.services.private_ca import PrivateCa, PrivateCaArgs
from components.services.report_service import ReportService, ReportServiceArgs
from components.services.revision import read_revision_records
from components.tenants.bootstrap import Bootstrap, BootstrapArgs
from components.tenants.lifecycle_calls import read_call_records
from components.tenants.lifecycle_machine import LifecycleMachine, LifecycleMachineArgs
from components.tenants.offboarding_evidence import OffboardingEvidence, OffboardingEvidenceArgs
from components.tenants.tenant_mover import MOVER
from components.tenants.tenant_offboarder import LEAVER
from components.tenants.tenant_offboarding import TenantOffboarding, TenantOffboardingArgs
from components.tenants.tenant_rekeyer import REKEYER
from components.tenants.tenant_stack import TenantStack, TenantStackArgs
from components.tenants.tenant_worker import TenantWorker, TenantWorkerArgs, WorkerKind, Workers
from plan import CellPlan
from plan.account.baseline import duties
from plan.services.services import FunctionPlan
from plan.tenants.offboarding import LeavingPlan
from plan.tenants.tenant import TenantPlan
from tenants.phases import Phase


class Platform(pulumi.ComponentResource):
    """One cell of the platform. Tenants hang from it as siblings that never name one another."""

    exports: Mapping[str, Any]

    def __init__(self, name: str, plan: CellPlan) -> None:
        super().__init__("tenantry:cell:Platform", name, None, _through(plan))
        self._plan, self._child = plan, ResourceOptions(parent=self)
        baseline = self._make_baseline()
        self._shared = baseline.shared.for_cell(plan.settings)
        self._network = Network(
            "cell", NetworkArgs(plan=plan.network, paths=plan.paths, shared=self._shared), self._child
        )
        # Made before what they may use, so that keys and tenants' roles can name them.
        self._roles = {
            p.name: task_role(f"{p.name}-task-role", p, self._shared, self._child)
            for p in (plan.monolith, plan.reports)
        }
        self._data = self._make_data()
        self._reports = self._make_services()
        self._edge = self._make_edge(self._reports)
        self._records = read_call_records(self._shared, self)
        self._bootstrap = self._make_bootstrap()
        self._machine = LifecycleMachine(
            "lifecycle",
            LifecycleMachineArgs(
                plan=plan.lifecycle,
                subnet_ids=self._network.subnet_ids[plan.lifecycle.starter_segment],
                group_id=self._network.group_ids[plan.lifecycle.starter_group],
                shared=self._shared,
            ),
            self._child,
        )
        self._workers = self._make_workers()
        self._keep_active()
        self._watch_sessions()
        self._protected_check = ProtectedCheck(
            "protected-columns",
            ProtectedCheckArgs(
                plan=plan.protected_check,
                function_arn=self._bootstrap.function_arn,
                shared=self._shared,
            ),
            self._child,
        )
        self._evidence = OffboardingEvidence(
            "evidence",
            OffboardingEvidenceArgs(writer_role_arn=self._workers.leaver.role_arn, shared=self._shared),
            self._child,
        )
        self._leaving: dict[str, TenantOffboarding] = {}
        tenants = {t.id: self._make_tenant(t) for t in plan.tenants}
        for step in plan.leaving:
            if step.tenant not in self._leaving:
                self._leave(step, tenancy=tenants.get(step.tenant))
        self.exports = {
            "api": self._edge.url,
            "breakGlassRole": baseline.break_glass_role_arn,
            "tenants": {id_: tenant.summary for id_, tenant in tenants.items()},
            "moves": {id_: tenant.moved for id_, tenant in tenants.items() if tenant.moved},
            "keys": {id_: t.tenant.rekeyed for id_, t in tenants.items() if t.tenant.rekeyed},
            "leaving": {id_: step.told for id_, step in sorted(self._leaving.items())},
        }
        if self._repositories:  # the cell's own, to push images to
            self.exports["repositories"] = self._repositories
        self.register_outputs(self.exports)

    def _make_baseline(self) -> AccountBaseline:
        plan = self._plan
        return AccountBaseline(
            "baseline",
            AccountBaselineArgs(
                settings=plan.settings,
                names=plan.names,
                duties=duties(plan.settings),
                deployment=plan.deployment,
            ),
            self._child,
        )

    def _make_data(self) -> CellData:
        """The cell's databases, and the vault of their backups where the settings ask for one."""
        plan, shared = self._plan, self._shared
        data = CellData(
            "data",
            CellDataArgs(
                plan=plan,
                network=self._network,
                monolith_role_arn=self._roles[plan.monolith.name].arn,
                reports_role_arn=self._roles[plan.reports.name].arn,
                copies=self._copy_place(),
                shared=shared,
            ),
            self._child,
        )
        if plan.vault:
            BackupVault("backup", BackupVaultArgs(plan=plan.vault, shared=shared), self._child)
        return data

    def _copy_place(self) -> CopyPlace | None:
        there = self._plan.copies
        if there is None:
            return None
        return CopyPlace(there, _provider("aws-copies", there.region, self._plan, self._child))

    def _make_services(self) -> ReportService:
        plan, shared = self._plan, self._shared
        cluster = Cluster("cluster", ClusterArgs(shared=shared), self._child)
        revisions = read_revision_records(shared, self)
        ca = PrivateCa("ca", PrivateCaArgs(plan=plan.ca, key_arn=self._ca_key(), shared=shared), self._child)
        zone = PrivateZone(
            "internal", PrivateZoneArgs(domain=plan.internal_domain, vpc_id=self._network.vpc_id), self._child
        )
        monolith = Monolith(
            plan.monolith.name,
            MonolithArgs(
                plan=plan.monolith,
                cluster_arn=cluster.arn,
                cluster_name=cluster.name,
                network=self._network,
                database=self._data.monolith,
                ca=ca,
                internal_zone_id=zone.zone_id,
                task_role=self._roles[plan.monolith.name],
                key_arn=self._data.key_arns[plan.monolith_database.name],
                revisions=revisions,
                shared=shared,
            ),
            self._child,
        )
        origin = PublicCertificate(
            "origin",
            PublicCertificateArgs(host=plan.reports.host, zone_id=plan.settings.hosted_zone_id),
            self._child,
        )
        reports = ReportService(
            plan.reports.name,
            ReportServiceArgs(
                plan=plan.reports,
                cluster_arn=cluster.arn,
                cluster_name=cluster.name,
                network=self._network,
                database=self._data.reports,
                ca=ca,
                certificate_arn=origin.arn,
                monolith_host=monolith.host,
                task_role=self._roles[plan.reports.name],
                key_arn=self._data.key_arns[plan.reports_database.name],
                revisions=revisions,
                shared=shared,
            ),
            self._child,
        )
        services = {plan.monolith.name: monolith.service, plan.reports.name: reports.service}
        self._repositories = {name: s.repository_url for name, s in services.items() if s.repository_url}
        Dashboard("dashboard", DashboardArgs(plan=plan, services=services), self._child)
        return reports

    def _ca_key(self) -> pulumi.Output[str]:
        shared = self._shared
        args = EncryptionKeyArgs(
            settings=shared.settings,
            alias=shared.names.path("alias", "ca"),
            purpose="Private keys of the cell's certificate authority",
            users={},
            via=("secretsmanager", "s3"),
        )
        return EncryptionKey("ca-secrets", args, self._child).arn

    def _make_edge(self, reports: ReportService) -> Edge:
        return Edge(
            "edge",
            EdgeArgs(
                plan=self._plan,
                origin_host=reports.host,
                balancer_arn=reports.balancer_arn,
                client_certificate_id=reports.gateway_certificate_id,
                subnet_ids=self._network.subnet_ids[self._plan.reports.name],
                group_id=self._network.group_ids["vpc-link"],
                callouts_group_id=self._network.group_ids["callouts"],
                shared=self._shared,
            ),
            self._child,
        )

    def _make_bootstrap(self) -> Bootstrap:
        return Bootstrap(
            "bootstrap",
            BootstrapArgs(
                subnet_ids=self._network.subnet_ids["functions"],
                group_id=self._network.group_ids["functions"],
                records=self._records,
                shared=self._shared,
            ),
            self._child,
        )

    def _make_workers(self) -> Workers:
        plan = self._plan
        return Workers(
            mover=self._worker(MOVER, plan.mover),
            rekeyer=self._worker(REKEYER, plan.rekeyer),
            leaver=self._worker(LEAVER, plan.leaver),
        )

    def _worker(self, kind: WorkerKind, plan: FunctionPlan) -> TenantWorker:
        return TenantWorker(
            kind.word,
            TenantWorkerArgs(
                kind=kind,
                plan=plan,
                subnet_ids=self._network.subnet_ids[plan.segment],
                group_id=self._network.group_ids[plan.group],
                machine=self._machine,
                records=self._records,
                shared=self._shared,
            ),
            self._child,
        )

    def _keep_active(self) -> None:
        """All functions in the network are called now and then, whether or not there is work for them."""
        workers = (self._workers.mover, self._workers.rekeyer, self._workers.leaver)
        functions = {
            "bootstrap": self._bootstrap.function_arn,
            "webhooks": self._reports.webhooks_function_arn,
            **{word: arn for worker in workers for word, arn in worker.function_arns.items()},
        }
        if self._edge.authoriser_arn is not None:
            functions["authoriser"] = self._edge.authoriser_arn
        KeepActive(
            "keep-active",
            KeepActiveArgs(plan=self._plan.keep_active, functions=functions, shared=self._shared),
            self._child,
        )

    def _watch_sessions(self) -> None:
        plan = self._plan.session_watch
        if plan is None:
            return
        SessionWatch(
            "session-watch",
            SessionWatchArgs(
                plan=plan,
                shards=self._data.shards,
                subnet_ids=self._network.subnet_ids[plan.function.segment],
                group_id=self._network.group_ids[plan.function.group],
                shared=self._shared,
            ),
            self._child,
        )

    def _make_tenant(self, plan: TenantPlan) -> TenantStack:
        return TenantStack(
            plan.id,
            TenantStackArgs(
                plan=plan,
                cell_network=self._network,
                cell_network_plan=self._plan.network,
                data=self._data,
                bootstrap=self._bootstrap,
                workers=self._workers,
                protected_check=self._protected_check,
                key_prerequisite=self._key_prerequisite(plan),
                edge=self._edge,
                service_role_arns={
                    **{name: role.arn for name, role in self._roles.items()},
                    "webhooks": self._reports.webhooks_role_arn,
                },
                shared=self._shared,
            ),
            self._child,
        )

    def _key_prerequisite(
        self, plan: TenantPlan
    ) -> Callable[[Sequence[Output[str]]], TenantOffboarding] | None:
        """What has to be done with a tenant's keys before anything that is under them can be touched."""
        for step in self._plan.leaving:
            if step.tenant == plan.id and step.phase is Phase.RETAINED:
                return lambda arns: self._leave(step, key_arns=arns)
        return None

    def _leave(
        self, plan: LeavingPlan, tenancy: TenantStack | None = None, key_arns: Sequence[Output[str]] = ()
    ) -> TenantOffboarding:
        made = TenantOffboarding(
            f"{plan.tenant}-leaving",
            TenantOffboardingArgs(
                plan=plan,
                tenancy=tenancy,
                key_arns=key_arns,
                shard=self._data.shards[plan.shard] if plan.shard else None,
                leaver=self._workers.leaver,
                evidence_bucket=self._evidence.bucket,
            ),
            self._child,
        )
        self._leaving[plan.tenant] = made
        return made


def _through(plan: CellPlan) -> ResourceOptions:
    return ResourceOptions(providers=[_provider("aws", plan.settings.region, plan, None)])


def _provider(name: str, region: str, plan: CellPlan, opts: ResourceOptions | None) -> aws.Provider:
    """The door to AWS: one account, one Region, and the cell's tags on everything. One for the cell, and one
    for where its backups are copied to.
    """
    return aws.Provider(
        name,
        region=region,
        allowed_account_ids=[plan.settings.account_id],
        default_tags={"tags": plan.tags},
        opts=opts,
    )

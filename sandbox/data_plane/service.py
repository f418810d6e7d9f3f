"""The data plane for the aws plugin and the commands: started on first use, closed at the end."""

import json
import os
import threading
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sandbox.aws.parameters import delete_parameter, put_parameter
from sandbox.cloud.store import Row, Store
from sandbox.data_plane.instances import INSTANCE, Instance, Instances
from sandbox.data_plane.key_destruction import delete_due_keys_everywhere
from sandbox.data_plane.object_store import ObjectStore
from sandbox.data_plane.paths import DataPlaneError, DataPlaneFolders
from sandbox.data_plane.postgres_cluster import PostgresCluster
from sandbox.data_plane.replication_network import address
from sandbox.data_plane.secret_store import SecretStore

if TYPE_CHECKING:  # slow to import, and most runs need none of them
    from sandbox.data_plane.certificate_authority import CertificateAuthority
    from sandbox.data_plane.endpoint.server import Server
    from sandbox.data_plane.functions import Functions
    from sandbox.data_plane.tls_proxy import TlsProxy

BUCKET: Final = "aws:s3/bucket:Bucket"
FUNCTION: Final = "aws:lambda/function:Function"
SCHEDULE: Final = "aws:scheduler/schedule:Schedule"
INVOCATION: Final = "aws:lambda/invocation:Invocation"
# Whose values the vault holds.
KEEPERS: Final = (
    "aws:kms/key:Key",
    "aws:secretsmanager/secret:Secret",
    BUCKET,
    "aws:sqs/queue:Queue",
    "aws:sns/topic:Topic",
    "aws:sfn/stateMachine:StateMachine",
)
SWITCH: Final = "SANDBOX_POSTGRES"
NOT_EMPTY: Final = (
    "BucketNotEmpty: The bucket you tried to delete is not empty. You must delete all versions in the bucket."
)


def databases_enabled(env: Mapping[str, str] = os.environ) -> bool:
    """Whether new instances are to be real databases."""
    return env.get(SWITCH, "0") not in ("", "0")


class Service:
    """One process's part of the data plane of a sandbox. With `propagates` its functions are called a moment
    after their permissions were given, as by the engine; people come when all of AWS knows these.
    """

    def __init__(self, home: Path, *, propagates: bool = False) -> None:
        self.plane, self._propagates = DataPlaneFolders(home.resolve()), propagates
        self._lock = threading.Lock()

    @cached_property
    def secret_store(self) -> SecretStore:
        return SecretStore(self.plane.vault)

    @cached_property
    def authority(self) -> "CertificateAuthority":
        from sandbox.data_plane.certificate_authority import CertificateAuthority  # noqa: PLC0415 - as above

        return CertificateAuthority(self.plane.authority)

    @cached_property
    def instances(self) -> Instances:
        return Instances(self.plane, self.secret_store)

    @cached_property
    def server(self) -> "Server":
        from sandbox.data_plane.endpoint.server import Endpoint, Server  # noqa: PLC0415 - as above

        endpoint = Endpoint(self.plane.cloud, self.secret_store, propagates=self._propagates)
        return Server(endpoint, self.authority)

    @cached_property
    def tls_proxy(self) -> "TlsProxy":
        from sandbox.data_plane.tls_proxy import TlsProxy  # noqa: PLC0415 - as above

        return TlsProxy(self.authority, self.instances.route, address(self.plane))

    @cached_property
    def functions(self) -> "Functions":
        from sandbox.data_plane.functions import Functions, Network  # noqa: PLC0415 - as above

        network = Network(self.server.url, self.tls_proxy.port)
        return Functions(self.plane, self.authority, self.server.endpoint.sessions, network)

    def close(self) -> None:
        """End what this process has started; databases go on."""
        for name in ("functions", "server", "tls_proxy", "secret_store"):
            if name in self.__dict__:
                self.__dict__.pop(name).close()
        self.__dict__.pop("instances", None)  # which know the store that was closed

    def rows(self, kind: str, stack: str | None) -> list[Row]:
        """What the cloud has of a type, in all accounts or of one stack."""
        if not self.plane.cloud.exists():
            return []
        store = Store(self.plane.cloud, "", "")
        try:
            return [
                r
                for r in store.in_all_accounts(kind)
                if stack is None or r.urn.startswith(f"urn:pulumi:{stack}::")
            ]
        finally:
            store.close()

    # -- what runs

    def start(self, stack: str | None, *, make: bool) -> list[str]:
        """Start the databases that do not run. With `make`, those that are a record only become real, and
        the tenants' places are made in them."""
        begun: list[Instance] = []
        for instance in self.instances.known():
            cluster = self.instances.cluster(instance)
            if stack in (None, instance.stack) and (make or cluster.made) and cluster.pid is None:
                fresh = not cluster.made
                self.instances.create_and_start(instance)
                begun.append(instance)
                if fresh:
                    self._run_recorded_bootstraps(instance)
        return [i.name for i in begun]

    def stop(self, stack: str | None) -> list[str]:
        """Stop the databases; with no stack named also those that nobody knows."""
        running = [i for i in self.instances.known() if self.plane.exists and stack in (None, i.stack)]
        named = {i.id: i.name for i in running}
        stopped: list[str] = []
        for cluster in self.instances.clusters():
            if cluster.pid and (stack is None or cluster.folder.name in named):
                cluster.stop()
                stopped.append(named.get(cluster.folder.name, cluster.folder.name))
        return sorted(stopped)

    def sweep(self) -> None:
        """Once a run has ended well: away with databases and values of what is no more.

        What a killed run deleted may come back, so nothing goes before.
        """
        if not self.plane.exists:
            return
        self.instances.sweep()
        if not any(self.instances.clusters()):
            self.remove_servers()
        kept = delete_due_keys_everywhere(self.plane.cloud, self.secret_store)
        kept |= {i.managed_secret or "" for i in self.instances.known()}
        for kind in KEEPERS:
            kept |= {str(r.outputs.get("arn") or r.id) for r in self.rows(kind, None)}
            kept |= {r.id for r in self.rows(kind, None)}
        self.secret_store.keep_only(kept)

    def remove_servers(self) -> None:
        """Stop every database and delete all of them with their data."""
        if self.plane.exists:
            for cluster in self.instances.clusters():
                cluster.remove()
            self.plane.remove_servers()

    def unknown(self) -> list[PostgresCluster]:
        """Databases of instances that are no more."""
        kept: set[str] = {i.id for i in self.instances.known()} if self.plane.exists else set()
        return [c for c in self.instances.clusters() if c.folder.name not in kept]

    def _run_recorded_bootstraps(self, instance: Instance) -> None:
        """Make the places that the cloud has on record in a database that has just become real."""
        store = Store(self.plane.cloud, instance.account, instance.region)
        try:
            for function in store.all(FUNCTION):
                self.function_uploaded(function.inputs)
            named = [(_hosts(json.loads(r.inputs["input"])), r) for r in store.all(INVOCATION)]
            # What moves from place to place comes after the places.
            for hosts, row in sorted(named, key=lambda found: len(found[0])):
                if instance.host in hosts:
                    self.invoke_function(store, "create", row.inputs, None)
        finally:
            store.close()

    # -- what happens to resources

    def require_empty_bucket(self, row: Row) -> None:
        """A bucket is to be deleted, which S3 refuses while it holds anything (DeleteBucket, 2026-11)."""
        is_asked = self.plane.vault.exists() and not row.outputs.get("forceDestroy")
        if is_asked and ObjectStore(self.secret_store).holds(row.id):
            raise DataPlaneError(f"deleting S3 Bucket ({row.id}): {NOT_EMPTY}")

    def function_uploaded(self, inputs: Mapping[str, Any]) -> None:
        from sandbox.data_plane.functions import upload  # noqa: PLC0415 - as above

        upload(self.plane, inputs)

    def instance_created(self, row: Row, store: Store) -> None:
        """An instance was made."""
        self.instances.create_and_start(Instance.of(row, store.account, store.region))

    def instance_changed(self, row: Row, store: Store) -> None:
        """An instance was changed; of what may change in place, its password is what a server must learn."""
        instance = Instance.of(row, store.account, store.region)
        if self.instances.cluster(instance).made:
            self.instances.create_and_start(instance)
            self.instances.set_password(instance)

    def instance_deleted(self, row: Row, store: Store) -> None:
        """An instance was deleted. Its files go when the run has ended well."""
        self.instances.stop(Instance.of(row, store.account, store.region))

    def invoke_function(
        self, store: Store, action: str, inputs: Mapping[str, Any], before: Mapping[str, Any] | None
    ) -> str | None:
        """Run what an invocation's resource says at this point of its life; None where nothing runs.

        With `lifecycleScope: CRUD` the provider says in the input what happens to the resource
        (aws.lambda.Invocation, provider 7.51).
        """
        event: dict[str, Any] = json.loads(inputs["input"])
        crud = inputs.get("lifecycleScope") == "CRUD"
        if action == "delete" and not crud:
            return None
        if not (
            self._databases_are_running(event) if _hosts(event) else self._code_was_uploaded(store, inputs)
        ):
            self._call_recorded(store, str(inputs["functionName"]))
            return None
        if crud:
            earlier = json.loads(before["input"]) if before else None
            event[str(inputs.get("terraformKey") or "tf")] = {"action": action, "prev_input": earlier}
        with self._lock:
            functions = self.functions
        return functions.invoke(store, str(inputs["functionName"]), event)

    def _call_recorded(self, store: Store, name: str) -> None:
        """Lambda refuses a call of a function that is only a record as it does any other."""
        from sandbox.data_plane import function_states  # noqa: PLC0415 - as above

        for row in store.find(FUNCTION, name):
            function_states.call(store, row)

    def note_made(self, row: Row, store: Store) -> None:
        """A function or a schedule was made or changed."""
        from sandbox.data_plane import function_states  # noqa: PLC0415 - as above

        function_states.note_made(store, row)

    def rotate_secret(self, instance: Instance, secret: str) -> str:
        """Rotate a tenant's secret now; the id of its new version."""
        from sandbox.data_plane.rotation import rotate  # noqa: PLC0415 - as above

        self.instances.create_and_start(instance)
        store = Store(self.plane.cloud, instance.account, instance.region)
        try:
            return rotate(store, self.secret_store, self.functions, secret)
        finally:
            store.close()

    def _code_was_uploaded(self, store: Store, inputs: Mapping[str, Any]) -> bool:
        """Whether a function that asks nothing of a database is more than a record: its code was kept."""
        if not self.plane.exists:
            return False
        from sandbox.data_plane.functions import kept  # noqa: PLC0415 - as above

        rows = store.find(FUNCTION, str(inputs["functionName"]))
        return bool(rows) and kept(self.plane, rows[0].inputs)

    def _databases_are_running(self, event: Mapping[str, Any]) -> bool:
        """Whether all databases that the event names are real ones; started, where they were stopped."""
        hosts = _hosts(event)
        named = [i for i in self.instances.known() if self.plane.exists and i.host in hosts]
        clusters = [self.instances.cluster(i) for i in named]
        if not clusters or len(clusters) < len(hosts) or not all(c.made for c in clusters):
            return False
        for cluster in clusters:
            cluster.start()
        return True


def record_call(store: Store, action: str, inputs: Mapping[str, Any]) -> None:
    """What a function that is only a record would note of its call, as the last thing that it does."""
    record = json.loads(inputs["input"]).get("record")
    if not record:
        return
    if action == "delete":
        delete_parameter(store, record["parameter"])
    else:
        noted = {name: record[name] for name in ("asked", "attempt")}
        put_parameter(store, record["parameter"], json.dumps(noted))


def _hosts(event: Mapping[str, Any]) -> set[str]:
    """The databases that an event names: its own, or one in each of its parts, as origin and target."""
    parts: list[Mapping[str, Any]] = [event, *(v for v in event.values() if isinstance(v, dict))]
    return {str(p["host"]) for p in parts if p.get("host")}


__all__ = [
    "BUCKET",
    "FUNCTION",
    "INSTANCE",
    "INVOCATION",
    "SCHEDULE",
    "SWITCH",
    "DataPlaneError",
    "Service",
    "databases_enabled",
    "record_call",
]

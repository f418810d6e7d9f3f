"""Destroys keys whose deletion is due, and with them everything that is encrypted under them."""

from pathlib import Path

from sandbox.aws.key_lifecycle import KEY, PENDING, keys_past_deletion_date, keys_pending_deletion
from sandbox.cloud.store import Store, accounts
from sandbox.data_plane.secret_store import SecretStore

ALIAS = "aws:kms/alias:Alias"


def delete_due_keys(store: Store, vault: SecretStore) -> None:
    """Delete the keys of an account and Region that have waited long enough, and their aliases with them."""
    for row in list(keys_past_deletion_date(store)):
        arn = str(row.outputs["arn"])
        with store.change():
            store.forget_deleted(PENDING, row.id)
            if store.get(KEY, row.id):
                continue  # a run that was killed has been undone since
            for alias in store.all(ALIAS):
                if alias.inputs.get("targetKeyId") in (row.id, arn):
                    store.remove(ALIAS, alias.id)
        vault.destroy(arn)


def delete_due_keys_everywhere(cloud: Path, vault: SecretStore) -> set[str]:
    """The same over all accounts; the ARNs of the keys that go on waiting."""
    kept: set[str] = set()
    for account, region in accounts(cloud) if cloud.exists() else ():
        store = Store(cloud, account, region)
        try:
            delete_due_keys(store, vault)
            kept |= {str(row.outputs["arn"]) for row in keys_pending_deletion(store)}
        finally:
            store.close()
    return kept

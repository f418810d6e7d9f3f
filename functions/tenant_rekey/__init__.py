"""The Lambda that re-encrypts a tenant's artefacts after the tenant was given a new key."""

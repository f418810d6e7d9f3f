"""The Lambda that encrypts a tenant's artefacts anew when the tenant was given another key."""

"""Files read strictly: YAML with places, typed fields, JSON Schema, settings. Nothing of tenants or AWS."""

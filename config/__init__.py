"""Strict readers of files: YAML with line numbers, typed fields, JSON Schema. No tenants, no AWS."""

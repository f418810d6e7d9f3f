"""The Lambda that moves a tenant's data from one database to another without losing a row."""

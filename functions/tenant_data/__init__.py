"""The Lambda that moves a tenant's data from one database to another, and loses no row of it."""

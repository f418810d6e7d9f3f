"""Tells tenants' own servers what has happened: signed, tried again, and never anywhere inside."""

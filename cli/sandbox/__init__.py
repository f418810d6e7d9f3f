"""The commands of `tenantry sandbox`, one per module; `app.py` registers them."""

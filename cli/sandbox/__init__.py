"""Commands of `tenantry sandbox` (`python -m sandbox`), one a module; `app.py` registers each in one line."""

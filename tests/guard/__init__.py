"""Nothing to import: `sitecustomize.py` is for Python itself."""

"""What `python -m sandbox` can do, a command a module; `sandbox/__main__.py` registers each in one line."""

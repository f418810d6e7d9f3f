"""What a recipe of docs/extending.md promises: `python -m tests.repo.extended.setting` in a copy of the
repository in which it was followed. Each ends with a traceback where the promise is not kept.
"""

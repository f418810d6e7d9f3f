"""Finds the line of a setting in the stack's file, for error messages."""

from pathlib import Path

from config.settings_fields import Places
from config.yaml_reader import compose
from config.yaml_tree import Map, at


def places_of(folder: Path, stack: str) -> Places:
    """Key → its value in `Pulumi.<stack>.yaml`; nothing where there is no such file, or no such section."""
    file = folder / f"Pulumi.{stack}.yaml"
    root = compose(file.read_bytes(), file.name)[0] if file.is_file() else None
    section = at(root, "config") if root else None
    if not isinstance(section, Map) or section is root:
        return {}
    return {key.text.rpartition(":")[2]: value for key, value in section.pairs}

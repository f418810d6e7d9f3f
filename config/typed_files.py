"""Turns a YAML tree into typed models, one per id, and reports every problem at once."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from config.fields import WRONG, FieldType, Problem, Record, fields_of
from config.yaml_reader import compose
from config.yaml_tree import Broken, Finding, Map, Node, Scalar, at

M = TypeVar("M")


class Later(Mapping[str, tuple[Scalar, Node]]):
    """Entries with their places, parsed when somebody asks for a place."""

    def __init__(self, load: Callable[[], Mapping[str, tuple[Scalar, Node]]]) -> None:
        self._load = load

    @cached_property
    def _found(self) -> Mapping[str, tuple[Scalar, Node]]:
        return self._load()

    def __getitem__(self, id_: str) -> tuple[Scalar, Node]:
        return self._found[id_]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)


@dataclass(frozen=True, slots=True)
class Entries(Generic[M]):
    """What a file holds. `models` has the entries that are right, `nodes` every entry that is a mapping."""

    file: str
    models: Mapping[str, M]
    nodes: Mapping[str, tuple[Scalar, Node]]  # id → its key and its value
    ids: frozenset[str]  # of all entries, right or not

    def finding(self, id_: str, path: tuple[str, ...], wrong: str, right: str) -> Finding:
        """A finding at a field of an entry, or at the entry's key where there is no path."""
        if id_ not in self.nodes:
            return Finding(self.file, 1, 1, id_, wrong, right)
        key, value = self.nodes[id_]
        place = at(value, *path) if path else key
        return Finding(self.file, place.line, place.column, id_, wrong, right)


def read_entries(
    data: bytes | str, file: str, model: type[M], ids: FieldType, noun: str
) -> tuple[Entries[M], list[Finding]]:
    """Any file that maps ids to entries of one model, whose first field is `id`."""
    make = cast("Callable[..., M]", model)
    root, findings = compose(data, file)
    models: dict[str, M] = {}
    nodes: dict[str, tuple[Scalar, Node]] = {}
    if isinstance(root, Map):
        loose = _loose_fields(root, model)
        if loose:
            wrong = f"{', '.join(key.text for key in loose)} belong to no {noun}: the id is missing"
            right = "indent the fields beneath an id such as acme-pay:"
            findings.append(Finding(file, loose[0].line, loose[0].column, "", wrong, right))
        for key, value in root.pairs:
            if key in loose or isinstance(value, Broken):
                continue
            entry = _Entry(file, key.text, findings)
            nodes[key.text] = (key, value)
            id_ = ids.read(key, f"{noun} id", entry.report)
            values = Record(model).read_fields(value, "", key, entry.report)
            if id_ is not WRONG and values is not None:
                models[key.text] = make(id=key.text, **values)
    elif root is not None and not isinstance(root, Broken):
        wrong = "the file is a list" if not isinstance(root, Scalar) else "the file is one value"
        expected = f"expected a mapping whose keys are {noun} ids"
        findings.append(Finding(file, root.line, root.column, "", wrong, expected))
    return Entries(file, models, nodes, frozenset(nodes)), findings


class _Entry:
    """Findings about one entry."""

    def __init__(self, file: str, id_: str, findings: list[Finding]) -> None:
        self.file, self.id, self.findings = file, id_, findings

    def report(self, problem: Problem) -> None:
        line, column = problem.node.line, problem.node.column
        self.findings.append(Finding(self.file, line, column, self.id, problem.wrong, problem.right))


def _loose_fields(root: Map, model: type[Any]) -> list[Scalar]:
    """Keys of the file that are fields of an entry whose id was forgotten."""
    known = fields_of(model)
    fields = [(key, value) for key, value in root.pairs if key.text in known]
    return [key for key, _ in fields] if any(isinstance(value, Scalar) for _, value in fields) else []

"""Parses YAML bytes into a tree, and refuses every trap of the format with its line and a sentence.

libyaml reads the syntax; what plain scalars mean stays open (`config.yaml_tree.kind_of` follows YAML 1.2).
Refused: what is not UTF-8, byte order marks, control characters, tabs as indentation, merge conflicts,
several documents, directives, duplicate keys, keys that are not words, anchors, aliases, tags, more
than 5 MB, more than 8 levels.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import yaml
from yaml import events

from config.wording import quoted
from config.yaml_tree import Broken, Finding, Items, Map, Node, Pair, Scalar

MOST_BYTES: Final = 5_000_000
DEEPEST: Final = 8
# The C parser where PyYAML has it, as its wheels do; the other reads the same, slower.
_LOADER: Final[Any] = getattr(yaml, "CLoader", yaml.Loader)

_UNWANTED: Final = re.compile(
    "(?P<bom>\ufeff)|(?P<conflict>^<{7} )|(?P<tab>^[ ]*\t)"
    "|(?P<control>[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u2028\u2029\ufffe\uffff]|\r(?!\n))",
    re.MULTILINE,
)
_UNWANTED_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "bom": ("a byte order mark", "save the file as UTF-8 without BOM"),
    "conflict": (
        "an unresolved merge conflict",
        "keep what both sides say, and remove the marks",
    ),
    "tab": ("a tab in the indentation", "indent with spaces"),
    "control": ("a control character", "remove it"),
}

# libyaml's problem (a part of its text) → what it means to a person who edits a registry, and what to do.
_SYNTAX: Final[tuple[tuple[str, str, str], ...]] = (
    (
        "mapping values are not allowed",
        "a colon where no field can begin",
        "put the value in quotes, or check the indentation",
    ),
    (
        "could not find expected ':'",
        "a line that is neither a field nor part of one",
        "write it as field: value",
    ),
    ("cannot start any token", "a character that no value can begin with", "put the value in quotes"),
    ("found unexpected end of stream", "a quote that is never closed", "close it"),
    ("found unexpected document indicator", "a quote that is never closed", "close it"),
    (
        "found unknown escape character",
        "a backslash that means nothing",
        "use single quotes, or write two backslashes",
    ),
    (
        "block sequence entries are not allowed",
        "a list entry where no list can begin",
        "check the indentation",
    ),
    ("block mapping values", "a field where none can begin", "check the indentation"),
    (
        "did not find expected ',' or '}'",
        "a { that is never closed",
        "close it with }, with commas between the fields",
    ),
    (
        "did not find expected ',' or ']'",
        "a [ that is never closed",
        "close it with ], with commas between the entries",
    ),
    (
        "did not find expected key",
        "a line that does not line up with the fields before it",
        "check indentation and quotes",
    ),
    (
        "did not find expected '-' indicator",
        "a line that does not line up with the list before it",
        "check the indentation",
    ),
    ("did not find expected <document start>", "text after the end of the mapping", "check the indentation"),
    (
        "did not find expected node content",
        "a value that is missing or begins with a sign of YAML's own",
        "put the value in quotes",
    ),
    (
        "did not find expected alphabetic or numeric",
        "a value that begins with & or *",
        "put the value in quotes",
    ),
    ("tag", "a value that begins with !", "put the value in quotes"),
    ("directive", "a line that begins with %", "remove it"),
)


class _TooDeepError(Exception):
    """Nothing that follows can be read."""


def compose(data: bytes | str, file: str) -> tuple[Node | None, list[Finding]]:
    """The tree of a document, None where there is none, and all that is wrong with the YAML as such."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    if len(data) > MOST_BYTES:
        size = f"the file has {len(data) / 1e6:.1f} MB"
        return None, [Finding(file, 1, 1, "", size, f"at most {MOST_BYTES // 1_000_000} MB; split the cell")]
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as wrong:
        before = data[: wrong.start].decode("utf-8")
        line, column = before.count("\n") + 1, len(before) - before.rfind("\n")
        return None, [Finding(file, line, column, "", "bytes that are not UTF-8", "save the file as UTF-8")]
    unwanted = _unwanted(text, file)
    if unwanted:
        return None, unwanted
    return _Composer(text, file).document()


def _unwanted(text: str, file: str) -> list[Finding]:
    """What no registry contains; told once a line at most, and not more than twenty times."""
    found: dict[int, Finding] = {}
    for hit in _UNWANTED.finditer(text):
        start = hit.end() - 1 if hit.lastgroup == "tab" else hit.start()
        line = text.count("\n", 0, start) + 1
        wrong, right = _UNWANTED_WORDS[hit.lastgroup or ""]
        if hit.lastgroup == "control":
            wrong += f" U+{ord(hit.group()):04X}"
        found.setdefault(line, Finding(file, line, start - text.rfind("\n", 0, start), "", wrong, right))
        if len(found) == 20:
            break
    return list(found.values())


class _Composer:
    """Builds the tree from libyaml's events; never recurses deeper than `DEEPEST`."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.findings: list[Finding] = []
        self.parser: Any = _LOADER(text)
        self.next: Callable[[], Any] = self.parser.get_event

    def document(self) -> tuple[Node | None, list[Finding]]:
        root: Node | None = None
        try:
            root = self._document()
        except _TooDeepError:
            root = None
        except yaml.YAMLError as wrong:
            self.findings.append(self._syntax(wrong))
            root = None
        finally:
            self.parser.dispose()
        return root, self.findings

    def _document(self) -> Node | None:
        self.next()  # start of the stream
        start = self.next()
        if isinstance(start, events.StreamEndEvent):
            return None
        if start.version or start.tags:
            self._refuse(start, "a directive", "remove the line that begins with %")
        root = self._node(self.next(), 1)
        self.next()  # end of the document
        more = self.next()
        if not isinstance(more, events.StreamEndEvent):
            self._refuse(more, "a second document", "keep one mapping in a file, without ---")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        kind = cast("type[object]", type(event))
        if kind is events.AliasEvent:
            self._refuse(event, f"an alias, *{event.anchor}", "write the value out")
            return Broken(line, column)
        self._unadorned(event)
        if kind is events.ScalarEvent:
            return Scalar(event.value, event.style is None or event.style == "", line, column)
        if depth > DEEPEST:
            self._refuse(
                event, f"more than {DEEPEST} levels of nesting", "a registry needs no more than four"
            )
            raise _TooDeepError
        if kind is events.SequenceStartEvent:
            items: list[Node] = []
            while type(inner := self.next()) is not events.SequenceEndEvent:
                items.append(self._node(inner, depth + 1))
            return Items(tuple(items), line, column)
        return Map(self._pairs(depth), line, column)

    def _pairs(self, depth: int) -> tuple[Pair, ...]:
        pairs: dict[str, Pair] = {}
        while type(event := self.next()) is not events.MappingEndEvent:
            key = self._node(event, depth + 1)
            value = self._node(self.next(), depth + 1)
            if not isinstance(key, Scalar):
                if not isinstance(key, Broken):
                    self._refuse(event, "a key that is not a word", "write field: value")
                continue
            first = pairs.setdefault(key.text, Pair(key, value))
            if first.key is not key:
                self._refuse(
                    event, f"{quoted(key.text)} stands twice, first in line {first.key.line}", "keep one"
                )
        return tuple(pairs.values())

    def _unadorned(self, event: Any) -> None:
        if event.anchor:
            self._refuse(event, f"an anchor, &{event.anchor}", "write the value out where it is needed")
        if event.tag:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self._refuse(event, f"a tag, {tag}", "remove it; the field's own type decides")

    def _refuse(self, event: Any, wrong: str, right: str) -> None:
        mark = event.start_mark
        self.findings.append(Finding(self.file, mark.line + 1, mark.column + 1, "", wrong, right))

    def _syntax(self, error: yaml.YAMLError) -> Finding:
        problem = str(getattr(error, "problem", None) or "unreadable")
        unknown = (f"not YAML: {problem}", "check quotes and indentation here")
        wrong, right = next(((w, r) for part, w, r in _SYNTAX if part in problem), unknown)
        # What is never closed is told where it opens, everything else where it shows.
        names = (
            ("context_mark", "problem_mark") if "never closed" in wrong else ("problem_mark", "context_mark")
        )
        mark: Any = next((m for n in names if (m := getattr(error, n, None))), None)
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        return Finding(self.file, line, column, "", wrong, right)

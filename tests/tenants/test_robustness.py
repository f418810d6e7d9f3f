"""Whatever stands in a file, the answer is findings: a place and a sentence each, and never a traceback."""

import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from config.yaml_reader import MOST_BYTES, compose
from config.yaml_tree import Finding
from plan import plan_cell
from tenants.examination import LONGEST_STACK
from tenants.ledger import parse_ledger
from tenants.registry_files import read_plans, read_quotas, read_tenants
from tests.cells import PROJECT, settings_of
from tests.registry.project import BAD
from tests.strategies import World, worlds
from tests.tenants.test_schema import value_of

READERS = (read_tenants, read_plans, read_quotas, parse_ledger)
GOOD = [p.read_bytes() for p in sorted((PROJECT / "tenants").rglob("*.yaml"))]
SIGNS = (*"&*!-:{}[]'\"#|>?%@`~\\é", "&a", "*a", "!!str ", "---", "...", "<<: ", "0o17", "<<<<<<< x")
ODD = ("\t", "\n", "\r", ": ", "- ", "\x00", "\u2028", "\ufeff", "\ud800")
LINE = re.compile(r"x:[1-9][0-9]*:[1-9][0-9]*: (?!.*Traceback)[^\n\r]+; [^\n\r]+")
PIECES = st.sampled_from([b"\xff", *(s.encode("utf-8", "surrogatepass") for s in (*SIGNS, *ODD))])


def unsound(findings: list[Finding], data: bytes) -> list[str]:
    """Those that are not one line of text at a place in the file."""
    lines = data.count(b"\n") + data.count(b"\r") + 1
    return [str(f) for f in findings if not LINE.fullmatch(str(f)) or f.line > lines + 1]


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass")))
@example(b"a: \xed\xa0\x80")
@example(b"\xfe\xff\x00a")
@example(b"? ")
@example(b"{?}: 1")
@example(b"a: !<tag:yaml.org,2002:map> {}")
@example(b"- - - - - - - - - - - - -")
def test_any_bytes_at_all(data: bytes) -> None:
    assert [bad for read in READERS for bad in unsound(read(data, "x")[1], data)] == []


@settings(max_examples=300)
@given(st.data())
def test_any_damage_to_a_good_file(data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(GOOD))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        cut = data.draw(st.integers(0, 12))
        text = text[:at] + data.draw(PIECES) + text[at + cut :]
    assert [bad for read in READERS for bad in unsound(read(text, "x")[1], text)] == []


@pytest.mark.parametrize(
    "word",
    ["NO", "no", "on", "off", "Yes", "y", "1_000", "12:30:45", "2026-11-23", "0b1", "1e", ".5.", "nil"],
)
def test_a_word_of_yaml_1_1_is_a_word(word: str) -> None:
    fields = f"name: {word}, isolation: pool, residency: eu, plan: x, contacts: {{email: a@b.example}}"
    text = f"acme-pay: {{{fields}}}"
    entries, findings = read_tenants(text, "x")
    assert findings == []
    assert entries.models["acme-pay"].name == word


@settings(max_examples=100)
@given(st.data())
def test_another_parser_of_yaml_1_2_reads_the_same(data: st.DataObject) -> None:
    """Where both accept a file they agree on every number, boolean, word and null in it."""
    text = data.draw(st.sampled_from([g.decode() for g in GOOD if len(g) < 3000]))
    at = data.draw(st.integers(0, len(text)))
    text = text[:at] + data.draw(st.sampled_from((*SIGNS, *ODD))) + text[at + data.draw(st.integers(0, 5)) :]
    node, findings = compose(text, "x")
    if findings:
        return
    other = YAML(typ="safe", pure=True)
    other.version = (1, 2)
    try:
        expected = other.load(text)
    except YAMLError:
        return  # the other refuses more: tabs between tokens, and spaces that libyaml forgives
    assert texts(value_of(node)) == texts(expected)


def texts(value: object) -> object:
    """Without what is not a matter of YAML 1.2: dates are text there, and so are keys here."""
    match value:
        case dict():
            return [texts(v) for v in value.values()]
        case list():
            return [texts(v) for v in value]
        case date():
            return value.isoformat()[:10]
        case float():
            return repr(value)
        case _:
            return value


@pytest.mark.parametrize(
    "bomb",
    [b"[" * 100_000, b"{a: " * 50_000, b"- " * 100_000, b"? " * 100_000, b"a: &a [" * 20_000],
    ids=["lists", "mappings", "entries", "keys", "anchors"],
)
def test_a_nesting_bomb_is_left_at_once(bomb: bytes) -> None:
    _, findings = compose(bomb, "x")
    assert findings
    assert unsound(findings, bomb) == []


def test_the_size_is_looked_at_before_anything_else() -> None:
    _, findings = compose(b"\xff" * (MOST_BYTES + 1), "x")
    assert [f.wrong for f in findings] == ["the file has 5.0 MB"]


@pytest.mark.parametrize("case", sorted(BAD.iterdir()), ids=lambda c: c.name)
def test_every_expected_line_has_a_place_and_a_remedy(case: Path) -> None:
    for line in (case / "expected.txt").read_text("utf-8").splitlines():
        assert re.fullmatch(r"(Pulumi\.[a-z-]+|tenants/[a-z/-]+)\.yaml:\d+:\d+: .+; .+", line), line


def test_a_line_that_is_missing_in_a_ledger_is_seen() -> None:
    """No line can go unseen but that of a silo in the cell's network, which has no place to lose."""
    text = (PROJECT / "tenants" / "ledger" / "prod.yaml").read_text("utf-8")
    whole, _ = parse_ledger(text, "x")
    lines = text.splitlines(keepends=True)
    unseen = []
    for n, line in enumerate(lines):
        found, findings = parse_ledger("".join(lines[:n] + lines[n + 1 :]), "x")
        if not findings and found != whole:
            unseen.append(line)
    assert [line.split(": ", 1)[1] for line in unseen] == ["{isolation: silo}\n"] * 6


@given(worlds(min_size=1))
def test_no_name_of_a_tenant_is_ever_cut_and_none_is_had_twice(world: World) -> None:
    """With a stack's name as long as may be, and ids of up to 20 characters."""
    stack = "s" * LONGEST_STACK
    settings_ = replace(settings_of("prod"), stack=stack)
    cell = plan_cell(settings_, replace(world.registry, stack=stack))
    for tenant in cell.tenants:
        names = [getattr(tenant.names, f) for f in tenant.names.__dataclass_fields__]
        names += [silo.identifier for silo in tenant.silos]
        assert [n for n in names if tenant.id not in n and tenant.id.replace("-", "_") not in n] == []
    for field in cell.tenants[0].names.__dataclass_fields__:
        assert len({getattr(t.names, field) for t in cell.tenants}) == len(cell.tenants)

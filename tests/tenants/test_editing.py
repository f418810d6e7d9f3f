"""Edits of a registry's text: what was asked for, and no byte of anybody else's."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.field_arguments import parse_changes
from config.yaml_editing import EditError, entry_lines, nested, set_fields
from tenants.entries import add_entry, entry_text, values_of
from tenants.models import Tenant
from tenants.registry_files import read_tenants
from tests.strategies import World, tenants, worlds

NOISY = """\
# yaml-language-server: $schema=registry.schema.json

acme-pay:   # our first
  name:   'Acme Pay'    # with a comment
  isolation: "pool"
  residency: eu
  plan:   starter

  contacts: { email: ops@acme.example }
  # key rotation was asked for by their auditor
  key_rotation_days:    180

# ------- the silo
bolt-fx:
    plan: premium
    isolation: silo
    residency: eu
    name: "Bolt: FX"
    contacts:
        email: ops@bolt.example   # desk
        webhook: 'https://hooks.bolt.example/x'
    tags: {team: "12"}
# the end
"""


def text_of(entries: tuple[Tenant, ...]) -> str:
    return "".join(entry_text(t.id, values_of(t)) for t in entries)


def read(text: str) -> dict[str, Tenant]:
    entries, findings = read_tenants(text, "x")
    assert findings == []
    return dict(entries.models)


@given(worlds())
def test_what_is_written_reads_back(world: World) -> None:
    text = text_of(world.entries)
    found = read(text)
    assert tuple(found.values()) == world.entries
    assert text_of(tuple(found.values())) == text


@given(worlds(min_size=1), st.data())
def test_a_change_reads_back_and_touches_no_other_line(world: World, data: st.DataObject) -> None:
    old = data.draw(st.sampled_from(world.entries))
    new = data.draw(tenants(old.id, old.isolation))
    text = text_of(world.entries)
    changes = {
        "name": new.name,
        "contacts.email": new.contacts.email,
        "contacts.webhook": new.contacts.webhook,
    }
    changes |= {"key_rotation_days": new.key_rotation_days, "since": new.since}
    edited = set_fields(text, old.id, changes)
    expected = replace(
        old,
        name=new.name,
        contacts=new.contacts,
        key_rotation_days=new.key_rotation_days,
        since=new.since,
    )
    assert read(edited) == {**read(text), old.id: expected}
    assert lines_of_others(edited, old.id) == lines_of_others(text, old.id)


def lines_of_others(text: str, id_: str) -> tuple[str, str]:
    """All bytes before and after an entry."""
    first, last = entry_lines(text)[id_]
    lines = text.splitlines(keepends=True)
    return "".join(lines[:first]), "".join(lines[last:])


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("id_", ["acme-pay", "bolt-fx"])
def test_comments_order_and_quotes_stay(id_: str, end: str) -> None:
    text = NOISY.replace("\n", end)
    edited = set_fields(text, id_, {"plan": "standard"})
    old = {"acme-pay": "plan:   starter", "bolt-fx": "plan: premium"}[id_]
    assert edited == text.replace(old, old.rsplit(" ", 1)[0] + " standard")


def test_a_new_field_keeps_comments_order_and_quotes() -> None:
    """Whatever is not a value in its place goes through the round trip, which may move spaces."""
    text = NOISY.replace("\n", "\r\n")
    edited = set_fields(text, "acme-pay", {"since": date(2026, 11, 23), "name": "It's Acme"})
    first, last = entry_lines(edited)["acme-pay"]
    assert [" ".join(line.split()) for line in edited.split("\r\n")[first:last]] == [
        "acme-pay: # our first",
        "name: 'It''s Acme' # with a comment",
        'isolation: "pool"',
        "residency: eu",
        "plan: starter",
        "",
        "contacts: {email: ops@acme.example}",
        "# key rotation was asked for by their auditor",
        "key_rotation_days: 180",
        "since: 2026-11-23",
    ]
    assert lines_of_others(edited, "acme-pay") == lines_of_others(text, "acme-pay")


def test_a_field_that_is_left_out_goes_and_takes_its_empty_mapping_along() -> None:
    edited = set_fields(
        NOISY, "bolt-fx", {"contacts.webhook": None, "tags.team": None, "overrides.storage_gib": None}
    )
    tenant = read(edited)["bolt-fx"]
    assert (tenant.contacts.webhook, tenant.tags) == (None, {})
    assert "tags" not in edited
    assert "overrides" not in edited


def test_a_new_mapping_is_made_where_it_is_needed() -> None:
    edited = set_fields(NOISY, "acme-pay", {"tags.team": "007", "since": None})
    assert read(edited)["acme-pay"].tags == {"team": "007"}


@given(worlds(), st.data())
def test_adding_appends(world: World, data: st.DataObject) -> None:
    tenant = data.draw(tenants("the-new-one"))
    text = text_of(world.entries)
    edited = add_entry(text, tenant.id, values_of(tenant))
    assert edited.startswith(text)
    assert read(edited) == {**read(text), tenant.id: tenant}


def test_a_file_without_a_last_line_end_gets_one() -> None:
    assert add_entry("# nobody yet", "acme-pay", {"name": "A"}) == "# nobody yet\nacme-pay:\n  name: A\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{acme-pay: {}}\n", r"begin each id at the start of a line"),
        ("{}\n", r"written as \{\}; delete that"),
        ("a: 'x\n", r"not readable: line 1: a quote that is never closed"),
        ("acme-pay: {}\n", r"acme-pay: is in the registry already"),
    ],
)
def test_what_cannot_be_added_to_is_said(text: str, message: str) -> None:
    with pytest.raises(EditError, match=message):
        add_entry(text, "acme-pay", {"name": "A"})


def test_setting_a_tenant_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(EditError, match=r"^acme-pya: is not in the registry; did you mean 'acme-pay'"):
        set_fields(NOISY, "acme-pya", {"plan": "x"})


def test_words_become_changes() -> None:
    words = [
        "name=12",
        "key_rotation_days=180",
        "since=2026-11-23",
        "tags.team=a=b",
        "contacts.webhook=",
        "plan=x",
    ]
    found = parse_changes(words)
    assert nested(found) == {
        "name": "12",
        "key_rotation_days": 180,
        "since": found["since"],
        "tags": {"team": "a=b"},
        "plan": "x",
    }
    assert str(found["since"]) == "2026-11-23"
    assert found["contacts.webhook"] is None


def test_every_wrong_word_is_told_at_once() -> None:
    with pytest.raises(EditError, match="there is no field") as wrong:
        parse_changes(["nme=x", "plan", "isolation=x", "contacts=3", "tags.tenant=3", "name=", "plan.x=1"])
    assert str(wrong.value).splitlines() == [
        "there is no field 'nme'; did you mean 'name'?",
        "'plan' is not field=value",
        "isolation 'x' is not allowed; allowed: pool, silo",
        "there is no field 'contacts'; did you mean 'contacts.email'? "
        "Allowed: contacts.email, contacts.webhook",
        "name of tags.tenant 'tenant' is set by the platform; "
        "expected a tag name other than tenant, project, cell, environment, name, leaving, moving, released"
        " and aws:…",
        "name cannot be left out",
        "there is no field 'plan.x'; did you mean 'plan'?",
    ]

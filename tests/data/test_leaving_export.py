"""A tenant's data is handed over, and nothing is called proven that was not restored."""

import gzip
import hashlib
import re
from collections.abc import Callable

import pytest
from pg8000.exceptions import DatabaseError

from functions.common.going_on import GoesOn
from functions.tenant_leaving.tools import OffboardingError
from tests.data.dumped import dumped
from tests.data.leaving import Leaver
from tests.data.rich import RICH
from tests.data.shard import Shard
from tests.data.universe import COPIED, MOVED

ARTEFACTS = {"a.pdf": b"of a", "deep/b ü.csv": b"b" * 5000, "empty": b""}


TANGLED = (  # a view that comes before what it needs, by the order of a dump's sections
    "CREATE FUNCTION loud(c customers) RETURNS text LANGUAGE sql AS 'SELECT upper(c.name)'",
    "CREATE VIEW loud_ones AS SELECT loud(c) AS name FROM customers c",
    "CREATE TABLE plain (t int, said text)",  # a column that is called as the row might be
    "INSERT INTO plain VALUES (1, 'a'), (1, 'a'), (NULL, NULL)",
)


@pytest.fixture
def leaver(shard: Shard) -> Leaver:
    """Suspended, with the schema that has everything, and artefacts."""
    found = Leaver(shard)
    shard.run(found.tenant, *RICH, *TANGLED)
    for key, data in ARTEFACTS.items():
        found.objects.put(found.bucket, key, data)
    found.suspend()
    return found


def rows(leaver: Leaver, database: str | None = None) -> dict[str, object]:
    of = f"FROM pg_class WHERE relkind = 'r' AND relnamespace = '{leaver.role}'::regnamespace"
    names = [name for (name,) in leaver.peek(f"SELECT relname {of}", database=database)]
    return {
        name: leaver.peek(f'SELECT (t.*)::text FROM {leaver.role}."{name}" t ORDER BY 1', database=database)
        for name in names
    }


def copies(leaver: Leaver) -> dict[str, bytes]:
    files = leaver.objects.content(leaver.handover)
    return {k.removeprefix("artefacts/"): v for k, v in files.items() if k.startswith("artefacts/")}


def test_all_is_handed_over_with_a_manifest(leaver: Leaver) -> None:
    answer = leaver.go("export")
    files = leaver.objects.content(leaver.handover)
    manifest = leaver.document(leaver.handover, "manifest.json")
    assert copies(leaver) == ARTEFACTS
    assert {f["key"]: (f["bytes"], f["sha256"]) for f in manifest["files"]} == {
        k: (len(v), hashlib.sha256(v).hexdigest()) for k, v in files.items() if k != "manifest.json"
    }
    assert manifest["rows"] == {name: len(found) for name, found in rows(leaver).items()}  # type: ignore[arg-type]
    assert manifest["moment"] == "2026-11-02T12:00:00+00:00"
    assert {k: answer[k] for k in ("bucket", "manifest", "verified", "rows", "sha256")} == {
        "bucket": leaver.handover,
        "manifest": "manifest.json",
        "verified": True,
        "rows": sum(manifest["rows"].values()),
        "sha256": hashlib.sha256(files["manifest.json"]).hexdigest(),
    }
    assert leaver.left == []


def test_what_was_handed_over_needs_psql_alone(leaver: Leaver) -> None:
    leaver.go("export")
    name = f"restored_{leaver.role}"
    leaver.shard.server.superuser(f"CREATE DATABASE {name}")
    file = leaver.shard.server.directory / f"{name}.sql"
    file.write_text(leaver.dump, encoding="utf-8")
    file.chmod(0o644)
    leaver.shard.server.psql(name, file)
    assert rows(leaver, name) == rows(leaver)
    leaver.shard.server.superuser(f"DROP DATABASE {name}")


def test_a_schema_of_every_kind_is_the_same_after_psql(shard: Shard) -> None:
    """pg_dump says so, of privileges, options and comments too."""
    leaver = Leaver(shard)
    fragments = [s for kinds in (MOVED, COPIED) for fragment in kinds.values() for s in fragment]
    shard.run(leaver.tenant, *(s.replace("{role}", leaver.role) for s in fragments))
    leaver.suspend()
    assert leaver.go("export")["verified"]
    server, name = shard.server, f"restored_{leaver.role}"
    server.superuser(f"CREATE DATABASE {name} OWNER {leaver.role}")
    file = server.directory / f"{name}.sql"
    file.write_text(leaver.dump, encoding="utf-8")
    file.chmod(0o644)
    server.psql(name, file, leaver.role)
    there, here = (dumped(server, database, leaver.role) for database in (name, shard.database))
    assert there - here == set()
    assert here - there == set()
    server.superuser(f"DROP DATABASE {name}")


ODD = (
    "CREATE TABLE keyless (t int, said text)",
    r"INSERT INTO keyless VALUES (1, E'\\.'), (2, E'-- x\n\\.\n'), (2, E'a\tb\r\n'), (NULL, NULL)",
    'CREATE TABLE "two\nlines FROM stdin;\n" ("a:b %s" int PRIMARY KEY, "c\nd" text)',
    "INSERT INTO \"two\nlines FROM stdin;\n\" VALUES (1, E'\\\\N'), (2, '')",
    "CREATE UNLOGGED TABLE forgetful (n int PRIMARY KEY, more text DEFAULT ':x')",
    "CREATE TABLE columnless ()",
    r"""CREATE FUNCTION odd() RETURNS text LANGUAGE sql AS $$ SELECT '
-- 0123 statement
\.
' $$""",
)


CALLING = (  # by names that only the tenant's own search path makes whole
    "CREATE FUNCTION small(n int) RETURNS bool IMMUTABLE LANGUAGE plpgsql"
    " AS $$ BEGIN RETURN twice(n) < 99; END $$",
    "CREATE TABLE calling (n int PRIMARY KEY CHECK (small(n)))",
    "CREATE INDEX called ON calling (small(n))",
    "INSERT INTO calling VALUES (1)",
)


def test_names_and_rows_that_look_like_the_dumps_own_lines_arrive(leaver: Leaver) -> None:
    leaver.shard.place(leaver.tenant, "update")
    leaver.shard.run(leaver.tenant, *ODD, *CALLING)
    leaver.suspend()
    assert leaver.go("export")["verified"] is True


def test_an_export_that_stands_is_not_made_twice(leaver: Leaver) -> None:
    answer = leaver.go("export")
    before = list(leaver.objects.written)
    again = leaver.go("export")
    assert leaver.objects.written == before
    assert {**again, "steps": None} == {**answer, "steps": None}


CHANGES: dict[str, Callable[[Leaver], object]] = {
    "a row": lambda x: x.peek(f"UPDATE {x.role}.customers SET name = 'other' WHERE id = 52"),
    "a column": lambda x: x.peek(f"ALTER TABLE {x.role}.empty ADD COLUMN more int"),
    "a sequence": lambda x: x.peek(f"SELECT nextval('{x.role}.invoice_numbers')"),
    "an artefact": lambda x: x.objects.put(x.bucket, "a.pdf", b"OF A"),
    "no artefact": lambda x: x.objects.remove(x.bucket, "a.pdf"),
    "the dump": lambda x: x.objects.put(x.handover, "dump.sql.gz", b"x"),
    "a copy": lambda x: x.objects.remove(x.handover, "artefacts/a.pdf"),
    "the manifest": lambda x: x.objects.remove(x.handover, "manifest.json"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_an_export_that_does_not_stand_is_made_again(leaver: Leaver, what: str) -> None:
    leaver.go("export")
    CHANGES[what](leaver)
    leaver.objects.written.clear()
    leaver.go("export")
    assert (leaver.handover, "dump.sql.gz") in leaver.objects.written
    assert copies(leaver) == leaver.objects.content(leaver.bucket)


def flip(data: bytes) -> bytes:
    return data[: len(data) // 2] + bytes([data[len(data) // 2] ^ 0xFF]) + data[len(data) // 2 + 1 :]


def without_a_row(data: bytes) -> bytes:
    return gzip.compress(re.sub(rb"\n(a b\t1\n)", b"\n", gzip.decompress(data)))


def cut(data: bytes) -> bytes:
    text = gzip.decompress(data)
    return gzip.compress(text[: text.index(b"\n-- ", len(text) // 2) + 1])


SPOILT: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "a flipped byte": (flip, "is not what was written"),
    "half of it": (lambda d: d[: len(d) // 2], "is not what was written .*cannot be read: .*end"),
    "half the pieces": (cut, "is not what was written .*is not whole"),
    "a missing row": (without_a_row, "is not what was written: run again"),
    "another file": (lambda _: gzip.compress(b"SELECT 1;\n"), "is not what was written .*not a dump"),
    "a statement that is refused": (
        lambda d: gzip.compress(gzip.decompress(d).replace(b"CREATE TABLE", b"CREATE TABEL")),
        "is not what was written .*syntax error",
    ),
}


@pytest.mark.parametrize("what", SPOILT)
def test_a_dump_that_is_not_what_it_was_is_not_proven(leaver: Leaver, what: str) -> None:
    spoil, says = SPOILT[what]

    def meddle(step: str) -> None:
        if step == "dump restored":
            data = leaver.objects.content(leaver.handover)["dump.sql.gz"]
            assert spoil(data) != data
            leaver.objects.put(leaver.handover, "dump.sql.gz", spoil(data))

    with pytest.raises(OffboardingError, match=says):
        leaver.go("export", step=meddle)
    assert leaver.document(leaver.handover, "manifest.json")["verified"] is False
    assert leaver.left == []
    leaver.go("export")


LOST = {
    "DELETE FROM {}.invoices WHERE customer = 52": r"invoices \(199 of 200 rows\)",
    "UPDATE {}.customers SET born = born + 1 WHERE id = 60": r"customers \(200 of 200 rows\)",
    "UPDATE {}.plain SET said = 'b' WHERE t = 1": r"plain \(3 of 3 rows\)",
    "DROP INDEX {}.customers_twice": "customers_twice",
    "SELECT setval('{}.invoice_numbers', 5000)": "sequence invoice_numbers",
}


@pytest.mark.parametrize("lost", LOST)
def test_a_copy_that_is_not_the_same_is_not_proven(leaver: Leaver, lost: str) -> None:
    def meddle(step: str) -> None:
        if step == "copy compared":
            leaver.peek(lost.format(leaver.role), database=leaver.scratch)

    with pytest.raises(OffboardingError, match=f"does not restore to what the schema holds: .*{LOST[lost]}"):
        leaver.go("export", step=meddle)
    assert leaver.document(leaver.handover, "manifest.json")["verified"] is False
    assert leaver.left == []


def test_an_artefact_that_does_not_arrive_as_it_is_is_not_proven(leaver: Leaver) -> None:
    leaver.objects.spoil["artefacts/deep/b ü.csv"] = b"b" * 4999 + b"c"
    with pytest.raises(OffboardingError, match=r"artefact deep/b ü.csv is not the same"):
        leaver.go("export")
    leaver.objects.spoil.clear()

    def meddle(step: str) -> None:
        if step == "artefacts copied":
            leaver.objects.remove(leaver.bucket, "a.pdf")

    with pytest.raises(OffboardingError, match=r"artefact a.pdf is not in"):
        leaver.go("export", step=meddle)
    assert "manifest.json" not in leaver.objects.content(leaver.handover)


def test_artefacts_that_take_longer_than_a_call_are_copied_in_rounds(leaver: Leaver) -> None:
    answer, rounds = None, list[str]()
    while answer is None:
        before = len(leaver.objects.written)

        def late(before: int = before) -> bool:
            return sum(k.startswith("artefacts/") for _, k in leaver.objects.written[before:]) > 0

        try:
            answer = leaver.go("export", late=late)
        except GoesOn as round_:
            rounds.append(str(round_))
    assert rounds == [f"{n} of 3 artefacts are copied" for n in (1, 2)]
    assert sorted(k for _, k in leaver.objects.written if k.startswith("artefacts/")) == sorted(
        f"artefacts/{k}" for k in ARTEFACTS
    )
    assert answer["files"] == 4


def test_who_still_works_or_lives_elsewhere_is_not_handed_over(leaver: Leaver) -> None:
    with pytest.raises(OffboardingError, match="lives at another database"):
        leaver.go("export", host="old.mock.eu-west-1.rds.amazonaws.com")
    leaver.shard.place(leaver.tenant, "update")
    with pytest.raises(OffboardingError, match="can still log in: suspend it first"):
        leaver.go("export")
    leaver.shard.run(leaver.tenant, "ALTER TABLE empty ENABLE ROW LEVEL SECURITY")
    leaver.suspend()
    with pytest.raises(
        OffboardingError, match=r"cannot be handed over whole: table with row security .*: empty"
    ):
        leaver.go("export")
    assert leaver.objects.written == []


def test_killed_at_every_step_the_next_run_comes_to_the_end(leaver: Leaver) -> None:
    answer, killed = leaver.through("export")
    assert answer["verified"] is True
    assert len([k for _, k in leaver.objects.written if k.startswith("artefacts/")]) == len(ARTEFACTS)
    assert len(killed) >= 9
    assert leaver.left == []


def test_what_a_tenant_wrote_runs_with_nobodys_rights(leaver: Leaver) -> None:
    """A function of an index runs when the dump is restored."""
    leaver.shard.place(leaver.tenant, "update")
    leaver.shard.run(
        leaver.tenant,
        "CREATE FUNCTION inner_one() RETURNS int VOLATILE LANGUAGE plpgsql AS $$ BEGIN"
        f" IF session_user <> '{leaver.role}' THEN EXECUTE 'CREATE ROLE sly'; END IF; RETURN 1; END $$",
        "CREATE FUNCTION sly(n int) RETURNS int IMMUTABLE LANGUAGE plpgsql AS"
        f" $$ BEGIN PERFORM {leaver.role}.inner_one(); RETURN n; END $$",
        'CREATE INDEX trap ON "Odd Names" (sly("select"))',
    )
    leaver.suspend()
    with pytest.raises(OffboardingError, match="permission denied to create role"):
        leaver.go("export")
    assert leaver.peek("SELECT 1 FROM pg_roles WHERE rolname = 'sly'") == []
    assert leaver.left == []


def test_nobody_else_can_look_into_the_restored_copy(leaver: Leaver) -> None:
    seen: list[str] = []

    def look(step: str) -> None:
        if step == "copy compared":
            with pytest.raises(DatabaseError, match="permission denied for database"):
                leaver.shard.server.connect(**login, database=leaver.scratch)
            seen.append(step)

    secret = leaver.shard.secret(leaver.shard.bolt)
    login = {"user": secret["username"], "password": secret["password"]}
    leaver.go("export", step=look)
    assert seen


def test_no_password_is_in_the_logs_or_the_hand_over(leaver: Leaver) -> None:
    answer = str(leaver.go("export"))
    password = str(leaver.shard.secret(leaver.tenant)["password"])
    assert password not in leaver.shard.server.log + leaver.dump + answer

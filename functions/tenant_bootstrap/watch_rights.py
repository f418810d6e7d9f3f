"""What the watch of sessions (`functions.session_watch`) may do in a database, and nothing besides.

It reads statistics, and calls three functions of the administrator's: one ends sessions of tenants, two lower
a tenant's number of sessions and give it back. Nobody else may call them, and whatever is asked of them, no
tenant has less than one session, or more than its share.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pg8000.native import literal

WATCH: Final = "session_watch"  # the role of functions/session_watch
PLATFORM: Final = "tenantry"  # the schema of what is neither the administrator's nor a tenant's
SHARES: Final = f"{PLATFORM}.connection_shares"
Rows = Callable[..., Sequence[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class _Function:
    name: str
    arguments: str
    returns: str
    language: str
    body: str


# Numbers of processes are given again: the moment at which a session began tells it from the next one.
_END: Final = """
SELECT coalesce(bool_or(pg_terminate_backend(a.pid)), false) FROM pg_stat_get_activity($1) a
WHERE a.backend_start = $2 AND starts_with(pg_get_userbyid(a.usesysid)::text, 't_')"""
# Once is an accident. The third time within minutes lowers, and each further time halves what is left. Who
# does it again soon after it had all back waits twice as long as the last time, for four hours at most.
_LOWER: Final = """
DECLARE
  own tenantry.connection_shares;
  now_has int4;
  most int4;
BEGIN
  SELECT * INTO own FROM tenantry.connection_shares s
  WHERE s.role = tenant AND starts_with(tenant, 't_') FOR UPDATE;
  IF NOT FOUND THEN RETURN NULL; END IF;
  own.times := CASE WHEN own.ended > clock_timestamp() - INTERVAL '5 minutes' THEN own.times + 1 ELSE 1 END;
  own.ended := clock_timestamp();
  IF own.times >= 3 OR own.until IS NOT NULL THEN
    SELECT rolconnlimit INTO now_has FROM pg_roles WHERE rolname = tenant;
    IF own.until IS NULL THEN
      most := least(wanted, own.connections);
      own.seconds := CASE WHEN own.restored > own.ended - make_interval(secs => 2 * own.seconds)
        THEN least(2 * own.seconds, 14400) ELSE 300 END;
    ELSE
      most := least(now_has, own.connections) / 2;
    END IF;
    most := greatest(most, 1);
    own.until := own.ended + make_interval(secs => own.seconds);
    IF most <> now_has THEN
      EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', tenant, most);
    ELSE
      most := NULL;
    END IF;
  END IF;
  UPDATE tenantry.connection_shares s
  SET ended = own.ended, times = own.times, until = own.until, seconds = own.seconds WHERE s.role = tenant;
  RETURN most;
END"""
_RESTORE: Final = """
DECLARE
  share int4;
BEGIN
  UPDATE tenantry.connection_shares s SET until = NULL, times = 0, restored = clock_timestamp()
  WHERE s.role = tenant AND s.until <= clock_timestamp() RETURNING s.connections INTO share;
  IF FOUND THEN
    EXECUTE format('ALTER ROLE %I CONNECTION LIMIT %s', tenant, share);
  END IF;
  RETURN share;
END"""
_IS: Final = """
SELECT 1 FROM pg_proc
WHERE pronamespace = to_regnamespace(:schema) AND proname = :name AND prosrc = :source"""
_FUNCTIONS: Final = (
    _Function("end_session", "pid int4, started timestamptz", "bool", "sql", _END),
    _Function("lower_connections", "tenant text, wanted int4", "int4", "plpgsql", _LOWER),
    _Function("restore_connections", "tenant text", "int4", "plpgsql", _RESTORE),
)


def watched(rows: Rows, database: str, role: str, connections: int) -> Iterator[str]:
    """The role in which somebody looks at sessions, and a tenant's share of them.

    It logs in by IAM, where there is that, and has no password. `database` is quoted, `role` is not.

    RDS user guide, 2026-11: a role that has `rds_iam` logs in by IAM ("Creating a database account using IAM
    authentication"); the administrator, to whom the functions belong, may end every session ("Understanding
    the rds_superuser role"). That it may grant `pg_monitor` is assumed (`what-the-administrator-of-rds-may`).
    """
    if not rows("SELECT 1 FROM pg_roles WHERE rolname = :role", role=WATCH):
        yield f"CREATE ROLE {WATCH} LOGIN CONNECTION LIMIT 10"
    if rows("SELECT 1 FROM pg_roles WHERE rolname = 'rds_iam'"):
        yield f"GRANT rds_iam TO {WATCH}"
    yield f"GRANT pg_monitor TO {WATCH}"
    yield f"GRANT CONNECT ON DATABASE {database} TO {WATCH}"
    yield f"CREATE SCHEMA IF NOT EXISTS {PLATFORM}"
    yield f"REVOKE ALL ON SCHEMA {PLATFORM} FROM PUBLIC"
    yield f"GRANT USAGE ON SCHEMA {PLATFORM} TO {WATCH}"
    yield from _shares(role, connections)
    for function in _FUNCTIONS:
        yield from _made(rows, function)


def _shares(role: str, connections: int) -> Iterator[str]:
    """Whoever is placed has its share again; the row of a role that has gone goes."""
    yield (
        f"CREATE TABLE IF NOT EXISTS {SHARES} (role name PRIMARY KEY, connections int4 NOT NULL,"
        " ended timestamptz, times int4 NOT NULL DEFAULT 0, until timestamptz,"
        " seconds int4 NOT NULL DEFAULT 0, restored timestamptz)"
    )
    yield f"GRANT SELECT ON {SHARES} TO {WATCH}"
    yield f"DELETE FROM {SHARES} s WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = s.role)"  # noqa: S608
    yield (
        f"INSERT INTO {SHARES} AS s (role, connections) VALUES ({literal(role)}, {connections})"  # noqa: S608
        " ON CONFLICT (role) DO UPDATE SET connections = excluded.connections, times = 0, until = NULL,"
        " restored = CASE WHEN s.until IS NULL THEN s.restored ELSE clock_timestamp() END"
    )


def _made(rows: Rows, function: _Function) -> Iterator[str]:
    kinds = ", ".join(argument.split()[1] for argument in function.arguments.split(", "))
    named = f"{PLATFORM}.{function.name}({kinds})"
    # A tenant may have a function of the same words in its own schema.
    if not rows(_IS, schema=PLATFORM, name=function.name, source=function.body):
        yield (
            f"CREATE OR REPLACE FUNCTION {PLATFORM}.{function.name}({function.arguments})"
            f" RETURNS {function.returns} LANGUAGE {function.language} SECURITY DEFINER"
            f" SET search_path = pg_catalog, pg_temp AS {literal(function.body)}"
        )
        yield f"REVOKE ALL ON FUNCTION {named} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {named} TO {WATCH}"

-- What a schema asks of the server that it moves to; `:schema` is it.

--- extensions that something of the schema depends on
WITH own (classid, objid) AS (
  SELECT 'pg_class'::regclass::oid, c.oid FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT 'pg_type'::regclass, t.oid FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT 'pg_proc'::regclass, p.oid FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT 'pg_constraint'::regclass, x.oid FROM pg_catalog.pg_constraint x
  JOIN pg_catalog.pg_namespace n ON n.oid = x.connamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT 'pg_attrdef'::regclass, e.oid FROM pg_catalog.pg_attrdef e JOIN pg_catalog.pg_class c ON c.oid = e.adrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT 'pg_trigger'::regclass, t.oid FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT 'pg_rewrite'::regclass, r.oid FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
)
SELECT DISTINCT x.extname, x.extversion
FROM own JOIN pg_catalog.pg_depend d ON (d.classid, d.objid) = (own.classid, own.objid)
JOIN pg_catalog.pg_depend m ON (m.classid, m.objid) = (d.refclassid, d.refobjid)
  AND m.refclassid = 'pg_extension'::regclass AND m.deptype = 'e'
JOIN pg_catalog.pg_extension x ON x.oid = m.refobjid
ORDER BY 1

--- extensions of the database
SELECT extname, extversion FROM pg_catalog.pg_extension ORDER BY 1

--- locks that making the schema takes, all in one transaction
-- A table, view, index or sequence has one each, and so have a table's large values and their index.
SELECT count(*) + 2 * count(*) FILTER (WHERE c.reltoastrelid <> 0)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p', 'v', 'S', 'i', 'I', 'c')

--- locks that there is room for
-- Of all sessions together (PostgreSQL 17, "Lock Management", max_locks_per_transaction, 2026-11).
SELECT current_setting('max_locks_per_transaction')::int8
  * (current_setting('max_connections')::int8 + current_setting('max_prepared_transactions')::int8)

--- bytes of all databases
-- As far as they may be asked for, which rds_superuser may as a member of pg_monitor.
SELECT sum(CASE WHEN has_database_privilege(oid, 'CONNECT') OR pg_has_role('pg_read_all_stats', 'USAGE')
  THEN pg_database_size(oid) ELSE 0 END)::int8
FROM pg_catalog.pg_database

--- bytes of the log
SELECT coalesce(sum(size), 0)::int8 FROM pg_ls_waldir()

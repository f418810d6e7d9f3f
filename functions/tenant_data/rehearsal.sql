-- What runs code of the tenant's when a row is written, in the schema that was just made; `:schema` is it.

--- expressions
-- In which functions of the schema are called, by table: a table's checks, its computed columns, its indexes; and domains of its columns, whose checks have functions.
SELECT c.relname, format('check %s', x.conname), pg_get_expr(x.conbin, x.conrelid)
FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_class c ON c.oid = x.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND x.contype = 'c' AND c.relkind = 'r' AND EXISTS (
  SELECT 1 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
  WHERE d.classid = 'pg_constraint'::regclass AND d.objid = x.oid AND d.refclassid = 'pg_proc'::regclass
    AND p.pronamespace = n.oid)
UNION ALL
SELECT c.relname, format('computed column %s', a.attname), pg_get_expr(e.adbin, e.adrelid)
FROM pg_catalog.pg_attrdef e JOIN pg_catalog.pg_class c ON c.oid = e.adrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = e.adnum
WHERE n.nspname = :schema AND a.attgenerated <> '' AND c.relkind = 'r' AND EXISTS (
  SELECT 1 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
  WHERE d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid AND d.refclassid = 'pg_proc'::regclass
    AND p.pronamespace = n.oid)
UNION ALL
SELECT c.relname, format('index %s', v.relname), w.expression
FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indrelid
JOIN pg_catalog.pg_class v ON v.oid = i.indexrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (VALUES (pg_get_expr(i.indexprs, i.indrelid)), (pg_get_expr(i.indpred, i.indrelid))) w (expression)
WHERE n.nspname = :schema AND c.relkind = 'r' AND w.expression IS NOT NULL AND EXISTS (
  SELECT 1 FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_proc p ON p.oid = d.refobjid
  WHERE d.classid = 'pg_class'::regclass AND d.objid = i.indexrelid AND d.refclassid = 'pg_proc'::regclass
    AND p.pronamespace = n.oid)
UNION ALL
SELECT c.relname, format('domain of column %s', a.attname),
  format('CAST(NULL AS %s)', format_type(a.atttypid, a.atttypmod))
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE n.nspname = :schema AND c.relkind = 'r' AND a.attnum > 0 AND t.typtype = 'd' AND t.typnamespace = n.oid

--- checks
-- Of one table, `:table`.
SELECT x.conname, pg_get_expr(x.conbin, x.conrelid)
FROM pg_catalog.pg_constraint x
WHERE x.conrelid = CAST(:table AS regclass) AND x.contype = 'c' AND x.convalidated
ORDER BY x.conname

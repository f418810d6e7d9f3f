-- A schema read out of PostgreSQL's catalog as the statements that make it again.
--
-- PostgreSQL words most definitions itself (pg_get_…def); with an empty search path every name in them is
-- whole. Each query gives (place in its section, what it is of, statement); `:schema` is the schema.
-- `--- SECTION: what` begins one; sections are in catalog.py.

--- TYPES: enums
SELECT t.oid::int8, t.typname, format('CREATE TYPE %I.%I AS ENUM (%s)', n.nspname, t.typname,
  coalesce((SELECT string_agg(quote_literal(enumlabel), ', ' ORDER BY enumsortorder)
            FROM pg_catalog.pg_enum e WHERE e.enumtypid = t.oid), ''))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype = 'e' AND n.nspname = :schema

--- TYPES: domains
SELECT t.oid::int8, t.typname, format('CREATE DOMAIN %I.%I AS %s%s%s%s%s', n.nspname, t.typname,
  format_type(t.typbasetype, t.typtypmod),
  CASE WHEN t.typcollation <> b.typcollation THEN format(' COLLATE %s', t.typcollation::regcollation) END,
  CASE WHEN t.typdefault IS NOT NULL
       THEN ' DEFAULT ' || coalesce(pg_get_expr(t.typdefaultbin, 0), quote_literal(t.typdefault)) END,
  CASE WHEN t.typnotnull THEN ' NOT NULL' END,
  (SELECT string_agg(format(' CONSTRAINT %I %s', conname, pg_get_constraintdef(c.oid)), '' ORDER BY conname)
   FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c'))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
WHERE t.typtype = 'd' AND n.nspname = :schema

--- TYPES: composite types
SELECT c.oid::int8, c.relname, format('CREATE TYPE %I.%I AS (%s)', n.nspname, c.relname,
  (SELECT string_agg(format('%I %s', attname, format_type(atttypid, atttypmod)), ', ' ORDER BY attnum)
   FROM pg_catalog.pg_attribute a WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'c' AND n.nspname = :schema

--- SEQUENCES: sequences, but those of identity columns
SELECT c.oid::int8, c.relname, format('CREATE SEQUENCE %I.%I AS %s ', n.nspname, c.relname,
  format_type(s.seqtypid, NULL)) || format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s',
  s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' END)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_sequence s ON s.seqrelid = c.oid
WHERE n.nspname = :schema AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_depend d WHERE d.classid = 'pg_class'::regclass
  AND d.objid = c.oid AND d.deptype = 'i')

--- FUNCTIONS: functions and procedures that need no table
SELECT p.oid::int8, p.proname, pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p', 'w') AND n.nspname = :schema AND NOT EXISTS (
  SELECT 1 FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_type t
    ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
    AND (t.typrelid <> 0 OR d.refclassid = 'pg_class'::regclass))

--- TABLES: tables; a column's default comes later, since it may call a function that reads the table
SELECT c.oid::int8, c.relname, format('CREATE TABLE %I.%I (%s)%s%s', n.nspname, c.relname,
  (SELECT string_agg(format('%I %s%s%s%s', a.attname, format_type(a.atttypid, a.atttypmod),
  CASE WHEN a.attcollation <> t.typcollation THEN format(' COLLATE %s', a.attcollation::regcollation) END,
  CASE WHEN a.attgenerated = 's' THEN format(' GENERATED ALWAYS AS (%s) STORED', pg_get_expr(d.adbin, d.adrelid))
       WHEN a.attidentity <> '' AND NOT c.relispartition THEN format(
         ' GENERATED %s AS IDENTITY (SEQUENCE NAME %s %s)',
         CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END, s.seqrelid::regclass, format('INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s',
  s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache, CASE WHEN s.seqcycle THEN ' CYCLE' END)) END,
  CASE WHEN a.attnotnull THEN ' NOT NULL' END), ', ' ORDER BY a.attnum)
   FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
   LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
   LEFT JOIN pg_catalog.pg_depend i ON a.attidentity <> '' AND i.refclassid = 'pg_class'::regclass
     AND i.refobjid = c.oid AND i.refobjsubid = a.attnum AND i.deptype = 'i'
     AND i.classid = 'pg_class'::regclass
   LEFT JOIN pg_catalog.pg_sequence s ON s.seqrelid = i.objid
   WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
  CASE WHEN c.relkind = 'p' THEN ' PARTITION BY ' || pg_get_partkeydef(c.oid) END,
  CASE WHEN c.reloptions IS NOT NULL THEN format(' WITH (%s)', array_to_string(c.reloptions, ', ')) END)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = :schema

--- KEYS: keys and checks; partitions get theirs before their table, whose own then take them in
SELECT CASE WHEN c.relkind = 'p' THEN 1 ELSE 0 END * 10000000000 + x.oid::int8, x.conname,
  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, x.conname,
    pg_get_constraintdef(x.oid))
FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_class c ON c.oid = x.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND x.contype IN ('p', 'u', 'c', 'x')

--- ATTACH: partitions
SELECT c.oid::int8, c.relname, format('ALTER TABLE %I.%I ATTACH PARTITION %I.%I %s',
  pn.nspname, p.relname, n.nspname, c.relname, pg_get_expr(c.relpartbound, c.oid))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_inherits i ON i.inhrelid = c.oid JOIN pg_catalog.pg_class p ON p.oid = i.inhparent
JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace
WHERE c.relispartition AND c.relkind IN ('r', 'p') AND n.nspname = :schema

--- VIEWS: views
SELECT c.oid::int8, c.relname, format('CREATE VIEW %I.%I%s AS %s', n.nspname, c.relname,
  CASE WHEN c.reloptions IS NOT NULL THEN format(' WITH (%s)', array_to_string(c.reloptions, ', ')) END,
  rtrim(pg_get_viewdef(c.oid), ';'))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'v' AND n.nspname = :schema

--- LATE: functions and procedures that name a table or a view
SELECT p.oid::int8, p.proname, pg_get_functiondef(p.oid)
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE p.prokind IN ('f', 'p', 'w') AND n.nspname = :schema AND EXISTS (
  SELECT 1 FROM pg_catalog.pg_depend d LEFT JOIN pg_catalog.pg_type t
    ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
  WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
    AND (t.typrelid <> 0 OR d.refclassid = 'pg_class'::regclass))

--- DEFAULTS: defaults
SELECT c.oid::int8 * 2000 + a.attnum, c.relname, format('ALTER TABLE ONLY %I.%I ALTER COLUMN %I SET DEFAULT %s',
  n.nspname, c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p') AND a.attgenerated = '' AND n.nspname = :schema

--- DEFAULTS: whose sequences are whose
SELECT c.oid::int8, c.relname, format('ALTER SEQUENCE %I.%I OWNED BY %I.%I.%I',
  n.nspname, c.relname, n.nspname, t.relname, a.attname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
  AND d.refclassid = 'pg_class'::regclass
JOIN pg_catalog.pg_class t ON t.oid = d.refobjid
JOIN pg_catalog.pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE c.relkind = 'S' AND n.nspname = :schema

--- EXPRESSIONS: indexes over what functions return
-- Before there are rows: made over rows, since PostgreSQL 17, functions find nothing but what is in pg_catalog
-- (release notes of 17.0, "Migration to Version 17"; seen on 17.11, 2026-11-29, tests/data/test_leaving_export.py).
SELECT CASE WHEN c.relkind = 'I' THEN 1 ELSE 0 END * 10000000000 + c.oid::int8, c.relname,
  regexp_replace(pg_get_indexdef(c.oid), '^(CREATE (UNIQUE )?INDEX .+? ON )ONLY ', '\1')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('i', 'I') AND n.nspname = :schema AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint x WHERE x.conindid = c.oid AND x.contype IN ('p', 'u', 'x'))

--- INDEXES: indexes; one on a partitioned table is worded ON ONLY, which would leave its partitions out
SELECT CASE WHEN c.relkind = 'I' THEN 1 ELSE 0 END * 10000000000 + c.oid::int8, c.relname,
  regexp_replace(pg_get_indexdef(c.oid), '^(CREATE (UNIQUE )?INDEX .+? ON )ONLY ', '\1')
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE c.relkind IN ('i', 'I') AND n.nspname = :schema AND i.indexprs IS NULL AND i.indpred IS NULL
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint x WHERE x.conindid = c.oid AND x.contype IN ('p', 'u', 'x'))

--- INDEXES: extended statistics
SELECT s.oid::int8, s.stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname = :schema

--- FOREIGN: foreign keys; a partition has its table's
SELECT CASE WHEN c.relkind = 'p' THEN 1 ELSE 0 END * 10000000000 + x.oid::int8, x.conname,
  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, x.conname,
    pg_get_constraintdef(x.oid))
FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_class c ON c.oid = x.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND x.contype = 'f' AND x.conparentid = 0

--- TRIGGERS: triggers
SELECT t.oid::int8, t.tgname, pg_get_triggerdef(t.oid)
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND n.nspname = :schema

--- NOTES: triggers that are off
SELECT t.oid::int8, t.tgname, format('ALTER TABLE %I.%I DISABLE TRIGGER %I', n.nspname, c.relname, t.tgname)
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE NOT t.tgisinternal AND t.tgparentid = 0 AND t.tgenabled = 'D' AND n.nspname = :schema

--- NOTES: what tells rows apart
SELECT c.oid::int8, c.relname, format('ALTER TABLE %I.%I REPLICA IDENTITY %s', n.nspname, c.relname,
  CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE format('USING INDEX %I',
    (SELECT x.relname FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
     WHERE i.indrelid = c.oid AND i.indisreplident)) END)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND c.relreplident <> 'd' AND n.nspname = :schema

--- NOTES: comments
SELECT 0::int8, i.identity, format('COMMENT ON %s %s IS %L',
  CASE i.type WHEN 'table column' THEN 'column' WHEN 'view column' THEN 'column'
    WHEN 'table constraint' THEN 'constraint' ELSE i.type END, i.identity, d.description)
FROM pg_catalog.pg_description d
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE i.schema = :schema AND i.type IN ('table', 'view', 'sequence', 'index', 'function', 'procedure', 'type',
  'table column', 'view column')

--- NOTES: comments on constraints
SELECT 0::int8, x.conname, format('COMMENT ON CONSTRAINT %I ON %I.%I IS %L', x.conname, n.nspname,
  c.relname, d.description)
FROM pg_catalog.pg_description d
JOIN pg_catalog.pg_constraint x ON d.classoid = 'pg_constraint'::regclass AND d.objoid = x.oid
JOIN pg_catalog.pg_class c ON c.oid = x.conrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema

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
   FROM pg_catalog.pg_constraint c WHERE c.contypid = t.oid AND c.contype = 'c' AND c.convalidated))
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
JOIN pg_catalog.pg_type b ON b.oid = t.typbasetype
WHERE t.typtype = 'd' AND n.nspname = :schema

--- TYPES: composite types
SELECT c.oid::int8, c.relname, format('CREATE TYPE %I.%I AS (%s)', n.nspname, c.relname,
  (SELECT string_agg(format('%I %s%s', attname, format_type(atttypid, atttypmod),
     CASE WHEN a.attcollation <> t.typcollation THEN format(' COLLATE %s', a.attcollation::regcollation) END),
     ', ' ORDER BY attnum)
   FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
   WHERE a.attrelid = c.oid AND attnum > 0 AND NOT attisdropped))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind = 'c' AND n.nspname = :schema

--- SEQUENCES: sequences, but those of identity columns
SELECT c.oid::int8, c.relname, format('CREATE %sSEQUENCE %I.%I AS %s ',
  CASE WHEN c.relpersistence = 'u' THEN 'UNLOGGED ' END, n.nspname, c.relname,
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

--- CASTS: casts from or to a type of the schema
SELECT c.oid::int8, format('cast %s as %s', c.castsource::regtype, c.casttarget::regtype),
  format('CREATE CAST (%s AS %s) %s%s', c.castsource::regtype, c.casttarget::regtype,
  CASE c.castmethod WHEN 'f' THEN 'WITH FUNCTION ' || c.castfunc::regprocedure WHEN 'i' THEN 'WITH INOUT'
       ELSE 'WITHOUT FUNCTION' END,
  CASE c.castcontext WHEN 'i' THEN ' AS IMPLICIT' WHEN 'a' THEN ' AS ASSIGNMENT' END)
FROM pg_catalog.pg_cast c WHERE EXISTS (
  SELECT 1 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
  WHERE t.oid IN (c.castsource, c.casttarget) AND n.nspname = :schema)

--- TABLES: tables; a column's default comes later, since it may call a function that reads the table
SELECT c.oid::int8, c.relname, format('CREATE %sTABLE %I.%I (%s)%s%s',
  CASE WHEN c.relpersistence = 'u' THEN 'UNLOGGED ' END, n.nspname, c.relname,
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
  (SELECT format(' WITH (%s)', string_agg(o.option, ', ')) FROM (SELECT unnest(c.reloptions) AS option
   UNION ALL SELECT 'toast.' || unnest(x.reloptions) FROM pg_catalog.pg_class x WHERE x.oid = c.reltoastrelid) o
   HAVING count(*) > 0))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = :schema

--- KEYS: keys; partitions get theirs before their table, whose own then take them in
SELECT CASE WHEN c.relkind = 'p' THEN 1 ELSE 0 END * 10000000000 + x.oid::int8, x.conname,
  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, x.conname,
    pg_get_constraintdef(x.oid))
FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_class c ON c.oid = x.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND x.contype IN ('p', 'u', 'x')

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

--- DEFAULTS: defaults, of views too
SELECT c.oid::int8 * 2000 + a.attnum, c.relname, format('ALTER TABLE ONLY %I.%I ALTER COLUMN %I SET DEFAULT %s',
  n.nspname, c.relname, a.attname, pg_get_expr(d.adbin, d.adrelid))
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE c.relkind IN ('r', 'p', 'v') AND a.attgenerated = '' AND n.nspname = :schema

--- DEFAULTS: how columns are stored, and what is known of them
SELECT c.oid::int8 * 2000 + a.attnum, c.relname,
  format('ALTER TABLE ONLY %I.%I ALTER COLUMN %I %s', n.nspname, c.relname, a.attname, o.change)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
CROSS JOIN LATERAL (VALUES
  (CASE WHEN a.attstorage <> t.typstorage THEN 'SET STORAGE ' || CASE a.attstorage
     WHEN 'p' THEN 'PLAIN' WHEN 'e' THEN 'EXTERNAL' WHEN 'm' THEN 'MAIN' ELSE 'EXTENDED' END END),
  (CASE a.attcompression WHEN 'p' THEN 'SET COMPRESSION pglz' WHEN 'l' THEN 'SET COMPRESSION lz4' END),
  (CASE WHEN a.attstattarget >= 0 THEN 'SET STATISTICS ' || a.attstattarget END),
  (CASE WHEN a.attoptions IS NOT NULL THEN format('SET (%s)', array_to_string(a.attoptions, ', ')) END)) o (change)
WHERE c.relkind IN ('r', 'p') AND o.change IS NOT NULL AND n.nspname = :schema

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
SELECT (64 - (SELECT count(*) FROM pg_partition_ancestors(c.oid))) * 10000000000 + c.oid::int8, c.relname,
  CASE WHEN starts_with(pg_get_indexdef(c.oid), w.words || ' ON ONLY ')
       THEN overlay(pg_get_indexdef(c.oid) PLACING ' ON ' FROM length(w.words) + 1 FOR length(' ON ONLY '))
       ELSE pg_get_indexdef(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
CROSS JOIN LATERAL (SELECT format('CREATE %sINDEX %I', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname)) w (words)
WHERE c.relkind IN ('i', 'I') AND n.nspname = :schema AND (i.indexprs IS NOT NULL OR i.indpred IS NOT NULL)
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint x WHERE x.conindid = c.oid AND x.contype IN ('p', 'u', 'x'))

--- INDEXES: indexes; one on a partitioned table is worded ON ONLY, which would leave its partitions out
SELECT (64 - (SELECT count(*) FROM pg_partition_ancestors(c.oid))) * 10000000000 + c.oid::int8, c.relname,
  CASE WHEN starts_with(pg_get_indexdef(c.oid), w.words || ' ON ONLY ')
       THEN overlay(pg_get_indexdef(c.oid) PLACING ' ON ' FROM length(w.words) + 1 FOR length(' ON ONLY '))
       ELSE pg_get_indexdef(c.oid) END
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
CROSS JOIN LATERAL (SELECT format('CREATE %sINDEX %I', CASE WHEN i.indisunique THEN 'UNIQUE ' END, c.relname)) w (words)
WHERE c.relkind IN ('i', 'I') AND n.nspname = :schema AND i.indexprs IS NULL AND i.indpred IS NULL
  AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint x WHERE x.conindid = c.oid AND x.contype IN ('p', 'u', 'x'))

--- INDEXES: extended statistics
SELECT s.oid::int8, s.stxname, pg_get_statisticsobjdef(s.oid)
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace WHERE n.nspname = :schema

--- CHECKS: checks, after the rows: one may read other tables, or be true of later rows only
-- Partitions get theirs first, however deep, or they would be given their table's under names of its own.
SELECT (64 - (SELECT count(*) FROM pg_partition_ancestors(c.oid))) * 10000000000 + x.oid::int8, x.conname,
  format('ALTER TABLE %I.%I ADD CONSTRAINT %I %s', n.nspname, c.relname, x.conname, pg_get_constraintdef(x.oid))
FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_class c ON c.oid = x.conrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND x.contype = 'c'
UNION ALL
SELECT x.oid::int8, x.conname, format('ALTER DOMAIN %I.%I ADD CONSTRAINT %I %s', n.nspname, t.typname, x.conname,
    pg_get_constraintdef(x.oid))
FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_type t ON t.oid = x.contypid
JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = :schema AND x.contype = 'c' AND NOT x.convalidated

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

--- NOTES: triggers that are off, and those of a partition that are not as its table's
SELECT CASE WHEN t.tgparentid = 0 THEN 0 ELSE 1 END * 10000000000 + t.oid::int8, t.tgname,
  format('ALTER TABLE %I.%I %s TRIGGER %I', n.nspname, c.relname, CASE t.tgenabled WHEN 'D' THEN 'DISABLE'
    WHEN 'R' THEN 'ENABLE REPLICA' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE' END, t.tgname)
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_trigger p ON p.oid = t.tgparentid
WHERE NOT t.tgisinternal AND t.tgenabled <> coalesce(p.tgenabled, 'O') AND n.nspname = :schema

--- NOTES: what tells rows apart
SELECT c.oid::int8, c.relname, format('ALTER TABLE %I.%I REPLICA IDENTITY %s', n.nspname, c.relname,
  CASE c.relreplident WHEN 'f' THEN 'FULL' WHEN 'n' THEN 'NOTHING' ELSE format('USING INDEX %I', x.relname) END)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN (pg_catalog.pg_index i JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid)
  ON i.indrelid = c.oid AND i.indisreplident
WHERE c.relkind IN ('r', 'p') AND (c.relreplident IN ('f', 'n') OR x.relname IS NOT NULL) AND n.nspname = :schema

--- NOTES: in which order tables are clustered
SELECT c.oid::int8, c.relname, format('ALTER TABLE %I.%I CLUSTER ON %I', n.nspname, c.relname, x.relname)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisclustered
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
WHERE n.nspname = :schema

--- NOTES: how much is known of what indexes and statistics compute
SELECT c.oid::int8 * 2000 + a.attnum, c.relname,
  format('ALTER INDEX %I.%I ALTER COLUMN %s SET STATISTICS %s', n.nspname, c.relname, a.attnum, a.attstattarget)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid
WHERE c.relkind IN ('i', 'I') AND a.attstattarget >= 0 AND n.nspname = :schema
UNION ALL
SELECT s.oid::int8, s.stxname, format('ALTER STATISTICS %I.%I SET STATISTICS %s', n.nspname, s.stxname, s.stxstattarget)
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxstattarget >= 0 AND n.nspname = :schema

--- NOTES: comments
-- An object without a schema of its own, as a trigger, belongs to that of what it is of.
SELECT 0::int8, i.identity, format('COMMENT ON %s %s IS %L', CASE WHEN i.type LIKE '% column' THEN 'COLUMN'
    WHEN i.type = 'statistics object' THEN 'STATISTICS' WHEN i.type = 'composite type' THEN 'TYPE'
    ELSE upper(i.type) END, i.identity, d.description)
FROM pg_catalog.pg_description d
CROSS JOIN LATERAL pg_identify_object(d.classoid, d.objoid, d.objsubid) i
WHERE d.classoid <> 'pg_catalog.pg_constraint'::regclass AND coalesce(i.schema, CASE d.classoid
    WHEN 'pg_catalog.pg_trigger'::regclass THEN
      (SELECT n.nspname FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid
       JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE t.oid = d.objoid)
    WHEN 'pg_catalog.pg_cast'::regclass THEN
      (SELECT min(n.nspname) FROM pg_catalog.pg_cast c
       JOIN pg_catalog.pg_type t ON t.oid IN (c.castsource, c.casttarget)
       JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE c.oid = d.objoid AND n.nspname = :schema)
  END) = :schema

--- NOTES: comments on constraints
SELECT 0::int8, x.conname, format('COMMENT ON CONSTRAINT %I ON %s IS %L', x.conname,
  CASE WHEN x.conrelid <> 0 THEN x.conrelid::regclass::text ELSE 'DOMAIN ' || x.contypid::regtype END, d.description)
FROM pg_catalog.pg_description d
JOIN pg_catalog.pg_constraint x ON d.classoid = 'pg_catalog.pg_constraint'::regclass AND d.objoid = x.oid
JOIN pg_catalog.pg_namespace n ON n.oid = x.connamespace
WHERE n.nspname = :schema

--- PRIVILEGES: what owner and everybody may do with an object, where it is not what they may with a new one
-- Both are taken away first and then given what they have. The owner is whoever makes the schema: the tenant,
-- or the role that proves a dump (functions/tenant_leaving/scratch_database.py).
WITH objects AS (
  SELECT c.oid, c.relname AS name, format('%I.%I', n.nspname, c.relname) AS whole, c.relowner AS owner,
    c.relacl AS acl, CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char" AS kind,
    CASE c.relkind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END AS word
  FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  WHERE c.relkind IN ('r', 'p', 'v', 'S') AND n.nspname = :schema
  UNION ALL
  SELECT p.oid, p.proname, p.oid::regprocedure::text, p.proowner, p.proacl, 'f',
    CASE p.prokind WHEN 'p' THEN 'PROCEDURE' ELSE 'FUNCTION' END
  FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT t.oid, t.typname, format('%I.%I', n.nspname, t.typname), t.typowner, t.typacl, 'T',
    CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END
  FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = :schema
),
given AS (
  SELECT o.oid, o.kind, g.grantee, g.is_grantable, string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) AS what
  FROM objects o CROSS JOIN LATERAL aclexplode(o.acl) g WHERE g.grantee IN (0, o.owner)
  GROUP BY o.oid, o.kind, g.grantee, g.is_grantable
),
usual AS (
  SELECT o.oid, o.kind, g.grantee, g.is_grantable, string_agg(g.privilege_type, ', ' ORDER BY g.privilege_type) AS what
  FROM objects o CROSS JOIN LATERAL aclexplode(acldefault(o.kind, o.owner)) g WHERE o.acl IS NOT NULL
  GROUP BY o.oid, o.kind, g.grantee, g.is_grantable
),
other AS (
  SELECT o.* FROM objects o WHERE o.acl IS NOT NULL AND EXISTS (
    (SELECT grantee, is_grantable, what FROM given g WHERE (g.oid, g.kind) = (o.oid, o.kind)
     EXCEPT SELECT grantee, is_grantable, what FROM usual u WHERE (u.oid, u.kind) = (o.oid, o.kind))
    UNION ALL
    (SELECT grantee, is_grantable, what FROM usual u WHERE (u.oid, u.kind) = (o.oid, o.kind)
     EXCEPT SELECT grantee, is_grantable, what FROM given g WHERE (g.oid, g.kind) = (o.oid, o.kind)))
)
SELECT 0::int8, o.name, format('REVOKE ALL ON %s %s FROM PUBLIC, CURRENT_USER', o.word, o.whole)
FROM other o
UNION ALL
SELECT 1::int8, o.name, format('GRANT %s ON %s %s TO %s%s', g.what, o.word, o.whole,
  CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE 'CURRENT_USER' END,
  CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
FROM other o JOIN given g ON (g.oid, g.kind) = (o.oid, o.kind)

--- PRIVILEGES: of single columns
SELECT 2::int8, c.relname, format('GRANT %s (%I) ON TABLE %I.%I TO %s%s', g.privilege_type, a.attname, n.nspname,
  c.relname, CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE 'CURRENT_USER' END,
  CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
CROSS JOIN LATERAL aclexplode(a.attacl) g
WHERE g.grantee IN (0, c.relowner) AND n.nspname = :schema

--- PRIVILEGES: what will be given with later objects; last, or it would be with those that are made here
SELECT 3::int8, 'default privileges', format('ALTER DEFAULT PRIVILEGES%s REVOKE ALL ON %s FROM PUBLIC, CURRENT_USER',
  CASE WHEN d.defaclnamespace <> 0 THEN format(' IN SCHEMA %I', n.nspname) END, w.word)
FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL (SELECT CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
  WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END) w (word)
WHERE pg_get_userbyid(d.defaclrole) IN (CAST(:schema AS text), 'v_' || CAST(:schema AS text)) AND (n.oid IS NULL OR n.nspname = :schema) AND d.defaclnamespace = 0
UNION ALL
SELECT 4::int8, 'default privileges', format('ALTER DEFAULT PRIVILEGES%s GRANT %s ON %s TO %s%s',
  CASE WHEN d.defaclnamespace <> 0 THEN format(' IN SCHEMA %I', n.nspname) END, g.privilege_type, w.word,
  CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE 'CURRENT_USER' END,
  CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
FROM pg_catalog.pg_default_acl d LEFT JOIN pg_catalog.pg_namespace n ON n.oid = d.defaclnamespace
CROSS JOIN LATERAL (SELECT CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES'
  WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' ELSE 'SCHEMAS' END) w (word)
CROSS JOIN LATERAL aclexplode(d.defaclacl) g
WHERE pg_get_userbyid(d.defaclrole) IN (CAST(:schema AS text), 'v_' || CAST(:schema AS text)) AND (n.oid IS NULL OR n.nspname = :schema)
  AND g.grantee IN (0, d.defaclrole)

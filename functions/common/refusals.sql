-- What a tenant's schema may hold that cannot be moved; each query gives names.
--
-- PostgreSQL's logical replication carries rows of tables with a key and nothing else (PostgreSQL 16, 31.6,
-- "Restrictions"); what is made again by its own words is in catalog.sql; all the rest is here, so that
-- nothing is left behind in silence. Role and schema of a tenant are called alike.

--- table without a primary key, which cannot be replicated (add one, or move with --by copy)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind = 'r' AND NOT EXISTS (SELECT 1
FROM pg_catalog.pg_index i
WHERE i.indrelid = c.oid AND i.indisprimary)

--- table whose primary key is deferrable, by which rows cannot be followed (make it NOT DEFERRABLE)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisprimary
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT i.indimmediate

--- table whose replica identity is an index that is gone (ALTER TABLE … REPLICA IDENTITY DEFAULT)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relreplident = 'i' AND NOT EXISTS (SELECT 1
FROM pg_catalog.pg_index i
WHERE i.indrelid = c.oid AND i.indisreplident)

--- check that is not valid, which rows of before may break at the target (VALIDATE it, or move with --by copy)
SELECT x.conname
FROM pg_catalog.pg_constraint x JOIN pg_catalog.pg_namespace n ON n.oid = x.connamespace
WHERE n.nspname = :schema AND x.contype = 'c' AND NOT x.convalidated

--- table whose replica identity is nothing or full (ALTER TABLE … REPLICA IDENTITY DEFAULT)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind = 'r' AND c.relreplident IN ('n', 'f')

--- unlogged table, which is not replicated (ALTER TABLE … SET LOGGED)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind = 'r' AND c.relpersistence = 'u'

--- table that inherits (use partitions)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind = 'r' AND NOT c.relispartition AND EXISTS (SELECT 1
FROM pg_catalog.pg_inherits i
WHERE i.inhrelid = c.oid)

--- table of a type (make it a plain one)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.reloftype <> 0

--- partition or parent outside the schema
SELECT c.relname
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class c ON c.oid = i.inhrelid JOIN pg_catalog.pg_class p ON p.oid = i.inhparent JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_namespace q ON q.oid = p.relnamespace
WHERE n.oid <> q.oid AND :schema IN (n.nspname, q.nspname)

--- table with row security (its policies are not moved)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relrowsecurity

--- materialised view or foreign table (drop it and make it again after the move)
SELECT CASE c.relkind WHEN 'f' THEN 'foreign table' WHEN 'm' THEN 'materialised view' END || ' ' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('m', 'f')

--- rule (use a trigger)
SELECT r.rulename
FROM pg_catalog.pg_rewrite r JOIN pg_catalog.pg_class c ON c.oid = r.ev_class JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND r.rulename <> '_RETURN'

--- trigger that fires for replicated rows (ALTER TABLE … ENABLE TRIGGER)
SELECT t.tgname
FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND NOT t.tgisinternal AND t.tgenabled IN ('A', 'R')

--- aggregate
SELECT p.proname
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = :schema AND p.prokind = 'a'

--- type that is neither enum, domain nor composite
SELECT t.typname
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
WHERE n.nspname = :schema AND (t.typtype = 'r' OR (t.typtype IN ('b', 'p') AND t.typcategory <> 'A'))

--- object of a kind that is not moved
SELECT i.type || ' ' || i.identity
FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_namespace n ON n.oid = d.refobjid
CROSS JOIN LATERAL pg_identify_object(d.classid, d.objid, d.objsubid) i
WHERE d.refclassid = 'pg_namespace'::regclass AND n.nspname = :schema AND d.classid NOT IN ('pg_class'::regclass, 'pg_type'::regclass, 'pg_proc'::regclass, 'pg_statistic_ext'::regclass, 'pg_constraint'::regclass, 'pg_default_acl'::regclass)

--- object of another owner in the tenant's schema
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND pg_get_userbyid(c.relowner) <> :schema AND c.relkind NOT IN ('i', 'I', 't')
UNION ALL SELECT p.proname
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = :schema AND pg_get_userbyid(p.proowner) <> :schema

--- object of the tenant's in another schema
SELECT n.nspname || '.' || c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname <> :schema AND n.nspname !~ '^pg_(toast|temp)' AND pg_get_userbyid(c.relowner) = :schema

--- large object (keep it in a bytea column)
SELECT m.oid::text
FROM pg_catalog.pg_largeobject_metadata m
WHERE pg_get_userbyid(m.lomowner) = :schema

--- index that is not valid (REINDEX it, or drop it)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid
WHERE n.nspname = :schema AND c.relkind = 'i' AND NOT i.indisvalid

--- table that its owner may not read or fill (GRANT SELECT, INSERT to it for the move)
SELECT c.relname
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND NOT (
  has_table_privilege(c.relowner, c.oid, 'SELECT') AND has_table_privilege(c.relowner, c.oid, 'INSERT'))

--- privilege of another role (REVOKE it: nobody else is at the target)
-- Roles of the move's own have theirs for as long as it takes; so has the administrator, who gives them.
WITH given AS (
  SELECT c.relname AS name, c.relowner AS owner, c.relacl AS acl FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT c.relname, c.relowner, a.attacl FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid WHERE n.nspname = :schema
  UNION ALL
  SELECT p.proname, p.proowner, p.proacl FROM pg_catalog.pg_proc p
  JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT t.typname, t.typowner, t.typacl FROM pg_catalog.pg_type t
  JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = :schema
  UNION ALL
  SELECT 'default privileges', d.defaclrole, d.defaclacl FROM pg_catalog.pg_default_acl d
  WHERE pg_get_userbyid(d.defaclrole) = :schema
)
SELECT DISTINCT format('%s of %s', name, pg_get_userbyid(x.grantee))
FROM given CROSS JOIN LATERAL aclexplode(acl) x
WHERE x.grantee NOT IN (0, owner) AND x.grantee <> CURRENT_USER::regrole
AND pg_get_userbyid(x.grantee) NOT IN ('m_' || CAST(:schema AS text), 's_' || CAST(:schema AS text))

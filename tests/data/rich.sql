CREATE TYPE mood AS ENUM ('calm', 'it''s odd');
CREATE DOMAIN amount AS numeric(12, 2) DEFAULT 0 CONSTRAINT not_negative CHECK (VALUE >= 0);
CREATE TYPE address AS (street text, "Zip Code" varchar(9));
CREATE SEQUENCE invoice_numbers AS bigint START 1000 INCREMENT 5 CACHE 3;
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.touched := NEW.touched + 1; RETURN NEW; END $$;
CREATE FUNCTION twice(n int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT n * 2';
CREATE TABLE customers (
    id bigint GENERATED ALWAYS AS IDENTITY (START WITH 50 INCREMENT BY 2) PRIMARY KEY,
    name text COLLATE "C" NOT NULL,
    gone int,
    email text UNIQUE,
    home address,
    feels mood NOT NULL DEFAULT 'calm',
    tags text[] NOT NULL DEFAULT '{}',
    papers jsonb NOT NULL DEFAULT '{}',
    photo bytea,
    born date,
    touched int NOT NULL DEFAULT 0,
    doubled int GENERATED ALWAYS AS (touched * 2) STORED,
    EXCLUDE USING btree (email WITH =)
) WITH (fillfactor = 80);
ALTER TABLE customers DROP COLUMN gone;
CREATE TABLE invoices (
    number bigint DEFAULT nextval('invoice_numbers'),
    customer bigint NOT NULL REFERENCES customers (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    total amount NOT NULL,
    CONSTRAINT "Numbers of customers" PRIMARY KEY (number, customer),
    CONSTRAINT not_too_much CHECK (total < 1000000)
);
ALTER SEQUENCE invoice_numbers OWNED BY invoices.number;
CREATE TABLE entries (
    id uuid NOT NULL DEFAULT gen_random_uuid(), day date NOT NULL, customer bigint REFERENCES customers (id),
    note text CHECK (length(note) < 100000), at timestamptz DEFAULT now(), PRIMARY KEY (id, day)
) PARTITION BY RANGE (day);
CREATE TABLE entries_2025 PARTITION OF entries FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE entries_rest (note text CONSTRAINT entries_note_check CHECK (length(note) < 100000), at timestamptz DEFAULT now(), day date NOT NULL, customer bigint, id uuid NOT NULL DEFAULT gen_random_uuid());
ALTER TABLE entries ATTACH PARTITION entries_rest DEFAULT;
CREATE INDEX entries_by_customer ON entries (customer) INCLUDE (at);
CREATE TABLE "Odd Names" ("Key" text PRIMARY KEY, "select" int);
CREATE TABLE empty (id smallint PRIMARY KEY, f float8, j json, i interval, n inet, r int4range, p point);
CREATE UNIQUE INDEX customers_by_lower_name ON customers (lower(name), born) WHERE born IS NOT NULL;
CREATE INDEX customers_twice ON customers (twice(touched));
CREATE STATISTICS customers_together ON name, email FROM customers;
CREATE VIEW rich_ones WITH (security_invoker = true) AS SELECT c.name, sum(i.total) AS total FROM customers c JOIN invoices i ON i.customer = c.id GROUP BY c.name;
CREATE VIEW above AS SELECT * FROM rich_ones WHERE total > 10;
CREATE FUNCTION richest() RETURNS SETOF above LANGUAGE sql AS 'SELECT * FROM above ORDER BY total DESC LIMIT 1';
CREATE PROCEDURE nothing() LANGUAGE plpgsql AS $$ BEGIN NULL; END $$;
CREATE TRIGGER stamped BEFORE UPDATE ON customers FOR EACH ROW EXECUTE FUNCTION stamp();
CREATE TRIGGER never BEFORE DELETE ON customers FOR EACH ROW EXECUTE FUNCTION stamp();
ALTER TABLE customers DISABLE TRIGGER never;
COMMENT ON TABLE customers IS 'who pays; it''s all here';
COMMENT ON COLUMN customers.name IS 'as they write it';
COMMENT ON CONSTRAINT not_too_much ON invoices IS 'by law';
COMMENT ON FUNCTION twice(int) IS 'two times';
INSERT INTO customers (name, email, home, feels, tags, papers, photo, born, touched)
    SELECT 'n' || n, 'e' || n, ROW('s ''' || n, 'z'::varchar(9))::address, CASE WHEN n % 2 = 0 THEN 'it''s odd' ELSE 'calm' END::mood, ARRAY['a', 'b' || n, NULL], jsonb_build_object('k', n, 'v', ARRAY[1.50, NULL]), decode(md5(n::text), 'hex'), date '1970-01-01' + n, n FROM generate_series(1, 200) n;
INSERT INTO invoices (customer, total) SELECT id, id * 1.5 FROM customers;
INSERT INTO entries (day, customer, note) SELECT date '2024-06-01' + (n || ' days')::interval, 50, repeat('large ' || n, n * 20) FROM generate_series(1, 500) n;
INSERT INTO "Odd Names" VALUES ('a b', 1), ('ü', NULL), (E'tab\tnewline\n', 3);
INSERT INTO empty VALUES (1, 0.1, '{"a": 1}', '1 day 2 hours', '10.0.0.1', '[1,5)', '(1,2)'), (2, 'NaN', NULL, NULL, NULL, NULL, NULL);

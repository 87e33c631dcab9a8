-- The role that the checks connect as: it sees statistics, settings, the rules of pg_hba.conf, how many rows there
-- are and how far sequences have counted, but no data. As a superuser, in the database that is to be verified:
--
--     psql -d mycats -f monitoring-role.sql
--     psql -d mycats -c '\password mycats_monitor'
--
-- It may be run again at any time, and must be after a migration that adds tables or sequences. For a role of
-- another name:
--
--     PGOPTIONS='-c opsverify.role=other' psql -d mycats -f monitoring-role.sql

-- Kinds of passwords without the hashes, which are as good as the passwords (an md5 hash even without cracking it).
CREATE SCHEMA IF NOT EXISTS opsverify;
CREATE OR REPLACE VIEW opsverify.password_kinds AS
SELECT rolname AS name, CASE WHEN rolpassword IS NULL THEN 'none' WHEN rolpassword = '' THEN 'empty'
  WHEN rolpassword LIKE 'SCRAM-SHA-256%' THEN 'scram-sha-256'
  WHEN rolpassword ~ '^md5[0-9a-f]{32}$' THEN
    CASE WHEN rolpassword = 'md5' || md5(rolname) THEN 'empty' ELSE 'md5' END
  ELSE 'other' END AS kind FROM pg_catalog.pg_authid;

DO $opsverify$
DECLARE
  monitor text := coalesce(nullif(current_setting('opsverify.role', true), ''), 'mycats_monitor');
  counted record;
BEGIN
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = monitor) THEN
    EXECUTE format('CREATE ROLE %I LOGIN CONNECTION LIMIT 20', monitor);
  END IF;
  IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = monitor
             AND (rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls OR rolreplication)) THEN
    RAISE EXCEPTION 'role % can do more than look: choose another one', monitor;
  END IF;
  -- A second line of defence: the checks open read-only transactions anyway.
  EXECUTE format('ALTER ROLE %I SET default_transaction_read_only = on', monitor);
  EXECUTE format('ALTER ROLE %I SET statement_timeout = ''15s''', monitor);
  EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), monitor);

  -- Statistics and settings of others; pg_monitor leaves the access rules out.
  EXECUTE format('GRANT pg_monitor TO %I', monitor);
  EXECUTE format('GRANT SELECT ON pg_catalog.pg_hba_file_rules TO %I', monitor);
  EXECUTE format('GRANT EXECUTE ON FUNCTION pg_catalog.pg_hba_file_rules() TO %I', monitor);
  EXECUTE format('GRANT USAGE ON SCHEMA opsverify TO %I', monitor);
  EXECUTE format('GRANT SELECT ON opsverify.password_kinds TO %I', monitor);

  -- Whoever may read one column of a table may count its rows: the primary key, else the first column.
  FOR counted IN
    SELECT n.nspname AS schema, c.oid::regclass AS name, c.relname = '_prisma_migrations' AS whole, (
        SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum) FROM pg_catalog.pg_attribute a
        WHERE a.attrelid = c.oid AND a.attnum = ANY (coalesce(
          (SELECT i.indkey::int2[] FROM pg_catalog.pg_index i WHERE i.indrelid = c.oid AND i.indisprimary),
          (SELECT array[min(f.attnum)] FROM pg_catalog.pg_attribute f
           WHERE f.attrelid = c.oid AND f.attnum > 0 AND NOT f.attisdropped)))) AS columns
    FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema')
      AND n.nspname NOT LIKE 'pg\_t%'
  LOOP
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', counted.schema, monitor);
    IF counted.whole THEN
      EXECUTE format('GRANT SELECT ON %s TO %I', counted.name, monitor);
    ELSIF counted.columns IS NOT NULL THEN
      EXECUTE format('GRANT SELECT (%s) ON %s TO %I', counted.columns, counted.name, monitor);
    END IF;
  END LOOP;

  -- How far a sequence has counted, and nothing else.
  FOR counted IN
    SELECT c.oid::regclass AS name FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind = 'S' AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\_t%'
  LOOP
    EXECUTE format('GRANT SELECT ON SEQUENCE %s TO %I', counted.name, monitor);
  END LOOP;
END
$opsverify$;


-- ---------------------------------------------------------------- attributes of roles
-- SPDX-License-Identifier: PostgreSQL

-- Keys: inherit, connection_limit, valid_until, comment, and set.NAME for a setting.
-- SUPERUSER, CREATEROLE, CREATEDB, REPLICATION, BYPASSRLS and passwords have none: a role
-- of ours never gets them.

-- A list as SQL writes it, to its items: a, "B, c". NULL where it is none.
CREATE FUNCTION cortex.setting_items(list text) RETURNS text[]
LANGUAGE sql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
  SELECT array_agg(CASE WHEN i.item[1] LIKE '"%' THEN replace(substr(i.item[1], 2, length(i.item[1]) - 2), '""', '"')
      ELSE lower(i.item[1]) END ORDER BY i.n)
  FROM regexp_matches(list, '("(?:[^"]|"")*"|[^",[:space:]]+)', 'g') WITH ORDINALITY AS i(item, n)
  WHERE list ~ ('^[[:space:]]*("([^"]|"")*"|[^",[:space:]]+)'
    '([[:space:]]*,[[:space:]]*("([^"]|"")*"|[^",[:space:]]+))*[[:space:]]*$')
$f$;

-- A wanted value as the catalogs would say it.
CREATE FUNCTION cortex.attribute_text(key text, wanted text) RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $f$
  SELECT CASE
    WHEN key = 'valid_until' AND wanted <> 'infinity' THEN to_char(wanted::timestamptz, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
    WHEN lower(key) IN ('set.search_path', 'set.temp_tablespaces') AND wanted <> '' THEN
      coalesce((SELECT string_agg(quote_ident(i.item), ', ' ORDER BY i.n)
                FROM unnest(cortex.setting_items(wanted)) WITH ORDINALITY AS i(item, n)), wanted)
    ELSE wanted END
$f$;

-- Which of these attributes are not as wanted, by their 1-based place; have is NULL for
-- a role that is not there, and "" for a setting or comment that is not.
CREATE FUNCTION cortex.sync_attributes(names text[], keys text[], wanted text[])
RETURNS TABLE (place integer, have text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET jit = off SET enable_nestloop = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  RETURN QUERY
    WITH there AS (
      SELECT w.i, w.key, w.value, CASE
          WHEN a.oid IS NULL THEN NULL
          WHEN w.key = 'inherit' THEN CASE WHEN a.rolinherit THEN 'yes' ELSE 'no' END
          WHEN w.key = 'connection_limit' THEN CASE WHEN a.rolconnlimit < 0 THEN 'unlimited' ELSE a.rolconnlimit::text END
          WHEN w.key = 'valid_until' THEN CASE WHEN isfinite(a.rolvaliduntil)
            THEN to_char(a.rolvaliduntil, 'YYYY-MM-DD"T"HH24:MI:SS"Z"') ELSE 'infinity' END
          WHEN w.key = 'comment' THEN coalesce(d.description, '')
          WHEN starts_with(w.key, 'set.') THEN coalesce((
            SELECT substr(c.line, strpos(c.line, '=') + 1) FROM unnest(s.setconfig) AS c(line)
            WHERE lower(split_part(c.line, '=', 1)) = lower(substr(w.key, 5))), '')
        END AS have
      FROM unnest(names, keys, wanted) WITH ORDINALITY AS w(name, key, value, i)
        LEFT JOIN pg_catalog.pg_authid a ON a.rolname = w.name
        LEFT JOIN pg_catalog.pg_db_role_setting s ON s.setrole = a.oid AND s.setdatabase = 0
        LEFT JOIN pg_catalog.pg_shdescription d ON d.objoid = a.oid AND d.classoid = 'pg_catalog.pg_authid'::regclass)
    SELECT t.i::integer, t.have FROM there t
    WHERE t.have IS DISTINCT FROM cortex.attribute_text(t.key, t.value) ORDER BY t.i;
END
$f$;

-- Only what every user may set for himself: a setting that only a superuser may change could
-- load code or switch checks off.
CREATE FUNCTION cortex.require_setting(option text) RETURNS void
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  IF lower(option) IN ('role', 'session_authorization', 'local_preload_libraries')
     OR NOT EXISTS (SELECT FROM pg_catalog.pg_settings s WHERE lower(s.name) = lower(option) AND s.context = 'user') THEN
    RAISE EXCEPTION 'setting % is none that Cortex may give a role', quote_ident(option)
      USING ERRCODE = 'insufficient_privilege', DETAIL = 'Only what every user may set for himself can be.';
  END IF;
END
$f$;

-- One statement; key and value are as cortex.sync_attributes takes them.
CREATE FUNCTION cortex.attribute_statement(name text, key text, wanted text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $f$
DECLARE
  option CONSTANT text := substr(key, 5);
BEGIN
  CASE
    WHEN key = 'inherit' AND wanted IN ('yes', 'no') THEN
      RETURN format('ALTER ROLE %I %s', name, CASE wanted WHEN 'yes' THEN 'INHERIT' ELSE 'NOINHERIT' END);
    WHEN key = 'connection_limit' THEN
      RETURN format('ALTER ROLE %I CONNECTION LIMIT %s', name,
        CASE wanted WHEN 'unlimited' THEN -1 ELSE wanted::integer END);
    WHEN key = 'valid_until' THEN
      RETURN format('ALTER ROLE %I VALID UNTIL %L', name, wanted::timestamptz);
    WHEN key = 'comment' THEN
      RETURN format('COMMENT ON ROLE %I IS %L', name, nullif(wanted, ''));
    WHEN starts_with(key, 'set.') THEN
      PERFORM cortex.require_setting(option);
      IF wanted = '' THEN
        RETURN format('ALTER ROLE %I RESET %I', name, option);
      ELSIF lower(option) IN ('search_path', 'temp_tablespaces') THEN
        IF cortex.setting_items(wanted) IS NULL THEN
          RAISE EXCEPTION 'setting %: % is no list of names', option, quote_literal(wanted)
            USING ERRCODE = 'invalid_parameter_value';
        END IF;
        RETURN format('ALTER ROLE %I SET %I TO ', name, option)
          || (SELECT string_agg(quote_literal(i.item), ', ' ORDER BY i.n)
              FROM unnest(cortex.setting_items(wanted)) WITH ORDINALITY AS i(item, n));
      END IF;
      RETURN format('ALTER ROLE %I SET %I TO %L', name, option, wanted);
    ELSE
      RAISE EXCEPTION 'no attribute %', quote_ident(key) USING ERRCODE = 'invalid_parameter_value';
  END CASE;
END
$f$;

CREATE FUNCTION cortex.change_attributes(names text[], keys text[], wanted text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC'
SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  one record;
  total integer := 0;
  bad integer;
BEGIN
  PERFORM cortex.require_home();
  PERFORM cortex.require_members(names);
  FOR one IN SELECT w.name, w.key, w.value FROM unnest(names, keys, wanted) AS w(name, key, value) LOOP
    EXECUTE cortex.attribute_statement(one.name, one.key, one.value);
    total := total + 1;
  END LOOP;
  SELECT s.place INTO bad FROM cortex.sync_attributes(names, keys, wanted) s;
  IF FOUND THEN
    RAISE EXCEPTION 'attribute % of role % is not as it was set', quote_ident(keys[bad]), quote_ident(names[bad])
      USING ERRCODE = 'object_in_use', DETAIL = 'Somebody else changes it too, or the server writes this value otherwise.';
  END IF;
  RETURN total;
END
$f$;

REVOKE ALL ON FUNCTION cortex.setting_items(text), cortex.attribute_text(text, text),
  cortex.sync_attributes(text[], text[], text[]), cortex.require_setting(text),
  cortex.attribute_statement(text, text, text), cortex.change_attributes(text[], text[], text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cortex.sync_attributes(text[], text[], text[]),
  cortex.change_attributes(text[], text[], text[]) TO cortex_runner;


-- ---------------------------------------------------------------- privileges on objects
-- SPDX-License-Identifier: PostgreSQL

-- These work in every database where the extension is, on its own objects: who a group
-- role of ours is stands in the shared catalogs, so no home is needed.
--
-- A rule is a role, a kind of object (database, schema, table, sequence, function) and
-- a privilege; it holds for every object of that kind in the schemas. Only the grants of
-- group roles that some rule names are looked at.

-- The objects of these schemas, and the database.
CREATE FUNCTION cortex.objects_of(schemas text[])
RETURNS TABLE (kind text, object oid, name text, owner oid, acl aclitem[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
  WITH spaces AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl FROM pg_catalog.pg_namespace n
    WHERE n.nspname = ANY (schemas) AND n.nspname NOT IN ('information_schema', 'cortex')
      AND NOT starts_with(n.nspname::text, 'pg_'))
  SELECT 'database', d.oid, format('%I', d.datname), d.datdba, coalesce(d.datacl, acldefault('d', d.datdba))
  FROM pg_catalog.pg_database d WHERE d.datname = current_database()
  UNION ALL
  SELECT 'schema', n.oid, format('%I', n.nspname), n.nspowner, coalesce(n.nspacl, acldefault('n', n.nspowner))
  FROM spaces n
  UNION ALL
  SELECT CASE c.relkind WHEN 'S' THEN 'sequence' ELSE 'table' END, c.oid, format('%I.%I', n.nspname, c.relname), c.relowner,
    coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))
  FROM spaces n JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
  UNION ALL
  -- By the types alone: that is how GRANT takes an ordered-set aggregate as well.
  SELECT 'function', p.oid, format('%I.%I(%s)', n.nspname, p.proname, oidvectortypes(p.proargtypes)), p.proowner,
    coalesce(p.proacl, acldefault('f', p.proowner))
  FROM spaces n JOIN pg_catalog.pg_proc p ON p.pronamespace = n.oid
$f$;

-- What differs, in lines for cortex.change_privileges. verb: grant what a rule says and is
-- not; revoke what is and no rule says; revoke option, where it may be passed on; foreign,
-- what somebody else than the owner granted, which nobody else can take back; wide, an
-- object with so many grantees that its row will soon be full (holder says how many);
-- absent, a schema or creator that is not there; there: how many privileges are, in all.
CREATE FUNCTION cortex.sync_privileges(schemas text[], creators text[],
  roles text[], kinds text[], privileges text[])
RETURNS TABLE (verb text, kind text, object oid, part integer, creator text, holder text, privilege text, name text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
BEGIN
  RETURN QUERY
  WITH rules AS (
    SELECT DISTINCT w.role, w.kind, w.privilege FROM unnest(roles, kinds, privileges) AS w(role, kind, privilege)
  ), holders AS (
    SELECT a.oid, a.rolname::text AS role FROM pg_catalog.pg_authid a WHERE a.rolname IN (SELECT r.role FROM rules r)
  ), makers AS (
    SELECT a.oid, a.rolname::text AS role FROM pg_catalog.pg_authid a WHERE a.rolname = ANY (creators)
  ), things AS MATERIALIZED (
    SELECT * FROM cortex.objects_of(schemas)
  ), held AS (
    SELECT t.kind, t.object, 0 AS part, ''::text AS creator, h.role, x.privilege_type::text AS privilege, t.name,
      x.is_grantable, x.grantor = t.owner AS is_owners
    FROM things t CROSS JOIN LATERAL aclexplode(t.acl) x JOIN holders h ON h.oid = x.grantee
    WHERE x.grantee <> t.owner
    UNION ALL
    SELECT 'table', t.object, c.attnum::integer, '', h.role, x.privilege_type, format('%s (%I)', t.name, c.attname), x.is_grantable,
      x.grantor = t.owner
    FROM things t JOIN pg_catalog.pg_attribute c ON c.attrelid = t.object AND c.attacl IS NOT NULL AND NOT c.attisdropped
      CROSS JOIN LATERAL aclexplode(c.attacl) x JOIN holders h ON h.oid = x.grantee
    WHERE t.kind = 'table'
    UNION ALL
    SELECT CASE d.defaclobjtype WHEN 'r' THEN 'table' WHEN 'S' THEN 'sequence' ELSE 'function' END, t.object, 0, m.role, h.role,
      x.privilege_type, t.name, x.is_grantable, true
    FROM things t JOIN pg_catalog.pg_default_acl d ON d.defaclnamespace = t.object AND d.defaclobjtype IN ('r', 'S', 'f')
      JOIN makers m ON m.oid = d.defaclrole
      CROSS JOIN LATERAL aclexplode(d.defaclacl) x JOIN holders h ON h.oid = x.grantee
    WHERE t.kind = 'schema'
  ), wanted AS (
    SELECT t.kind, t.object, 0 AS part, ''::text AS creator, r.role, r.privilege, t.name
    FROM rules r JOIN things t ON t.kind = r.kind LEFT JOIN holders h ON h.role = r.role
    WHERE h.oid IS DISTINCT FROM t.owner
    UNION ALL
    SELECT r.kind, t.object, 0, m.role, r.role, r.privilege, t.name
    FROM rules r CROSS JOIN things t CROSS JOIN makers m
    WHERE t.kind = 'schema' AND r.kind IN ('table', 'sequence', 'function')
  ), found AS (
    SELECT 'grant' AS verb, w.* FROM wanted w
    WHERE (w.kind, w.object, w.part, w.creator, w.role, w.privilege) NOT IN (
      SELECT h.kind, h.object, h.part, h.creator, h.role, h.privilege FROM held h)
    UNION ALL
    SELECT CASE WHEN NOT h.is_owners THEN 'foreign' ELSE 'revoke' END,
      h.kind, h.object, h.part, h.creator, h.role, h.privilege, h.name
    FROM held h
    WHERE (h.kind, h.object, h.part, h.creator, h.role, h.privilege) NOT IN (
      SELECT w.kind, w.object, w.part, w.creator, w.role, w.privilege FROM wanted w)
    UNION ALL
    SELECT 'revoke option', h.kind, h.object, h.part, h.creator, h.role, h.privilege, h.name
    FROM held h JOIN wanted w USING (kind, object, part, creator, role, privilege)
    WHERE h.is_grantable AND h.is_owners
    UNION ALL
    SELECT 'wide', t.kind, t.object, 0, '', cardinality(t.acl)::text, '', t.name FROM things t
    WHERE cardinality(t.acl) > 1200
    UNION ALL
    SELECT 'absent', 'schema', 0, 0, '', '', '', quote_ident(s.name) FROM unnest(schemas) AS s(name)
    WHERE NOT EXISTS (SELECT FROM things t WHERE t.kind = 'schema' AND t.name = quote_ident(s.name))
    UNION ALL
    SELECT 'absent', 'creator', 0, 0, '', '', '', quote_ident(c.name) FROM unnest(creators) AS c(name)
    WHERE NOT EXISTS (SELECT FROM makers m WHERE m.role = c.name)
    UNION ALL
    SELECT 'there', '', 0, 0, '', count(*)::text, '', '' FROM held h
  )
  SELECT f.verb, f.kind, f.object, f.part, f.creator, f.role, f.privilege, f.name FROM found f
  ORDER BY 1, 6, 2, 8, 5, 3, 4, 7;
END
$f$;

-- Refuses what cortex.sync_privileges would not have said: a statement is made of nothing
-- that the caller wrote but names of known privileges. Nothing is NULL: where the maker was, which is '' for an object that is
-- there, the name of a schema stood for a function or table of that name.
CREATE FUNCTION cortex.require_privileges(verbs text[], kinds text[], objects oid[], parts integer[],
  makers text[], holders text[], privileges text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  bad record;
BEGIN
  PERFORM cortex.require_marked(ARRAY(SELECT DISTINCT h.name FROM unnest(holders) AS h(name)), true);
  SELECT w.* INTO bad FROM unnest(verbs, kinds, objects, parts, makers, holders, privileges)
    AS w(verb, kind, object, part, maker, holder, privilege)
  WHERE NOT (w IS NOT NULL) OR w.verb NOT IN ('grant', 'revoke', 'revoke option')
    OR (w.kind, w.privilege) NOT IN (VALUES ('database', 'CONNECT'), ('database', 'TEMPORARY'), ('database', 'CREATE'),
      ('schema', 'USAGE'), ('schema', 'CREATE'), ('table', 'SELECT'), ('table', 'INSERT'), ('table', 'UPDATE'),
      ('table', 'DELETE'), ('table', 'TRUNCATE'), ('table', 'REFERENCES'), ('table', 'TRIGGER'), ('table', 'MAINTAIN'),
      ('sequence', 'USAGE'), ('sequence', 'SELECT'), ('sequence', 'UPDATE'), ('function', 'EXECUTE'))
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'no privilege % on a %', quote_ident(bad.privilege), quote_ident(bad.kind)
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
END
$f$;

-- Carries out lines of cortex.sync_privileges, as few statements as can be.
CREATE FUNCTION cortex.change_privileges(verbs text[], kinds text[], objects oid[], parts integer[],
  makers text[], holders text[], privileges text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
DECLARE
  one record;
  schemas CONSTANT text[] := ARRAY(SELECT n.nspname::text FROM pg_catalog.pg_namespace n);
  total integer := 0;
BEGIN
  PERFORM cortex.require_privileges(verbs, kinds, objects, parts, makers, holders, privileges);
  FOR one IN
    WITH things AS MATERIALIZED (
      SELECT * FROM cortex.objects_of(schemas)
    ), lines AS (
      SELECT w.verb, w.kind, w.maker, w.holder, w.object, t.name,
        string_agg(w.privilege || coalesce(' (' || quote_ident(c.attname) || ')', ''), ', ' ORDER BY w.privilege, c.attnum) AS list,
        count(*) AS n
      FROM unnest(verbs, kinds, objects, parts, makers, holders, privileges)
          AS w(verb, kind, object, part, maker, holder, privilege)
        JOIN things t ON t.object = w.object AND t.kind = CASE WHEN w.maker = '' THEN w.kind ELSE 'schema' END
        LEFT JOIN pg_catalog.pg_attribute c ON w.part <> 0 AND w.kind = 'table' AND c.attrelid = w.object AND c.attnum = w.part
      GROUP BY 1, 2, 3, 4, 5, 6
    ), packs AS (
      SELECT l.*, (row_number() OVER (PARTITION BY l.verb, l.kind, l.maker, l.holder, l.list ORDER BY l.name) - 1) / 500 AS pack
      FROM lines l)
    SELECT p.verb = 'grant' AS gives, p.holder, p.maker, p.list, sum(p.n)::integer AS n,
      CASE p.verb WHEN 'grant' THEN 'GRANT ' WHEN 'revoke' THEN 'REVOKE ' ELSE 'REVOKE GRANT OPTION FOR ' END AS start,
      CASE WHEN p.maker <> '' THEN upper(p.kind) || 'S'
        ELSE CASE p.kind WHEN 'function' THEN 'ROUTINE' ELSE upper(p.kind) END || ' ' || string_agg(p.name, ', ' ORDER BY p.name)
      END AS target, string_agg(p.name, ', ' ORDER BY p.name) AS names
    FROM packs p GROUP BY p.verb, p.kind, p.maker, p.holder, p.list, p.pack ORDER BY 1
  LOOP
    EXECUTE CASE WHEN one.maker <> '' THEN format('ALTER DEFAULT PRIVILEGES FOR ROLE %I IN SCHEMA %s ', one.maker, one.names)
        ELSE '' END
      || one.start || one.list || ' ON ' || one.target || CASE WHEN one.gives THEN ' TO ' ELSE ' FROM ' END
      || quote_ident(one.holder);
    total := total + one.n;
  END LOOP;
  RETURN total;
END
$f$;

-- ---------------------------------------------------------------- leavers

-- Whose right to log in we took longer ago than that, and the databases in which they own
-- something or hold a privilege; one line with NULL where there is none. What belongs to no
-- database, as a tablespace or the privilege CONNECT, is the home's to hand over and take back.
CREATE FUNCTION cortex.sync_leavers(grace interval) RETURNS TABLE (name text, database text, owns boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  RETURN QUERY
    SELECT r.name, d.datname::text, bool_or(x.deptype = 'o')
    FROM cortex.role_data r JOIN cortex.role_state s ON s.name = r.name
      LEFT JOIN pg_catalog.pg_shdepend x ON x.refclassid = 'pg_catalog.pg_authid'::regclass AND x.refobjid = s.oid
        AND x.classid <> 'pg_catalog.pg_auth_members'::regclass
      LEFT JOIN pg_catalog.pg_database d ON d.oid = x.dbid
        OR (x.dbid = 0 AND d.datname = current_database())
    WHERE r.cut_at < now() - grace AND s.is_login AND NOT s.is_group AND NOT s.is_protected AND NOT s.can_login
    GROUP BY 1, 2 ORDER BY 1, 2;
END
$f$;

-- Keeps logins of these leavers waiting until the transaction ends, and says who still is one: a role of one level may
-- have been made ready for a session since it was asked for.
CREATE FUNCTION cortex.hold_leavers(names text[]) RETURNS TABLE (name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  PERFORM FROM cortex.login_lock l WHERE l.name = ANY (names) ORDER BY l.name FOR UPDATE;
  RETURN QUERY
    SELECT d.name FROM cortex.role_data d JOIN pg_catalog.pg_authid a ON a.rolname = d.name
    WHERE d.name = ANY (names) AND d.cut_at IS NOT NULL AND NOT a.rolcanlogin;
END
$f$;

-- Refuses roles that are not leavers: of ours, and cut off. In another database than the home
-- only the shared catalogs are there to ask.
CREATE FUNCTION cortex.require_leavers(names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  bad text;
BEGIN
  PERFORM cortex.require_marked(names, false);
  SELECT s.name INTO bad FROM cortex.role_state s
  WHERE s.name IN (SELECT n.name FROM unnest(names) AS n(name)) AND s.can_login LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'role % may log in: it is no leaver''s', quote_ident(bad) USING ERRCODE = 'insufficient_privilege';
  END IF;
END
$f$;

-- Hands what leavers own in this database to another role, and takes back what they hold.
-- Their views and functions go on with the rights of the new owner, so it must not be powerful. What
-- a leaver gets would be dropped as a leaver's. No owner: they own nothing here.
CREATE FUNCTION cortex.release_leavers(names text[], owner text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  PERFORM cortex.require_leavers(names);
  IF owner IS NOT NULL THEN
    IF NOT EXISTS (SELECT FROM cortex.role_state s WHERE s.name = owner AND NOT s.leads_up
                   AND (s.can_login OR NOT s.is_login)
                   AND NOT starts_with(s.name, 'pg_') AND NOT starts_with(s.name, 'cortex_')) THEN
      RAISE EXCEPTION 'role % cannot get what leavers own', quote_ident(owner)
        USING ERRCODE = 'insufficient_privilege', DETAIL = 'It does not exist, is a leaver itself, is powerful or leads to a role that is.';
    END IF;
    PERFORM cortex.run_for('REASSIGN OWNED BY %s TO ' || replace(quote_ident(owner), '%', '%%'), names);
  ELSIF EXISTS (SELECT FROM pg_catalog.pg_shdepend x JOIN pg_catalog.pg_authid a ON a.oid = x.refobjid
                WHERE x.refclassid = 'pg_catalog.pg_authid'::regclass AND x.deptype = 'o'
                  AND a.rolname IN (SELECT n.name FROM unnest(names) AS n(name))
                  AND x.dbid = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())) THEN
    RAISE EXCEPTION 'a leaver owns something here' USING ERRCODE = 'dependent_objects_still_exist';
  END IF;
  PERFORM cortex.run_for('DROP OWNED BY %s', names);
END
$f$;

-- Drops leavers, and says which; one that still owns something anywhere stays, and one whom somebody gives something
-- just now.
CREATE FUNCTION cortex.drop_leavers(names text[]) RETURNS TABLE (name text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET lock_timeout = '10ms' AS $f$
DECLARE
  gone integer[];
BEGIN
  PERFORM cortex.require_home();
  PERFORM cortex.require_leavers(names);
  IF EXISTS (SELECT FROM unnest(names) AS n(name)
             WHERE NOT EXISTS (SELECT FROM cortex.role_data d WHERE d.name = n.name AND d.cut_at IS NOT NULL)) THEN
    RAISE EXCEPTION 'a role was not cut off by Cortex' USING ERRCODE = 'insufficient_privilege';
  END IF;
  FOREACH name IN ARRAY names LOOP
    CONTINUE WHEN EXISTS (
      SELECT FROM pg_catalog.pg_shdepend x JOIN pg_catalog.pg_authid a ON a.oid = x.refobjid
      WHERE x.refclassid = 'pg_catalog.pg_authid'::regclass AND a.rolname = drop_leavers.name
        AND x.classid <> 'pg_catalog.pg_auth_members'::regclass);
    BEGIN
      EXECUTE format('DROP ROLE %I', name);
    EXCEPTION WHEN dependent_objects_still_exist OR object_in_use OR lock_not_available THEN
      CONTINUE;
    END;
    RETURN NEXT;
  END LOOP;
  SELECT array_agg(d.id) INTO gone FROM cortex.role_data d
  WHERE d.name IN (SELECT n.name FROM unnest(names) AS n(name))
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.rolname = d.name);
  IF gone IS NOT NULL THEN
    PERFORM cortex.drop_members(gone);
    DELETE FROM cortex.role_data d WHERE d.id IN (SELECT unnest(gone));
  END IF;
END
$f$;

REVOKE ALL ON FUNCTION cortex.objects_of(text[]),
  cortex.sync_privileges(text[], text[], text[], text[], text[]),
  cortex.require_privileges(text[], text[], oid[], integer[], text[], text[], text[]),
  cortex.change_privileges(text[], text[], oid[], integer[], text[], text[], text[]),
  cortex.sync_leavers(interval), cortex.hold_leavers(text[]), cortex.require_leavers(text[]), cortex.release_leavers(text[], text),
  cortex.drop_leavers(text[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cortex.sync_privileges(text[], text[], text[], text[], text[]),
  cortex.change_privileges(text[], text[], oid[], integer[], text[], text[], text[]),
  cortex.sync_leavers(interval), cortex.hold_leavers(text[]), cortex.release_leavers(text[], text),
  cortex.drop_leavers(text[]) TO cortex_runner;

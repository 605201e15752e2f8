-- Roles that Cortex manages: marker roles, notes about them, and the only calls that change them.
-- SPDX-License-Identifier: PostgreSQL
\echo Use "CREATE EXTENSION cortex" to load this file. \quit

-- What is true for the whole cluster is kept in its shared catalogs, so that
-- every database sees the same and a dump of one database carries none of it:
--   a direct member of cortex_managed      is a login role of ours
--   a direct member of cortex_groups       is a group role of ours
--   a membership granted by cortex_grantor is ours; any other is a DBA's
--   the setting cortex.home of cortex_managed names the one database that keeps
--     the notes below and from which roles may be changed
-- The tables hold what is known beside that: issuer, subject, source, times.

-- Fails when somebody made a schema of this name before: its owner could put
-- functions of his own in the place of ours.
CREATE SCHEMA cortex;

-- Roles outlive the extension and may have been made for another database. One
-- that was made by somebody else, or that somebody else administers, would hand
-- every login of Cortex to him.
DO $do$
DECLARE
  ours CONSTANT text[] := ARRAY['cortex_managed', 'cortex_groups', 'cortex_grantor', 'cortex_runner', 'cortex_jit'];
  callers CONSTANT text[] := ARRAY['cortex_runner', 'cortex_jit'];
  wanted text;
  there pg_catalog.pg_authid;
BEGIN
  FOREACH wanted IN ARRAY ours LOOP
    SELECT * INTO there FROM pg_catalog.pg_authid WHERE rolname = wanted;
    IF NOT FOUND THEN
      EXECUTE pg_catalog.format('CREATE ROLE %I %s NOINHERIT', wanted,
        CASE WHEN wanted = ANY (callers) THEN 'LOGIN' ELSE 'NOLOGIN' END);
    ELSIF there.rolsuper OR there.rolcreaterole OR there.rolcreatedb OR there.rolreplication
        OR there.rolbypassrls OR there.rolcanlogin <> (wanted = ANY (callers))
        OR there.rolpassword IS NOT NULL THEN
      RAISE EXCEPTION 'role % exists and is not as this extension makes it', wanted
        USING HINT = 'Find out who made it, then drop it or take away its attributes and its password.';
    ELSIF EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                  JOIN pg_catalog.pg_authid a ON a.oid = m.member
                  WHERE m.roleid = there.oid AND m.admin_option AND NOT a.rolsuper) THEN
      RAISE EXCEPTION 'role % exists and can be granted by a role that is no superuser', wanted
        USING HINT = 'Find out who made it, then revoke its ADMIN OPTION or drop it.';
    END IF;
  END LOOP;

  -- The first database becomes the home.
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_db_role_setting s, pg_catalog.unnest(s.setconfig) AS c(line)
                 WHERE s.setdatabase = 0
                   AND s.setrole = (SELECT oid FROM pg_catalog.pg_authid WHERE rolname = 'cortex_managed')
                   AND pg_catalog.starts_with(c.line, 'cortex.home=')) THEN
    EXECUTE pg_catalog.format('ALTER ROLE cortex_managed SET cortex.home = %L',
      pg_catalog.current_database());
  END IF;
END
$do$;

-- ---------------------------------------------------------------- what is known

CREATE TABLE cortex.role_data (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  name text COLLATE "C" NOT NULL UNIQUE,
  role oid NOT NULL,
  is_group boolean NOT NULL,
  issuer text NOT NULL DEFAULT '',
  subject text NOT NULL DEFAULT '',
  source text NOT NULL DEFAULT '',
  first_seen timestamptz NOT NULL DEFAULT now(),
  last_seen timestamptz,
  cut_at timestamptz
);
COMMENT ON TABLE cortex.role_data IS
  'Roles of ours. The name is the key, because it survives a dump; role is its oid in this cluster. '
  'last_seen is NULL while the source still names it; cut_at is set while Cortex keeps it from logging in.';

-- Why memberships exist, each reason once.
CREATE TABLE cortex.grant_source (
  id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  service text NOT NULL,
  level text NOT NULL,
  policy text NOT NULL,
  reason text NOT NULL,
  UNIQUE (service, level, policy, reason)
);

CREATE TABLE cortex.grant_data (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  role integer NOT NULL,
  source integer NOT NULL,
  lowest integer NOT NULL,
  highest integer NOT NULL,
  members integer[] NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE cortex.grant_data ALTER COLUMN members SET STORAGE EXTERNAL; -- packing took longer than all else
CREATE INDEX ON cortex.grant_data (role, source);
COMMENT ON TABLE cortex.grant_data IS
  'Why memberships of ours exist: a row for up to 128 members that got a role from one source at one time, '
  'so that to take one out is to write a short list anew. No member is below lowest or above highest. '
  'Ids are those of role_data and grant_source; only the functions of this schema write here.';

CREATE TABLE cortex.run_data (
  finished_at timestamptz NOT NULL,
  policy_digest text NOT NULL
);
COMMENT ON TABLE cortex.run_data IS
  'The last run of cortex-sync that left nothing to do: at most one row.';

CREATE VIEW cortex.roles AS
  SELECT d.name, a.oid, d.is_group, d.issuer, d.subject, d.source, d.first_seen,
    coalesce(d.last_seen, (SELECT max(r.finished_at) FROM cortex.run_data r), d.first_seen) AS last_seen,
    d.cut_at, a.rolcanlogin AS can_login
  FROM cortex.role_data d LEFT JOIN pg_catalog.pg_authid a ON a.rolname = d.name;

CREATE VIEW cortex.grants AS
  SELECT m.name AS member, r.name AS role, s.service, s.level, s.policy, s.reason, g.granted_at
  FROM cortex.grant_data g CROSS JOIN unnest(g.members) AS e(member)
    JOIN cortex.role_data m ON m.id = e.member
    JOIN cortex.role_data r ON r.id = g.role
    JOIN cortex.grant_source s ON s.id = g.source;

SELECT pg_catalog.pg_extension_config_dump('cortex.role_data', '');
SELECT pg_catalog.pg_extension_config_dump('cortex.role_data_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('cortex.grant_source', '');
SELECT pg_catalog.pg_extension_config_dump('cortex.grant_source_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('cortex.grant_data', '');
SELECT pg_catalog.pg_extension_config_dump('cortex.grant_data_id_seq', '');
SELECT pg_catalog.pg_extension_config_dump('cortex.run_data', '');

-- The roles that the extension works with, and whoever is a member of them, directly or not; with
-- powerful also the roles that are more than ordinary ones. In steps: a recursive query makes room
-- for as many as the planner guesses, which is far too many.
CREATE FUNCTION cortex.roles_under(powerful boolean) RETURNS SETOF oid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 10 SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  names CONSTANT name[] := ARRAY['cortex_runner', 'cortex_grantor', 'cortex_jit'] || CASE WHEN powerful
    THEN ARRAY['pg_execute_server_program', 'pg_write_server_files', 'pg_read_server_files'] ELSE '{}' END;
  found oid[] := ARRAY(SELECT a.oid FROM pg_catalog.pg_authid a WHERE a.rolname = ANY (names));
  fresh oid[];
BEGIN
  IF powerful THEN
    found := found || ARRAY(SELECT a.oid FROM pg_catalog.pg_authid a
                            WHERE a.rolsuper OR a.rolcreaterole OR a.rolreplication OR a.rolbypassrls);
  END IF;
  fresh := found;
  WHILE cardinality(fresh) > 0 LOOP
    fresh := ARRAY(SELECT DISTINCT m.member FROM pg_catalog.pg_auth_members m
                   WHERE m.roleid = ANY (fresh) AND m.member <> ALL (found));
    found := found || fresh;
  END LOOP;
  RETURN QUERY SELECT unnest(found);
END
$f$;

-- Those of the group roles whose members can become a role that is more than an ordinary one. From the
-- groups up, where there is seldom anything but the marker and groups; only where there is, all roles are looked at.
CREATE FUNCTION cortex.groups_that_lead_up() RETURNS SETOF oid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 1 SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  groups CONSTANT oid[] := ARRAY(SELECT m.member FROM pg_catalog.pg_auth_members m
                                 WHERE m.roleid = to_regrole('cortex_groups')::oid);
BEGIN
  IF EXISTS (SELECT FROM pg_catalog.pg_auth_members m
             WHERE m.member = ANY (groups || to_regrole('cortex_groups')::oid)
               AND m.roleid <> to_regrole('cortex_groups')::oid AND m.roleid NOT IN (SELECT unnest(groups)))
      OR EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.oid = to_regrole('cortex_groups')::oid
                 AND (a.rolsuper OR a.rolcreaterole OR a.rolreplication OR a.rolbypassrls)) THEN
    RETURN QUERY SELECT u.oid FROM cortex.roles_under(true) AS u(oid) WHERE u.oid = ANY (groups);
  END IF;
END
$f$;

-- Everything that a role's name and attributes say about whether it may be touched.
-- is_protected: never changed, whatever marks it. leads_up: its members can become
-- a role that is more than an ordinary one, so it is never granted. Plain expressions,
-- so that the planner asks them of the roles in question only; name is not cast, so that an
-- index finds it, and what a name begins with is a range of names (` comes after _).
CREATE VIEW cortex.role_state AS
  SELECT a.oid, a.rolname AS name, a.rolcanlogin AS can_login,
    EXISTS (SELECT FROM pg_catalog.pg_auth_members m
            WHERE m.member = a.oid AND m.roleid = pg_catalog.to_regrole('cortex_managed')::oid) AS is_login,
    EXISTS (SELECT FROM pg_catalog.pg_auth_members m
            WHERE m.member = a.oid AND m.roleid = pg_catalog.to_regrole('cortex_groups')::oid) AS is_group,
    a.rolsuper OR a.rolcreaterole OR a.rolreplication OR a.rolbypassrls
      OR (a.rolname >= 'pg_' AND a.rolname < 'pg`') OR (a.rolname >= 'cortex_' AND a.rolname < 'cortex`') OR a.rolname = 'postgres'
      OR a.oid IN (SELECT datdba FROM pg_catalog.pg_database UNION ALL SELECT cortex.roles_under(false)) AS is_protected,
    a.oid IN (SELECT cortex.roles_under(true)) AS leads_up
  FROM pg_catalog.pg_authid a;

-- The same in a letter: l login role of ours, g group role of ours, ! protected or marked as both,
-- a somebody else's that cortex.adopt_logins takes, - any other of somebody else's.
CREATE VIEW cortex.role_kind AS
  SELECT s.oid, s.name, s.can_login, (CASE WHEN s.is_protected THEN '!'
      WHEN s.is_login THEN CASE WHEN s.is_group THEN '!' ELSE 'l' END
      WHEN s.is_group THEN CASE WHEN s.can_login OR s.oid IN (SELECT cortex.groups_that_lead_up()) THEN '!' ELSE 'g' END
      WHEN s.can_login AND NOT s.leads_up AND NOT (SELECT a.rolcreatedb FROM pg_catalog.pg_authid a WHERE a.oid = s.oid)
        AND NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = s.oid) THEN 'a'
      ELSE '-' END)::"char" AS kind
  FROM cortex.role_state s;

-- Every function is SECURITY DEFINER with a search_path that puts pg_temp last, and none has a
-- backslash outside E'', whose meaning the caller's standard_conforming_strings would decide. The
-- calls of cortex-sync also set jit and (but for reads of arrays) enable_nestloop off: the catalogs have no
-- statistics of roles made a moment ago, and what is planned for one row would be
-- quadratic for ten thousand. Where few of many are asked for, OFFSET 0 or a subquery for the one value
-- keeps the planner at the index.

-- ---------------------------------------------------------------- guards

-- What role_kind says of one role (- for a), NULLs where there is none: by the server's own caches, so that
-- it costs a login nothing that grows with the cluster. The tests hold both to the same answers.
--
-- A login's backend is a fresh one and plans each statement for once. So what a login runs has few of them, and
-- compares only what has an operator of just these types: for an oid beside a regrole, or an
-- array beside '{}', the server would load and weigh all operators of that name.
CREATE FUNCTION cortex.kind_of(wanted text, OUT role oid, OUT kind "char", OUT can_login boolean)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  is_in oid[]; -- directly
  is_protected boolean;
BEGIN
  SELECT a.oid, a.rolcanlogin, ARRAY(SELECT m.roleid FROM pg_catalog.pg_auth_members m WHERE m.member = a.oid),
    a.rolsuper OR a.rolcreaterole OR a.rolreplication OR a.rolbypassrls
      OR starts_with(wanted, 'pg_') OR starts_with(wanted, 'cortex_') OR wanted = 'postgres'
      OR a.oid = ANY (ARRAY(SELECT d.datdba FROM pg_catalog.pg_database d))
      OR pg_has_role(a.oid, to_regrole('cortex_runner'), 'MEMBER')
      OR pg_has_role(a.oid, to_regrole('cortex_grantor'), 'MEMBER')
      OR pg_has_role(a.oid, to_regrole('cortex_jit'), 'MEMBER')
  INTO role, can_login, is_in, is_protected
  FROM pg_catalog.pg_authid a WHERE a.rolname = wanted;
  IF role IS NULL THEN
    RETURN;
  END IF;
  kind := CASE WHEN is_protected THEN '!'
    WHEN to_regrole('cortex_managed')::oid = ANY (is_in) THEN
      CASE WHEN to_regrole('cortex_groups')::oid = ANY (is_in) THEN '!' ELSE 'l' END
    WHEN to_regrole('cortex_groups')::oid = ANY (is_in) THEN CASE WHEN can_login THEN '!' ELSE 'g' END
    ELSE '-' END;
  -- All roles are looked at only where there is anything above the group but the marker, or the marker is no ordinary role.
  IF kind = 'g' AND (is_in[2] IS NOT NULL
      OR EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.member = to_regrole('cortex_groups')::oid)
      OR EXISTS (SELECT FROM pg_catalog.pg_authid b WHERE b.oid = to_regrole('cortex_groups')::oid
                 AND (b.rolsuper OR b.rolcreaterole OR b.rolreplication OR b.rolbypassrls))) THEN
    IF EXISTS (
        SELECT FROM pg_catalog.pg_authid b
        WHERE (b.rolsuper OR b.rolcreaterole OR b.rolreplication OR b.rolbypassrls OR b.rolname = 'pg_execute_server_program'
            OR b.rolname = 'pg_write_server_files' OR b.rolname = 'pg_read_server_files')
          AND pg_has_role(role, b.oid, 'MEMBER')) THEN
      kind := '!';
    END IF;
  END IF;
END
$f$;

-- The home database's name; NULL when none is set.
CREATE FUNCTION cortex.home() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
  SELECT substr(c.line, length('cortex.home=') + 1)
  FROM pg_catalog.pg_db_role_setting s, unnest(s.setconfig) AS c(line)
  WHERE s.setdatabase = 0 AND s.setrole = to_regrole('cortex_managed')
    AND starts_with(c.line, 'cortex.home=')
$f$;

CREATE FUNCTION cortex.require_home() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  settings text[];
BEGIN
  SELECT s.setconfig INTO settings FROM pg_catalog.pg_db_role_setting s
  WHERE s.setdatabase = '0' AND s.setrole = to_regrole('cortex_managed')::oid;
  IF ('cortex.home=' || current_database()::text = ANY (settings)) IS NOT TRUE THEN
    RAISE EXCEPTION 'roles of this cluster are not managed from database %', current_database()
      USING ERRCODE = 'object_not_in_prerequisite_state',
        DETAIL = format('The home is %s.', coalesce(quote_ident(cortex.home()), 'not set')),
        HINT = 'Connect there, or let a superuser move it: '
          'ALTER ROLE cortex_managed SET cortex.home = ''NAME''.';
  END IF;
END
$f$;

-- The oids of those of the names that are roles of these kinds, in order; NULL for the others.
CREATE FUNCTION cortex.kind_oids(names text[], kinds "char"[]) RETURNS oid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
SET plan_cache_mode = force_generic_plan AS $f$
BEGIN
  IF cardinality(names) < 2000 THEN
    RETURN ARRAY(SELECT (SELECT k.oid FROM cortex.role_kind k WHERE k.name = n.name AND k.kind = ANY (kinds))
                 FROM unnest(names) WITH ORDINALITY AS n(name, i) ORDER BY n.i);
  END IF;
  RETURN ARRAY(SELECT k.oid FROM unnest(names) WITH ORDINALITY AS n(name, i)
                 LEFT JOIN (SELECT r.oid, r.name FROM cortex.role_kind r WHERE r.kind = ANY (kinds)) k ON k.name = n.name
               ORDER BY n.i);
END
$f$;

-- The oids of these roles, in order. Refuses a list that names anything but existing, unprotected roles of one
-- kind. Of many it asks first whether all are so.
CREATE FUNCTION cortex.require_marked(names text[], groups boolean) RETURNS oid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  wanted CONSTANT "char" := CASE WHEN groups THEN 'g' ELSE 'l' END;
  oids oid[] := '{}';
  name text;
  state record;
BEGIN
  IF cardinality(names) > 32 THEN
    oids := cortex.kind_oids(names, ARRAY[wanted]);
    IF array_position(oids, NULL) IS NULL THEN
      RETURN oids;
    END IF;
    oids := '{}';
  END IF;
  FOREACH name IN ARRAY coalesce(names, '{}') LOOP
    state := cortex.kind_of(name);
    IF (state.kind = wanted) IS NOT TRUE THEN
      RAISE EXCEPTION 'role % is not one that Cortex may change', coalesce(quote_ident(name), 'NULL')
        USING ERRCODE = CASE WHEN state.kind IS NULL THEN 'undefined_object' ELSE 'insufficient_privilege' END,
          DETAIL = CASE WHEN state.kind IS NULL THEN 'It does not exist.'
            WHEN state.kind = '!' THEN 'It is protected, or leads to a role that is.'
            WHEN groups THEN 'It is no direct member of cortex_groups only.'
            ELSE 'It is no direct member of cortex_managed only.' END;
    END IF;
    oids := array_append(oids, state.role);
  END LOOP;
  RETURN oids;
END
$f$;

-- The same for roles of either kind: those that may be members of a group role of ours.
CREATE FUNCTION cortex.require_members(names text[]) RETURNS oid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  oids oid[] := '{}';
  name text;
  state record;
BEGIN
  IF cardinality(names) > 32 THEN
    oids := cortex.kind_oids(names, '{l,g}');
    IF array_position(oids, NULL) IS NULL THEN
      RETURN oids;
    END IF;
    oids := '{}';
  END IF;
  FOREACH name IN ARRAY coalesce(names, '{}') LOOP
    state := cortex.kind_of(name);
    IF (state.kind IN ('l', 'g')) IS NOT TRUE THEN
      RAISE EXCEPTION 'role % is not one that Cortex may change', quote_ident(coalesce(name, ''))
        USING ERRCODE = CASE WHEN state.kind IS NULL THEN 'undefined_object' ELSE 'insufficient_privilege' END,
          DETAIL = 'It is missing, protected, leads to a role that is, or is no direct member of one marker only.';
    END IF;
    oids := array_append(oids, state.role);
  END LOOP;
  RETURN oids;
END
$f$;

-- Refuses a list with a name that no role of ours may have. Never truncates one.
CREATE FUNCTION cortex.require_names(names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  -- To compile a regular expression would cost a login more than all else here.
  controls CONSTANT text := E'\x01\x02\x03\x04\x05\x06\x07\x08\x09\n\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16'
    '\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f\x7f';
  name text;
BEGIN
  FOREACH name IN ARRAY names LOOP
    IF (octet_length(name) BETWEEN 1 AND 63
        AND translate(name, controls, '') = name
        AND NOT starts_with(lower(name COLLATE "C"), 'pg_') AND NOT starts_with(lower(name COLLATE "C"), 'cortex_')
        AND lower(name COLLATE "C") NOT IN ('postgres', 'public', 'none')) IS NOT TRUE THEN
      RAISE EXCEPTION 'no role of Cortex may have the name %', quote_ident(coalesce(name, ''))
        USING ERRCODE = 'invalid_name';
    END IF;
  END LOOP;
END
$f$;

-- 16 and later keep three options with each membership; before, there is one.
CREATE FUNCTION cortex.has_options() RETURNS boolean
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN current_setting('server_version_num')::integer >= 160000;
END
$f$;

-- ---------------------------------------------------------------- steps of the calls below

-- Runs one statement for many roles: 'VERB %s REST' with up to 1000 quoted names each.
CREATE FUNCTION cortex.run_for(statement text, names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  list text;
BEGIN
  FOR list IN
    SELECT string_agg(quote_ident(n.name), ', ')
    FROM unnest(names) WITH ORDINALITY AS n(name, i) GROUP BY (n.i - 1) / 1000
  LOOP
    EXECUTE format(statement, list);
  END LOOP;
END
$f$;

-- Runs one statement for each role.
CREATE FUNCTION cortex.run_each(statement text, names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  list text;
BEGIN
  FOR list IN
    SELECT string_agg(format(statement, n.name), '; ')
    FROM unnest(names) WITH ORDINALITY AS n(name, i) GROUP BY (n.i - 1) / 1000
  LOOP
    EXECUTE list;
  END LOOP;
END
$f$;

-- Makes those of the names that do not exist; the others must be of ours already. Without a
-- query of its own: to plan one would cost a login more than the two statements do.
CREATE FUNCTION cortex.create_marked(names text[], groups boolean) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  kind CONSTANT text := CASE WHEN groups THEN ' NOLOGIN; ' ELSE ' LOGIN; ' END;
  options CONSTANT text := CASE WHEN cortex.has_options() THEN ' WITH ADMIN FALSE, INHERIT TRUE, SET FALSE' ELSE '' END;
  missing text[] := '{}';
  part text[];
  name text;
BEGIN
  PERFORM cortex.require_names(names);
  FOREACH name IN ARRAY names LOOP
    IF to_regrole(quote_ident(name)) IS NULL THEN
      missing := array_append(missing, name);
    END IF;
  END LOOP;
  IF cardinality(missing) > 1 THEN -- in the order in which logins make theirs
    missing := ARRAY(SELECT DISTINCT m.name FROM unnest(missing) AS m(name) ORDER BY m.name);
  END IF;
  FOR i IN 1..cardinality(missing) LOOP
    missing[i] := quote_ident(missing[i]);
  END LOOP;
  BEGIN
    FOR i IN 1..cardinality(missing) BY 1000 LOOP
      part := missing[i:i + 999];
      EXECUTE 'CREATE ROLE ' || array_to_string(part, kind || 'CREATE ROLE ') || kind
        || 'GRANT ' || CASE WHEN groups THEN 'cortex_groups' ELSE 'cortex_managed' END
        || ' TO ' || array_to_string(part, ', ') || options;
    END LOOP;
  EXCEPTION WHEN duplicate_object OR unique_violation THEN
    RETURN cortex.create_marked(names, groups); -- somebody's first login made one of them meanwhile
  END;
  -- What was made here is what it should be.
  IF cardinality(missing) < cardinality(names) THEN
    PERFORM cortex.require_marked(names, groups);
  END IF;
  RETURN cardinality(missing);
END
$f$;

-- Notes those of the names that have none yet: roles that a DBA marked by hand.
CREATE FUNCTION cortex.note_roles(names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  fresh CONSTANT text[] := ARRAY(SELECT n.name FROM unnest(names) AS n(name)
                                 WHERE NOT EXISTS (SELECT FROM cortex.role_data d WHERE d.name = n.name OFFSET 0));
BEGIN
  IF fresh <> '{}' THEN
    INSERT INTO cortex.role_data AS d (name, role, is_group)
    SELECT s.name, s.oid, s.is_group FROM unnest(fresh) AS n(name) JOIN cortex.role_state s ON s.name = n.name
    WHERE s.is_login <> s.is_group
    ON CONFLICT (name) DO NOTHING;
  END IF;
END
$f$;

-- The notes' ids of these roles, in order; NULL for one that is not noted. Few are looked up, many compared.
CREATE FUNCTION cortex.find_ids(names text[]) RETURNS integer[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
BEGIN
  IF cardinality(names) < 2000 THEN
    RETURN ARRAY(SELECT (SELECT d.id FROM cortex.role_data d WHERE d.name = n.name)
                 FROM unnest(names) WITH ORDINALITY AS n(name, i) ORDER BY n.i);
  END IF;
  RETURN ARRAY(SELECT d.id FROM unnest(names) WITH ORDINALITY AS n(name, i) LEFT JOIN cortex.role_data d ON d.name = n.name
               ORDER BY n.i);
END
$f$;

-- The same, where those that have no note get one: roles that a DBA marked by hand. Whoever is no role of ours is an error.
CREATE FUNCTION cortex.role_ids(names text[]) RETURNS integer[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  ids integer[] := cortex.find_ids(names);
BEGIN
  IF array_position(ids, NULL) IS NOT NULL THEN
    PERFORM cortex.note_roles(names);
    ids := cortex.find_ids(names);
  END IF;
  IF array_position(ids, NULL) IS NOT NULL THEN
    RAISE EXCEPTION 'a role is not one that Cortex may change' USING ERRCODE = 'insufficient_privilege';
  END IF;
  RETURN ids;
END
$f$;

CREATE FUNCTION cortex.source_ids(services text[], levels text[], policies text[], reasons text[]) RETURNS integer[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  ids CONSTANT integer[] := ARRAY(
    SELECT d.id FROM unnest(services, levels, policies, reasons) WITH ORDINALITY AS s(service, level, policy, reason, i)
      JOIN cortex.grant_source d USING (service, level, policy, reason) ORDER BY s.i);
BEGIN
  IF cardinality(ids) IS DISTINCT FROM cardinality(services) THEN
    RAISE EXCEPTION 'a source of grants is not known' USING ERRCODE = 'no_data_found';
  END IF;
  RETURN ids;
END
$f$;

-- Forgets every membership of these members, given by their ids in role_data. Few are looked up, for many all is
-- written anew.
CREATE FUNCTION cortex.drop_members(gone integer[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  IF cardinality(gone) < 100 THEN
    UPDATE cortex.grant_data g SET members = cortex.without(g.members, k.gone)
    FROM (SELECT d.id, array_agg(x.member) AS gone
          FROM unnest(drop_members.gone) AS x(member)
            JOIN cortex.grant_data d ON x.member BETWEEN d.lowest AND d.highest AND x.member = ANY (d.members)
          GROUP BY d.id) k
    WHERE g.id = k.id;
  ELSE
    UPDATE cortex.grant_data g SET members = coalesce(k.stay, '{}')
    FROM (SELECT d.id, array_agg(e.member) FILTER (WHERE x.member IS NULL) AS stay
          FROM cortex.grant_data d CROSS JOIN unnest(d.members) AS e(member)
            LEFT JOIN unnest(drop_members.gone) AS x(member) ON x.member = e.member
          GROUP BY d.id HAVING count(x.member) > 0) k
    WHERE g.id = k.id;
  END IF;
  DELETE FROM cortex.grant_data g WHERE g.members = '{}';
END
$f$;

-- A list without some of its numbers: several passes over a short list cost less than rows of it.
CREATE FUNCTION cortex.without(list integer[], gone integer[]) RETURNS integer[]
LANGUAGE plpgsql IMMUTABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  one integer;
BEGIN
  FOREACH one IN ARRAY gone LOOP
    list := array_remove(list, one);
  END LOOP;
  RETURN list;
END
$f$;

-- What a membership of ours must look like, beside its grantor; 16 and later keep three options
-- with each, before there is one.
CREATE FUNCTION cortex.as_granted() RETURNS text
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
  SELECT CASE WHEN cortex.has_options() THEN 'm.inherit_option AND m.set_option AND NOT m.admin_option'
    ELSE 'NOT m.admin_option' END
$f$;

-- The oids of these roles, in order; NULL for one that is not there.
CREATE FUNCTION cortex.role_oids(names text[]) RETURNS oid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
  SELECT ARRAY(SELECT (SELECT a.oid FROM pg_catalog.pg_authid a WHERE a.rolname = n.name)
               FROM unnest(names) WITH ORDINALITY AS n(name, i) ORDER BY n.i)
$f$;

-- The position of a pair that is no membership given by cortex_grantor, or NULL; exact: with the options that we
-- give. Few are looked up, many compared at once.
CREATE FUNCTION cortex.find_foreign(roles oid[], members oid[], role_at integer[], member_at integer[], exact boolean)
RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  place bigint;
BEGIN
  EXECUTE 'SELECT p.i FROM unnest($1, $2) WITH ORDINALITY AS p(r, m, i) WHERE NOT EXISTS ('
    'SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = $3[p.r] AND m.member = $4[p.m] AND m.grantor = $5 AND '
    || CASE WHEN exact THEN cortex.as_granted() ELSE 'true' END
    || CASE WHEN cardinality(role_at) < 4000 THEN ' OFFSET 0) LIMIT 1' ELSE ') LIMIT 1' END
  INTO place USING role_at, member_at, roles, members, to_regrole('cortex_grantor')::oid;
  RETURN place;
END
$f$;

-- PostgreSQL 16 and later want a grantor that may grant; before, nothing depends on it.
CREATE FUNCTION cortex.let_grant(role text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  EXECUTE format('GRANT %I TO cortex_grantor WITH %s', role,
    CASE WHEN cortex.has_options() THEN 'ADMIN TRUE, INHERIT FALSE, SET FALSE' ELSE 'ADMIN OPTION' END);
EXCEPTION WHEN unique_violation THEN
  NULL; -- another login was faster
END
$f$;

-- Memberships come as two lists of names and pairs of 1-based positions in them. The grantor may grant.
CREATE FUNCTION cortex.change_members(verb text, roles text[], members text[],
  role_at integer[], member_at integer[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  options CONSTANT text := CASE WHEN cortex.has_options() THEN ' WITH ADMIN FALSE, INHERIT TRUE, SET TRUE' ELSE '' END;
  quoted CONSTANT text[] := ARRAY(SELECT quote_ident(n.name) FROM unnest(members) WITH ORDINALITY AS n(name, i) ORDER BY n.i);
  one record;
  total integer := 0;
BEGIN
  roles := roles[:]; -- its places count from 1, as for whoever looked at the list before; an array may begin elsewhere
  FOR one IN
    SELECT p.r, string_agg(q.name, ', ') AS list, count(*)::integer AS n, count(q.name) AS known
    FROM unnest(role_at, member_at) AS p(r, m) LEFT JOIN unnest(quoted) WITH ORDINALITY AS q(name, i) ON q.i = p.m
    GROUP BY p.r ORDER BY roles[p.r] -- as logins do: since 16 the group role is locked
  LOOP
    IF roles[one.r] IS NULL OR one.known < one.n THEN
      RAISE EXCEPTION 'a pair does not name a role and a member' USING ERRCODE = 'array_subscript_error';
    END IF;
    EXECUTE CASE WHEN verb = 'grant' THEN
        format('GRANT %I TO %s%s GRANTED BY cortex_grantor', roles[one.r], one.list, options)
      ELSE format('REVOKE %I FROM %s GRANTED BY cortex_grantor', roles[one.r], one.list) END;
    total := total + one.n;
  END LOOP;
  RETURN total;
END
$f$;

-- ---------------------------------------------------------------- reading, for cortex-sync

-- All roles but PostgreSQL's own. note, source, subject: as noted, or NULL. The booleans are NULL where
-- false, which the server writes several times faster; so are oids as integers, above 2147483647
-- negative. is_stale: the note is of another oid, or of no role (then oid is NULL).
-- Takes the run's lock where asked.
CREATE FUNCTION cortex.sync_roles(take_lock boolean)
RETURNS TABLE (oid integer, name name, kind "char", is_locked boolean, is_cut boolean, is_stale boolean,
  note integer, source text, subject text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  holder record;
BEGIN
  PERFORM cortex.require_home();
  IF take_lock AND NOT pg_try_advisory_lock(17263, 1920230776) THEN
    -- Anybody can take an advisory lock. Only one that could run the sync counts:
    -- the others would keep leavers from being cut.
    SELECT l.pid, a.rolname, a.rolsuper OR pg_has_role(a.oid, 'cortex_runner', 'MEMBER') AS is_runner
    INTO holder
    FROM pg_catalog.pg_locks l
      JOIN pg_catalog.pg_stat_get_activity(l.pid) s ON true
      JOIN pg_catalog.pg_authid a ON a.oid = s.usesysid
    WHERE l.locktype = 'advisory' AND l.granted AND l.classid = 17263 AND l.objid = 1920230776
      AND l.objsubid = 2
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())
    ORDER BY is_runner DESC LIMIT 1;
    IF holder.is_runner IS NOT FALSE THEN
      RAISE EXCEPTION 'another run is active' USING ERRCODE = 'lock_not_available',
        DETAIL = format('Backend %s of role %s.', holder.pid, quote_ident(holder.rolname));
    END IF;
    RAISE WARNING 'the lock of cortex-sync is held by role %, who has no business with it: going on without (backend %)',
      quote_ident(holder.rolname), holder.pid;
  END IF;
  RETURN QUERY
    SELECT k.oid::integer, k.name, k.kind, CASE WHEN NOT k.can_login THEN true END,
      CASE WHEN d.cut_at IS NOT NULL THEN true END, CASE WHEN d.role IS DISTINCT FROM k.oid THEN d.id IS NOT NULL END,
      d.id, d.source, nullif(d.subject, '')
    FROM (SELECT * FROM cortex.role_kind r WHERE r.oid >= '16384' OR r.oid = '10') k
      FULL JOIN cortex.role_data d ON d.name = k.name;
END
$f$;

-- Members of the group roles of ours: granted by us as we grant now, granted by us with other options,
-- granted by somebody else; NULL for none. Three aggregates of one group each: more keys to group by took half
-- as long again, and sorting by role, to a file with little work_mem, longer than everything else.
CREATE FUNCTION cortex.sync_members() RETURNS TABLE (role integer, ours integer[], altered integer[], others integer[])
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off
SET enable_sort = off SET work_mem = '64MB' AS $f$
BEGIN
  RETURN QUERY EXECUTE format(
    'SELECT e.role::integer, e.ours, e.altered, e.others FROM (SELECT m.roleid, '
    'array_agg(m.member::integer) FILTER (WHERE m.grantor = $1 AND %1$s), '
    'array_agg(m.member::integer) FILTER (WHERE m.grantor = $1 AND NOT (%1$s)), '
    'array_agg(m.member::integer) FILTER (WHERE m.grantor <> $1 AND m.member <> $1) '
    'FROM pg_catalog.pg_auth_members m GROUP BY 1) AS e(role, ours, altered, others) '
    'WHERE e.role IN (SELECT g.member FROM pg_catalog.pg_auth_members g WHERE g.roleid = to_regrole(''cortex_groups''))',
    cortex.as_granted()) USING to_regrole('cortex_grantor')::oid;
END
$f$;

-- What is noted about memberships; role and members are numbers in the notes.
CREATE FUNCTION cortex.sync_grants()
RETURNS TABLE (role integer, service text, level text, policy text, reason text, members integer[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
  SELECT d.role, s.service, s.level, s.policy, s.reason, d.members
  FROM cortex.grant_data d JOIN cortex.grant_source s ON s.id = d.source
$f$;

-- ---------------------------------------------------------------- writing, for cortex-sync

-- Brings the notes in line with the roles that are there.
CREATE FUNCTION cortex.mend_notes() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  dropped integer[];
BEGIN
  UPDATE cortex.role_data d SET role = a.oid
  FROM pg_catalog.pg_authid a WHERE a.rolname = d.name AND a.oid <> d.role;
  WITH gone AS (
    DELETE FROM cortex.role_data d
    WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.rolname = d.name)
    RETURNING d.id)
  SELECT array_agg(id) INTO dropped FROM gone;
  IF dropped IS NOT NULL THEN
    DELETE FROM cortex.grant_data g WHERE g.role IN (SELECT unnest(dropped));
    PERFORM cortex.drop_members(dropped);
  END IF;
END
$f$;

-- Opens a transaction that changes roles: alone, and with notes that fit the cluster. mend: some are
-- stale (sync_roles says so), as after a dump restored into another cluster, or a role that a DBA made anew.
-- names: the roles that it changes, or whose members and memberships. It takes turns with logins and the reaper, who
-- change the same ones: else they would fail each other, or wait for each other. Who may log in needs one that is not there yet
-- too: a first login may be about to get it, and would give what nobody takes back. Who is to be made needs none but where the
-- name is noted.
CREATE FUNCTION cortex.sync_begin(mend boolean, names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  LOCK TABLE cortex.run_data IN EXCLUSIVE MODE;
  PERFORM cortex.lock_login(t.name)
  FROM (SELECT l.name FROM cortex.login_lock l WHERE l.name = ANY (names)
        UNION SELECT a.rolname::text COLLATE "C" FROM pg_catalog.pg_authid a
        WHERE a.rolcanlogin AND a.rolname IN (SELECT n.name FROM unnest(names) AS n(name))
        UNION SELECT d.name FROM cortex.role_data d
        WHERE mend AND NOT EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.rolname = d.name AND a.oid = d.role)
        ORDER BY 1) t;
  IF mend THEN
    PERFORM cortex.mend_notes();
  END IF;
  DELETE FROM cortex.login_grant g
  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.rolname = g.member)
    OR NOT EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.rolname = g.role);
END
$f$;

-- Keeps others from altering these roles until the transaction ends, and waits for who does just now. Without, the server
-- fails whoever alters a role that was altered since he looked, and a person may do that to the own role without end. Before the
-- transaction alters any: then it looks anew.
CREATE FUNCTION cortex.hold_roles(names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  PERFORM FROM pg_catalog.pg_authid a WHERE a.rolname IN (SELECT n.name FROM unnest(names) AS n(name))
  ORDER BY a.rolname FOR NO KEY UPDATE OF a;
END
$f$;

-- Each gives how many roles it changed; what is so already is left as it is.
CREATE FUNCTION cortex.create_groups(names text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  made integer;
BEGIN
  PERFORM cortex.require_home();
  made := cortex.create_marked(names, true);
  PERFORM cortex.note_roles(names);
  RETURN made;
END
$f$;

CREATE FUNCTION cortex.create_logins(names text[], subjects text[], issuer text, source text) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  made integer;
BEGIN
  IF cardinality(names) <> cardinality(subjects) THEN
    RAISE EXCEPTION 'as many subjects as names are needed' USING ERRCODE = 'array_subscript_error';
  END IF;
  PERFORM cortex.require_home();
  made := cortex.create_marked(names, false);
  INSERT INTO cortex.role_data AS d (name, role, is_group, issuer, subject, source)
  SELECT n.name, a.oid, false, coalesce(create_logins.issuer, ''), coalesce(n.subject, ''), coalesce(create_logins.source, '')
  FROM unnest(names, subjects) WITH ORDINALITY AS n(name, subject, i) JOIN pg_catalog.pg_authid a ON a.rolname = n.name
  ORDER BY n.i -- the order in which notes name them, so that those of a row are neighbours
  ON CONFLICT (name) DO NOTHING;
  RETURN made;
END
$f$;

-- Gives login roles other names; what they own and are members of goes with them. All at once, so
-- that two may exchange theirs.
CREATE FUNCTION cortex.rename_logins(old_names text[], new_names text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  one record;
BEGIN
  PERFORM cortex.require_home();
  IF cardinality(old_names) <> cardinality(new_names)
     OR cardinality(new_names) <> (SELECT count(DISTINCT n.name) FROM unnest(new_names) AS n(name)) THEN
    RAISE EXCEPTION 'as many different new names as old ones are needed' USING ERRCODE = 'array_subscript_error';
  END IF;
  PERFORM cortex.require_marked(old_names, false);
  PERFORM cortex.require_names(new_names);
  PERFORM cortex.note_roles(old_names);
  FOR one IN SELECT r.name, r.i FROM unnest(old_names) WITH ORDINALITY AS r(name, i) LOOP
    EXECUTE format('ALTER ROLE %I RENAME TO %I', one.name, 'cortex_rename_' || one.i);
    UPDATE cortex.role_data d SET name = 'cortex_rename_' || one.i WHERE d.name = one.name;
    UPDATE cortex.login_grant g SET member = 'cortex_rename_' || one.i WHERE g.member = one.name;
  END LOOP;
  FOR one IN SELECT r.name, r.i FROM unnest(new_names) WITH ORDINALITY AS r(name, i) LOOP
    EXECUTE format('ALTER ROLE %I RENAME TO %I', 'cortex_rename_' || one.i, one.name);
    DELETE FROM cortex.role_data d WHERE d.name = one.name;
    UPDATE cortex.role_data d SET name = one.name WHERE d.name = 'cortex_rename_' || one.i;
    UPDATE cortex.login_grant g SET member = one.name WHERE g.member = 'cortex_rename_' || one.i;
  END LOOP;
  PERFORM cortex.require_marked(new_names, false);
  RETURN cardinality(old_names);
END
$f$;

-- Notes which directory names these people, and their ids in it.
CREATE FUNCTION cortex.note_people(names text[], subjects text[], sources text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  PERFORM cortex.note_roles(names);
  UPDATE cortex.role_data d
  SET source = coalesce(n.source, ''), subject = CASE WHEN n.subject = '' THEN d.subject ELSE n.subject END,
    issuer = CASE WHEN n.subject IN ('', d.subject) THEN d.issuer ELSE '' END
  FROM unnest(names, subjects, sources) AS n(name, subject, source) WHERE d.name = n.name AND NOT d.is_group;
END
$f$;

-- Takes over roles of people that somebody else made: ordinary login roles that lead nowhere. Their
-- passwords go, for the policy could not hold those back.
CREATE FUNCTION cortex.adopt_logins(names text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  bad text;
BEGIN
  PERFORM cortex.require_home();
  PERFORM cortex.require_names(names);
  SELECT n.name INTO bad FROM unnest(names) AS n(name) LEFT JOIN cortex.role_kind k ON k.name = n.name
  WHERE k.kind IS DISTINCT FROM 'a' LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION 'role % is none that Cortex may take over', quote_ident(bad)
      USING ERRCODE = 'insufficient_privilege',
        DETAIL = 'Only a login role without attributes, members and powerful memberships can be.';
  END IF;
  PERFORM cortex.run_each('ALTER ROLE %I PASSWORD NULL', names);
  PERFORM cortex.run_for('GRANT cortex_managed TO %s'
    || CASE WHEN cortex.has_options() THEN ' WITH ADMIN FALSE, INHERIT TRUE, SET FALSE' ELSE '' END, names);
  PERFORM cortex.note_roles(names);
  RETURN cardinality(names);
END
$f$;

-- Takes from login roles the right to log in and every membership of ours. The
-- marker stays. Their sessions live on until cortex.end_sessions.
CREATE FUNCTION cortex.cut_logins(names text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  able text[];
  one record;
BEGIN
  PERFORM cortex.require_home();
  PERFORM cortex.require_marked(names, false);
  PERFORM cortex.note_roles(names);
  FOR one IN
    SELECT quote_ident(r.rolname) AS role, string_agg(quote_ident(a.rolname), ', ') AS list
    FROM pg_catalog.pg_auth_members m
      JOIN pg_catalog.pg_authid a ON a.oid = m.member
      JOIN pg_catalog.pg_authid r ON r.oid = m.roleid
    WHERE a.rolname IN (SELECT n.name FROM unnest(names) AS n(name))
      AND m.grantor = (SELECT g.oid FROM pg_catalog.pg_authid g WHERE g.rolname = 'cortex_grantor')
    GROUP BY r.rolname
  LOOP
    EXECUTE 'REVOKE ' || one.role || ' FROM ' || one.list || ' GRANTED BY cortex_grantor';
  END LOOP;
  SELECT array_agg(a.rolname::text) INTO able FROM pg_catalog.pg_authid a
  WHERE a.rolcanlogin AND a.rolname IN (SELECT n.name FROM unnest(names) AS n(name));
  IF able IS NOT NULL THEN
    PERFORM cortex.run_each('ALTER ROLE %I NOLOGIN', able);
  END IF;
  PERFORM cortex.drop_members(ARRAY(
    SELECT d.id FROM cortex.role_data d WHERE d.name IN (SELECT n.name FROM unnest(names) AS n(name))));
  DELETE FROM cortex.login_grant g WHERE g.member IN (SELECT n.name FROM unnest(names) AS n(name));
  -- A role that a DBA had locked by hand before stays his: no cut_at, no restoring.
  UPDATE cortex.role_data d SET last_seen = coalesce(d.last_seen, now()),
    cut_at = CASE WHEN d.name IN (SELECT n.name FROM unnest(able) AS n(name)) THEN now() ELSE d.cut_at END
  WHERE d.name IN (SELECT n.name FROM unnest(names) AS n(name));
  RETURN coalesce(cardinality(able), 0);
END
$f$;

-- Notes as cut leavers that somebody holds (cortex.sync_holders): no login gives them anything any more.
CREATE FUNCTION cortex.note_held(names text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  PERFORM cortex.require_marked(names, false);
  PERFORM cortex.note_roles(names);
  DELETE FROM cortex.login_grant g WHERE g.member IN (SELECT n.name FROM unnest(names) AS n(name));
  UPDATE cortex.role_data d SET last_seen = coalesce(d.last_seen, now()), cut_at = coalesce(d.cut_at, now())
  WHERE d.name IN (SELECT n.name FROM unnest(names) AS n(name));
END
$f$;

-- Gives back the right to log in, but only where cortex.cut_logins took it.
CREATE FUNCTION cortex.restore_logins(names text[]) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  able text[];
BEGIN
  PERFORM cortex.require_home();
  PERFORM cortex.require_marked(names, false);
  SELECT array_agg(d.name) INTO able FROM cortex.role_data d WHERE d.name IN (SELECT n.name FROM unnest(names) AS n(name)) AND d.cut_at IS NOT NULL;
  IF able IS NOT NULL THEN
    PERFORM cortex.run_each('ALTER ROLE %I LOGIN', able);
  END IF;
  UPDATE cortex.role_data d SET cut_at = NULL, last_seen = NULL WHERE d.name IN (SELECT n.name FROM unnest(names) AS n(name));
  RETURN coalesce(cardinality(able), 0);
END
$f$;

-- Gives memberships, and makes sure that they are there: somebody else may change roles too.
CREATE FUNCTION cortex.grant_members(roles text[], members text[], role_at integer[], member_at integer[])
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  role_oids oid[];
  member_oids oid[];
  given integer;
  bad bigint;
BEGIN
  PERFORM cortex.require_home();
  role_oids := cortex.require_marked(roles, true);
  member_oids := cortex.require_members(members);
  -- Whether the grantor may grant is asked of all roles at once.
  PERFORM cortex.let_grant(roles[r.i]) FROM unnest(role_oids) WITH ORDINALITY AS r(oid, i)
  WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members m
                    WHERE m.roleid = r.oid AND m.member = to_regrole('cortex_grantor') AND m.admin_option OFFSET 0)
  ORDER BY roles[r.i];
  given := cortex.change_members('grant', roles, members, role_at, member_at);
  bad := cortex.find_foreign(role_oids, member_oids, role_at, member_at, true);
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'role % did not become a member of % as Cortex grants it',
      quote_ident(members[member_at[bad]]), quote_ident(roles[role_at[bad]])
      USING ERRCODE = 'object_in_use', DETAIL = 'Somebody else granted it too, or with other options.';
  END IF;
  RETURN given;
END
$f$;

-- Takes away memberships that cortex_grantor gave, and refuses any other.
CREATE FUNCTION cortex.revoke_members(roles text[], members text[], role_at integer[], member_at integer[])
RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  bad bigint;
BEGIN
  PERFORM cortex.require_home();
  -- 15 would revoke whoever granted it.
  bad := cortex.find_foreign(cortex.role_oids(roles), cortex.require_members(members), role_at, member_at, false);
  IF bad IS NOT NULL THEN
    RAISE EXCEPTION 'role % is no member of % by a grant of Cortex',
      coalesce(quote_ident(members[member_at[bad]]), 'NULL'), coalesce(quote_ident(roles[role_at[bad]]), 'NULL')
      USING ERRCODE = 'insufficient_privilege';
  END IF;
  IF EXISTS (SELECT FROM cortex.login_grant) THEN
    DELETE FROM cortex.login_grant g
    USING unnest(role_at, member_at) AS p(r, m)
      JOIN unnest(roles) WITH ORDINALITY AS r(name, i) ON r.i = p.r
      JOIN unnest(members) WITH ORDINALITY AS m(name, i) ON m.i = p.m
    WHERE g.role = r.name AND g.member = m.name;
  END IF;
  RETURN cortex.change_members('revoke', roles, members, role_at, member_at);
END
$f$;

-- Notes why memberships exist: position i of source_at is one in services, levels,
-- policies, reasons.
CREATE FUNCTION cortex.note_grants(roles text[], members text[],
  role_at integer[], member_at integer[], source_at integer[],
  services text[], levels text[], policies text[], reasons text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  role_ids integer[];
  member_ids integer[];
  source_ids integer[];
BEGIN
  PERFORM cortex.require_home();
  role_ids := cortex.role_ids(roles);
  member_ids := cortex.role_ids(members);
  INSERT INTO cortex.grant_source (service, level, policy, reason)
  SELECT DISTINCT * FROM unnest(services, levels, policies, reasons)
  ON CONFLICT DO NOTHING;
  source_ids := cortex.source_ids(services, levels, policies, reasons);
  INSERT INTO cortex.grant_data (role, source, lowest, highest, members)
  SELECT g.role, g.source, min(g.member), max(g.member), array_agg(g.member)
  FROM (SELECT role_ids[p.r], source_ids[p.s], member_ids[p.m], p.i / 128
        FROM unnest(role_at, member_at, source_at) WITH ORDINALITY AS p(r, m, s, i)) AS g(role, source, member, part)
  GROUP BY g.role, g.source, g.part;
END
$f$;

CREATE FUNCTION cortex.forget_grants(roles text[], members text[],
  role_at integer[], member_at integer[], source_at integer[],
  services text[], levels text[], policies text[], reasons text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  role_ids integer[];
  member_ids integer[];
  source_ids integer[];
BEGIN
  PERFORM cortex.require_home();
  role_ids := cortex.role_ids(roles);
  member_ids := cortex.role_ids(members);
  source_ids := cortex.source_ids(services, levels, policies, reasons);
  UPDATE cortex.grant_data g
  SET members = CASE cardinality(f.gone) WHEN 1 THEN array_remove(g.members, f.gone[1]) ELSE cortex.without(g.members, f.gone) END
  FROM (SELECT d.id, array_agg(member_ids[p.m]) AS gone
        FROM unnest(role_at, member_at, source_at) AS p(r, m, s)
          JOIN cortex.grant_data d ON d.role = role_ids[p.r] AND d.source = source_ids[p.s]
        WHERE member_ids[p.m] BETWEEN d.lowest AND d.highest AND member_ids[p.m] = ANY (d.members)
        GROUP BY d.id) f
  WHERE g.id = f.id;
  DELETE FROM cortex.grant_data g
  WHERE g.role IN (SELECT unnest(role_ids)) AND g.members = '{}';
END
$f$;

-- Ends every session of these login roles, and says which; started counts microseconds
-- since 1970, and tells a backend from a later one of the same pid. Most have none, so only
-- whose sessions they are is asked, and before any of them ends.
CREATE FUNCTION cortex.end_sessions(names text[]) RETURNS TABLE (name text, pid integer, started bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  holders text[];
  pids integer[];
  starts bigint[];
BEGIN
  PERFORM cortex.require_home();
  SELECT array_agg(a.rolname::text), array_agg(s.pid), array_agg((extract(epoch FROM s.backend_start) * 1000000)::bigint)
  INTO holders, pids, starts
  FROM pg_catalog.pg_stat_get_activity(NULL) s JOIN pg_catalog.pg_authid a ON a.oid = s.usesysid
  WHERE a.rolname IN (SELECT n.name FROM unnest(names) AS n(name))
    AND s.pid <> pg_backend_pid() AND s.backend_type = 'client backend';
  IF holders IS NULL THEN
    RETURN;
  END IF;
  PERFORM cortex.require_marked(holders, false);
  -- In a loop: inside the query it could be called before the conditions are asked.
  FOR name, pid, started IN SELECT * FROM unnest(holders, pids, starts) LOOP
    IF pg_terminate_backend(pid) THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END
$f$;

-- Those of these roles whose rows somebody else has changed and not committed, and whose transactions these may be; waits
-- for none of them. A prepared one has no session to end, and only its role and superusers may roll it back, outside of functions.
CREATE FUNCTION cortex.sync_holders(names text[]) RETURNS TABLE (name text, holder text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  unheld text[];
BEGIN
  PERFORM cortex.require_home();
  unheld := ARRAY(SELECT a.rolname::text FROM pg_catalog.pg_authid a
                  WHERE a.rolname IN (SELECT n.name FROM unnest(names) AS n(name)) FOR NO KEY UPDATE OF a SKIP LOCKED);
  IF NOT EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.rolname = ANY (names) AND a.rolname <> ALL (unheld)) THEN
    RETURN;
  END IF;
  SELECT string_agg(h.what, ' or ' ORDER BY h.what) INTO holder
  FROM (SELECT format('prepared transaction %L of role %I in database %I', p.gid, p.owner, p.database)
        FROM pg_catalog.pg_locks l
          JOIN pg_catalog.pg_locks x ON x.virtualtransaction = l.virtualtransaction AND x.pid IS NULL
          JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = x.transactionid
        WHERE l.relation = 'pg_catalog.pg_authid'::regclass AND l.mode <> 'AccessShareLock' AND l.pid IS NULL
        UNION
        SELECT format('a transaction of role %I (backend %s)', a.rolname, l.pid)
        FROM pg_catalog.pg_locks l JOIN pg_stat_get_activity(l.pid) s ON true
          LEFT JOIN pg_catalog.pg_authid a ON a.oid = s.usesysid
        WHERE l.relation = 'pg_catalog.pg_authid'::regclass AND l.mode <> 'AccessShareLock' AND l.granted
          AND l.pid <> pg_backend_pid()) AS h(what);
  holder := coalesce(holder, 'somebody''s transaction');
  FOR name IN SELECT DISTINCT a.rolname FROM pg_catalog.pg_authid a
              WHERE a.rolname = ANY (names) AND a.rolname <> ALL (unheld) LOOP
    RETURN NEXT;
  END LOOP;
END
$f$;

-- Those of these roles that can be members of one of the groups no more, because it is one of theirs: with what takes
-- that away. The server refuses a circle of memberships, and with it everybody's of the same transaction. Before 15 a
-- person can make one alone, for a role administers itself there.
CREATE FUNCTION cortex.sync_circles(names text[], groups text[]) RETURNS TABLE (name text, mend text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
  SELECT a.rolname::text, string_agg(format('REVOKE %I FROM %I', a.rolname, x.rolname), '; ' ORDER BY x.rolname)
  FROM pg_catalog.pg_authid a
    JOIN pg_catalog.pg_auth_members m ON m.roleid = a.oid JOIN pg_catalog.pg_authid x ON x.oid = m.member
  WHERE a.rolname IN (SELECT n.name FROM unnest(names) AS n(name))
    AND EXISTS (SELECT FROM pg_catalog.pg_authid g
                WHERE g.rolname IN (SELECT w.name FROM unnest(groups) AS w(name)) AND pg_has_role(g.oid, x.oid, 'MEMBER'))
  GROUP BY a.rolname
$f$;

-- Says that the cluster is as the policy of this digest wants it.
CREATE FUNCTION cortex.sync_done(digest text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
BEGIN
  PERFORM cortex.require_home();
  UPDATE cortex.run_data SET finished_at = clock_timestamp(), policy_digest = digest;
  IF NOT FOUND THEN
    INSERT INTO cortex.run_data VALUES (clock_timestamp(), digest);
  END IF;
END
$f$;

-- ---------------------------------------------------------------- for a superuser

-- pg_upgrade from 15 does not carry over who granted a membership. Takes back
-- those that are noted here and now look like the bootstrap superuser's.
CREATE FUNCTION cortex.claim_grants() RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off SET enable_nestloop = off AS $f$
DECLARE
  one record;
  total integer := 0;
BEGIN
  PERFORM cortex.require_home();
  FOR one IN
    SELECT DISTINCT r.name AS role, m.name AS member
    FROM cortex.grant_data g CROSS JOIN unnest(g.members) AS k(member)
      JOIN cortex.role_data r ON r.id = g.role JOIN cortex.role_data m ON m.id = k.member
      JOIN cortex.role_state rs ON rs.name = r.name JOIN cortex.role_state ms ON ms.name = m.name
      JOIN pg_catalog.pg_auth_members e ON e.roleid = rs.oid AND e.member = ms.oid
    WHERE e.grantor = 10 AND NOT e.admin_option
      AND rs.is_group AND NOT rs.is_protected AND ms.is_login AND NOT ms.is_protected
  LOOP
    EXECUTE format('REVOKE %I FROM %I', one.role, one.member);
    PERFORM cortex.grant_members(ARRAY[one.role], ARRAY[one.member], ARRAY[1], ARRAY[1]);
    total := total + 1;
  END LOOP;
  RETURN total;
END
$f$;

-- ---------------------------------------------------------------- who may

-- The runner gets these calls and nothing else; nobody else gets anything.
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA cortex FROM PUBLIC;
GRANT USAGE ON SCHEMA cortex TO cortex_runner;
GRANT EXECUTE ON FUNCTION
  cortex.sync_roles(boolean), cortex.sync_members(), cortex.sync_grants(),
  cortex.sync_begin(boolean, text[]), cortex.hold_roles(text[]), cortex.create_groups(text[]),
  cortex.create_logins(text[], text[], text, text),
  cortex.rename_logins(text[], text[]), cortex.note_people(text[], text[], text[]), cortex.adopt_logins(text[]),
  cortex.cut_logins(text[]), cortex.note_held(text[]), cortex.restore_logins(text[]),
  cortex.grant_members(text[], text[], integer[], integer[]),
  cortex.revoke_members(text[], text[], integer[], integer[]),
  cortex.note_grants(text[], text[], integer[], integer[], integer[], text[], text[], text[], text[]),
  cortex.forget_grants(text[], text[], integer[], integer[], integer[], text[], text[], text[], text[]),
  cortex.end_sessions(text[]), cortex.sync_holders(text[]), cortex.sync_circles(text[], text[]), cortex.sync_done(text)
TO cortex_runner;

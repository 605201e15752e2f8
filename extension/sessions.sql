
-- ---------------------------------------------------------------- logins and the sessions they open
-- SPDX-License-Identifier: PostgreSQL

-- Memberships belong to roles, not to sessions. So a role holds what the policy permits
-- whatever the login is (standing), and beyond that only what every live session of
-- it on the service was permitted. Two things are never touched: what another
-- service gave, and what somebody else granted.

-- What logins gave; cortex.grant_data says what cortex-sync gave.
CREATE TABLE cortex.login_grant (
  member text COLLATE "C" NOT NULL,
  role text COLLATE "C" NOT NULL,
  service text NOT NULL,
  level text NOT NULL,
  is_standing boolean NOT NULL,
  granted_at timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (member, service, role, level)
);
COMMENT ON TABLE cortex.login_grant IS
  'Memberships that logins gave. Those that are not standing end with the sessions that were permitted them.';
SELECT pg_catalog.pg_extension_config_dump('cortex.login_grant', '');

-- A row for each name that logins change, to take turns by: an advisory lock could
-- be taken by anybody.
CREATE TABLE cortex.login_lock (name text COLLATE "C" PRIMARY KEY);

CREATE FUNCTION cortex.lock_login(wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  LOOP
    INSERT INTO cortex.login_lock VALUES (wanted) ON CONFLICT DO NOTHING;
    EXIT WHEN FOUND;
    PERFORM FROM cortex.login_lock l WHERE l.name = wanted FOR UPDATE;
    EXIT WHEN FOUND; -- else cortex.forget_login took the row away
  END LOOP;
END
$f$;

-- Stamps of live sessions: whose process is there. One that still authenticates is
-- not in pg_stat_activity before 18, so it counts for some minutes without that. The role is
-- the one of today's name: it may have got another since.
CREATE FUNCTION cortex.live_stamps() RETURNS TABLE (pid integer, facts jsonb)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  folder CONSTANT text := cortex.sessions_folder();
  cluster CONSTANT text := (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint;
  bytes bytea;
  lines text[];
  head text[];
  known timestamptz;
  called text;
BEGIN
  FOR pid IN SELECT n::integer FROM pg_ls_dir(folder) AS n WHERE n ~ '^[0-9]{1,9}$' LOOP
    CONTINUE WHEN (pg_stat_file(folder || '/' || pid, true)).isdir; -- reading it would fail for everybody
    bytes := pg_read_binary_file(folder || '/' || pid, 0, 1048576, true);
    CONTINUE WHEN bytes IS NULL OR substr(bytes, 1, 9) <> 'cortex 1 '::bytea
      OR (pg_stat_file('/proc/' || pid, true)).isdir IS NULL; -- a file below it fails while the process goes
    lines := string_to_array(convert_from(bytes, 'UTF8'), E'\n');
    head := string_to_array(lines[1], ' ');
    CONTINUE WHEN head[3] <> pid::text OR head[5] IS DISTINCT FROM cluster;
    SELECT s.backend_start, a.rolname INTO known, called
    FROM pg_stat_get_activity(pid) s JOIN pg_catalog.pg_authid a ON a.oid = s.usesysid;
    CONTINUE WHEN CASE WHEN FOUND THEN (date_part('epoch', known) * 1000000)::bigint::text <> head[4]
      ELSE head[4]::numeric / 1000000 < date_part('epoch', clock_timestamp() - interval '5 minutes')::numeric END;
    facts := cortex.readable_json(lines[2])::jsonb;
    IF called IS DISTINCT FROM facts ->> 'role' AND known IS NOT NULL THEN
      facts := facts || jsonb_build_object('role', called);
    END IF;
    RETURN NEXT;
  END LOOP;
END
$f$;

-- For cortex-sync: memberships that logins gave, and that it leaves to them.
CREATE FUNCTION cortex.sync_login_grants() RETURNS TABLE (role oid, members oid[])
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
  SELECT r.oid, array_agg(DISTINCT m.oid)
  FROM cortex.login_grant g
    JOIN pg_catalog.pg_authid r ON r.rolname = g.role
    JOIN pg_catalog.pg_authid m ON m.rolname = g.member
  GROUP BY r.oid
$f$;

-- What a role holds of a service by a grant of ours and should not: another service
-- did not give it, nor cortex-sync, whose reasons a directory has; and it is none of these roles.
CREATE FUNCTION cortex.login_excess(wanted text, service text, universe text[], roles text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  held CONSTANT oid[] := ARRAY(SELECT m.roleid FROM pg_catalog.pg_auth_members m
                               WHERE m.member = to_regrole(quote_ident(wanted))::oid
                                 AND m.grantor = to_regrole('cortex_grantor')::oid);
  excess text[] := '{}';
  one text;
BEGIN
  FOREACH one IN ARRAY universe LOOP
    IF to_regrole(quote_ident(one))::oid = ANY (held) AND array_position(roles || excess, one) IS NULL THEN
      IF NOT EXISTS (SELECT FROM cortex.login_grant g
                     WHERE g.member = wanted AND g.role = one AND g.service <> login_excess.service)
          AND NOT EXISTS (SELECT FROM cortex.role_data r JOIN cortex.grant_data g ON g.role = r.id
                          WHERE r.name = one
                            AND (SELECT d.id FROM cortex.role_data d WHERE d.name = wanted) = ANY (g.members)) THEN
        excess := array_append(excess, one);
      END IF;
    END IF;
  END LOOP;
  RETURN excess;
END
$f$;

-- What it should hold and does not; a membership that a DBA gave is enough.
CREATE FUNCTION cortex.login_missing(wanted text, roles text[]) RETURNS text[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  held CONSTANT oid[] := ARRAY(SELECT m.roleid FROM pg_catalog.pg_auth_members m
                               WHERE m.member = to_regrole(quote_ident(wanted))::oid);
  missing text[] := '{}';
  one text;
BEGIN
  FOREACH one IN ARRAY roles LOOP
    IF (to_regrole(quote_ident(one))::oid = ANY (held)) IS NOT TRUE AND array_position(missing, one) IS NULL THEN
      missing := array_append(missing, one);
    END IF;
  END LOOP;
  RETURN missing;
END
$f$;

-- Revokes and grants. The role is one that was made or looked at; a group role that is missing is made.
CREATE FUNCTION cortex.change_login(wanted text, gone text[], missing text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  one text;
BEGIN
  IF cardinality(gone) > 0 THEN
    PERFORM cortex.change_members('revoke', gone, ARRAY[wanted],
      ARRAY(SELECT generate_subscripts(gone, 1)), array_fill(1, ARRAY[cardinality(gone)]));
  END IF;
  IF cardinality(missing) > 1 THEN -- in one order: two logins must not wait for each other
    missing := ARRAY(SELECT m.name FROM unnest(missing) AS m(name) ORDER BY m.name);
  END IF;
  FOREACH one IN ARRAY missing LOOP
    IF ((cortex.kind_of(one)).kind = 'g') IS NOT TRUE
        OR NOT EXISTS (SELECT FROM cortex.role_data d WHERE d.name = one) THEN
      PERFORM cortex.create_groups(ARRAY[one]); -- makes or notes it, or says why it cannot be granted
    END IF;
    IF pg_has_role(to_regrole('cortex_grantor'), to_regrole(quote_ident(one)), 'MEMBER WITH ADMIN OPTION') IS NOT TRUE THEN
      PERFORM cortex.let_grant(one);
    END IF;
    EXECUTE 'GRANT ' || quote_ident(one) || ' TO ' || quote_ident(wanted)
      || CASE WHEN cortex.has_options() THEN ' WITH ADMIN FALSE, INHERIT TRUE, SET TRUE' ELSE '' END
      || ' GRANTED BY cortex_grantor';
  END LOOP;
END
$f$;

-- The note of a login that the role is ready, as the PAM module names it.
CREATE FUNCTION cortex.note_path(wanted text, service text) RETURNS text
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN cortex.sessions_folder() || '/ready-'
    || encode(sha256(convert_to(wanted, 'UTF8') || E'\\x00'::bytea || convert_to(service, 'UTF8') || E'\\x00'::bytea), 'hex');
END
$f$;

-- Invariant 1: a level that not every live session was permitted is held by none. Of the levels of a login, with their
-- roles, those that are standing or that all the others were permitted. Who comes later is not counted, and
-- waits: so it finds what was given here. A login of standing levels notes that it asked, and who finds the note asks nobody: this
-- one took it away before it came here, so one that is there is of a session that began and ended meanwhile. It counts as well,
-- and is looked for last: whoever writes one later is there to be counted, or has to wait.
CREATE FUNCTION cortex.shared_levels(wanted text, service text,
  INOUT levels text[], INOUT roles text[], INOUT standing boolean[])
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  stamps CONSTANT jsonb[] := ARRAY(SELECT l.facts FROM cortex.live_stamps() l);
  others CONSTANT jsonb[] := ARRAY(SELECT s.facts -> 'levels' FROM unnest(stamps) AS s(facts)
                                   WHERE s.facts ->> 'role' = wanted AND s.facts ->> 'service' = shared_levels.service);
  is_noted CONSTANT boolean := (pg_stat_file(cortex.note_path(wanted, service), true)).isdir IS NOT NULL;
BEGIN
  IF cardinality(stamps) = 0 THEN -- not even this login's: it is looked for in the wrong place, and so are the others'
    RAISE EXCEPTION 'no session has a stamp in %', cortex.sessions_folder() USING ERRCODE = 'no_data_found',
      HINT = 'Is that [session] path of cortex.conf? If not: INSERT INTO cortex.option, see cortex.conf(5).';
  END IF;
  SELECT coalesce(array_agg(w.level ORDER BY w.i), '{}'), coalesce(array_agg(w.role ORDER BY w.i), '{}'),
    coalesce(array_agg(w.is_standing ORDER BY w.i), '{}')
  INTO levels, roles, standing
  FROM unnest(levels, roles, standing) WITH ORDINALITY AS w(level, role, is_standing, i)
  WHERE w.is_standing OR NOT is_noted AND NOT EXISTS (SELECT FROM unnest(others) AS o(levels) WHERE NOT o.levels ? w.level);
END
$f$;

-- Makes a role ready for the session that is about to begin: it is there, may log in, and
-- holds what it may. All or nothing; true when something had to change. On a standby it writes
-- nothing and serves a login where all is in place, or one that may do more than its role holds there.
--
--   levels, roles, standing: each role of each permitted level, and whether the policy
--     permits that level whatever the login is
--   universe: every role that the service grants on any level
--
-- Short enough for its row of pg_proc: kept beside it, it would have each new backend open one table more. What few
-- logins need stands in functions of their own.
CREATE FUNCTION cortex.login(wanted text, issuer text, subject text, service text,
  universe text[], levels text[], roles text[], standing boolean[]) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off
SET plan_cache_mode = force_generic_plan AS $f$
DECLARE
  depends CONSTANT boolean := coalesce(false = ANY (standing), false);
  is_new boolean;
  state record;
BEGIN
  PERFORM cortex.require_home();

  -- Of two logins of one role the second waits until the first is done, before it looks: who held the turn may have made,
  -- changed or dropped it. First of all: cortex-sync, which makes roles too, has its turns before it makes any.
  IF NOT pg_is_in_recovery() THEN
    PERFORM cortex.lock_login(wanted);
  END IF;
  IF strpos(wanted, '/') > 0 THEN
    PERFORM cortex.require_person(wanted);
  END IF;
  -- Somebody waits, and a new backend plans each statement anew: so without the functions that are for many.
  LOOP
    state := cortex.kind_of(wanted);
    is_new := state.role IS NULL AND NOT pg_is_in_recovery();
    EXIT WHEN NOT is_new;
    PERFORM cortex.require_names(ARRAY[wanted]);
    BEGIN
      EXECUTE 'CREATE ROLE ' || quote_ident(wanted) || ' LOGIN; GRANT cortex_managed TO ' || quote_ident(wanted)
        || CASE WHEN cortex.has_options() THEN ' WITH ADMIN FALSE, INHERIT TRUE, SET FALSE' ELSE '' END;
      EXIT;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
      NULL; -- somebody who takes no turns was faster
    END;
  END LOOP;

  IF depends THEN
    SELECT s.* INTO levels, roles, standing FROM cortex.shared_levels(wanted, service, levels, roles, standing) s;
  END IF;

  IF is_new THEN
    INSERT INTO cortex.role_data (name, role, is_group, issuer, subject, source)
    VALUES (wanted, to_regrole(quote_ident(wanted))::oid, false, coalesce(login.issuer, ''), coalesce(login.subject, ''), 'login')
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      PERFORM cortex.take_note(wanted, coalesce(login.issuer, ''), coalesce(login.subject, ''));
    END IF;
    PERFORM cortex.change_login(wanted, '{}', roles);
    PERFORM cortex.note_login(wanted, service, levels, roles, standing);
    RETURN true;
  END IF;

  IF state.kind = 'l' AND state.can_login
      AND cardinality(cortex.login_excess(wanted, service, universe, roles)) = 0
      AND (pg_is_in_recovery() OR cardinality(cortex.login_missing(wanted, roles)) = 0) THEN
    PERFORM cortex.require_no_leaver(wanted); -- one whose role somebody holds may log in still
    IF NOT pg_is_in_recovery() AND depends THEN
      PERFORM cortex.forget_given(wanted, service, levels, roles);
      PERFORM cortex.note_login(wanted, service, levels, roles, standing);
    END IF;
    RETURN false;
  END IF;

  PERFORM cortex.mend_login(wanted, service, universe, levels, roles, standing);
  RETURN true;
END
$f$;

-- A role that is there is made as this login needs it.
CREATE FUNCTION cortex.mend_login(wanted text, service text,
  universe text[], levels text[], roles text[], standing boolean[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  state record;
BEGIN
  IF pg_is_in_recovery() THEN
    RAISE EXCEPTION 'role % is not there or not as this login needs it, and a standby changes none', quote_ident(wanted)
      USING ERRCODE = 'read_only_sql_transaction', HINT = 'Log in on the primary first.';
  END IF;
  PERFORM cortex.require_no_leaver(wanted);
  PERFORM cortex.restore_logins(ARRAY[wanted]);
  PERFORM cortex.change_login(wanted, cortex.login_excess(wanted, service, universe, roles),
    cortex.login_missing(wanted, roles));
  PERFORM cortex.forget_given(wanted, service, levels, roles);
  PERFORM cortex.note_login(wanted, service, levels, roles, standing);
  state := cortex.kind_of(wanted);
  IF (state.kind = 'l' AND state.can_login) IS NOT TRUE THEN
    RAISE EXCEPTION 'role % may not log in', quote_ident(wanted) USING ERRCODE = 'insufficient_privilege',
      DETAIL = 'Somebody else took that right from it.';
  END IF;
END
$f$;

-- Who left a directory stays away until it names them again, however long a credential lives.
CREATE FUNCTION cortex.require_no_leaver(wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  IF EXISTS (SELECT FROM cortex.role_data d WHERE d.name = wanted AND d.cut_at IS NOT NULL AND d.source <> 'login') THEN
    RAISE EXCEPTION 'role % was cut by cortex-sync', quote_ident(wanted) USING ERRCODE = 'insufficient_privilege',
      DETAIL = 'Its directory no longer names the person.';
  END IF;
END
$f$;

-- Nor does anybody come in by a role of one level (USER/LEVEL) whose own role may not log in.
CREATE FUNCTION cortex.require_person(wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  person CONSTANT text := split_part(wanted, '/', 1); -- no username has a slash
BEGIN
  PERFORM cortex.require_no_leaver(person);
  IF EXISTS (SELECT FROM pg_catalog.pg_authid a WHERE a.rolname = person AND NOT a.rolcanlogin) THEN
    RAISE EXCEPTION 'role % may not log in', quote_ident(person) USING ERRCODE = 'insufficient_privilege',
      DETAIL = 'No role of one level is made for that person meanwhile.';
  END IF;
END
$f$;

-- A role was made whose name is noted already, of an earlier one that somebody dropped.
CREATE FUNCTION cortex.take_note(wanted text, issuer text, subject text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  PERFORM cortex.require_no_leaver(wanted);
  DELETE FROM cortex.login_grant g WHERE g.member = wanted;
  INSERT INTO cortex.role_data (name, role, is_group, issuer, subject, source)
  VALUES (wanted, to_regrole(quote_ident(wanted))::oid, false, take_note.issuer, take_note.subject, 'login')
  ON CONFLICT (name) DO UPDATE SET role = excluded.role, cut_at = NULL, last_seen = NULL;
END
$f$;

CREATE FUNCTION cortex.note_login(wanted text, service text, levels text[], roles text[], standing boolean[])
RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  FOR i IN 1..cardinality(roles) LOOP
    INSERT INTO cortex.login_grant (member, role, service, level, is_standing)
    VALUES (wanted, roles[i], note_login.service, levels[i], standing[i]) ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
      UPDATE cortex.login_grant g SET is_standing = standing[i]
      WHERE g.member = wanted AND g.service = note_login.service AND g.role = roles[i] AND g.level = levels[i]
        AND g.is_standing <> standing[i];
    END IF;
  END LOOP;
END
$f$;

-- Forgets what the service gave beside these.
CREATE FUNCTION cortex.forget_given(wanted text, service text, levels text[], roles text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  DELETE FROM cortex.login_grant g
  WHERE g.member = wanted AND g.service = forget_given.service
    AND (g.level, g.role) NOT IN (SELECT w.level, w.role FROM unnest(levels, roles) AS w(level, role));
END
$f$;

-- ---------------------------------------------------------------- for the reaper

-- Ends these sessions, and says which: only one that came through Cortex, by its stamp,
-- and only the very backend. started counts microseconds since 1970.
CREATE FUNCTION cortex.reap(pids integer[], starts bigint[]) RETURNS TABLE (pid integer, started bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
DECLARE
  folder CONSTANT text := cortex.sessions_folder() || '/';
  ours integer[] := '{}';
  one record;
BEGIN
  FOR one IN
    SELECT w.pid, s.backend_start
    FROM unnest(pids, starts) AS w(pid, started) JOIN pg_stat_get_activity(NULL) s ON s.pid = w.pid
    WHERE s.backend_type = 'client backend' AND s.pid <> pg_backend_pid()
      AND (date_part('epoch', s.backend_start) * 1000000)::bigint = w.started
  LOOP
    IF (cortex.read_stamp(folder || one.pid, cortex.stamp_head(one.pid, one.backend_start), NULL)).role IS NOT NULL THEN
      ours := ours || one.pid;
    END IF;
  END LOOP;
  -- All at once, and only those that are still the same: each session that ends takes the
  -- processor from whoever looks at the next one's stamp.
  PERFORM pg_stat_clear_snapshot();
  FOR pid, started IN
    SELECT w.pid, w.started
    FROM unnest(pids, starts) AS w(pid, started) JOIN pg_stat_get_activity(NULL) s ON s.pid = w.pid
    WHERE w.pid = ANY (ours) AND (date_part('epoch', s.backend_start) * 1000000)::bigint = w.started
  LOOP
    IF pg_terminate_backend(pid) THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END
$f$;

-- Sessions of people whom cortex-sync has cut: by their own role, by one of one level, or by one that is nobody's own, where
-- the stamp says who it is; started counts microseconds since 1970. On the primary it ends the first itself; of those on a
-- standby, or that begin beside it, it does not know.
CREATE FUNCTION cortex.leaver_sessions() RETURNS TABLE (pid integer, started bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
  SELECT s.pid, (date_part('epoch', s.backend_start) * 1000000)::bigint
  FROM pg_stat_get_activity(NULL) s JOIN pg_catalog.pg_authid a ON a.oid = s.usesysid
    LEFT JOIN cortex.role_data r ON r.name = a.rolname
  WHERE s.backend_type = 'client backend' AND EXISTS (
    SELECT FROM cortex.role_data d
    WHERE d.name = ANY (ARRAY[regexp_replace(a.rolname, '/(read|write|admin)$', ''),
        CASE WHEN coalesce(r.source, '') IN ('', '[role]') THEN (cortex.read_stamp(cortex.sessions_folder() || '/' || s.pid,
          cortex.stamp_head(s.pid, s.backend_start), NULL)).username END])
      AND d.cut_at IS NOT NULL AND d.source <> 'login' OFFSET 0)
$f$;

-- Takes back what ended sessions were permitted beyond what is standing, and roles
-- of one level (USER/LEVEL) whose last session has ended. Says what it did: role is what was
-- revoked, NULL for a role that was dropped, and '' for one that was cut because it owns something or somebody gives it
-- something just now.
-- A role that somebody dropped, or made somebody else's, stops nothing for the others.
CREATE FUNCTION cortex.settle_logins() RETURNS TABLE (name text, role text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
DECLARE
  one record;
  names text[]; -- whose turn it is
  members text[]; -- roles of live sessions
  services text[]; -- and where these are
  gone text[];
  kind "char";
BEGIN
  PERFORM cortex.require_home();
  IF pg_is_in_recovery() THEN
    RETURN; -- the primary takes back; a standby that is promoted does it in its next round
  END IF;
  names := ARRAY(SELECT g.member FROM cortex.login_grant g WHERE NOT g.is_standing OR g.member ~ '/(read|write|admin)$'
                 UNION SELECT d.name FROM cortex.role_data d WHERE d.source = 'login' AND d.name ~ '/(read|write|admin)$'
                 ORDER BY 1);
  FOR i IN 1..cardinality(names) LOOP
    PERFORM cortex.lock_login(names[i]);
  END LOOP;
  -- Once for all of them: their logins wait.
  SELECT array_agg(l.facts ->> 'role'), array_agg(l.facts ->> 'service') INTO members, services FROM cortex.live_stamps() l;
  FOR one IN
    SELECT DISTINCT g.member, g.service FROM cortex.login_grant g
    WHERE g.member = ANY (names) AND (NOT g.is_standing OR g.member ~ '/(read|write|admin)$')
      AND NOT EXISTS (SELECT FROM unnest(members, services) AS l(member, service)
                      WHERE l.member = g.member AND l.service = g.service)
  LOOP
    gone := ARRAY(SELECT DISTINCT g.role FROM cortex.login_grant g
                  WHERE g.member = one.member AND g.service = one.service);
    DELETE FROM cortex.login_grant g
    WHERE g.member = one.member AND g.service = one.service
      AND (NOT g.is_standing OR g.member ~ '/(read|write|admin)$');
    gone := cortex.login_excess(one.member, one.service, gone,
      ARRAY(SELECT g.role FROM cortex.login_grant g WHERE g.member = one.member AND g.service = one.service));
    PERFORM cortex.change_login(one.member, gone, '{}');
    RETURN QUERY SELECT one.member, g.role FROM unnest(gone) AS g(role);
  END LOOP;
  FOR one IN
    SELECT d.name AS member FROM cortex.role_data d
    WHERE d.name = ANY (names) AND d.name <> ALL (coalesce(members, '{}')) AND d.source = 'login'
      AND d.name ~ '/(read|write|admin)$' AND NOT EXISTS (SELECT FROM cortex.login_grant g WHERE g.member = d.name)
  LOOP
    kind := (SELECT k.kind FROM cortex.role_kind k WHERE k.name = one.member);
    IF kind IS NULL THEN
      PERFORM cortex.forget_login(one.member);
    ELSIF kind = 'l' AND cortex.drop_login(one.member) THEN
      name := one.member;
      role := CASE WHEN to_regrole(quote_ident(one.member)) IS NOT NULL THEN '' END;
      RETURN NEXT;
    END IF;
  END LOOP;
END
$f$;

-- Before 15 a role administers itself: a person can say GRANT "alice/admin" TO alice, or TO bob, where only the policy is
-- to say who has what. Takes back memberships in login roles of ours that people granted, and who got the right to from
-- them, without an administrator's leave: a grant is his where he made it, or gave the right to; and it counts as his where
-- its grantor is gone, or is no role of ours and nobody gives him the right now. Says to whom (name) and of which role. It
-- waits for nobody: is_held where somebody's transaction has changed it, so that it is still there.
CREATE FUNCTION cortex.settle_own_grants() RETURNS TABLE (name text, role text, is_held boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
DECLARE
  roles oid[];
  members oid[];
BEGIN
  PERFORM cortex.require_home();
  IF pg_is_in_recovery() THEN
    RETURN;
  END IF;
  WITH RECURSIVE people AS MATERIALIZED (
    SELECT k.member FROM pg_catalog.pg_auth_members k WHERE k.roleid = to_regrole('cortex_managed')::oid
  ), given AS MATERIALIZED (
    SELECT m.roleid, m.member, m.grantor, m.admin_option FROM pg_catalog.pg_auth_members m
    WHERE m.roleid IN (SELECT p.member FROM people p)
  ), lawful AS (
    SELECT g.roleid, g.member, g.admin_option FROM given g LEFT JOIN pg_catalog.pg_authid a ON a.oid = g.grantor
    WHERE a.oid IS NULL OR a.rolsuper OR a.rolcreaterole
      OR (a.oid NOT IN (SELECT p.member FROM people p)
          AND NOT EXISTS (SELECT FROM given o WHERE o.roleid = g.roleid AND o.member = g.grantor AND o.admin_option))
    UNION
    SELECT g.roleid, g.member, g.admin_option FROM lawful l JOIN given g ON g.roleid = l.roleid AND g.grantor = l.member
    WHERE l.admin_option)
  SELECT array_agg(g.roleid), array_agg(g.member) INTO roles, members
  FROM given g JOIN pg_catalog.pg_authid a ON a.oid = g.roleid
  WHERE (g.roleid, g.member) NOT IN (SELECT l.roleid, l.member FROM lawful l)
    AND (SELECT k.kind FROM cortex.role_kind k WHERE k.name = a.rolname) = 'l';

  is_held := false;
  FOR name, role IN
    SELECT x.rolname, a.rolname
    FROM pg_catalog.pg_auth_members m
      JOIN pg_catalog.pg_authid x ON x.oid = m.member JOIN pg_catalog.pg_authid a ON a.oid = m.roleid
    WHERE (m.roleid, m.member) IN (SELECT * FROM unnest(roles, members))
    FOR UPDATE OF m SKIP LOCKED
  LOOP
    EXECUTE format('REVOKE %I FROM %I', role, name);
    RETURN NEXT;
  END LOOP;
  RETURN QUERY
    SELECT x.rolname::text, a.rolname::text, true
    FROM unnest(roles, members) AS g(role, member)
      JOIN pg_catalog.pg_auth_members m ON m.roleid = g.role AND m.member = g.member
      JOIN pg_catalog.pg_authid x ON x.oid = m.member JOIN pg_catalog.pg_authid a ON a.oid = m.roleid;
END
$f$;

CREATE FUNCTION cortex.forget_login(wanted text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  DELETE FROM cortex.role_data d WHERE d.name = wanted;
  DELETE FROM cortex.login_lock l WHERE l.name = wanted;
END
$f$;

-- Drops a role, or cuts one on which something depends; false where neither was to do or could be done. It waits for nobody:
-- whoever gives the role a privilege, or changes it, would keep it until his transaction ends, and everybody whose turn the
-- caller has with it. The next round comes back to it.
CREATE FUNCTION cortex.drop_login(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET lock_timeout = '10ms' AS $f$
BEGIN
  PERFORM cortex.require_marked(ARRAY[wanted], false);
  BEGIN
    EXECUTE format('DROP ROLE %I', wanted);
    PERFORM cortex.forget_login(wanted);
    RETURN true;
  EXCEPTION WHEN dependent_objects_still_exist OR object_in_use OR lock_not_available THEN
    RETURN cortex.cut_logins(ARRAY[wanted]) > 0;
  END;
EXCEPTION WHEN lock_not_available THEN
  RETURN false;
END
$f$;

REVOKE ALL ON FUNCTION cortex.lock_login(text), cortex.live_stamps(),
  cortex.login_excess(text, text, text[], text[]), cortex.login_missing(text, text[]),
  cortex.change_login(text, text[], text[]), cortex.note_path(text, text), cortex.shared_levels(text, text, text[], text[], boolean[]),
  cortex.mend_login(text, text, text[], text[], text[], boolean[]),
  cortex.login(text, text, text, text, text[], text[], text[], boolean[]),
  cortex.note_login(text, text, text[], text[], boolean[]), cortex.forget_given(text, text, text[], text[]),
  cortex.require_no_leaver(text), cortex.require_person(text), cortex.take_note(text, text, text),
  cortex.reap(integer[], bigint[]), cortex.leaver_sessions(), cortex.settle_logins(), cortex.settle_own_grants(), cortex.forget_login(text), cortex.drop_login(text),
  cortex.sync_login_grants() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cortex.login(text, text, text, text, text[], text[], text[], boolean[]) TO cortex_jit;
GRANT EXECUTE ON FUNCTION cortex.reap(integer[], bigint[]), cortex.leaver_sessions(), cortex.settle_logins(), cortex.settle_own_grants(),
  cortex.sync_login_grants(), cortex.sessions_folder()
TO cortex_runner;

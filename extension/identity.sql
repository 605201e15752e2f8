
-- ---------------------------------------------------------------- who the session is
-- SPDX-License-Identifier: PostgreSQL

-- Each login of Cortex leaves a stamp, SESSIONS/PID:
--
--   cortex 1 PID BACKEND_START POSTMASTER_START     microseconds since 1970
--   {"role": ..., "issuer": ..., "username": ..., ...}
--   {claims}
--
-- It speaks of this session only when its first line is what this backend says of
-- itself and the role is the session's. A pid that is used again has another start,
-- another cluster (or the same one started anew) another postmaster. Nothing that a
-- user can set is asked. The functions write nothing, so a standby has them too.

CREATE TABLE cortex.option (
  name text COLLATE "C" PRIMARY KEY CHECK (name IN ('sessions')),
  value text NOT NULL CHECK (starts_with(value, '/'))
);
COMMENT ON TABLE cortex.option IS
  'sessions: the folder of session stamps, where [session] path of cortex.conf is not /var/lib/cortex/sessions.';
SELECT pg_catalog.pg_extension_config_dump('cortex.option', '');

CREATE FUNCTION cortex.sessions_folder() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN coalesce((SELECT o.value FROM cortex.option o WHERE o.name = 'sessions'), '/var/lib/cortex/sessions');
END
$f$;

-- The stamp of a backend without its first line; NULL when there is none, or when
-- it was left by an earlier process of that pid. A few KiB are the rule, and a read
-- sets aside all the room that it asks for.
CREATE FUNCTION cortex.stamp_of(pid integer, backend_start timestamptz) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  path CONSTANT text := cortex.sessions_folder() || '/' || pid;
  head CONSTANT text := 'cortex 1 ' || pid || ' ' || (date_part('epoch', backend_start) * 1000000)::bigint
    || ' ' || (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint || E'\n';
  bytes bytea := pg_read_binary_file(path, 0, 8192, true);
BEGIN
  IF bytes IS NULL OR substr(bytes, 1, length(head)) IS DISTINCT FROM convert_to(head, 'UTF8') THEN
    RETURN NULL;
  END IF;
  IF length(bytes) = 8192 THEN
    bytes := bytes || pg_read_binary_file(path, 8192, 1048576, true);
  END IF;
  RETURN convert_from(substr(bytes, length(head) + 1), 'UTF8');
END
$f$;

-- This session's stamp.
CREATE FUNCTION cortex.stamp() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  found CONSTANT text := cortex.stamp_of(pg_backend_pid(),
    (SELECT s.backend_start FROM pg_stat_get_activity(pg_backend_pid()) s));
BEGIN
  IF split_part(found, E'\n', 1)::jsonb ->> 'role' = session_user THEN
    RETURN found;
  END IF;
  RETURN NULL;
END
$f$;

CREATE TYPE cortex.identity AS (
  issuer text,
  subject text,
  username text,
  groups text[],
  service text,
  levels text[],
  session_until timestamptz
);

CREATE FUNCTION cortex.identity_of(facts jsonb) RETURNS cortex.identity
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN ROW(facts ->> 'issuer', facts ->> 'subject', facts ->> 'username',
    ARRAY(SELECT jsonb_array_elements_text(facts -> 'groups')), facts ->> 'service',
    ARRAY(SELECT jsonb_array_elements_text(facts -> 'levels')),
    to_timestamp((facts ->> 'session_until')::double precision))::cortex.identity;
END
$f$;

-- Who logged in, as the credential and the policy said; NULL when not by Cortex.
CREATE FUNCTION cortex.whoami() RETURNS cortex.identity
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  found CONSTANT text := cortex.stamp();
BEGIN
  IF found IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN cortex.identity_of(split_part(found, E'\n', 1)::jsonb);
END
$f$;

-- True when the person is in the group, false when not, NULL when not by Cortex.
CREATE FUNCTION cortex.has_group(name text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN split_part(cortex.stamp(), E'\n', 1)::jsonb -> 'groups' ? name;
END
$f$;

-- A claim of the credential: by its name, or else by its dotted path. A string as
-- it is, anything else as JSON; NULL when there is none, or when not by Cortex.
CREATE FUNCTION cortex.claim(name text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  claims CONSTANT jsonb := split_part(cortex.stamp(), E'\n', 2)::jsonb;
BEGIN
  RETURN coalesce(claims ->> name, claims #>> string_to_array(name, '.'));
END
$f$;

-- The people behind pg_stat_activity. Asks for each session of this cluster.
CREATE FUNCTION cortex.read_sessions()
RETURNS TABLE (pid integer, backend_start timestamptz, role text, reference text, person cortex.identity)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  facts jsonb;
BEGIN
  FOR pid, backend_start, role IN
    SELECT s.pid, s.backend_start, a.rolname::text
    FROM pg_stat_get_activity(NULL) s JOIN pg_catalog.pg_authid a ON a.oid = s.usesysid
    WHERE s.backend_type = 'client backend'
  LOOP
    facts := split_part(cortex.stamp_of(pid, backend_start), E'\n', 1)::jsonb;
    IF facts ->> 'role' = role THEN
      reference := facts ->> 'reference';
      person := cortex.identity_of(facts);
      RETURN NEXT;
    END IF;
  END LOOP;
END
$f$;

CREATE VIEW cortex.sessions AS
  SELECT a.*, s.reference, (s.person).issuer, (s.person).subject, (s.person).username, (s.person).groups,
    (s.person).service, (s.person).levels, (s.person).session_until
  FROM cortex.read_sessions() s JOIN pg_catalog.pg_stat_activity a USING (pid, backend_start);
COMMENT ON VIEW cortex.sessions IS 'pg_stat_activity of the sessions that came through Cortex, and who they are.';

-- What a session may know of itself is everybody's; the rest is for those who may
-- see what others do.
REVOKE ALL ON FUNCTION cortex.sessions_folder(), cortex.stamp_of(integer, timestamptz), cortex.stamp(), cortex.identity_of(jsonb),
  cortex.read_sessions() FROM PUBLIC;
GRANT USAGE ON SCHEMA cortex TO PUBLIC;
GRANT EXECUTE ON FUNCTION cortex.read_sessions() TO pg_monitor;
GRANT SELECT ON cortex.sessions TO pg_monitor;


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
  'sessions: the folder of session stamps, where [session] path of cortex.conf is not /var/lib/cortex/sessions. '
  'What a session has asked it does not ask again: a change is for those that begin later.';
SELECT pg_catalog.pg_extension_config_dump('cortex.option', '');

CREATE FUNCTION cortex.sessions_folder() RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN coalesce((SELECT o.value FROM cortex.option o WHERE o.name = 'sessions'), '/var/lib/cortex/sessions');
END
$f$;

-- The first line of a backend's stamp, which no other one's begins with.
CREATE FUNCTION cortex.stamp_head(pid integer, backend_start timestamptz) RETURNS bytea
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN convert_to('cortex 1 ' || pid || ' ' || (date_part('epoch', backend_start) * 1000000)::bigint
    || ' ' || (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint || E'\n', 'UTF8');
END
$f$;

-- Where this session's stamp is and how it begins. Both stay the same for as long as the
-- backend lives, and plans are its own: as IMMUTABLE they are asked once in a session
-- and become constants of its plans. Good for that alone: an index must not have them.
CREATE FUNCTION cortex.own_path() RETURNS text
LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN cortex.sessions_folder() || '/' || pg_backend_pid();
END
$f$;

CREATE FUNCTION cortex.own_head() RETURNS bytea
LANGUAGE plpgsql IMMUTABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN cortex.stamp_head(pg_backend_pid(), (SELECT s.backend_start FROM pg_stat_get_activity(pg_backend_pid()) s));
END
$f$;

-- What is read of a stamp: members of its second line, and its third as claims.
CREATE TYPE cortex.facts AS (
  role text,
  reference text,
  issuer text,
  subject text,
  username text,
  groups text[],
  service text,
  levels text[],
  session_until double precision,
  claims text
);

-- Lines of a stamp are ASCII, with everything else escaped. What the encoding of this database
-- does not know is a question mark here: what one person is called must stop nobody.
CREATE FUNCTION cortex.readable_json(line text) RETURNS text
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  IF getdatabaseencoding() <> 'UTF8' THEN
    PERFORM line::jsonb;
  END IF;
  RETURN line;
EXCEPTION WHEN untranslatable_character THEN
  RETURN regexp_replace(line, E'(?<!\\\\)((?:\\\\\\\\)*)\\\\u(?!00[0-7])[0-9A-Fa-f]{4}', E'\\1?', 'g');
END
$f$;

-- A stamp; NULL when there is none, when it was left by an earlier process of that pid, or
-- when it is another role's (any will do where role is NULL). A few KiB are the rule, and a read sets aside all the
-- room that it asks for. json, not jsonb: the text is read once.
CREATE FUNCTION cortex.read_stamp(path text, head bytea, role text) RETURNS cortex.facts
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  bytes bytea := pg_read_binary_file(path, 0, 8192, true);
  lines text;
  facts cortex.facts;
BEGIN
  IF substr(bytes, 1, length(head)) = head THEN
    IF length(bytes) = 8192 THEN
      bytes := bytes || pg_read_binary_file(path, 8192, 1048576, true);
    END IF;
    lines := convert_from(substr(bytes, length(head) + 1), 'UTF8');
    IF getdatabaseencoding() <> 'UTF8' THEN
      lines := cortex.readable_json(split_part(lines, E'\n', 1)) || E'\n' || cortex.readable_json(split_part(lines, E'\n', 2));
    END IF;
    facts := json_populate_record(NULL::cortex.facts, split_part(lines, E'\n', 1)::json);
    IF facts.role = coalesce(role, facts.role) THEN
      facts.claims := split_part(lines, E'\n', 2);
      RETURN facts;
    END IF;
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

-- Who logged in, as the credential and the policy said; NULL when not by Cortex.
CREATE FUNCTION cortex.whoami() RETURNS cortex.identity
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  facts CONSTANT cortex.facts := cortex.read_stamp(cortex.own_path(), cortex.own_head(), session_user);
BEGIN
  IF facts.role IS NULL THEN
    RETURN NULL;
  END IF;
  RETURN ROW(facts.issuer, facts.subject, facts.username, facts.groups, facts.service, facts.levels,
    to_timestamp(facts.session_until))::cortex.identity;
END
$f$;

-- True when the person is in the group, false when not, NULL when not by Cortex.
CREATE FUNCTION cortex.has_group(name text) RETURNS boolean
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
BEGIN
  RETURN name = ANY ((cortex.read_stamp(cortex.own_path(), cortex.own_head(), session_user)).groups);
END
$f$;

-- A claim of the credential: by its name, or else by its dotted path. A string as
-- it is, anything else as JSON; NULL when there is none, or when not by Cortex.
CREATE FUNCTION cortex.claim(name text) RETURNS text
LANGUAGE plpgsql STABLE STRICT PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  claims CONSTANT jsonb := (cortex.read_stamp(cortex.own_path(), cortex.own_head(), session_user)).claims;
BEGIN
  RETURN coalesce(claims ->> name, claims #>> string_to_array(nullif(name, ''), '.'));
END
$f$;

-- The people behind pg_stat_activity. Asks for each session of this cluster.
CREATE FUNCTION cortex.read_sessions() RETURNS TABLE (pid integer, backend_start timestamptz, facts cortex.facts)
LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $f$
DECLARE
  folder CONSTANT text := cortex.sessions_folder() || '/';
BEGIN
  FOR pid, backend_start IN
    SELECT s.pid, s.backend_start FROM pg_stat_get_activity(NULL) s WHERE s.backend_type = 'client backend'
  LOOP
    facts := cortex.read_stamp(folder || pid, cortex.stamp_head(pid, backend_start), NULL);
    IF facts.role IS NOT NULL THEN
      RETURN NEXT;
    END IF;
  END LOOP;
END
$f$;

CREATE VIEW cortex.sessions AS
  SELECT a.*, (s.facts).reference, (s.facts).issuer, (s.facts).subject, (s.facts).username, (s.facts).groups,
    (s.facts).service, (s.facts).levels, to_timestamp((s.facts).session_until) AS session_until
  FROM cortex.read_sessions() s JOIN pg_catalog.pg_stat_activity a USING (pid, backend_start);
COMMENT ON VIEW cortex.sessions IS 'pg_stat_activity of the sessions that came through Cortex, and who they are.';

-- What a session may know of itself is everybody's; the rest is for those who may
-- see what others do.
REVOKE ALL ON FUNCTION cortex.sessions_folder(), cortex.stamp_head(integer, timestamptz), cortex.own_path(), cortex.own_head(),
  cortex.readable_json(text), cortex.read_stamp(text, bytea, text), cortex.read_sessions() FROM PUBLIC;
GRANT USAGE ON SCHEMA cortex TO PUBLIC;
GRANT EXECUTE ON FUNCTION cortex.read_sessions() TO pg_monitor;
GRANT SELECT ON cortex.sessions TO pg_monitor;


-- ---------------------------------------------------------------- what lingers
-- SPDX-License-Identifier: PostgreSQL

-- For cortexctl report lingering: roles and memberships that nobody may need any
-- more. The program adds what only the policy and the audit trail can tell.
CREATE FUNCTION cortex.report_lingering() RETURNS TABLE (kind text, name text, granted text, detail text)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
DECLARE
  giver CONSTANT oid := to_regrole('cortex_grantor');
  managed CONSTANT oid := to_regrole('cortex_managed');
  groups CONSTANT oid := to_regrole('cortex_groups');
  -- ROLE/SERVICE of live sessions, whose stamps need not be there where no login made or gave anything.
  live text[] := '{}';
BEGIN
  PERFORM cortex.require_home();
  IF EXISTS (SELECT FROM cortex.login_grant) OR EXISTS (SELECT FROM cortex.role_data d WHERE d.source = 'login') THEN
    live := ARRAY(SELECT (l.facts ->> 'role') || ' ' || (l.facts ->> 'service') FROM cortex.live_stamps() l);
  END IF;

  RETURN QUERY SELECT 'password', a.rolname::text, NULL::text,
    CASE WHEN a.rolcanlogin THEN 'may log in with a password' ELSE 'has a password, and may not log in' END
  FROM pg_catalog.pg_authid a WHERE a.rolpassword IS NOT NULL ORDER BY 2;

  RETURN QUERY SELECT 'superuser', a.rolname::text, NULL::text,
    CASE WHEN a.rolcanlogin THEN 'is a superuser and may log in' ELSE 'is a superuser' END
  FROM pg_catalog.pg_authid a WHERE a.rolsuper AND a.oid <> 10 ORDER BY 2;

  RETURN QUERY SELECT 'unmanaged', a.rolname::text, NULL::text,
    'may log in and is not managed by Cortex' || CASE WHEN a.rolreplication THEN ' (replication)' ELSE '' END
  FROM pg_catalog.pg_authid a
  WHERE a.rolcanlogin AND NOT a.rolsuper AND a.rolname NOT IN ('cortex_runner', 'cortex_jit')
    AND NOT EXISTS (SELECT FROM pg_catalog.pg_auth_members m WHERE m.roleid = managed AND m.member = a.oid)
  ORDER BY 2;

  RETURN QUERY SELECT 'no_source', a.rolname::text, r.rolname::text,
    'granted by Cortex, and no note says why'
  FROM pg_catalog.pg_auth_members m
    JOIN pg_catalog.pg_authid a ON a.oid = m.member JOIN pg_catalog.pg_authid r ON r.oid = m.roleid
  WHERE m.grantor = giver
    AND NOT EXISTS (SELECT FROM cortex.login_grant g WHERE g.member = a.rolname AND g.role = r.rolname)
    AND NOT EXISTS (SELECT FROM cortex.role_data d JOIN cortex.grant_data g ON g.role = d.id
                    WHERE d.name = r.rolname
                      AND (SELECT k.id FROM cortex.role_data k WHERE k.name = a.rolname) = ANY (g.members))
  ORDER BY 2, 3;

  RETURN QUERY SELECT 'past_end', g.member, g.role,
    'given to sessions on ' || g.service || ' that have ended'
  FROM cortex.login_grant g
  WHERE (NOT g.is_standing OR g.member ~ '/(read|write|admin)$')
    AND g.member || ' ' || g.service <> ALL (live)
  ORDER BY 2, 3;

  RETURN QUERY SELECT 'past_end', d.name, NULL::text, 'a role of one level whose last session has ended'
  FROM cortex.role_data d JOIN pg_catalog.pg_authid a ON a.rolname = d.name
  WHERE d.source = 'login' AND d.name ~ '/(read|write|admin)$' AND a.rolcanlogin
    AND NOT EXISTS (SELECT FROM unnest(live) AS l(who) WHERE starts_with(l.who, d.name || ' '))
  ORDER BY 2;

  RETURN QUERY SELECT 'no_policy', a.rolname::text, r.rolname::text,
    'granted by ' || coalesce(quote_ident(b.rolname), 'somebody') || ', not by Cortex'
      || CASE WHEN m.admin_option THEN ' (admin option)' ELSE '' END
  FROM pg_catalog.pg_auth_members m
    JOIN pg_catalog.pg_authid a ON a.oid = m.member JOIN pg_catalog.pg_authid r ON r.oid = m.roleid
    LEFT JOIN pg_catalog.pg_authid b ON b.oid = m.grantor
  WHERE m.grantor <> giver AND m.member <> giver AND m.roleid NOT IN (managed, groups)
    AND (EXISTS (SELECT FROM pg_catalog.pg_auth_members k WHERE k.roleid = managed AND k.member IN (m.member, m.roleid))
      OR EXISTS (SELECT FROM pg_catalog.pg_auth_members k WHERE k.roleid = groups AND k.member = m.roleid))
  ORDER BY 2, 3;
END
$f$;

-- Managed roles that may log in, in the order of their bytes: since when, and whether in use now.
CREATE FUNCTION cortex.report_accounts() RETURNS TABLE (name text, since text, is_in_use boolean)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
  SELECT a.rolname::text,
    to_char(d.first_seen AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    EXISTS (SELECT FROM pg_stat_get_activity(NULL) s WHERE s.usesysid = a.oid)
  FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_authid a ON a.oid = m.member
    LEFT JOIN cortex.role_data d ON d.name = a.rolname
  WHERE m.roleid = to_regrole('cortex_managed') AND a.rolcanlogin
  ORDER BY a.rolname::text COLLATE "C"
$f$;

-- Why memberships of ours are there, for the program to ask the policy of today. Those that
-- logins gave name no policy: whether it permits them depends on the credential.
CREATE FUNCTION cortex.report_reasons()
RETURNS TABLE (granted text, service text, level text, policy text, member text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET jit = off AS $f$
  SELECT g.role, g.service, g.level, g.policy, g.member FROM cortex.grants g
  UNION ALL
  SELECT g.role, g.service, g.level, '', g.member FROM cortex.login_grant g
  ORDER BY 1, 5, 2, 3, 4
$f$;

REVOKE ALL ON FUNCTION cortex.report_lingering(), cortex.report_accounts(), cortex.report_reasons() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION cortex.report_lingering(), cortex.report_accounts(), cortex.report_reasons() TO cortex_runner;

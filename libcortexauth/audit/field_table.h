/*
 * What a record says: FIELD(name, KIND, member), LIST(name, items, count), in the order of a line.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Writing, reading and the manual derive from it. sequence, prev and hash
 * follow after the last.
 */
FIELD(time, MICROS, time)
FIELD(event, EVENT, event)
FIELD(reference, TEXT, reference)
FIELD(host, TEXT, host)
FIELD(service, TEXT, service)
FIELD(database, TEXT, database)
FIELD(role, TEXT, role)
FIELD(grant, TEXT, grant)
FIELD(address, TEXT, address)
FIELD(pid, NUMBER, pid)
FIELD(backend_start, MICROS, backend_start)
FIELD(issuer, TEXT, issuer)
FIELD(subject, TEXT, subject)
FIELD(sid, TEXT, sid)
FIELD(username, TEXT, username)
LIST(groups, groups, group_count)
FIELD(token_id, TEXT, token_id)
FIELD(decision, DECISION, effect)
FIELD(levels, LEVELS, levels)
LIST(policies, policies, policy_count)
FIELD(policy_digest, TEXT, policy_digest)
FIELD(session_until, SECONDS, session_until)
FIELD(reason, REASON, reason)
FIELD(duration, NUMBER, duration)
FIELD(count, NUMBER, count)
FIELD(detail, TEXT, detail)

/*
 * Notice before a session's end: told on a channel of PostgreSQL, for whoever listens there.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "notice.h"

#include <cortexauth/cortexauth.h>
#include <inttypes.h>
#include <stdio.h>

/* A standby has no channels; the server makes the JSON, and knows how a time is written. */
static const char tell[] =
    "SELECT pg_notify('cortex_session_end', json_build_object('pid', s.pid, "
    "'backend_start', to_timestamp(s.started / 1000000.0), 'session_until', to_timestamp(s.until), "
    "'role', s.role, 'username', s.username, 'service', s.service, 'database', s.database, "
    "'reference', s.reference)::text) "
    "FROM unnest($1::integer[], $2::bigint[], $3::bigint[], $4::text[], $5::text[], $6::text[], "
    "$7::text[], $8::text[]) "
    "AS s(pid, started, until, role, username, service, database, reference) "
    "WHERE NOT pg_is_in_recovery()";

bool notice_init(struct notice *notice, const struct cortex_settings *settings, int64_t now,
                 struct cortex_error *error) {
  const char *lead = cortex_settings_value(settings, "session", "notice");

  *notice = (struct notice){.now = now};
  if (lead == NULL || !cortex_duration_parse(lead, &notice->lead))
    return true;
  return cortex_session_reaped(settings, &notice->last, error) == CORTEX_OK;
}

static void put_number(struct pg_array *array, int64_t number) {
  char text[24];

  snprintf(text, sizeof text, "%" PRId64, number);
  pg_array_put(array, text);
}

static void put_text(struct pg_array *array, const char *text) {
  pg_array_put(array, text != NULL ? text : "");
}

/*
 * Nothing is kept of whom was told: the rounds' beginnings cut time into pieces, and a
 * session's notice is due in one of them, at the earliest in the second after it began.
 */
void notice_put(struct notice *notice, const struct cortex_session *session) {
  int64_t due = session->session_until - notice->lead, start = session->backend_start / 1000000 + 1;
  struct pg_array *texts = &notice->columns[NOTICE_TEXTS];

  if (due < start)
    due = start;
  if (notice->lead == 0 || due > notice->now || due <= notice->last)
    return;
  put_number(&notice->columns[NOTICE_PIDS], session->pid);
  put_number(&notice->columns[NOTICE_STARTS], session->backend_start);
  put_number(&notice->columns[NOTICE_UNTILS], session->session_until);
  put_text(texts++, session->role);
  put_text(texts++, cortex_identity_username(session->identity));
  put_text(texts++, session->service);
  put_text(texts++, session->database);
  put_text(texts, session->reference);
  notice->count++;
}

bool notice_send(struct notice *notice, struct pg *pg) {
  const char *values[NOTICE_COLUMNS];
  size_t i;

  if (notice->count == 0)
    return true;
  for (i = 0; i < NOTICE_COLUMNS; i++) {
    values[i] = pg_array_end(&notice->columns[i]);
    if (values[i] == NULL)
      return false;
  }
  return pg_send(pg, tell, values, NOTICE_COLUMNS) && pg_sync(pg) && pg_skip(pg, 1) &&
         pg_settle(pg);
}

void notice_clear(struct notice *notice) {
  size_t i;

  for (i = 0; i < NOTICE_COLUMNS; i++)
    pg_array_clear(&notice->columns[i]);
}

/*
 * The part of cortexctl doctor for pg_hba.conf: the lines that ask Cortex, and those beside them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hba.h"
#include "pam_file.h"

#define MANAGED "+cortex_managed"

/* What is known while the lines are gone through. */
struct review {
  struct doctor *doctor;
  const struct hba *hba;
  const char *path; /* of pg_hba.conf */
  json_t *roles;    /* superusers and those for replication that can log in */
  bool is_just_in_time;
};

/* A line that asks Cortex, and for which service. */
struct ours {
  const struct hba_rule *rule;
  char service[256];
};

static struct check_place place_of(const struct review *review, const struct hba_rule *rule) {
  return (struct check_place){rule->file != NULL ? rule->file : review->path, rule->line, 0};
}

/* ---- a line by itself ---- */

static void judge_database(const struct review *review, const struct ours *ours) {
  struct check *check = &review->doctor->check;
  struct cortex_service service;

  if (hba_has(ours->rule->databases, "replication")) {
    check_find(check, CHECK_HBA_REPLICATION, place_of(review, ours->rule),
               "replication is asked of Cortex");
    return;
  }
  if (check->policy == NULL || !cortex_policy_find_service(check->policy, ours->service, &service))
    return;
  if (json_array_size(ours->rule->databases) == 1 &&
      hba_has(ours->rule->databases, service.database))
    return;
  check_find(check, CHECK_HBA_DATABASE, place_of(review, ours->rule),
             "service=%s is for the database \"%s\", and the line is for others", ours->service,
             service.database);
  check_fix(check, "write \"%s\" for the database of line %u", service.database, ours->rule->line);
}

static void judge_type(const struct review *review, const struct hba_rule *rule) {
  struct check *check = &review->doctor->check;

  if (strcmp(rule->type, "local") == 0) {
    check_find(check, CHECK_HBA_SOCKET, place_of(review, rule), "the line is for the Unix socket");
  } else if (strcmp(rule->type, "hostssl") != 0) {
    check_find(check, CHECK_HBA_CLEAR, place_of(review, rule), "the line begins with %s",
               rule->type);
    check_fix(check, "write hostssl in place of %s in line %u", rule->type, rule->line);
  }
}

static void judge_users(const struct review *review, const struct hba_rule *rule) {
  if (review->is_just_in_time && !hba_has(rule->users, "all"))
    check_find(&review->doctor->check, CHECK_HBA_GROUP, place_of(review, rule),
               "jit = yes, and the line is not for all users");
}

/* ---- a line among the others ---- */

/* True when a line above takes everything of this one that the role can be. */
static bool is_caught(const struct review *review, const struct hba_rule *rule,
                      const struct hba_role *role) {
  const struct hba_rule *other;

  for (other = review->hba->rules; other < rule; other++)
    if (hba_fits_user(other, role) && hba_covers(other, rule) && hba_covers_databases(other, rule))
      return true;
  return false;
}

static void judge_superusers(const struct review *review, const struct hba_rule *rule) {
  struct check *check = &review->doctor->check;
  const json_t *entry;
  size_t i;

  json_array_foreach(review->roles, i, entry) {
    const struct hba_role role = {json_string_value(json_object_get(entry, "name")),
                                  json_object_get(entry, "groups")};
    bool is_super = json_is_true(json_object_get(entry, "super"));
    struct cortex_error error = CORTEX_ERROR_NONE;

    if (role.name == NULL || !hba_fits_user(rule, &role) || is_caught(review, rule, &role) ||
        check_role_name(check->settings, role.name, &error) != CORTEX_OK)
      continue;
    check_find(check, CHECK_HBA_SUPERUSER, place_of(review, rule), "the line lets %s \"%s\" in",
               is_super ? "the superuser" : "the replication role", role.name);
    check_fix(check, "protected = %s in [roles] of %s, or above line %u: host all %s all reject",
              role.name, check->config, rule->line, role.name);
  }
}

/* Whoever is managed, as pg_hba.conf can say it. */
static bool is_for_managed(const struct hba_rule *rule) {
  return hba_has(rule->users, "all") || hba_has(rule->users, MANAGED);
}

/* Roles that Cortex makes have no password: these methods turn them away. */
static bool asks_password(const struct hba_rule *rule) {
  static const char *const methods[] = {"password", "md5", "scram-sha-256"};
  size_t i;

  for (i = 0; i < sizeof methods / sizeof methods[0]; i++)
    if (strcmp(rule->method, methods[i]) == 0)
      return true;
  return false;
}

/* Who comes in shows a certificate first: as a pooler does, by a line of its own. */
static bool asks_certificate(const struct hba_rule *rule) {
  return strcmp(rule->method, "cert") == 0 || hba_option(rule, "clientcert") != NULL;
}

static void judge_above(const struct review *review, const struct hba_rule *rule) {
  const struct hba_rule *other;

  for (other = review->hba->rules; other < rule; other++) {
    if (other->error != NULL || !hba_covers(other, rule) || !hba_covers_databases(other, rule) ||
        !hba_covers_users(other, rule))
      continue;
    check_find(&review->doctor->check, CHECK_HBA_SHADOWED, place_of(review, rule),
               "line %u (%s) takes all its logins", other->line, other->method);
    check_fix(&review->doctor->check, "move line %u above line %u", rule->line, other->line);
    return;
  }
}

/* Another way in for the same people: for other addresses above, or by what the line is not for. */
static void judge_beside(const struct review *review, const struct ours *all, size_t count,
                         const struct hba_rule *other) {
  struct check *check = &review->doctor->check;
  bool is_bypass =
      !asks_password(other) && !asks_certificate(other) && strcmp(other->type, "local") != 0;
  size_t i;

  if (other->error != NULL || strcmp(other->method, "reject") == 0 || !is_for_managed(other))
    return;
  for (i = 0; i < count; i++) {
    if (all[i].rule == other || (other < all[i].rule && hba_covers(other, all[i].rule)))
      return; /* it is one of ours, or was named as the line that takes all */
  }
  for (i = 0; i < count; i++) {
    const char *database = json_string_value(json_array_get(all[i].rule->databases, 0));

    if (database == NULL || !hba_fits_database(other, database, ""))
      continue;
    check_find(check, is_bypass ? CHECK_HBA_BYPASS : CHECK_HBA_BESIDE, place_of(review, other),
               "%s by %s leads to the database of line %u for roles of Cortex", other->type,
               other->method, all[i].rule->line);
    return;
  }
}

/* ---- all of them ---- */

/* True for a line of ours; what its pamservice leads to is judged. */
static bool is_ours(const struct review *review, const struct hba_rule *rule, struct ours *ours) {
  struct check *check = &review->doctor->check;
  const char *name = hba_option(rule, "pamservice");
  struct pam_file file;
  struct pam_line line;
  bool found = false;

  name = name != NULL ? name : "postgresql";
  if (!pam_file_open(check->pam_folder, name, &file)) {
    check_find(check, CHECK_HBA_PAM_UNKNOWN, place_of(review, rule),
               "pamservice=%s, and there is no %s", name, file.path);
  } else if (!pam_file_find(&file, "auth", &line)) {
    check_find(check, CHECK_HBA_PAM_FOREIGN, place_of(review, rule),
               "pamservice=%s does not ask Cortex", name);
  } else {
    ours->rule = rule;
    snprintf(ours->service, sizeof ours->service, "%s", line.service);
    found = true;
  }
  pam_file_clear(&file);
  return found;
}

static void judge_end(const struct review *review, const struct hba_rule *last) {
  const struct hba_rule *rule;

  for (rule = last + 1; rule < review->hba->rules + review->hba->count; rule++)
    if (strcmp(rule->method, "reject") == 0 && strcmp(rule->type, "host") == 0 &&
        hba_has(rule->databases, "all") && hba_has(rule->users, "all") && rule->address != NULL &&
        strcmp(rule->address, "all") == 0)
      return;
  check_find(&review->doctor->check, CHECK_HBA_REJECT, place_of(review, last),
             "no line behind it says host all all all reject");
}

static void judge_services(const struct review *review, const struct ours *all, size_t count) {
  struct check *check = &review->doctor->check;
  struct cortex_service service;
  size_t i, at;

  for (i = 0; check->policy != NULL && cortex_policy_service(check->policy, i, &service); i++) {
    for (at = 0; at < count && strcmp(all[at].service, service.name) != 0; at++)
      continue;
    if (at < count)
      continue;
    check_find(check, CHECK_HBA_SERVICE_NONE, doctor_place(review->path),
               "no line leads to the service \"%s\"", service.name);
    check_fix(check, "cortexctl service render --config %s %s", check->config, service.name);
  }
}

static void judge_all(const struct review *review) {
  struct ours *all = calloc(review->hba->count + 1, sizeof *all);
  size_t i, count = 0;

  for (i = 0; all != NULL && i < review->hba->count; i++) {
    const struct hba_rule *rule = &review->hba->rules[i];

    if (rule->error != NULL)
      check_find(&review->doctor->check, CHECK_HBA_BROKEN, place_of(review, rule), "%s",
                 rule->error);
    else if (strcmp(rule->method, "pam") == 0 && is_ours(review, rule, &all[count]))
      count++;
  }
  for (i = 0; i < count; i++) {
    judge_type(review, all[i].rule);
    judge_database(review, &all[i]);
    judge_users(review, all[i].rule);
    judge_above(review, all[i].rule);
    judge_superusers(review, all[i].rule);
  }
  for (i = 0; count > 0 && i < review->hba->count; i++)
    judge_beside(review, all, count, &review->hba->rules[i]);
  if (count > 0)
    judge_end(review, all[count - 1].rule);
  judge_services(review, all, count);
  free(all);
}

/* ---- asking ---- */

static const char about[] =
    "select jsonb_build_object('path', current_setting('hba_file'), 'changed',"
    " (pg_stat_file(current_setting('hba_file'))).modification > pg_conf_load_time())";

static const char rules[] = "select to_jsonb(r) from pg_hba_file_rules r";

static const char roles[] =
    "with recursive up (member, roleid) as (select member, roleid from pg_auth_members"
    " union select up.member, m.roleid from up join pg_auth_members m on m.member = up.roleid)"
    " select jsonb_build_object('name', r.rolname, 'super', r.rolsuper, 'groups',"
    " array(select g.rolname from up join pg_roles g on g.oid = up.roleid where up.member = r.oid))"
    " from pg_roles r where r.rolcanlogin and (r.rolsuper or r.rolreplication) order by r.rolname";

void doctor_hba(struct doctor *doctor) {
  const struct cortex_settings *settings = doctor->check.settings;
  json_t *answer = doctor->pg != NULL ? doctor_ask(doctor, about) : NULL;
  json_t *rows = answer != NULL ? doctor_ask(doctor, rules) : NULL;
  struct review review = {.doctor = doctor,
                          .path =
                              json_string_value(json_object_get(json_array_get(answer, 0), "path")),
                          .roles = rows != NULL ? doctor_ask(doctor, roles) : NULL};

  review.is_just_in_time =
      settings != NULL && strcmp(cortex_settings_value(settings, "roles", "jit"), "yes") == 0;
  if (review.roles != NULL)
    review.hba = doctor->hba = hba_new(rows);
  else
    json_decref(rows);
  if (review.roles == NULL && doctor->pg != NULL)
    check_find(&doctor->check, CHECK_DATABASE_UNREACHABLE, doctor_place(NULL), "%s",
               pg_message(doctor->pg));
  if (review.hba != NULL) {
    if (json_is_true(json_object_get(json_array_get(answer, 0), "changed")))
      check_find(&doctor->check, CHECK_HBA_UNLOADED, doctor_place(review.path),
                 "it was changed after the server read it");
    judge_all(&review);
  }
  json_decref(review.roles);
  json_decref(answer);
}

/*
 * Plans and valves: cases as data, then random clusters that must come to rest.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "plan.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "parts.h"
#include "valve.h"

#define WORDS_MAX 4
#define CASES_MAX 200

struct scene {
  struct model model;
  int64_t allowed;
};

static uint32_t role_of(struct model *model, const char *name) {
  uint32_t number = model_role(model, name, strlen(name));

  assert_int_not_equal(number, NAMES_NONE);
  return number;
}

static uint32_t source_of(struct model *model, const char *name) {
  return model_source(model, (const char *const[]){name, "", "", ""});
}

/* ---- cases ---- */

/* there KIND NAME [nologin] [cut] [held] [by-login] */
static void read_there(struct model *model, char *const *words, const char *line) {
  static const char *const kinds[] = {"absent", "foreign", "protected", "login", "group"};
  uint32_t made = role_of(model, words[2]);
  struct role *role = &model->roles[made];
  int kind;

  for (kind = ROLE_FOREIGN; kind <= ROLE_GROUP; kind++)
    if (strcmp(kinds[kind], words[1]) == 0)
      role->kind = (enum role_kind)kind;
  assert_int_not_equal(role->kind, ROLE_ABSENT);
  role->can_login = role->kind != ROLE_GROUP && strstr(line, " nologin") == NULL;
  role->is_cut = strstr(line, " cut") != NULL;
  if (strstr(line, " held") != NULL)
    role->holder = names_put(&model->holders, "somebody", strlen("somebody"));
  if (strstr(line, " by-login") != NULL)
    role->known_label = names_put(&model->labels, LABEL_LOGIN, strlen(LABEL_LOGIN));
}

static void read_want(struct model *model, char *const *words) {
  if (strcmp(words[1], "login") == 0 || strcmp(words[1], "group") == 0) {
    uint32_t made = role_of(model, words[2]);

    model->roles[made].wish = words[1][0] == 'l' ? WISH_LOGIN : WISH_GROUP;
    return;
  }
  edges_put(&model->wanted, (struct edge){role_of(model, words[1]), role_of(model, words[2]), 0});
  edges_put(&model->wanted_why, (struct edge){role_of(model, words[1]), role_of(model, words[2]),
                                              source_of(model, words[3])});
}

static void read_line(struct scene *scene, char *const *words, const char *line) {
  struct model *model = &scene->model;

  if (strcmp(words[0], "there") == 0)
    read_there(model, words, line);
  else if (strcmp(words[0], "want") == 0)
    read_want(model, words);
  else if (strcmp(words[0], "people") == 0)
    model->is_empty = strtoul(words[1], NULL, 10) == 0;
  else if (strcmp(words[0], "allow") == 0)
    scene->allowed = strtol(words[1], NULL, 10);
  else {
    struct edges *edges = strcmp(words[0], "ours") == 0      ? &model->ours
                          : strcmp(words[0], "altered") == 0 ? &model->altered
                          : strcmp(words[0], "others") == 0  ? &model->others
                          : strcmp(words[0], "noted") == 0   ? &model->noted
                          : strcmp(words[0], "lent") == 0    ? &model->lent
                                                             : NULL;

    assert_non_null(edges);
    edges_put(edges, (struct edge){role_of(model, words[1]), role_of(model, words[2]),
                                   edges == &model->noted ? source_of(model, words[3]) : 0});
  }
}

static void sort_all(struct model *model) {
  edges_sort(&model->wanted);
  edges_sort(&model->wanted_why);
  edges_sort(&model->ours);
  edges_sort(&model->altered);
  edges_sort(&model->others);
  edges_sort(&model->noted);
  edges_sort(&model->lent);
}

/* Reads the scene up to ---, and leaves the file there. */
static void read_scene(FILE *file, struct scene *scene) {
  char line[256], copy[256];

  assert_true(model_init(&scene->model));
  assert_int_equal(source_of(&scene->model, "unused"), 0);
  scene->model.people = 1;
  scene->allowed = VALVE_NOT_GIVEN;
  while (fgets(line, sizeof line, file) != NULL && strcmp(line, "---\n") != 0) {
    char *words[WORDS_MAX] = {0}, *rest = copy;
    size_t i;

    line[strcspn(line, "\n")] = '\0';
    snprintf(copy, sizeof copy, "%s", line);
    for (i = 0; i < WORDS_MAX && rest != NULL; i++)
      words[i] = strsep(&rest, " ");
    if (line[0] != '#')
      read_line(scene, words, line);
  }
  sort_all(&scene->model);
  assert_true(model_match(&scene->model));
}

static void print_roles(FILE *out, const struct model *model, const char *word,
                        const struct role_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++)
    fprintf(out, "%s %s\n", word, names_text(&model->names, list->items[i]));
}

static void print_edges(FILE *out, const struct model *model, const char *word,
                        const struct edges *edges, bool with_source) {
  size_t i;

  for (i = 0; i < edges->count; i++) {
    const struct edge *edge = &edges->items[i];
    int len;

    fprintf(out, "%s %s %s", word, names_text(&model->names, edge->role),
            names_text(&model->names, edge->member));
    if (with_source) {
      const char *source = source_part(model, edge->source, SOURCE_SERVICE, &len);

      fprintf(out, " %.*s", len, source);
    }
    fputc('\n', out);
  }
}

static char *print_plan(const struct scene *scene, const struct plan *plan) {
  const struct model *model = &scene->model;
  struct valve valve;
  char *text = NULL;
  size_t size, i;
  FILE *out = open_memstream(&text, &size);
  bool open = valve_check(model, plan, scene->allowed, &valve);

  assert_non_null(out);
  print_roles(out, model, "cut", &plan->cut);
  print_roles(out, model, "held", &plan->held);
  print_edges(out, model, "lose", &plan->cut_edges, false);
  print_edges(out, model, "revoke", &plan->revoke, false);
  print_roles(out, model, "create group", &plan->groups);
  print_roles(out, model, "create login", &plan->logins);
  print_roles(out, model, "restore", &plan->restore);
  print_roles(out, model, "people", &plan->people);
  print_edges(out, model, "grant", &plan->grant, false);
  print_edges(out, model, "note", &plan->note, true);
  print_edges(out, model, "forget", &plan->forget, true);
  print_roles(out, model, "end", &plan->end);
  for (i = 0; i < plan->refused.count; i++)
    fprintf(out, "refuse %s\n", plan->refused.items[i].name);
  fprintf(out, "valve %s %zu\n", open ? "open" : "refused", valve.removals);
  fclose(out);
  return text;
}

static void case_gives_what_it_says(void **state) {
  const char *path = *state;
  char expected[16384] = "", *found;
  FILE *file = fopen(path, "re");
  struct scene scene;
  struct plan plan;
  size_t len;

  assert_non_null(file);
  read_scene(file, &scene);
  len = fread(expected, 1, sizeof expected - 1, file);
  expected[len] = '\0';
  fclose(file);
  plan_make(&scene.model, &plan);
  assert_false(plan.failed);
  found = print_plan(&scene, &plan);
  assert_string_equal(found, expected);
  free(found);
  plan_clear(&plan);
  model_clear(&scene.model);
}

/* ---- random clusters ---- */

#define PEOPLE 12
#define GROUPS 4

static uint32_t number;

/* A fixed sequence (Numerical Recipes' generator). */
static uint32_t draw(uint32_t below) {
  number = number * 1664525u + 1013904223u;
  return (number >> 16) % below;
}

static void draw_model(struct model *model) {
  static const enum role_kind kinds[] = {ROLE_ABSENT,  ROLE_LOGIN,     ROLE_LOGIN, ROLE_LOGIN,
                                         ROLE_FOREIGN, ROLE_PROTECTED, ROLE_GROUP, ROLE_LOGIN};
  char name[16];
  uint32_t i, j;

  assert_true(model_init(model));
  model->people = 1;
  for (i = 0; i < GROUPS + PEOPLE; i++) {
    struct role *role;
    uint32_t made;

    snprintf(name, sizeof name, "%s%u", i < GROUPS ? "g" : "p", i);
    made = role_of(model, name);
    role = &model->roles[made];
    role->kind = draw(8) != 0 && i < GROUPS ? ROLE_GROUP : kinds[draw(8)];
    role->can_login = role->kind != ROLE_GROUP && draw(4) != 0;
    role->is_cut = role->kind == ROLE_LOGIN && !role->can_login && draw(2) == 0;
    role->wish = draw(4) == 0 ? WISH_NONE : i < GROUPS ? WISH_GROUP : WISH_LOGIN;
    role->is_lent = role->kind == ROLE_LOGIN && role->wish != WISH_LOGIN && draw(2) == 0;
  }
  source_of(model, "a");
  source_of(model, "b");
  for (i = 0; i < GROUPS; i++)
    for (j = GROUPS; j < GROUPS + PEOPLE; j++) {
      struct edges *const have[] = {&model->ours, &model->altered, &model->others};
      struct edge edge = {i, j, 0}, why = {i, j, draw(2)};

      if (draw(2) == 0 && model->roles[i].wish == WISH_GROUP &&
          model->roles[j].wish == WISH_LOGIN) {
        edges_put(&model->wanted, edge);
        edges_put(&model->wanted_why, why);
      }
      if (draw(2) == 0 && model->roles[i].kind != ROLE_ABSENT &&
          model->roles[j].kind != ROLE_ABSENT)
        edges_put(have[draw(3)], edge);
      if (draw(3) == 0)
        edges_put(&model->lent, edge);
      if (draw(3) == 0)
        edges_put(&model->noted, (struct edge){i, j, draw(2)});
    }
  sort_all(model);
}

static void take_out(struct edges *edges, const struct edges *gone, bool whoever) {
  size_t i, j, kept = 0;

  for (i = 0; i < edges->count; i++) {
    for (j = 0; j < gone->count; j++)
      if (gone->items[j].role == edges->items[i].role &&
          gone->items[j].member == edges->items[i].member &&
          (whoever || gone->items[j].source == edges->items[i].source))
        break;
    if (j == gone->count)
      edges->items[kept++] = edges->items[i];
  }
  edges->count = kept;
}

static void put_in(struct edges *edges, const struct edges *come) {
  size_t i;

  for (i = 0; i < come->count; i++)
    edges_put(edges, come->items[i]);
  edges_sort(edges);
}

/* What the extension's calls would do. */
static void carry_out(struct model *model, const struct plan *plan) {
  size_t i, j, kept = 0;

  take_out(&model->ours, &plan->revoke, true);
  take_out(&model->altered, &plan->revoke, true);
  take_out(&model->ours, &plan->cut_edges, true);
  take_out(&model->altered, &plan->cut_edges, true);
  take_out(&model->noted, &plan->forget, false);
  for (i = 0; i < model->noted.count; i++) {
    for (j = 0; j < plan->cut.count; j++)
      if (plan->cut.items[j] == model->noted.items[i].member)
        break;
    if (j == plan->cut.count)
      model->noted.items[kept++] = model->noted.items[i];
  }
  model->noted.count = kept;
  for (i = 0; i < plan->cut.count; i++) {
    model->roles[plan->cut.items[i]].can_login = false;
    model->roles[plan->cut.items[i]].is_cut = true;
  }
  for (i = 0; i < plan->groups.count; i++)
    model->roles[plan->groups.items[i]].kind = ROLE_GROUP;
  for (i = 0; i < plan->logins.count; i++) {
    model->roles[plan->logins.items[i]].kind = ROLE_LOGIN;
    model->roles[plan->logins.items[i]].can_login = true;
  }
  for (i = 0; i < plan->restore.count; i++) {
    model->roles[plan->restore.items[i]].can_login = true;
    model->roles[plan->restore.items[i]].is_cut = false;
  }
  put_in(&model->ours, &plan->grant);
  put_in(&model->noted, &plan->note);
}

static void assert_touches_ours_only(const struct model *model, const struct plan *plan) {
  const struct edges *const lists[] = {&plan->revoke, &plan->cut_edges, &plan->grant};
  size_t i, j;

  for (i = 0; i < sizeof lists / sizeof lists[0]; i++)
    for (j = 0; j < lists[i]->count; j++) {
      enum role_kind member = model->roles[lists[i]->items[j].member].kind;

      assert_true(member != ROLE_FOREIGN && member != ROLE_PROTECTED);
    }
  for (i = 0; i < plan->cut.count; i++)
    assert_int_equal(model->roles[plan->cut.items[i]].kind, ROLE_LOGIN);
}

static void random_cluster_comes_to_rest(void **state) {
  int round;

  (void)state;
  number = 20261123;
  for (round = 0; round < 5000; round++) {
    struct model model;
    struct plan plan, rest;
    size_t others;

    draw_model(&model);
    others = model.others.count;
    plan_make(&model, &plan);
    assert_false(plan.failed);
    assert_touches_ours_only(&model, &plan);
    carry_out(&model, &plan);
    assert_int_equal(model.others.count, others);
    plan_make(&model, &rest);
    assert_true(plan_is_empty(&rest));
    plan_clear(&plan);
    plan_clear(&rest);
    model_clear(&model);
  }
}

static size_t size_of(const struct plan *plan) {
  return plan->cut.count + plan->held.count + plan->end.count + plan->revoke.count +
         plan->cut_edges.count + plan->forget.count + plan->groups.count + plan->logins.count + plan->restore.count +
         plan->adopt.count + plan->people.count + plan->rename.count + plan->grant.count +
         plan->note.count + plan->attributes.count;
}

/* What draw_model leaves out: the clusters that come to rest have none of it. */
static void draw_more(struct model *model) {
  static const char *const keys[] = {"comment", "set.jit", "inherit", "valid_until"};
  uint32_t i;

  for (i = 0; i < GROUPS + PEOPLE; i++) {
    const char *key = keys[draw(4)];

    attributes_put(&model->attributes,
                   (struct attribute){.role = i,
                                      .key = names_put(&model->words, key, strlen(key)),
                                      .have = NAMES_NONE,
                                      .differs = draw(2) == 0});
    if (draw(4) == 0)
      model->roles[i].holder = names_put(&model->holders, "somebody", strlen("somebody"));
  }
  for (i = draw(5); i > 0; i--)
    edges_put(&model->renamed, (struct edge){GROUPS + draw(PEOPLE), GROUPS + draw(PEOPLE), 0});
}

/* Since 16 what is made locks two rows; what sets a comment or an option locks its role. */
static void assert_locks(const struct model *model, const struct plan *plan) {
  size_t made = plan->groups.count + plan->logins.count + plan->rename.count, locking = 0, i;

  for (i = 0; i < plan->attributes.count; i++)
    locking += strchr("cs", *names_text(&model->words,
                                        model->attributes.items[plan->attributes.items[i]].key)) !=
               NULL;
  assert_int_equal(parts_locks(model, plan, 159999), plan->rename.count + locking);
  assert_int_equal(parts_locks(model, plan, 160000), 2 * made + locking);
}

/* Nothing is left out or done twice, what takes away is first, and no part is too large. */
static void parts_make_up_the_plan(void **state) {
  int round;

  (void)state;
  number = 4;
  for (round = 0; round < 500; round++) {
    const size_t limit = 1 + draw(5);
    struct model model;
    struct plan plan, losses;
    struct parts parts;
    size_t i, total = 0;
    bool gives = false;

    draw_model(&model);
    draw_more(&model);
    plan_make(&model, &plan);
    assert_locks(&model, &plan);
    assert_true(parts_init(&model, &plan, 2 * limit - 2, &parts));
    assert_int_equal(parts.limit, limit);
    for (i = 0; i < parts_count(&parts); i++) {
      struct plan part;

      parts_get(&parts, i, &part);
      assert_false(part.failed);
      assert_true(part.cut.count <= limit && part.logins.count <= limit);
      gives = gives || part.logins.count + part.grant.count > 0;
      assert_false(gives && part.cut.count + part.revoke.count > 0);
      total += size_of(&part);
      plan_clear(&part);
    }
    assert_int_equal(total, size_of(&plan));
    parts_losses(&model, &plan, &losses);
    assert_int_equal(losses.cut.count, plan.cut.count);
    assert_true(losses.revoke.count <= plan.revoke.count);
    for (i = 0; i < losses.revoke.count; i++) {
      size_t at = 0;

      assert_false(edges_seek(&plan.grant, &at, losses.revoke.items[i]));
    }
    plan_clear(&losses);
    parts_clear(&parts);
    plan_clear(&plan);
    model_clear(&model);
  }
}

/* ---- the parts ---- */

static int compare(const void *left, const void *right) {
  return edge_compare(left, right);
}

static void sorting_agrees_with_comparing(void **state) {
  int round;

  (void)state;
  number = 7;
  for (round = 0; round < 300; round++) {
    struct edges edges = {0};
    struct edge plain[64];
    size_t count = draw(64), i, kept = 0;

    for (i = 0; i < count; i++) {
      plain[i] = (struct edge){draw(9), draw(round % 2 == 0 ? 1000 : 3), draw(3)};
      edges_put(&edges, plain[i]);
    }
    qsort(plain, count, sizeof plain[0], compare);
    for (i = 0; i < count; i++)
      if (i == 0 || edge_compare(&plain[kept - 1], &plain[i]) != 0)
        plain[kept++] = plain[i];
    edges_sort(&edges);
    assert_int_equal(edges.count, kept);
    if (kept > 0)
      assert_memory_equal(edges.items, plain, kept * sizeof plain[0]);
    edges_clear(&edges);
  }
}

/* By role, and within it as they came. */
static void grouping_keeps_the_order_within_a_role(void **state) {
  struct edges edges = {0};
  uint32_t i, role;

  (void)state;
  for (i = 0; i < 200; i++)
    edges_put(&edges, (struct edge){(i * 7 + 3) % 10, i, 0});
  edges_group(&edges);
  assert_int_equal(edges.count, 200);
  for (i = 0, role = 0; i < 200; i++) {
    if (i % 20 == 0)
      role = i / 20;
    assert_int_equal(edges.items[i].role, role);
    if (i % 20 > 0)
      assert_true(edges.items[i - 1].member < edges.items[i].member);
  }
  edges_clear(&edges);
}

static void name_keeps_its_number(void **state) {
  struct names names = {0};
  char text[16];
  uint32_t i;

  (void)state;
  assert_int_equal(names_find(&names, "a", 1), NAMES_NONE);
  for (i = 0; i < 3000; i++) {
    int len = snprintf(text, sizeof text, "n%u", i);

    assert_int_equal(names_put(&names, text, (size_t)len), i);
  }
  for (i = 0; i < 3000; i++) {
    int len = snprintf(text, sizeof text, "n%u", i);

    assert_int_equal(names_put(&names, text, (size_t)len), i);
    assert_int_equal(names_find(&names, text, (size_t)len), i);
    assert_string_equal(names_text(&names, i), text);
  }
  assert_int_equal(names_find(&names, "n", 1), NAMES_NONE);
  assert_int_equal(names_find(&names, "n30000", 6), NAMES_NONE);
  assert_int_equal(names_put(&names, "", 0), 3000);
  names_clear(&names);
}

/* ---- running ---- */

static int is_case(const struct dirent *entry) {
  return strstr(entry->d_name, ".case") != NULL;
}

int main(void) {
  static const struct CMUnitTest fixed[] = {
      cmocka_unit_test(random_cluster_comes_to_rest),
      cmocka_unit_test(parts_make_up_the_plan),
      cmocka_unit_test(sorting_agrees_with_comparing),
      cmocka_unit_test(grouping_keeps_the_order_within_a_role),
      cmocka_unit_test(name_keeps_its_number),
  };
  struct CMUnitTest tests[CASES_MAX + sizeof fixed / sizeof fixed[0]];
  static char paths[CASES_MAX][512];
  const char *folder = getenv("cases");
  struct dirent **entries = NULL;
  char place[400];
  int i, count;

  snprintf(place, sizeof place, "%s/sync", folder != NULL ? folder : ".");
  count = scandir(place, &entries, is_case, alphasort);
  if (count < 20 || count > CASES_MAX)
    return 1;
  for (i = 0; i < count; i++) {
    snprintf(paths[i], sizeof paths[i], "%.350s/%.100s", place, entries[i]->d_name);
    tests[i] = (struct CMUnitTest){strrchr(paths[i], '/') + 1, case_gives_what_it_says, NULL, NULL,
                                   paths[i]};
    free(entries[i]);
  }
  free(entries);
  memcpy(tests + count, fixed, sizeof fixed);
  return _cmocka_run_group_tests("plan", tests, (size_t)count + sizeof fixed / sizeof fixed[0],
                                 NULL, NULL);
}

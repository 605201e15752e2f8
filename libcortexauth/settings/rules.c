/*
 * The two types of values that are small languages: username_map, required_claims.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings/table.h"
#include "util/ini.h"

#define REFUSE(...) cx_error_set(error, CORTEX_CONFIG_INVALID, __VA_ARGS__)

#define MAPS_MAX 64
#define PATTERN_MAX 255
#define ATOMS_MAX 255 /* of a pattern without intervals that is as long as may be */

/* Finds the next "/" that no backslash protects. */
static char *find_slash(char *text) {
  for (; *text != '\0' && *text != '/'; text++)
    if (*text == '\\' && text[1] != '\0')
      text++;
  return *text == '/' ? text : NULL;
}

/* In a pattern "\/" is only a way to write "/". */
static void drop_slash_escapes(char *text) {
  char *to = text;

  for (; *text != '\0'; text++) {
    if (text[0] == '\\' && text[1] == '/')
      text++;
    *to++ = *text;
  }
  *to = '\0';
}

static bool is_replacement(const char *text, size_t groups) {
  for (; *text != '\0'; text++) {
    if (*text != '\\')
      continue;
    text++;
    if (*text == '\\' || *text == '/')
      continue;
    if (*text < '1' || *text > '9' || (size_t)(*text - '0') > groups)
      return false;
  }
  return true;
}

/* POSIX ERE has no back references; the C library's would count the group put around. */
static bool has_back_reference(const char *pattern) {
  for (; *pattern != '\0'; pattern++) {
    if (*pattern != '\\')
      continue;
    pattern++;
    if (*pattern >= '1' && *pattern <= '9')
      return true;
    if (*pattern == '\0')
      break;
  }
  return false;
}

/* Behind a bracket expression, POSIX 9.3.5: "]" first and "[:", "[.", "[=" do not end it. */
static const char *skip_brackets(const char *text) {
  text += text[1] == '^' ? 2 : 1;
  if (*text == ']')
    text++;
  for (; *text != '\0' && *text != ']'; text++) {
    if (text[0] == '[' && text[1] != '\0' && strchr(":.=", text[1]) != NULL) {
      const char end[] = {text[1], ']', '\0'};
      const char *stop = strstr(text + 2, end);

      if (stop != NULL)
        text = stop + 1;
    }
  }
  return *text == ']' ? text + 1 : text;
}

/* The larger number of {m}, {m,} or {m,n}; of "+" 2, as in "aa*". Text comes to stand behind it. */
static size_t read_copies(const char **text) {
  size_t number = 0, most = 0;

  if (*(*text)++ == '+')
    return 2;
  for (; **text != '\0' && **text != '}'; (*text)++) {
    number = **text >= '0' && **text <= '9' ? number * 10 + (size_t)(**text - '0') : 0;
    number = number > ATOMS_MAX ? ATOMS_MAX + 1 : number;
    most = number > most ? number : most;
  }
  *text += **text == '}';
  return most;
}

/*
 * How many atoms the expression has once its intervals and "+" are written out,
 * as the C library does: copies of copies would take all time and memory of a login.
 * Works on what is no ERE too; the answer then does not matter.
 */
static size_t count_atoms(const char *text) {
  size_t totals[PATTERN_MAX + 1] = {0}, depth = 0, atom = 0, copies;

  while (*text != '\0') {
    if (*text == '{' || *text == '+') {
      copies = read_copies(&text);
      totals[depth] += copies > 1 ? atom * (copies - 1) : 0;
      atom *= copies > 1 ? copies : 1;
    } else if (*text == '(') {
      totals[++depth] = 0;
      atom = 0;
      text++;
    } else if (*text == ')' && depth > 0) {
      atom = totals[depth] > 0 ? totals[depth] : 1; /* a group around nothing is copied too */
      totals[--depth] += atom;
      text++;
    } else if (strchr("*?|", *text) != NULL) {
      text++; /* "a?{9}" means nine of "a?" */
    } else {
      text = *text == '[' ? skip_brackets(text) : text + (text[0] == '\\' && text[1] != '\0') + 1;
      atom = 1;
      totals[depth]++;
    }
    if (atom > ATOMS_MAX || totals[depth] > ATOMS_MAX)
      return ATOMS_MAX + 1;
  }
  return totals[0];
}

/*
 * In the C locale, whatever the program runs in: a backend and a command must
 * read one pattern the same way. For this thread and this call only.
 */
static int compile_plain(regex_t *pattern, const char *text) {
  locale_t plain = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  locale_t before = plain != (locale_t)0 ? uselocale(plain) : (locale_t)0;
  int failure = before != (locale_t)0 ? regcomp(pattern, text, REG_EXTENDED) : REG_ESPACE;

  if (before != (locale_t)0)
    uselocale(before);
  if (plain != (locale_t)0)
    freelocale(plain);
  return failure;
}

/* The whole value must match, so the expression is anchored around a group of its own. */
static enum cortex_reason compile(struct cx_map *map, const char *pattern,
                                  struct cortex_error *error) {
  char anchored[PATTERN_MAX + 8];
  char why[128];
  int failure;

  if (strlen(pattern) > PATTERN_MAX || *pattern == '\0')
    return REFUSE("an expression has 1 to %d bytes", PATTERN_MAX);
  if (has_back_reference(pattern))
    return REFUSE("the expression is not a POSIX ERE: it has a back reference");
  if (count_atoms(pattern) > ATOMS_MAX)
    return REFUSE("the expression's intervals and \"+\" make more than %d copies", ATOMS_MAX);
  /* Alone first: "a)|(b" must not become valid by what is put around it. */
  failure = compile_plain(&map->pattern, pattern);
  if (failure == 0) {
    regfree(&map->pattern);
    snprintf(anchored, sizeof anchored, "^(%s)$", pattern);
    failure = compile_plain(&map->pattern, anchored);
  }
  if (failure != 0) {
    regerror(failure, &map->pattern, why, sizeof why);
    return REFUSE("the expression is not a POSIX ERE: %s", why);
  }
  return CORTEX_OK;
}

static enum cortex_reason add_map(struct cx_maps *maps, const char *pattern,
                                  const char *replacement, struct cortex_error *error) {
  struct cx_map *items, *map;
  enum cortex_reason reason;

  if (maps->count == MAPS_MAX)
    return REFUSE("at most %d maps are allowed", MAPS_MAX);
  items = realloc(maps->items, (maps->count + 1) * sizeof *items);
  if (items == NULL)
    return cx_error_memory(error);
  maps->items = items;
  map = &items[maps->count];
  reason = compile(map, pattern, error);
  if (reason != CORTEX_OK)
    return reason;
  map->replacement = strdup(replacement);
  if (map->replacement == NULL || !is_replacement(replacement, map->pattern.re_nsub - 1)) {
    reason =
        map->replacement == NULL
            ? cx_error_memory(error)
            : REFUSE("the replacement may hold \\1 to \\9 for groups that exist, \\\\ and \\/");
    free(map->replacement);
    regfree(&map->pattern);
    return reason;
  }
  maps->count++;
  return CORTEX_OK;
}

/* map = "/" ERE "/" replacement "/" */
static enum cortex_reason parse_map(char *value, const char *folder, void *member,
                                    struct cortex_error *error) {
  enum cortex_reason reason = cx_ini_unquote(value, error);
  char *middle, *end;

  (void)folder;
  if (reason != CORTEX_OK)
    return reason;
  middle = value[0] == '/' ? find_slash(value + 1) : NULL;
  end = middle != NULL ? find_slash(middle + 1) : NULL;
  if (end == NULL || end[1] != '\0')
    return REFUSE("expected /EXPRESSION/REPLACEMENT/");
  *middle = '\0';
  *end = '\0';
  drop_slash_escapes(value + 1);
  return add_map(member, value + 1, middle + 1, error);
}

static void clear_maps(void *member) {
  struct cx_maps *maps = member;
  size_t i;

  for (i = 0; i < maps->count; i++) {
    regfree(&maps->items[i].pattern);
    free(maps->items[i].replacement);
  }
  free(maps->items);
  *maps = (struct cx_maps){NULL, 0};
}

static enum cortex_reason add_rule(struct cx_claim_rules *rules, char *text,
                                   struct cortex_error *error) {
  struct cx_claim_rule *items;
  char *equals = strchr(text, '=');
  bool is_member = equals != NULL && equals > text && equals[-1] == '~';
  struct cx_claim_rule rule = {NULL, NULL, is_member};

  if (equals == NULL || equals == text + is_member || equals[1] == '\0')
    return REFUSE("\"%s\" is not NAME=VALUE or NAME~=VALUE", text);
  if (strchr(" \t", equals[is_member ? -2 : -1]) != NULL)
    return REFUSE("\"%s\" has a blank before its \"%s\": no claim is called so", text,
                  is_member ? "~=" : "=");
  equals[is_member ? -1 : 0] = '\0';
  items = realloc(rules->items, (rules->count + 1) * sizeof *items);
  if (items == NULL)
    return cx_error_memory(error);
  rules->items = items;
  rule.name = strdup(text);
  rule.value = strdup(equals + 1);
  if (rule.name == NULL || rule.value == NULL) {
    free(rule.name);
    free(rule.value);
    return cx_error_memory(error);
  }
  items[rules->count++] = rule;
  return CORTEX_OK;
}

/* claims = rule *("," rule); rule = NAME "=" VALUE / NAME "~=" VALUE */
static enum cortex_reason parse_claims(char *value, const char *folder, void *member,
                                       struct cortex_error *error) {
  char *cursor = value, *item = NULL;
  enum cortex_reason reason = CORTEX_OK;

  (void)folder;
  while (cursor != NULL && reason == CORTEX_OK) {
    reason = cx_ini_split(&cursor, &item, error);
    if (reason == CORTEX_OK)
      reason = add_rule(member, item, error);
  }
  return reason;
}

static void clear_claims(void *member) {
  struct cx_claim_rules *rules = member;
  size_t i;

  for (i = 0; i < rules->count; i++) {
    free(rules->items[i].name);
    free(rules->items[i].value);
  }
  free(rules->items);
  *rules = (struct cx_claim_rules){NULL, 0};
}

const struct cx_type cx_type_maps = {"/ERE/replacement/", parse_map, clear_maps};
const struct cx_type cx_type_claims = {"claim rules", parse_claims, clear_claims};

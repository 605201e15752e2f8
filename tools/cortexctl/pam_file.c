/*
 * A service's file in pam.d: what it is called, and its lines for our module.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "pam_file.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FILE_MAX (64 * 1024)
#define JOINT '\v' /* in the place of the newline between lines that are one */
#define BLANKS " \t\r\v"

static bool is_file_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

/* As Linux-PAM looks it up; false: no file there can be meant. */
static bool to_file_name(const char *prefix, const char *service, char *name, size_t size) {
  size_t at;
  int len = snprintf(name, size, "%s%s", prefix, service);

  if (len <= 0 || (size_t)len >= size || *name == '.')
    return false;
  for (at = 0; name[at] != '\0'; at++) {
    if (!is_file_letter(name[at]))
      return false;
    if (name[at] >= 'A' && name[at] <= 'Z')
      name[at] = (char)(name[at] - 'A' + 'a');
  }
  return true;
}

bool pam_file_name(const char *service, char *name, size_t size) {
  return to_file_name("cortex-", service, name, size);
}

static bool load(const char *folder, const char *prefix, const char *service,
                 struct pam_file *file) {
  char name[256];
  FILE *stream;
  size_t len;

  *file = (struct pam_file){.failure = ENAMETOOLONG};
  if (!to_file_name(prefix, service, name, sizeof name)) {
    snprintf(file->path, sizeof file->path, "%.*s", 1024, folder);
    file->failure = EINVAL;
    return false;
  }
  if (snprintf(file->path, sizeof file->path, "%s/%s", folder, name) >= (int)sizeof file->path)
    return false;
  stream = fopen(file->path, "re");
  file->failure = errno;
  if (stream == NULL)
    return false;
  file->text = calloc(1, FILE_MAX + 1);
  len = file->text != NULL ? fread(file->text, 1, FILE_MAX, stream) : 0;
  file->failure = file->text == NULL ? ENOMEM : ferror(stream) ? errno : 0;
  fclose(stream);
  return file->failure == 0 && (len < FILE_MAX || (file->failure = EFBIG) == 0);
}

bool pam_file_load(const char *folder, const char *service, struct pam_file *file) {
  return load(folder, "cortex-", service, file);
}

bool pam_file_open(const char *folder, const char *name, struct pam_file *file) {
  return load(folder, "", name, file);
}

void pam_file_clear(struct pam_file *file) {
  free(file->text);
  file->text = NULL;
}

/* Takes one word off; a control may be "[value=action ...]" with blanks in it. */
static size_t next_word(const char **at, const char *end, const char **word_out) {
  const char *from = *at;

  while (from < end && strchr(BLANKS, *from) != NULL)
    from++;
  *word_out = from;
  *at = from;
  if (from < end && *from == '[') {
    while (*at < end && **at != ']')
      (*at)++;
    *at += *at < end;
  } else {
    while (*at < end && strchr(BLANKS, **at) == NULL)
      (*at)++;
  }
  return (size_t)(*at - from);
}

static bool is_our_module(const char *word, size_t len) {
  static const char module[] = "pam_cortex.so";
  size_t tail = sizeof module - 1;

  return len >= tail && memcmp(word + len - tail, module, tail) == 0 &&
         (len == tail || word[len - tail - 1] == '/');
}

/* Linux-PAM reads keywords in any letter case. */
static void fold(char *word) {
  for (; *word != '\0'; word++)
    *word = (char)tolower((unsigned char)*word);
}

/* An argument may stand in brackets, as a whole. */
static void take_argument(const char *word, size_t len, struct pam_line *line) {
  static const char service[] = "service=";
  size_t head = sizeof service - 1;

  if (len > 1 && *word == '[') {
    word++;
    len -= 2;
  }
  if (len > head && memcmp(word, service, head) == 0)
    snprintf(line->service, sizeof line->service, "%.*s", (int)(len - head), word + head);
}

/* TYPE CONTROL MODULE ARGUMENT..., where "-TYPE" means the same but quieter (pam.d(5)). */
static bool read_line(const char *at, const char *end, struct pam_line *line_out) {
  const char *word;
  size_t len = next_word(&at, end, &word);

  if (len == 0)
    return false;
  if (*word == '-') {
    word++;
    len--;
  }
  snprintf(line_out->type, sizeof line_out->type, "%.*s", (int)len, word);
  len = next_word(&at, end, &word);
  snprintf(line_out->control, sizeof line_out->control, "%.*s", (int)len, word);
  len = next_word(&at, end, &word);
  snprintf(line_out->module, sizeof line_out->module, "%.*s", (int)len, word);
  line_out->is_ours = is_our_module(word, len);
  line_out->service[0] = '\0';
  while ((len = next_word(&at, end, &word)) > 0)
    take_argument(word, len, line_out);
  fold(line_out->type);
  if (*line_out->type != '@') /* else it is a file's name */
    fold(line_out->control);
  return true;
}

/* Takes the backslash at a line's end away; false: there is none, or only in a comment. */
static bool take_backslash(char *at, char *end) {
  if (memchr(at, '#', (size_t)(end - at)) != NULL)
    return false;
  while (end > at && (end[-1] == ' ' || end[-1] == '\t'))
    end--;
  if (end == at || end[-1] != '\\')
    return false;
  end[-1] = ' ';
  return true;
}

/*
 * The end of a line, after joining what a backslash appends to it (pam.d(5)): the next line that
 * says something. What says nothing becomes blanks.
 */
static char *join(char *at) {
  bool goes_on = false;
  char *end;

  for (;; at = end + 1) {
    size_t blanks = strspn(at, BLANKS);

    end = at + strcspn(at, "\n");
    if (at + blanks >= end || at[blanks] == '#')
      memset(at, ' ', (size_t)(end - at));
    else
      goes_on = take_backslash(at, end);
    if (!goes_on || *end == '\0')
      return end;
    *end = JOINT;
  }
}

static unsigned count_lines(const char *at, const char *end) {
  unsigned count = 1;

  for (; at < end; at++)
    count += *at == JOINT;
  return count;
}

bool pam_file_next(const struct pam_file *file, struct pam_cursor *cursor,
                   struct pam_line *line_out) {
  char *at = file->text + cursor->offset;

  while (*at != '\0') {
    char *end = join(at);
    const char *comment = memchr(at, '#', (size_t)(end - at));
    bool found = read_line(at, comment != NULL ? comment : end, line_out);

    line_out->number = cursor->number + 1;
    cursor->number += count_lines(at, end);
    at = *end == '\n' ? end + 1 : end;
    cursor->offset = (size_t)(at - file->text);
    if (found)
      return true;
  }
  return false;
}

bool pam_file_find(const struct pam_file *file, const char *type, struct pam_line *line_out) {
  struct pam_cursor cursor = {0, 0};

  while (pam_file_next(file, &cursor, line_out))
    if (line_out->is_ours && strcmp(line_out->type, type) == 0)
      return true;
  return false;
}

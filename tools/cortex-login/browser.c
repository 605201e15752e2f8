/*
 * Opening a page in the person's browser: no shell ever sees the address.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "browser.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/cli.h"
#include "text.h"

#define WORDS_MAX 16

/* A word of a command, with the address for "%s". */
static char *make_word(const char *word, size_t len, const char *url, bool *placed) {
  struct text made = {0};
  size_t i;

  for (i = 0; i < len; i++)
    if (word[i] == '%' && i + 1 < len && word[i + 1] == 's') {
      text_put(&made, url);
      *placed = true;
      i++;
    } else {
      text_put_bytes(&made, word + i, 1);
    }
  return text_take(&made);
}

/* Becomes the command's program, or comes back. */
static void become(const char *command, size_t len, const char *url) {
  char *words[WORDS_MAX + 2];
  bool placed = false;
  size_t count = 0, at = 0;

  while (count < WORDS_MAX) {
    size_t word;

    while (at < len && command[at] == ' ')
      at++;
    word = 0;
    while (at + word < len && command[at + word] != ' ')
      word++;
    if (word == 0)
      break;
    words[count] = make_word(command + at, word, url, &placed);
    if (words[count] == NULL)
      return;
    count++;
    at += word;
  }
  if (count == 0)
    return;
  if (!placed && (words[count] = make_word("%s", 2, url, &placed)) != NULL)
    count++;
  words[count] = NULL;
  execvp(words[0], words);
}

/* Standard output is for the token: a browser writes to standard error. */
static void run(const char *commands, const char *url) {
  if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
    return;
  while (commands != NULL) {
    size_t len = strcspn(commands, ":");

    become(commands, len, url);
    commands = commands[len] == ':' ? commands + len + 1 : NULL;
  }
}

static bool is_desktop(void) {
  return getenv("DISPLAY") != NULL || getenv("WAYLAND_DISPLAY") != NULL;
}

/*
 * A grandchild: whatever this process becomes later has no browser among its children. On a desktop
 * it is a session of its own too, as an interrupt typed at psql, or the terminal's end, goes to all
 * of the terminal's processes; a browser in text needs that terminal.
 */
static void start(const char *commands, const char *url) {
  pid_t child = fork();

  if (child == 0) {
    if (fork() == 0) {
      if (is_desktop())
        (void)setsid();
      run(commands, url);
    }
    _exit(0);
  }
  if (child > 0)
    waitpid(child, NULL, 0);
}

void browser_open(const char *label, const char *url) {
  const char *commands = getenv("BROWSER");

  if (commands == NULL && is_desktop())
    commands = "xdg-open";
  cli_complain("to log in to \"%s\", open this address in a browser on this machine:", label);
  fprintf(stderr, "%s\n", url);
  if (commands != NULL && *commands != '\0')
    start(commands, url);
}

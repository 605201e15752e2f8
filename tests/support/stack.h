/*
 * Stack: a private folder of PAM services and an application that talks to them.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SUPPORT_STACK_H
#define SUPPORT_STACK_H

#include <security/pam_appl.h>
#include <stdbool.h>
#include <stddef.h>

/* What the application's conversation does and saw. */
struct stack_conv {
  const char *answer; /* to a prompt; NULL: the conversation fails */
  bool is_mute;       /* succeeds, but with no response at all */
  unsigned prompts;
  unsigned messages;
  char text[8192]; /* all messages, each with a newline */
};

struct stack {
  char folder[64];
  struct stack_conv conv;
  struct pam_conv pam_conv;
  pam_handle_t *pamh;
};

/* Makes the folder; false when it cannot. */
bool stack_init(struct stack *stack);

/* Ends the handle, removes the folder. */
void stack_clear(struct stack *stack);

/*
 * Writes a service file; each "@" in the text becomes the path of the built
 * module, which the environment names.
 */
bool stack_service(struct stack *stack, const char *service, const char *text);

/* Starts a handle for a service and user (NULL: none), ending an earlier one. */
int stack_start(struct stack *stack, const char *service, const char *user);

#endif

/*
 * Service files in a throwaway folder, and a scripted conversation.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MODULE "/pam_cortex/.libs/pam_cortex.so"

static bool answer(struct stack_conv *conv, const struct pam_message *message, char **text_out) {
  size_t used = strlen(conv->text);

  if (message->msg_style == PAM_PROMPT_ECHO_OFF || message->msg_style == PAM_PROMPT_ECHO_ON) {
    conv->prompts++;
    if (conv->answer == NULL)
      return false;
    *text_out = strdup(conv->answer);
    return *text_out != NULL;
  }
  conv->messages++;
  snprintf(conv->text + used, sizeof conv->text - used, "%s\n", message->msg);
  return true;
}

static int converse(int count, const struct pam_message **messages, struct pam_response **out,
                    void *data) {
  struct stack_conv *conv = data;
  struct pam_response *responses = calloc((size_t)count, sizeof *responses);
  int i;

  *out = NULL;
  if (conv->is_mute) {
    conv->prompts++;
    free(responses);
    return PAM_SUCCESS;
  }
  for (i = 0; responses != NULL && i < count; i++)
    if (!answer(conv, messages[i], &responses[i].resp)) {
      free(responses);
      return PAM_CONV_ERR;
    }
  *out = responses;
  return PAM_SUCCESS;
}

bool stack_init(struct stack *stack) {
  memset(stack, 0, sizeof *stack);
  stack->pam_conv = (struct pam_conv){converse, &stack->conv};
  snprintf(stack->folder, sizeof stack->folder, "/tmp/cortex-stack.XXXXXX");
  return mkdtemp(stack->folder) != NULL && stack_service(stack, "other", "");
}

void stack_clear(struct stack *stack) {
  char command[128];

  if (stack->pamh != NULL)
    pam_end(stack->pamh, PAM_SUCCESS);
  stack->pamh = NULL;
  snprintf(command, sizeof command, "rm -r -- %s", stack->folder);
  if (system(command) != 0)
    perror(command);
}

bool stack_service(struct stack *stack, const char *service, const char *text) {
  const char *folder = getenv("top_builddir");
  char path[128];
  FILE *file;

  snprintf(path, sizeof path, "%s/%s", stack->folder, service);
  file = fopen(path, "we");
  if (file == NULL || folder == NULL)
    return false;
  for (; *text != '\0'; text++)
    if (*text == '@')
      fprintf(file, "%s" MODULE, folder);
    else
      fputc(*text, file);
  return fclose(file) == 0;
}

int stack_start(struct stack *stack, const char *service, const char *user) {
  if (stack->pamh != NULL)
    pam_end(stack->pamh, PAM_SUCCESS);
  stack->pamh = NULL;
  stack->conv.prompts = stack->conv.messages = 0;
  stack->conv.text[0] = '\0';
  return pam_start_confdir(service, user, &stack->pam_conv, stack->folder, &stack->pamh);
}

/*
 * Preloaded into a server: its PAM services are those of the folder that PRIVATE_PAM names.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Not pam_wrapper: that one copies the folder for each process, to the first name in /tmp that is
 * free. Of two backends that look at the same instant one gets none, and refuses its login.
 */
#include <security/pam_appl.h>
#include <stdlib.h>

__attribute__((visibility("default"))) int
pam_start(const char *service_name, const char *user, const struct pam_conv *pam_conversation,
          pam_handle_t **pamh) {
  const char *folder = getenv("PRIVATE_PAM");

  if (folder == NULL)
    return PAM_ABORT;
  return pam_start_confdir(service_name, user, pam_conversation, folder, pamh);
}

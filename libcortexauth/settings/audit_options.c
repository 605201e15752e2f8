/*
 * The [audit] section as the options of the audit trail.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>

#include "settings/settings.h"

void cortex_audit_options_get(const struct cortex_settings *settings,
                              struct cortex_audit_options *options_out) {
  *options_out = (struct cortex_audit_options){
      .file = settings->audit.file,
      .fsync = settings->audit.fsync,
      .syslog = settings->audit.syslog,
      .anchor_every = settings->audit.anchor_every,
  };
}

/*
 * cortexctl: the operator's program.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

int main(int argc, char **argv) {
  static const struct cli_verb *const verbs[] = {
      &cmd_check,          &cmd_doctor,           &cmd_service_render,   &cmd_verify,
      &cmd_explain,        &cmd_refresh,          &cmd_status,
      &cmd_revoke,         &cmd_binding_list,     &cmd_binding_show,
      &cmd_binding_rebind, &cmd_binding_release,  &cmd_audit_verify,
      &cmd_audit_rotate,   &cmd_saml_metadata,    &cmd_report_lingering,
      &cmd_authorize,      &cmd_validate,         &cmd_policy_test,
      &cmd_policy_image,   &cmd_policy_format,
      &cmd_policy_to_json, &cmd_policy_from_json, &cmd_codes,
      &cmd_dev_issuer,     &cmd_dev_token,        NULL,
  };
  static const struct cli_program program = {"cortexctl", "cortexctl(8)",
                                             "Check, ask and look after Cortex PostgreSQL", verbs};

  return cli_main(&program, argc, argv);
}

/*
 * The commands of cortexctl, one description each, and what they have in common.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CORTEXCTL_H
#define CORTEXCTL_CORTEXCTL_H

#include "common/cli.h"

#define OPTION_CONFIG                                                                              \
  { "config", "FILE", "the configuration (" CONFIG_DEFAULT ")", false, false }

/* Seconds; the year 9999 ends before. */
#define EPOCH_MAX INT64_C(253402300799)

extern const struct cli_verb cmd_audit_rotate;
extern const struct cli_verb cmd_audit_verify;
extern const struct cli_verb cmd_authorize;
extern const struct cli_verb cmd_binding_list;
extern const struct cli_verb cmd_binding_rebind;
extern const struct cli_verb cmd_binding_release;
extern const struct cli_verb cmd_binding_show;
extern const struct cli_verb cmd_check;
extern const struct cli_verb cmd_codes;
extern const struct cli_verb cmd_dev_issuer;
extern const struct cli_verb cmd_dev_token;
extern const struct cli_verb cmd_doctor;
extern const struct cli_verb cmd_explain;
extern const struct cli_verb cmd_policy_format;
extern const struct cli_verb cmd_policy_from_json;
extern const struct cli_verb cmd_policy_image;
extern const struct cli_verb cmd_policy_test;
extern const struct cli_verb cmd_policy_to_json;
extern const struct cli_verb cmd_refresh;
extern const struct cli_verb cmd_report_lingering;
extern const struct cli_verb cmd_revoke;
extern const struct cli_verb cmd_saml_metadata;
extern const struct cli_verb cmd_service_render;
extern const struct cli_verb cmd_status;
extern const struct cli_verb cmd_validate;
extern const struct cli_verb cmd_verify;

struct cortex_settings;

/* Writes a configured policy image anew that is there but not current; false when that fails. */
bool policy_image_refresh(const struct cortex_settings *settings);

enum policy_image_answer {
  POLICY_IMAGE_KEPT,  /* current already, or, after a complaint, not to be written */
  POLICY_IMAGE_EARLY, /* its sources have changed just now: in a second, perhaps */
  POLICY_IMAGE_WRITTEN
};

/* Writes the image that a login asked for, unless it is current by now. */
enum policy_image_answer policy_image_serve(const struct cortex_settings *settings);

#endif

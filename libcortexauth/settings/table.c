/*
 * The one table of options: all that can be configured.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "settings/table.h"

#define OIDC(key, type, member, default_value, flags)                                              \
  {                                                                                                \
    "oidc", key, default_value, offsetof(struct cortex_issuer, oidc.member), CX_TYPE_##type,       \
        flags, CX_OF_ISSUER                                                                        \
  }
#define SAML(key, type, member, default_value, flags)                                              \
  {                                                                                                \
    "saml", key, default_value, offsetof(struct cortex_issuer, saml.member), CX_TYPE_##type,       \
        flags, CX_OF_ISSUER                                                                        \
  }
#define MAIN(section, key, type, member, default_value, flags)                                     \
  {                                                                                                \
#section, key, default_value, offsetof(struct cortex_settings, section.member),                \
        CX_TYPE_##type, flags, CX_OF_SETTINGS                                                      \
  }

/* Sections that may stand often, each with a label. */
#define LABELLED(section, key, type, default_value, flags)                                         \
  {                                                                                                \
    section, key, default_value, 0, CX_TYPE_##type, flags, CX_OF_SECTION                           \
  }
#define DIRECTORY(key, type, default_value, flags)                                                 \
  {                                                                                                \
    "directory", key, default_value, 0, CX_TYPE_##type, flags, CX_OF_SECTION                       \
  }

/* In the order of cortex.conf(5). */
const struct cx_option cx_options[] = {
    OIDC("issuer", url, issuer, "", CX_REQUIRED),
    OIDC("audience", list, audience, "", CX_REQUIRED),
    OIDC("jwks_file", path, jwks_file, "", 0),
    OIDC("jwks_uri", url, jwks_uri, "", 0),
    OIDC("ca_file", path, ca_file, "", 0),
    OIDC("proxy", text, proxy, "", 0),
    OIDC("algorithms", algorithms, algorithms, "RS256, PS256, ES256, EdDSA", 0),
    OIDC("username_claim", text, username_claim, "sub", 0),
    OIDC("username_map", maps, naming.maps, "", CX_REPEATABLE),
    OIDC("username_case", case, naming.lower, "exact", 0),
    OIDC("groups_claim", text, groups_claim, "groups", 0),
    OIDC("namespace", namespace, naming.namespace, "", 0),
    OIDC("shared_names", bool, naming.shared_names, "no", 0),
    OIDC("required_claims", claims, required_claims, "", 0),
    OIDC("mfa_amr", list, mfa_amr, "mfa", 0),
    OIDC("mfa_acr", list, mfa_acr, "", 0),
    OIDC("token_use", token_use, token_use, "any", 0),
    OIDC("token_max_age", duration, token_max_age, "", 0),
    OIDC("auth_max_age", duration, auth_max_age, "", 0),
    OIDC("one_use", bool, one_use, "no", 0),
    OIDC("reuse_window", duration, reuse_window, "0", 0),
    OIDC("decryption_key_file", private_key, decryption_key_file, "", 0),
    OIDC("clock_skew", skew, clock_skew, "60", 0),
    SAML("metadata_file", path, metadata_file, "", 0),
    SAML("metadata_url", url, metadata_url, "", 0),
    SAML("metadata_ca_file", path, metadata_ca_file, "", 0),
    SAML("ca_file", path, ca_file, "", 0),
    SAML("proxy", text, proxy, "", 0),
    SAML("idp_entity_id", text, idp_entity_id, "", 0),
    SAML("sp_entity_id", text, sp_entity_id, "", CX_REQUIRED),
    SAML("acs_url", url, acs_url, "", CX_REQUIRED),
    SAML("unsolicited", bool, unsolicited, "yes", 0),
    SAML("algorithms", saml_algorithms, algorithms, "RS256, RS384, RS512, ES256, ES384, ES512", 0),
    SAML("username_attribute", text, username_attribute, CX_SAML_NAME_ID, 0),
    SAML("username_map", maps, naming.maps, "", CX_REPEATABLE),
    SAML("username_case", case, naming.lower, "exact", 0),
    SAML("groups_attribute", text, groups_attribute, "groups", 0),
    SAML("namespace", namespace, naming.namespace, "", 0),
    SAML("shared_names", bool, naming.shared_names, "no", 0),
    SAML("required_attributes", claims, required_attributes, "", 0),
    SAML("mfa_acr", list, mfa_acr, "", 0),
    SAML("sp_key_file", saml_private_key, sp_key_file, "", 0),
    SAML("sp_cert_file", path, sp_cert_file, "", 0),
    SAML("one_use", bool, one_use, "yes", 0),
    SAML("reuse_window", duration, reuse_window, "0", 0),
    SAML("clock_skew", skew, clock_skew, "60", 0),
    MAIN(policy, "path", path, path, "/etc/cortex/policies", 0),
    MAIN(policy, "entities", path, entities, "/etc/cortex/entities.json", 0),
    MAIN(policy, "links", path, links, "", 0),
    MAIN(policy, "schema", path, schema, "", 0),
    MAIN(policy, "image", path, image, "", 0),
    MAIN(audit, "file", path, file, "/var/log/cortex/audit.jsonl", 0),
    MAIN(audit, "required", bool, required, "yes", 0),
    MAIN(audit, "fsync", bool, fsync, "no", 0),
    MAIN(audit, "syslog", facility, syslog, "authpriv", 0),
    MAIN(audit, "anchor_every", count, anchor_every, "1000", 0),
    MAIN(cache, "path", path, path, "/var/cache/cortex", 0),
    MAIN(cache, "stale", duration, stale, "24h", 0),
    MAIN(cache, "min_refresh", duration, min_refresh, "30s", 0),
    MAIN(cache, "max_refresh", duration, max_refresh, "6h", 0),
    MAIN(state, "path", path, path, "/var/lib/cortex", 0),
    MAIN(session, "path", path, path, "", 0),
    MAIN(session, "max", session_length, max, "12h", 0),
    MAIN(session, "default", session_length, default_length, "1h", 0),
    MAIN(session, "enforce", bool, enforce, "no", 0),
    MAIN(session, "reaper_grace", duration, reaper_grace, "5m", 0),
    MAIN(session, "notice", duration, notice, "", 0),
    MAIN(roles, "protected", protected, protected, "", 0),
    MAIN(roles, "assume", bool, assume, "no", 0),
    MAIN(roles, "jit", bool, jit, "no", 0),
    MAIN(roles, "jit_conninfo", conninfo, jit_conninfo, "", 0),
    MAIN(sync, "conninfo", text, conninfo, "", 0),
    MAIN(sync, "cluster", text, cluster, "", 0),
    MAIN(sync, "people", path, people, "", 0),
    MAIN(sync, "timeout", duration, timeout, "1m", 0),
    MAIN(sync, "leaver_grace", duration, leaver_grace, "", 0),
    DIRECTORY("kind", directory_kind, "", CX_REQUIRED),
    DIRECTORY("path", path, "", 0),
    DIRECTORY("url", list, "", 0),
    DIRECTORY("starttls", bool, "yes", 0),
    DIRECTORY("ca_file", path, "", 0),
    DIRECTORY("proxy", text, "", 0),
    DIRECTORY("bind", bind, "simple", 0),
    DIRECTORY("bind_dn", text, "", 0),
    DIRECTORY("password_file", path, "", 0),
    DIRECTORY("token_file", path, "", 0),
    DIRECTORY("users", text, "", CX_REPEATABLE),
    DIRECTORY("groups", text, "", CX_REPEATABLE),
    DIRECTORY("username_attribute", text, "", 0),
    DIRECTORY("username_case", case, "exact", 0),
    DIRECTORY("group_attribute", text, "cn", 0),
    DIRECTORY("member_attribute", list, "member", 0),
    DIRECTORY("member_value", member_value, "dn", 0),
    DIRECTORY("id_attribute", text, "entryUUID", 0),
    DIRECTORY("namespace", namespace, "", 0),
    DIRECTORY("page_size", count, "500", 0),
    DIRECTORY("timeout", duration, "30s", 0),
    DIRECTORY("sentinel", text, "", CX_REPEATABLE),
    LABELLED("cluster", "conninfo", text, "", CX_REQUIRED),
    LABELLED("cluster", "cluster", text, "", CX_REQUIRED),
    LABELLED("role", "kind", role_kind, "group", 0),
    LABELLED("role", "name", text, "", 0),
    LABELLED("role", "cluster", list, "", 0),
    LABELLED("role", "member_of", list, "", 0),
    LABELLED("role", "comment", text, "", 0),
    LABELLED("role", "inherit", bool, "", 0),
    LABELLED("role", "connection_limit", role_limit, "", 0),
    LABELLED("role", "valid_until", role_time, "", 0),
    LABELLED("role", "set", role_setting, "", CX_REPEATABLE),
    LABELLED("database", "name", text, "", 0),
    LABELLED("database", "cluster", list, "", 0),
    LABELLED("database", "leaver_owner", text, "", 0),
    LABELLED("database", "schemas", list, "", 0),
    LABELLED("database", "creators", list, "", 0),
    LABELLED("database", "levels", bool, "yes", 0),
    LABELLED("database", "grant", profile_grant, "", CX_REPEATABLE),
    LABELLED("profile", "database", database_privileges, "", 0),
    LABELLED("profile", "schemas", schema_privileges, "", 0),
    LABELLED("profile", "tables", table_privileges, "", 0),
    LABELLED("profile", "sequences", sequence_privileges, "", 0),
    LABELLED("profile", "functions", function_privileges, "", 0),
};

const size_t cx_option_count = sizeof cx_options / sizeof cx_options[0];

const struct cx_type *cx_option_type(const struct cx_option *option) {
  static const struct cx_type *const types[] = {
#define TYPE(type) &cx_type_##type,
#include "settings/type_table.h"
#undef TYPE
  };

  return types[option->type];
}

_Static_assert(sizeof cx_options / sizeof cx_options[0] <= CX_OPTIONS_MAX,
               "the loader's memory of keys it has seen is too small");

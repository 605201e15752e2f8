/*
 * Reason codes: why a login was refused, for people, PAM and programs.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_REASON_H
#define CORTEXAUTH_REASON_H

#ifdef __cplusplus
#define CORTEX_LINKAGE extern "C"
#else
#define CORTEX_LINKAGE
#endif

#if defined(__GNUC__)
#define CORTEX_API CORTEX_LINKAGE __attribute__((visibility("default")))
#define CORTEX_MUSTCHECK __attribute__((warn_unused_result))
#else
#define CORTEX_API CORTEX_LINKAGE
#define CORTEX_MUSTCHECK
#endif

enum cortex_reason {
#define REASON(symbol, name, class, sentence) CORTEX_##symbol,
#include <cortexauth/reason.def>
#undef REASON
  CORTEX_REASONS /* how many there are */
};

enum cortex_reason_class {
#define CLASS(symbol, name, pam, exit) CORTEX_CLASS_##symbol,
#include <cortexauth/class.def>
#undef CLASS
  CORTEX_CLASSES /* how many there are */
};

/*
 * The code as written in records, logs and JSON, such as "token_expired".
 * A value outside the enum gives "internal". Static storage; thread safe.
 */
CORTEX_API const char *cortex_reason_name(enum cortex_reason reason);

/* One sentence for an operator, without full stop. Static storage. */
CORTEX_API const char *cortex_reason_sentence(enum cortex_reason reason);

/* The group that decides PAM code and exit code. Unknown values: INTERNAL. */
CORTEX_API enum cortex_reason_class cortex_reason_class(enum cortex_reason reason);

/*
 * The code of a name; CORTEX_REASONS when there is none of that name.
 *   in   name: NUL-terminated, as cortex_reason_name gives it
 */
CORTEX_API enum cortex_reason cortex_reason_parse(const char *name);

#endif

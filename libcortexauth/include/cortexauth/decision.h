/*
 * Decision: what the policy says an identity may do on a service.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_DECISION_H
#define CORTEXAUTH_DECISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cortexauth/identity.h>
#include <cortexauth/settings.h>

enum cortex_effect { CORTEX_DENY = 0, CORTEX_ALLOW = 1 };

/* Levels are bits; none implies another. */
enum cortex_level {
  CORTEX_LEVEL_READ = 1,
  CORTEX_LEVEL_WRITE = 2,
  CORTEX_LEVEL_ADMIN = 4,
  CORTEX_LEVEL_ASSUME = 8
};

/* "read", "write", "admin", "assume" for one bit; NULL for anything else. */
CORTEX_API const char *cortex_level_name(unsigned level);

/*
 * Policies, template links, services and other entities of one configuration,
 * loaded as a whole or not at all. Immutable; may be shared between threads, one that came out of
 * an image only after cortex_policy_make_whole().
 */
struct cortex_policy;

/*
 * Loads the files that [policy] names, or the image that was made of them, when there is one and
 * they have not changed since. An image that cannot be used is passed over. One that is used is
 * read piece by piece, as questions need it; should somebody write to its file meanwhile, what
 * gives a reason gives CORTEX_POLICY_UNAVAILABLE, and cortex_policy_load_text is the way on.
 *   out  policy_out: release with cortex_policy_free; NULL on failure
 *   gives  CORTEX_OK, CORTEX_POLICY_UNAVAILABLE with file, line and column
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_policy_load(const struct cortex_settings *settings, struct cortex_policy **policy_out,
                   struct cortex_error *error);
/* The same from the files alone, whatever image there is. */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_policy_load_text(const struct cortex_settings *settings, struct cortex_policy **policy_out,
                        struct cortex_error *error);

/*
 * Reads what is left of an image: for many questions, or for a long time. Nothing for a text.
 *   gives  CORTEX_OK, CORTEX_POLICY_UNAVAILABLE
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_policy_make_whole(const struct cortex_policy *policy, struct cortex_error *error);

/* Whether the policy came out of an image. */
CORTEX_API bool cortex_policy_is_image(const struct cortex_policy *policy);

/* What [policy] image is: only a current one is used. */
enum cortex_image_state {
  CORTEX_IMAGE_ABSENT,
  CORTEX_IMAGE_CURRENT,
  CORTEX_IMAGE_STALE,  /* a source has changed since */
  CORTEX_IMAGE_REFUSED /* not trusted, damaged or of another version */
};

/*
 * Looks at the image as a login does, and compares all of it with its digest.
 *   out  why: the path and what is wrong, unless CORTEX_IMAGE_CURRENT
 */
CORTEX_API enum cortex_image_state cortex_policy_check_image(const struct cortex_settings *settings,
                                                             struct cortex_error *why);

/*
 * Loads the text and writes it to [policy] image: to a new file beside it that is renamed.
 *   in   now: seconds since 1970, by the clock of the file system
 *   out  is_early_out: a source has changed within the last two seconds or while it was read;
 *        ask again a little later
 *   gives  CORTEX_OK, CORTEX_POLICY_UNAVAILABLE, CORTEX_STATE_UNAVAILABLE (the file cannot be
 *          written), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_policy_write_image(const struct cortex_settings *settings, int64_t now, bool *is_early_out,
                          struct cortex_error *error);

CORTEX_API void cortex_policy_free(struct cortex_policy **policy);

/* SHA-256 over all loaded files in load order, as 64 hex digits. Borrowed. */
CORTEX_API const char *cortex_policy_digest(const struct cortex_policy *policy);

/* How many policies and templates there are. */
CORTEX_API size_t cortex_policy_count(const struct cortex_policy *policy);

/*
 * The sealed Cedar store behind it, to look at policies and entities with the
 * calls of cedar.h. Borrowed until the policy is freed.
 */
struct cedar_store;
CORTEX_API const struct cedar_store *cortex_policy_store(const struct cortex_policy *policy);

/* A service as the entities file describes it; all strings borrowed from the policy. */
struct cortex_service {
  const char *name;
  const char *database;
  const char *environment;
  const char *host;     /* empty: not known */
  const char *audience; /* NULL: none */
  int64_t port;
};

/* Services in the order of their names. false: index past the end, or no such name. */
CORTEX_API size_t cortex_policy_service_count(const struct cortex_policy *policy);
CORTEX_API bool cortex_policy_service(const struct cortex_policy *policy, size_t index,
                                      struct cortex_service *service_out);
CORTEX_API bool cortex_policy_find_service(const struct cortex_policy *policy, const char *name,
                                           struct cortex_service *service_out);

/* The PostgreSQL roles that a level grants on a service; NULL at index past the last. */
CORTEX_API const char *cortex_policy_grant(const struct cortex_policy *policy, const char *service,
                                           enum cortex_level level, size_t index);

/* What is asked. Strings are NUL-terminated UTF-8 and must live during the call. */
struct cortex_question {
  const struct cortex_identity *identity; /* admitted */
  const char *service;
  const char *role;     /* the role to log in as; NULL: the username */
  const char *database; /* the one being entered; NULL: not known, not compared */
  const char *address;  /* numeric IP; NULL: a Unix socket */
  int64_t now;          /* microseconds since 1970 */
};

struct cortex_decision;

/*
 * Decides a login: service, database, role, then each level by the policy.
 *
 *   out  decision_out: release with cortex_decision_free; made for refusals by
 *        the policy too; NULL only for CORTEX_INTERNAL
 *   gives  CORTEX_OK (allowed), CORTEX_SERVICE_UNKNOWN, CORTEX_SERVICE_MISMATCH,
 *          CORTEX_BAD_USERNAME, CORTEX_PROTECTED_ROLE, CORTEX_ASSUME_DENIED,
 *          CORTEX_POLICY_DENIED, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason cortex_decide(const struct cortex_policy *policy,
                                                             const struct cortex_question *question,
                                                             struct cortex_decision **decision_out,
                                                             struct cortex_error *error);
CORTEX_API void cortex_decision_free(struct cortex_decision **decision);

/*
 * Refuses an identity whose credential is not for the audience that the service states; one that
 * states none takes what the issuer's section takes. Whoever decides asks this when the policy has
 * allowed it.
 *   gives  CORTEX_OK (also for an identity that nobody proved), CORTEX_AUDIENCE_MISMATCH,
 *          CORTEX_SERVICE_UNKNOWN, CORTEX_POLICY_UNAVAILABLE
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_service_check_audience(const struct cortex_policy *policy,
                              const struct cortex_settings *settings,
                              const struct cortex_identity *identity, const char *service,
                              struct cortex_error *error);

/* Of no decision (NULL): a deny, no level, no end. */
CORTEX_API enum cortex_effect cortex_decision_effect(const struct cortex_decision *decision);
CORTEX_API unsigned cortex_decision_levels(const struct cortex_decision *decision);

/* When the session must end (seconds since 1970); 0 for a deny. */
CORTEX_API int64_t cortex_decision_session_until(const struct cortex_decision *decision);

/* A policy that decided, or one that failed to evaluate. */
struct cortex_determining {
  const char *id;     /* borrowed from the decision */
  const char *source; /* file */
  unsigned line;
  unsigned level; /* the level bit it was asked for */
  bool forbids;
  const char *reason;  /* its @reason; NULL: none */
  const char *failure; /* why it could not be evaluated; NULL: it could */
};
CORTEX_API bool cortex_decision_determining(const struct cortex_decision *decision, size_t index,
                                            struct cortex_determining *determining_out);

/*
 * Says in lines of plain text why a decision is as it is: the determining
 * policies with file and line; for a deny the nearest permits, each with the
 * clause that failed and the values seen. Asks the policy again.
 *
 *   out  text_out: NUL-terminated, release with free(); NULL on failure
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_explain(const struct cortex_policy *policy, const struct cortex_question *question,
               char **text_out, struct cortex_error *error);

/*
 * Standing: what a policy permits people whatever their login is. Every context
 * is unknown, so that a level is permitted, refused, or for a login to decide.
 */
struct cortex_standing;

/*
 *   in   policy: must outlive the object
 *   out  standing_out: release with cortex_standing_free; NULL on failure
 *   gives  CORTEX_OK, CORTEX_INTERNAL
 *   one thread at a time
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_standing_new(const struct cortex_policy *policy, struct cortex_standing **standing_out,
                    struct cortex_error *error);
CORTEX_API void cortex_standing_free(struct cortex_standing **standing);

/*
 * Makes a group known, so that what its name leads to is looked up once. Once for each group.
 *   out  number_out: what cortex_standing_ask calls it
 *   gives  CORTEX_OK, CORTEX_CLAIM_MISMATCH (a login with such a group is refused), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_standing_group(struct cortex_standing *standing, const char *name, uint32_t *number_out,
                      struct cortex_error *error);

/*
 * Asks for a person on every service and level at once. Costs what the permits
 * that name their groups cost, however many services there are; and where no
 * policy looks at the person, what was answered for another one holds.
 *   in   username: admitted; groups: numbers, groups in groups followed
 *   gives  CORTEX_OK, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_standing_ask(struct cortex_standing *standing, const char *username, const uint32_t *groups,
                    size_t group_count, struct cortex_error *error);

/* A level that the last person has; strings are borrowed from the standing. */
struct cortex_standing_level {
  size_t service; /* index for cortex_policy_service */
  enum cortex_level level;
  bool is_conditional; /* a login decides; else it is permitted in every one */
  const char *policy;  /* id of the first permit that decides; "" when conditional */
  const char *reason;  /* its @reason; "" when it has none */
};

/* false: index past the last. What is not among them is refused in every login. */
CORTEX_API bool cortex_standing_get(const struct cortex_standing *standing, size_t index,
                                    struct cortex_standing_level *level_out);

#endif

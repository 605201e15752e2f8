/*
 * The Cedar policy language (as official engine 4.13): policies, entities, requests, decisions.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The library does no I/O, reads no clock and no environment, and has no writable globals: the
 * caller passes bytes together with a name for messages. Ownership: `_new` gives an object that
 * the caller releases with `_free`; every `const` pointer that comes back is borrowed.
 *
 * A store is built by one thread (new, add..., seal). Once sealed it only serves reads and may be
 * shared by threads; a request belongs to one thread at a time.
 */
#ifndef CORTEXAUTH_CEDAR_H
#define CORTEXAUTH_CEDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CEDAR_API __attribute__((visibility("default")))
#define CEDAR_MUST_CHECK __attribute__((warn_unused_result))

/* What a call that can fail gives; zero is success. */
enum cedar_status {
  CEDAR_OK = 0,
  CEDAR_INVALID, /* the text, the JSON or the value is not what Cedar allows */
  CEDAR_LIMIT,   /* a ceiling of limits.h was reached */
  CEDAR_NOMEM,   /* the allocator gave nothing */
  CEDAR_MISUSE,  /* calls in the wrong order, a missing argument */
  CEDAR_DAMAGED  /* a policy image does not hold together */
};

/* Bytes with a length; only texts out of a store are known to have a NUL behind them. */
struct cedar_text {
  const char *ptr;
  size_t len;
};

/* An entity's name: type and id, both as plain bytes (no quotes, no escapes). */
struct cedar_uid_text {
  struct cedar_text type;
  struct cedar_text id;
};

/* One input: its bytes and the name that messages and `FILE#N` ids use (NUL-terminated). */
struct cedar_source {
  const char *name;
  const char *bytes;
  size_t len;
};

/*
 * Why a call failed. The caller's storage; set it to zero once, the first error stays.
 * line and column count from 1, column in bytes; both are 0 when there is no place.
 */
struct cedar_error {
  enum cedar_status status;
  uint32_t line;
  uint32_t column;
  char source[128];
  char message[384];
};

/* Where memory comes from. alloc gives NULL when there is none; free gets the size back. */
struct cedar_allocator {
  void *(*alloc)(void *ctx, size_t size);
  void (*free)(void *ctx, void *ptr, size_t size);
  void *ctx;
};

/* Where printed text goes; put gives false to stop the printer. */
struct cedar_sink {
  bool (*put)(void *ctx, const char *bytes, size_t len);
  void *ctx;
};

struct cedar_store;
struct cedar_request;
struct cedar_request_list;
struct cedar_schema;

/* ---- values ---- */

enum cedar_kind {
  CEDAR_KIND_NONE = 0, /* no value: a constructor failed or nothing is there */
  CEDAR_KIND_BOOL,
  CEDAR_KIND_LONG,
  CEDAR_KIND_STRING,
  CEDAR_KIND_ENTITY,
  CEDAR_KIND_SET,
  CEDAR_KIND_RECORD,
  CEDAR_KIND_DECIMAL,
  CEDAR_KIND_IPADDR,
  CEDAR_KIND_DATETIME,
  CEDAR_KIND_DURATION
};

struct cedar_field;

/* A value, passed by copy. Read it with the calls below only; its members are private. */
struct cedar_value {
  uint8_t kind;
  uint8_t flags;
  uint16_t aux;
  uint32_t n;
  union {
    int64_t i;
    uint32_t id;
    const struct cedar_value *set;
    const struct cedar_field *record;
  } u;
};

/* ---- store: policies and entities, compiled together ---- */

/* How policies get their ids. */
enum cedar_id_mode {
  CEDAR_ID_POSITION, /* policy0, policy1, ... over the whole store, templates counted */
  CEDAR_ID_HOST /* @id("..."), else FILE#N: N counts from 0 in its source, FILE has no folder */
};

/*
 * A new, empty store.
 *
 *   in   allocator: copied; NULL means malloc and free
 *   out  store_out: release with cedar_store_free(); NULL on failure
 *   gives  CEDAR_OK, CEDAR_NOMEM
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_new(const struct cedar_allocator *allocator, struct cedar_store **store_out);

/* Frees a store and leaves NULL. Requests made for it must be gone. Accepts NULL. */
CEDAR_API void cedar_store_free(struct cedar_store **store);

/*
 * Adds the policies and templates of one text. An empty text is fine.
 * A failure leaves the store unusable: every later call on it gives CEDAR_MISUSE.
 *
 *   in   source: need not outlive the call
 *   in   mode: the same for all sources of a store; a duplicate id is an error naming both places
 *   gives  CEDAR_OK, CEDAR_INVALID, CEDAR_LIMIT, CEDAR_NOMEM, CEDAR_MISUSE (sealed)
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_add_policies(struct cedar_store *store, const struct cedar_source *source,
                         enum cedar_id_mode mode, struct cedar_error *error);

/*
 * Adds a JSON policy set ({"staticPolicies":{id:policy},"templates":{id:policy},
 * "templateLinks":[...]}) or one JSON policy ({"effect":...}). Ids are those of the JSON; a lone
 * policy gets its id as in a text. Otherwise as cedar_store_add_policies().
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_add_policies_json(struct cedar_store *store, const struct cedar_source *source,
                              enum cedar_id_mode mode, struct cedar_error *error);

/*
 * Says that requests will often name a text: a type, a key, a word that many of them have. It means
 * nothing for decisions; an image that is read piece by piece has such words at its head.
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status cedar_store_expect(struct cedar_store *store,
                                                                struct cedar_text word);

/*
 * Adds template links, the official CLI's form: [{"template_id":...,"link_id":...,
 * "args":{"?principal":"User::\"alice\""}}] (also templateId/newId/values of a JSON policy set).
 * Templates must have been added before. A missing or superfluous slot, an unknown template and
 * an id that is taken are errors.
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_add_links(struct cedar_store *store, const struct cedar_source *source,
                      struct cedar_error *error);

/*
 * Adds the entities of one JSON text. The same entity twice is fine when it is identical.
 *
 *   in   schema: NULL, or the schema that directs the reading; then every entity must conform and
 *        the schema's actions join the store. Not kept.
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_add_entities(struct cedar_store *store, const struct cedar_source *source,
                         const struct cedar_schema *schema, struct cedar_error *error);

/*
 * Ends the building: computes ancestors (a cycle is an error) and the scope index. Only a sealed
 * store serves requests. Sealing twice is CEDAR_MISUSE.
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status cedar_store_seal(struct cedar_store *store,
                                                              struct cedar_error *error);

/* ---- schema ---- */

/*
 * Reads a schema in its text form (*.cedarschema). It never changes afterwards and may be shared
 * by threads.
 *
 *   in   source: need not outlive the call
 *   in   allocator: copied; NULL means malloc and free
 *   out  schema_out: release with cedar_schema_free(); NULL on failure
 *   gives  CEDAR_OK, CEDAR_INVALID (error says where and what was expected), CEDAR_LIMIT,
 *          CEDAR_NOMEM
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_schema_parse(const struct cedar_source *source, const struct cedar_allocator *allocator,
                   struct cedar_schema **schema_out, struct cedar_error *error);

/* The same for the JSON form. */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_schema_parse_json(const struct cedar_source *source, const struct cedar_allocator *allocator,
                        struct cedar_schema **schema_out, struct cedar_error *error);

/* Frees a schema and leaves NULL. Accepts NULL. Nothing else keeps a pointer to it. */
CEDAR_API void cedar_schema_free(struct cedar_schema **schema);

/* ---- validation ---- */

/* Something that is wrong with a policy, or only odd (a warning). */
struct cedar_finding {
  uint32_t policy; /* index in the store */
  struct cedar_text policy_id;
  struct cedar_text source; /* name of the text the policy came from */
  uint32_t line;
  uint32_t column;
  const char *message;
};

/* All findings, by policy. No error means that the policies are valid. */
struct cedar_findings {
  uint32_t error_count;
  uint32_t warning_count;
  const struct cedar_finding *errors;
  const struct cedar_finding *warnings;
};

struct cedar_validation;

/*
 * Checks all policies, templates and links of a store against a schema, by the strict rules of
 * the official validator. The store may be sealed or not.
 *
 *   in   store: read from texts, not an image; must outlive the validation, which borrows texts
 *   in   allocator: copied; NULL means malloc and free
 *   out  validation_out: release with cedar_validation_free(); NULL on failure
 *   gives  CEDAR_OK (also when there are findings), CEDAR_LIMIT, CEDAR_NOMEM, CEDAR_MISUSE
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_validate(const struct cedar_store *store, const struct cedar_schema *schema,
               const struct cedar_allocator *allocator, struct cedar_validation **validation_out,
               struct cedar_error *error);

/* The findings; borrowed from the validation. */
CEDAR_API struct cedar_findings
cedar_validation_findings(const struct cedar_validation *validation);

/* Frees a validation and leaves NULL. Accepts NULL. */
CEDAR_API void cedar_validation_free(struct cedar_validation **validation);

/* ---- looking at policies ---- */

enum cedar_effect { CEDAR_FORBID = 0, CEDAR_PERMIT };
enum cedar_policy_kind { CEDAR_POLICY_STATIC, CEDAR_POLICY_TEMPLATE, CEDAR_POLICY_LINK };

/* What a policy is called and where it stands. Borrowed from the store. */
struct cedar_policy_info {
  struct cedar_text id;
  struct cedar_text source; /* name of the text it came from */
  uint32_t line;            /* of `permit`, `forbid` or its first annotation */
  uint32_t column;
  enum cedar_effect effect;
  enum cedar_policy_kind kind;
  uint32_t template_index;   /* of a link: its template; else the policy's own index */
  uint32_t annotation_count; /* a link has its template's */
};

/* Number of policies, templates and links; indexes run from 0 in the order they were added. */
CEDAR_API uint32_t cedar_store_policy_count(const struct cedar_store *store);

/* Fills info_out for a policy; false when there is no such index. */
CEDAR_API bool cedar_policy_get(const struct cedar_store *store, uint32_t index,
                                struct cedar_policy_info *info_out);

/* Finds a policy by its id; false when there is none. */
CEDAR_API bool cedar_policy_find(const struct cedar_store *store, struct cedar_text id,
                                 uint32_t *index_out);

/* The value of an annotation (`@key("value")`, "" when it has none); false when it is absent. */
CEDAR_API bool cedar_policy_annotation_get(const struct cedar_store *store, uint32_t index,
                                           const char *key, struct cedar_text *value_out);

/* The position-th annotation of a policy, in text order; false past the last. */
CEDAR_API bool cedar_policy_annotation_at(const struct cedar_store *store, uint32_t index,
                                          uint32_t position, struct cedar_text *key_out,
                                          struct cedar_text *value_out);

/* The parts of a policy's head. */
enum cedar_scope_part { CEDAR_SCOPE_PRINCIPAL, CEDAR_SCOPE_ACTION, CEDAR_SCOPE_RESOURCE };

/* What a policy's head asks of one part; all zero: anything. A template's slot asks for nothing. */
struct cedar_scope_info {
  struct cedar_text type; /* `is`: this type; ptr NULL: any */
  bool is_exact;          /* `==`, else `in` */
  uint32_t entity_count;  /* one of these entities; 0: any */
};

/* Fills info_out for a part of a policy's head; false when there is no such index. */
CEDAR_API bool cedar_policy_scope(const struct cedar_store *store, uint32_t index,
                                  enum cedar_scope_part part, struct cedar_scope_info *info_out);

/* The position-th entity that the part names; false past the last. */
CEDAR_API bool cedar_policy_scope_entity(const struct cedar_store *store, uint32_t index,
                                         enum cedar_scope_part part, uint32_t position,
                                         struct cedar_uid_text *uid_out);

/*
 * Writes a policy or template as canonical Cedar text that parses to the same policy. A link is
 * written with its slots filled in. Comments are not kept.
 *   gives  CEDAR_OK, CEDAR_MISUSE (no such index), CEDAR_LIMIT (the sink stopped)
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_policy_print(const struct cedar_store *store, uint32_t index, const struct cedar_sink *sink);

/*
 * Lays the text of policies out anew: the same tokens and comments, so it parses to the same
 * policies; twice gives the same as once.
 *   gives  CEDAR_OK, what cedar_store_add_policies() gives, CEDAR_LIMIT (the sink stopped)
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_policies_format(const struct cedar_source *source, const struct cedar_sink *sink,
                      struct cedar_error *error);

/* Writes one policy or template in the JSON policy format; a link with its slots filled in. */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_policy_print_json(const struct cedar_store *store, uint32_t index,
                        const struct cedar_sink *sink);

/* Writes all policies, templates and links as one JSON policy set. */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status cedar_store_print_json(const struct cedar_store *store,
                                                                    const struct cedar_sink *sink);

/* ---- looking at entities ---- */

/* An entity of the store. Counts are for the `_at` calls. */
struct cedar_entity_info {
  struct cedar_uid_text uid;
  uint32_t attr_count;
  uint32_t tag_count;
  uint32_t parent_count;
  uint32_t ancestor_count; /* 0 before cedar_store_seal() */
  uint32_t line;           /* where it stands in its source, 0 when unknown */
  uint32_t column;
  struct cedar_text source;
};

/* Number of entities; indexes run from 0 in the order they were added. */
CEDAR_API uint32_t cedar_store_entity_count(const struct cedar_store *store);

/* Fills info_out for an entity; false when there is no such index. */
CEDAR_API bool cedar_entity_get(const struct cedar_store *store, uint32_t index,
                                struct cedar_entity_info *info_out);

/* Finds an entity by type and id; false when it is not in the store. */
CEDAR_API bool cedar_entity_find(const struct cedar_store *store, struct cedar_uid_text uid,
                                 uint32_t *index_out);

/*
 * The next entity of a type, from *cursor on (start with 0); false after the last.
 *   out  index_out: the entity; *cursor is moved behind it
 */
CEDAR_API bool cedar_entity_next_of_type(const struct cedar_store *store, struct cedar_text type,
                                         uint32_t *cursor, uint32_t *index_out);

/* An attribute or a tag by name; false when the entity has none of that name. */
CEDAR_API bool cedar_entity_attr(const struct cedar_store *store, uint32_t index, const char *name,
                                 struct cedar_value *value_out);
CEDAR_API bool cedar_entity_tag(const struct cedar_store *store, uint32_t index, const char *name,
                                struct cedar_value *value_out);

/* The position-th attribute or tag, in no particular order; false past the last. */
CEDAR_API bool cedar_entity_attr_at(const struct cedar_store *store, uint32_t index,
                                    uint32_t position, struct cedar_text *name_out,
                                    struct cedar_value *value_out);
CEDAR_API bool cedar_entity_tag_at(const struct cedar_store *store, uint32_t index,
                                   uint32_t position, struct cedar_text *name_out,
                                   struct cedar_value *value_out);

/* The position-th parent or ancestor (the latter after sealing); false past the last. */
CEDAR_API bool cedar_entity_parent_at(const struct cedar_store *store, uint32_t index,
                                      uint32_t position, struct cedar_uid_text *uid_out);
CEDAR_API bool cedar_entity_ancestor_at(const struct cedar_store *store, uint32_t index,
                                        uint32_t position, struct cedar_uid_text *uid_out);

/* ---- reading values of a store ---- */

/* The kind of a value. */
CEDAR_API enum cedar_kind cedar_value_kind(struct cedar_value value);

/* Each reads one kind and gives false for any other. */
CEDAR_API bool cedar_value_get_bool(struct cedar_value value, bool *out);
CEDAR_API bool cedar_value_get_long(struct cedar_value value, int64_t *out);
CEDAR_API bool cedar_value_get_string(const struct cedar_store *store, struct cedar_value value,
                                      struct cedar_text *out);
CEDAR_API bool cedar_value_get_entity(const struct cedar_store *store, struct cedar_value value,
                                      struct cedar_uid_text *out);
/* Milliseconds of a datetime (since 1970) or of a duration. */
CEDAR_API bool cedar_value_get_millis(struct cedar_value value, int64_t *out);

/* Number of elements of a set or fields of a record, 0 for other kinds. */
CEDAR_API uint32_t cedar_value_count(struct cedar_value value);

/* The position-th element of a set; false past the last or for other kinds. */
CEDAR_API bool cedar_value_element(const struct cedar_store *store, struct cedar_value value,
                                   uint32_t position, struct cedar_value *out);

/* A field of a record by name, or by position; false when there is none. */
CEDAR_API bool cedar_value_field(const struct cedar_store *store, struct cedar_value value,
                                 const char *name, struct cedar_value *out);
CEDAR_API bool cedar_value_field_at(const struct cedar_store *store, struct cedar_value value,
                                    uint32_t position, struct cedar_text *name_out,
                                    struct cedar_value *out);

/* ---- request ---- */

/*
 * A new request for a sealed store, which must outlive it.
 *   in   allocator: copied; NULL means the store's
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_request_new(const struct cedar_store *store, const struct cedar_allocator *allocator,
                  struct cedar_request **request_out);

/* Frees a request and leaves NULL. Accepts NULL. */
CEDAR_API void cedar_request_free(struct cedar_request **request);

/* Empties a request for reuse: principal, context, values, answers. Keeps its memory. */
CEDAR_API void cedar_request_reset(struct cedar_request *request);

/*
 * Building. These calls keep the first failure in the request; a later cedar_authorize() (or
 * explain, partial) then fails with it, so the caller may check once. Type names must be
 * normalized (`A::B`), texts valid UTF-8.
 */
CEDAR_API void cedar_request_set_principal(struct cedar_request *request,
                                           struct cedar_uid_text uid);
CEDAR_API void cedar_request_set_action(struct cedar_request *request, struct cedar_uid_text uid);
CEDAR_API void cedar_request_set_resource(struct cedar_request *request, struct cedar_uid_text uid);

/*
 * For this request the resource is in that entity too, beside what the store says of it: for
 * resources that nobody lists. Until set_resource names the next one, which is called before.
 */
CEDAR_API void cedar_request_set_resource_parent(struct cedar_request *request,
                                                 struct cedar_uid_text uid);

/*
 * Makes an entity of the principal's name that exists for this request only and replaces one of
 * that name in the store. Call after set_principal, before overlay_attr, _tag and _parent.
 * Ancestors are found through the store. Entities of the store keep the ancestors they have.
 */
CEDAR_API void cedar_request_overlay_principal(struct cedar_request *request);
CEDAR_API void cedar_request_overlay_attr(struct cedar_request *request, struct cedar_text name,
                                          struct cedar_value value);
CEDAR_API void cedar_request_overlay_tag(struct cedar_request *request, struct cedar_text name,
                                         struct cedar_value value);
CEDAR_API void cedar_request_overlay_parent(struct cedar_request *request,
                                            struct cedar_uid_text uid);

/* Adds a field to the context, which is empty otherwise. The same name twice is a failure. */
CEDAR_API void cedar_request_context_put(struct cedar_request *request, struct cedar_text name,
                                         struct cedar_value value);

/*
 * Values for this request; they live until it is reset. On failure kind is CEDAR_KIND_NONE and
 * the request keeps the error.
 */
CEDAR_API struct cedar_value cedar_value_bool(bool b);
CEDAR_API struct cedar_value cedar_value_long(int64_t i);
CEDAR_API struct cedar_value cedar_value_datetime_ms(int64_t epoch_ms);
CEDAR_API struct cedar_value cedar_value_string(struct cedar_request *request,
                                                struct cedar_text text);
CEDAR_API struct cedar_value cedar_value_entity(struct cedar_request *request,
                                                struct cedar_uid_text uid);
CEDAR_API struct cedar_value cedar_value_set(struct cedar_request *request,
                                             const struct cedar_value *elements, size_t count);
CEDAR_API struct cedar_value cedar_value_string_set(struct cedar_request *request,
                                                    const struct cedar_text *texts, size_t count);
CEDAR_API struct cedar_value cedar_value_record(struct cedar_request *request,
                                                const struct cedar_text *names,
                                                const struct cedar_value *values, size_t count);
/* An extension value of that kind from its text: ip, decimal, datetime, duration. */
CEDAR_API struct cedar_value cedar_value_extension(struct cedar_request *request,
                                                   enum cedar_kind kind, struct cedar_text text);

/* The failure that building has met so far; false when there is none. */
CEDAR_API bool cedar_request_error(const struct cedar_request *request,
                                   struct cedar_error *error_out);

/*
 * Reads a JSON array of requests: {"principal","action","resource","context"}, an entity being
 * {"type","id"}, {"__entity":{..}} or the string Type::"id". Only JSON errors are found here.
 *   in   source: must outlive the list
 *   out  list_out: release with cedar_request_list_free()
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_request_list_parse(const struct cedar_source *source, const struct cedar_allocator *allocator,
                         struct cedar_request_list **list_out, struct cedar_error *error);
CEDAR_API void cedar_request_list_free(struct cedar_request_list **list);
CEDAR_API size_t cedar_request_list_count(const struct cedar_request_list *list);

/*
 * Resets the request and fills it from the list's item.
 *   in   schema: NULL, or the schema that directs the reading of the context and that principal,
 *        action, resource and context must conform to
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_request_fill(struct cedar_request *request, const struct cedar_request_list *list,
                   size_t position, const struct cedar_schema *schema, struct cedar_error *error);

/* ---- decisions ---- */

enum cedar_decision { CEDAR_DENY = 0, CEDAR_ALLOW };

/* A policy that could not be evaluated and why. */
struct cedar_policy_error {
  uint32_t policy;
  const char *message;
};

/* An answer; all zero is a deny. Arrays are in policy order, borrowed until the next call. */
struct cedar_answer {
  enum cedar_decision decision;
  uint32_t reason_count;
  uint32_t error_count;
  const uint32_t *reasons; /* the policies that decided */
  const struct cedar_policy_error *errors;
};

/*
 * Decides a request: forbid over permit, deny by default. A policy that errors is skipped and
 * reported. Change the action or the resource and call again to ask several questions.
 *
 *   out  answer_out: a deny unless CEDAR_OK; its arrays live until the request is used again
 *   gives  CEDAR_OK, CEDAR_MISUSE (principal, action or resource missing), CEDAR_LIMIT,
 *          CEDAR_NOMEM, CEDAR_INVALID (building had failed), CEDAR_DAMAGED
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status cedar_authorize(struct cedar_request *request,
                                                             struct cedar_answer *answer_out,
                                                             struct cedar_error *error);

/* ---- explain ---- */

/* An attribute or variable that a clause read: as written, and its value as Cedar text. */
struct cedar_observation {
  const char *expression;
  const char *value; /* "absent" when it has none */
};

/* A permit that did not apply, and the first thing in it that failed. */
struct cedar_near_miss {
  uint32_t policy;
  uint32_t matched;    /* scope parts that matched, 0 to 3 */
  const char *clause;  /* text of the scope part or of the condition's failing conjunct */
  const char *outcome; /* "was false", "was true" (of an unless), or the evaluation error */
  uint32_t line;
  uint32_t column;
  uint32_t observation_count;
  const struct cedar_observation *observations;
};

struct cedar_explanation {
  struct cedar_answer answer;
  uint32_t near_count; /* nearest first; 0 for an allow */
  const struct cedar_near_miss *near;
};

/*
 * Decides like cedar_authorize() and says why: for a deny without a forbid, up to max_near permits
 * that came closest. Templates are left out, links are in. Walks all policies: for people.
 *   out  explanation_out: strings and arrays live until the request is used again
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_explain(struct cedar_request *request, uint32_t max_near,
              struct cedar_explanation *explanation_out, struct cedar_error *error);

/* ---- partial evaluation: the context is unknown ---- */

enum cedar_partial_decision {
  CEDAR_PARTIAL_DENY = 0,
  CEDAR_PARTIAL_ALLOW,
  CEDAR_PARTIAL_CONDITIONAL
};

/* A policy whose outcome depends on the context. */
struct cedar_residual {
  uint32_t policy;
  enum cedar_effect effect;
  const char *condition; /* what is left to be true, as a Cedar expression */
};

struct cedar_partial_answer {
  enum cedar_partial_decision decision;
  uint32_t reason_count; /* policies satisfied whatever the context is */
  const uint32_t *reasons;
  uint32_t residual_count; /* policies that still matter; 0 unless conditional */
  const struct cedar_residual *residuals;
  uint32_t error_count;
  const struct cedar_policy_error *errors;
};

/*
 * Decides with every context attribute unknown; a context in the request is ignored. Allow and
 * deny hold for every context, conditional depends on it.
 *   out  answer_out: as with cedar_authorize()
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_authorize_partial(struct cedar_request *request, struct cedar_partial_answer *answer_out,
                        struct cedar_error *error);

/* ---- policy image: a sealed store as one block of bytes ---- */

/*
 * Writes a sealed store as an image.
 *   in   stamp: the caller's bytes (what the store was made from), kept in the image
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_write_image(const struct cedar_store *store, struct cedar_text stamp,
                        const struct cedar_sink *sink);

/* The stamp of an image; false when the bytes are no image of this format version and size. */
CEDAR_API bool cedar_image_stamp(const void *bytes, size_t len, struct cedar_text *stamp_out);

/*
 * A sealed store that works inside an image's bytes. Costs the same whatever the size is: offsets
 * are checked when they are used, and a damaged image ends in CEDAR_DAMAGED, never in a crash.
 *   in   bytes: aligned to 16, must not change and must outlive the store
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_open_image(const void *bytes, size_t len, const struct cedar_allocator *allocator,
                       struct cedar_store **store_out, struct cedar_error *error);

/* Where an image is read from, piece by piece. */
struct cedar_image_source {
  /* Puts len bytes from offset into memory; false when they cannot all be read. */
  bool (*read)(void *ctx, uint64_t offset, void *into, size_t len);
  void *ctx;
  uint64_t size;    /* of the image */
  uint64_t at_once; /* an image of up to so many bytes is read as a whole */
};

/*
 * A sealed store that reads of an image only what it is asked about, when it is asked, and keeps
 * it: a file that others may truncate must not be mapped, and reading it whole costs more than a
 * decision. Otherwise as cedar_store_open_image(). The store must not be used by two threads.
 *   in   source: copied; what it reads from must not change and must outlive the store
 */
CEDAR_API CEDAR_MUST_CHECK enum cedar_status
cedar_store_read_image(const struct cedar_image_source *source,
                       const struct cedar_allocator *allocator, struct cedar_store **store_out,
                       struct cedar_error *error);

/*
 * A part of the stamp of the image that a store came from, borrowed until the store is freed and
 * aligned as its offset is (up to 16); NULL when the stamp has no such part or cannot be read.
 */
CEDAR_API const char *cedar_store_stamp(const struct cedar_store *store, size_t offset, size_t len);

/*
 * Reads what is left of an image, so that its source is not needed any more; false when that
 * fails. True for every other store.
 */
CEDAR_API CEDAR_MUST_CHECK bool cedar_store_make_whole(const struct cedar_store *store);

/*
 * Whether a store met a piece of its image that could not be read or lay outside. Calls that have
 * no status gave less than there is: what was asked since cedar_store_read_image() must not count.
 */
CEDAR_API bool cedar_store_failed(const struct cedar_store *store);

/* Reads the whole image and compares its digest; for `check`, not for a login. */
CEDAR_API bool cedar_image_is_intact(const void *bytes, size_t len);

#ifdef __cplusplus
}
#endif

#endif

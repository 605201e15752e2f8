/*
 * The SAML kind of credential: base64 to XML, asked of the helper, answer to identity.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "saml/saml.h"

#include <stdlib.h>
#include <string.h>

#include "saml/profile.h"
#include "saml/question.h"
#include "saml/worker.h"
#include "util/base64.h"
#include "util/secret.h"
#include "util/text.h"

#define LINE_ENDS "\r\n"
#define LOOK_AT 16 /* letters: enough for a mark of byte order and a few blanks */

/* The first byte that is neither blank nor a mark of byte order; 0: there is none. */
static char first_byte(const char *bytes, size_t len) {
  static const char mark[] = "\xef\xbb\xbf";

  if (len >= 3 && memcmp(bytes, mark, 3) == 0) {
    bytes += 3;
    len -= 3;
  }
  for (; len > 0; bytes++, len--)
    if (strchr(" \t\r\n", *bytes) == NULL || *bytes == '\0')
      return *bytes;
  return '\0';
}

/* The first bytes of an XML document in an encoding that is refused by name (XML 1.0 appendix F). */
static bool is_other_encoding(const uint8_t *bytes, size_t len) {
  static const uint8_t marks[][4] = {{0xfe, 0xff, 0, '<'}, {0xff, 0xfe, '<', 0}, {0, '<', 0, '?'},
                                     {'<', 0, '?', 0},     {0, 0, 0, '<'},       {'<', 0, 0, 0},
                                     {0, 0, 0xfe, 0xff},   {0xff, 0xfe, 0, 0},   {0, '<', 0, 's'},
                                     {0x4c, 0x6f, 0xa7, 0x94}};
  size_t i;

  for (i = 0; len >= 4 && i < sizeof marks / sizeof marks[0]; i++)
    if (memcmp(bytes, marks[i], 4) == 0)
      return true;
  return false;
}

/* XML, in base64 or bare (refused later by name). No JWT begins like it. */
static bool recognises(const char *bytes, size_t len) {
  uint8_t decoded[CX_BASE64_SIZE(LOOK_AT)];
  char letters[LOOK_AT];
  size_t count = 0, size, i;

  if (first_byte(bytes, len) == '<')
    return true;
  for (i = 0; i < len && count < LOOK_AT; i++)
    if (bytes[i] != '\r' && bytes[i] != '\n')
      letters[count++] = bytes[i];
  return count >= 4 &&
         cx_base64_decode(letters, count / 4 * 4, "", decoded, &size) &&
         (first_byte((const char *)decoded, size) == '<' || is_other_encoding(decoded, size));
}

/* The response as XML in UTF-8 text; what it says is for the helper to read. */
static enum cortex_reason decode(const struct cortex_credential *credential, struct cx_buf *xml,
                                 struct cortex_error *error) {
  char *room = cx_buf_reserve(xml, CX_BASE64_SIZE(credential->len));
  size_t len;

  if (room == NULL)
    return cx_error_memory(error);
  if (!cx_base64_decode(credential->bytes, credential->len, LINE_ENDS, (uint8_t *)room, &len))
    return cx_error_set(error, CORTEX_BAD_ENCODING, "the SAML response is not strict base64");
  xml->len = len;
  if (!cx_text_is_utf8(room, len) || memchr(room, '\0', len) != NULL)
    return cx_error_set(error, CORTEX_BAD_ENCODING, "the SAML response is not UTF-8 text");
  return CORTEX_OK;
}

static enum cortex_reason ask(const struct cx_trust *trust,
                              const struct cortex_credential *credential, const struct cx_buf *xml,
                              struct cx_buf *answer, struct cortex_error *error) {
  const struct cx_saml_worker worker = {
      credential->helper != NULL ? credential->helper : SAML_HELPER, credential->clock,
      credential->deadline};
  enum cortex_reason reason;
  struct cx_buf question;

  reason = cx_saml_question_make(trust, credential, xml, &question, error);
  if (reason == CORTEX_OK)
    reason = cx_saml_worker_ask(&worker, &question, answer, error);
  cx_buf_clear(&question);
  return reason;
}

static enum cortex_reason verify(const struct cx_trust *trust,
                                 const struct cortex_credential *credential,
                                 struct cortex_identity **identity_out,
                                 struct cortex_error *error) {
  struct cortex_identity *identity = cx_identity_new();
  enum cortex_reason reason;
  struct cx_buf xml, answer;

  *identity_out = NULL;
  if (identity == NULL)
    return cx_error_memory(error);
  cx_buf_init(&xml, CX_BASE64_SIZE(CORTEX_CREDENTIAL_MAX));
  cx_buf_init(&answer, 0);
  reason = decode(credential, &xml, error);
  if (reason == CORTEX_OK)
    reason = ask(trust, credential, &xml, &answer, error);
  if (reason == CORTEX_OK)
    reason = cx_saml_profile_read(trust, &answer, credential->now, identity, error);
  if (reason == CORTEX_OK) {
    *identity_out = identity;
    identity = NULL;
  }
  cx_buf_clear(&xml);
  cx_buf_clear(&answer);
  cortex_identity_free(&identity);
  return reason;
}

const struct cx_credential_kind cx_saml_kind = {CX_KIND_SAML, recognises, verify};

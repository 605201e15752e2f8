/*
 * Asking a SAML identity provider for a response (AuthnRequest, HTTP-Redirect binding).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "saml_request.h"

#include <openssl/evp.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include "wipe.h"

#define ID_BYTES 20

static void put_escaped(struct text *xml, const char *text) {
  for (; *text != '\0'; text++)
    switch (*text) {
    case '&':
      text_put(xml, "&amp;");
      break;
    case '<':
      text_put(xml, "&lt;");
      break;
    case '"':
      text_put(xml, "&quot;");
      break;
    default:
      text_put_bytes(xml, text, 1);
    }
}

static void put_attribute(struct text *xml, const char *name, const char *value) {
  text_put(xml, " ");
  text_put(xml, name);
  text_put(xml, "=\"");
  put_escaped(xml, value);
  text_put(xml, "\"");
}

/* An ID is an NCName, and nobody guesses it (SAML Core 1.3.4). */
static bool put_id(struct text *xml) {
  unsigned char bytes[ID_BYTES];
  size_t i;

  if (RAND_bytes(bytes, sizeof bytes) != 1)
    return false;
  text_put(xml, " ID=\"_");
  for (i = 0; i < sizeof bytes; i++)
    text_put_format(xml, "%02x", bytes[i]);
  text_put(xml, "\"");
  return true;
}

static bool put_time(struct text *xml, int64_t now) {
  time_t seconds = (time_t)now;
  char text[32];
  struct tm parts;

  if (gmtime_r(&seconds, &parts) == NULL ||
      strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
    return false;
  put_attribute(xml, "IssueInstant", text);
  return true;
}

static bool put_request(struct text *xml, const struct profile *profile, const char *consumer,
                        int64_t now) {
  text_put(xml, "<samlp:AuthnRequest xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0:protocol\"");
  if (!put_id(xml) || !put_time(xml, now))
    return false;
  put_attribute(xml, "Version", "2.0");
  put_attribute(xml, "Destination", profile->sso_url);
  put_attribute(xml, "AssertionConsumerServiceURL", consumer);
  put_attribute(xml, "ProtocolBinding", "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST");
  text_put(xml, "><saml:Issuer xmlns:saml=\"urn:oasis:names:tc:SAML:2.0:assertion\">");
  put_escaped(xml, profile->sp_entity_id);
  text_put(xml, "</saml:Issuer></samlp:AuthnRequest>");
  return text_end(xml) != NULL;
}

/* One stored block is a whole deflate stream (RFC 1951 3.2.4): a request is too short to gain. */
static bool put_deflated(struct text *stream, const struct text *xml) {
  size_t len = xml->len, inverse = ~len;
  const unsigned char head[] = {1, (unsigned char)len, (unsigned char)(len >> 8),
                                (unsigned char)inverse, (unsigned char)(inverse >> 8)};

  if (len > 65535)
    return false;
  text_put_bytes(stream, (const char *)head, sizeof head);
  text_put_bytes(stream, xml->bytes, len);
  return text_end(stream) != NULL;
}

static bool put_base64(struct text *request, const struct text *stream) {
  unsigned char *encoded = wipe_alloc((stream->len + 2) / 3 * 4 + 1);

  if (encoded == NULL)
    return false;
  EVP_EncodeBlock(encoded, (const unsigned char *)stream->bytes, (int)stream->len);
  text_put(request, (const char *)encoded);
  wipe_free(encoded);
  return text_end(request) != NULL;
}

bool saml_request_make(const struct profile *profile, const char *consumer, int64_t now,
                       struct text *request) {
  struct text xml = {0}, stream = {0};
  bool done = consumer != NULL && put_request(&xml, profile, consumer, now) &&
              put_deflated(&stream, &xml) && put_base64(request, &stream);

  if (!done)
    cli_complain("\"%s\": no request to the identity provider could be made", profile->label);
  text_clear(&xml);
  text_clear(&stream);
  return done;
}

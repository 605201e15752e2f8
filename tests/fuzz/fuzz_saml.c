/*
 * Fuzzes a SAML response from its first byte to the identity: the helper's whole path, in this
 * process. SPDX-License-Identifier: PostgreSQL
 *
 * An input is a document as it is sent, by keys whose private half no fuzzer has: whoever is
 * told to be "admin" by one of those has broken the signature. An input that begins with
 * 'S' is signed anew first (saml_resign.h), so that the rules behind the signature are met.
 * The seeds are tests/cases/saml.
 */
#include <jansson.h>
#include <libxml/parser.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "saml_resign.h"
#include "signature.h"
#include "xml_mutator.h"

#define NOW 1700000000
#define RESIGN 'S'

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed);

/* libFuzzer's own; not there when a corpus is only replayed. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t room);

static const char metadata[] =
    "<md:EntityDescriptor xmlns:md=\"urn:oasis:names:tc:SAML:2.0:metadata\" entityID=\"https://i"
    "dp.example/metadata\"><md:IDPSSODescriptor protocolSupportEnumeration=\"urn:oasis:names:tc"
    ":SAML:2.0:protocol\"><md:KeyDescriptor use=\"signing\"><ds:KeyInfo xmlns:ds=\"http://www.w3."
    "org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>MIIClTCCAX2gAwIBAgIBATANBgkqhkiG9"
    "w0BAQsFADAOMQwwCgYDVQQDDANpZHAwHhcNMjAwMTAxMDAwMDAwWhcNNDkwMTAxMDAwMDAwWjAOMQwwCgYDVQQDD"
    "ANpZHAwggEiMA0GCSqGSIb3DQEBAQUAA4IBDwAwggEKAoIBAQCwbVzHNZjS/sNEwgB0TuwWOhkqHJA4bF6OqICGy"
    "tlQ5dz5IbsGh16HbKDlZah05aCO6TyKUyKEkT201pD1fpIOnYkOCoJ4O7F3pt+YlozGM0mA2KUWUs9O+D475Jm5q"
    "Q/GSqhn6xT90jQ1x3llQnxSgqMc5+CN8zqM2SUmFa8flWKF7IOVOPFPmmw7oYmE9TGfUkbjpN7yBJ/08ePxgBZkk"
    "R0ES+KuKXPHXnMfxtb55TT3JBSmXQ2HYNZAxGkE3RmNZaJpJjt1EaeuiadPrzV0FPbqYpiRv2VjIsWxiANAeU10B"
    "QVCRZfsxDiv4V7INtrjpwU46oacyttmIL3b1fajAgMBAAEwDQYJKoZIhvcNAQELBQADggEBADHc4rlLeTY06bjSn"
    "vseCqZN2dMb0VY6E1OB4XctH+iPMaZqTJ7C+ytOYsuPVvgC9inQ7hygbHN2qreT/dWgPlfXzn6oMJWqM/Nfbi9Ab"
    "u+cSruIF9Fva/YoAgHYkawHZzTlFfroufRYZF3Z3UHK0GerAxHadFNe1fONRiWN31b8Ls4PPPHpdX7FAjn2Zri5f"
    "tEASHDgpF+faGg+tNkxFg+fP4c2xHFHIbreTfd9eHq4w4T0e9OupzSTYCGD2Ue0i74gjGnmXUF5yplGcgFtU+V1O"
    "7bQZ3P3jF3Tg3iVbNQuVoJUs0man9NBc05RQQTeCn7/qM+1cYZ4W3kNoYOQl4M=</ds:X509Certificate></ds"
    ":X509Data></ds:KeyInfo></md:KeyDescriptor><md:KeyDescriptor use=\"signing\"><ds:KeyInfo xm"
    "lns:ds=\"http://www.w3.org/2000/09/xmldsig#\"><ds:X509Data><ds:X509Certificate>MIIBzjCBt6A"
    "DAgECAgEDMA0GCSqGSIb3DQEBCwUAMA4xDDAKBgNVBAMMA2lkcDAeFw0yMDAxMDEwMDAwMDBaFw00OTAxMDEwMDA"
    "wMDBaMBMxETAPBgNVBAMMCGlkcC1wMjU2MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEFZKtZK4OXwk/x2evpbc"
    "nOK4OTdAJ+qEjj5hHLD3CAibH+2oiia1ViqyLr2Kw/i9zucfJPeOvATb6EOH0X332HzANBgkqhkiG9w0BAQsFAAO"
    "CAQEANmscYVTDy6+ZqHP62MdaFXNLim2pElA7N8vAcej3sP1FnciS/F4lWVVU31uLU1ohd2Szq5itK+Stu7NhFb2"
    "ULXKGapvNoqGpOm8XbtE0BW1kLSoC0iWdE+pQA/FEraMDh2k8c3spf6mBnnNe8VfwWRLvnHFgVzon1F0f3+xUZQf"
    "Cu+3QTnGsI4dSrigakS2RJ1WAblu3v+JaPh8s6x3xIMx2gvjKEYII5kMWl+cAn/iabd/BS2RivzySQdFuJqD9Mni"
    "iYILcwfiVv3sjyFd31lb4mGzg2bKyV1+Bnia426Pc4L2t/jlWxSR9HT+RmNYDcTdtMQizm0lBffdadtg9Kw==</d"
    "s:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor><md:SingleSignOnService "
    "Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect\" Location=\"https://idp.examp"
    "le/metadata/sso\"/></md:IDPSSODescriptor></md:EntityDescriptor>";

static const char sp_key[] = "-----BEGIN PRIVATE KEY-----\n"
                             "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQDD6ew6/oNregPN\n"
                             "hFqHBYr0qyYanJKw7dzI28HKtY3g9oRpp9D+hxX20gVK7Lad2oh57nLGIqW20zmY\n"
                             "RjsGMZNthXLWIwdi1cp246wN1XdgngTN1lUZmR/8tE2ne6+6Xnoufzn6ykUGL3mP\n"
                             "5vyaiCpSJdw78wl4ETxrmOJHdeAX1J5SNWkTrGbGJZ0PULxDQbbaNDuC39vgVsEn\n"
                             "C2QBiFjvxDfeL7Plh9u63jyW2tWWB9YG0jcn+0yoNi3a0QAtlOZwPjpxeFxbQEE8\n"
                             "iJGJOTfCDa31RQA+xLUIvH/iHeOO34cQI1AAD8UUb44wuuQbKozuzmNLQG2zJG/o\n"
                             "+2pllSYZAgMBAAECggEAECcTXWZSWMxHr7xFt/vsoeFSDA/kds63vT5EJzXKl7WP\n"
                             "g4QM8s1Zsd7NRakIYfGsfqwanawp4E3gQeYpc+hmvLkL16yt7VfN4HlDPGVBGU/R\n"
                             "+tQc8lY6CUxm2iQUICAtv/NoqP0gDYNgyQzs/wMyxRDezHkMavA13HOvlV96PVCa\n"
                             "9UKB7/kPFKeoxpH0ZlqEhvmpXUyi/AFHcYFhEZ9VNR1QQiuX5dEEXcfOectqvEv/\n"
                             "dqXfI/enbJdasBAn/AidJezSYPofNYSJwETVrfZKYNBomN7dhwRKY4RCAYv3ncRr\n"
                             "ncgFqRrcfvpEgazHAdvlG1+Ak2w1b9j8SS7+PK3CoQKBgQD0zQWmtaT2nRtFdFTm\n"
                             "S+lzom5B9tpbbZNwt7Um+Ywi2BcEABg6ZaRtFhP0dy0GFeuKxxDysDoRJcxJnJIK\n"
                             "rXlXqbJpdLou1xZmzfV39ZAud9DgK2R8y0ozXgf0yQhZIdKdTCrf8QfsxQKJ+CuP\n"
                             "dMBASvL5HxoJejHHNhjS1Bec+QKBgQDM4FxftbtAiRZnNJzzi4FGERki51karJAv\n"
                             "JPra3sh0BIv6oUiMghz/2TYgCY8Ab/83H9SDSt5AJZHP2dYJ4bOE8V2CB6VKKtOt\n"
                             "lg3UH+luJwEkQ3ZJE0xjghVsh+Jh+9z3ZpgXgOt/FPF3wSF1du32wU8eodKrc8ny\n"
                             "/zWaCqW6IQKBgQDQ5pxp9Rw+7za0gF9q32DqsrQQSo1v9AQb7kkCZ3X0zh5l5YbH\n"
                             "XrF//ZUtyv168f28wb9uun/y3iSEtL3TqtGfw0piv5+aFSYiuKM+qSlO3iQ7CAyK\n"
                             "ihhZ2WZEt8EN/tTyMmtsCw3OORi/kC3sD593vf22JZpceBA+haWNVDyKUQKBgH9G\n"
                             "2twywDOldp+DFgZPIm5u7Ni8NKTXk3NWW+lhAdLhiDyZucJgird/L5rTlV1GNpz+\n"
                             "Tz2JY20iaeVghRH6f1YVxGulaFAdLwfl8o1XjeL6pEDtECzxqkEfbUPRXxhUKcAg\n"
                             "olfnpWV7k088UhbxXYAwM4DqM0CEXG9zkM8z0iVBAoGALd9DOMxcK/zkYcKwmpza\n"
                             "yvp8UmB4n0mPR04CqroeGDdhoN1hR0ndutPSqIah8yN3t+2xU+xaskfSd5guOsfc\n"
                             "y1BJf2X6PXzc+GXXzFk23rF4rR6C5jFd8ju+Skn9TDDU3NY6O/iklvpYAArwDsCf\n"
                             "6IBTQAihkJ+VQICny5BCFF0=\n"
                             "-----END PRIVATE KEY-----\n";

/* As the library asks, which sends no bytes but UTF-8 without NUL; NULL for others. */
static json_t *make_question(const char *xml, size_t len) {
  json_t *response = memchr(xml, '\0', len) == NULL ? json_stringn(xml, len) : NULL;

  if (response == NULL)
    return NULL;
  return json_pack("{so sI s[{ss ss ss ss s[ss] sb sI ss}]}", "response", response, "now",
                   (json_int_t)NOW, "providers", "label", "idp", "metadata", metadata, "audience",
                   "https://db.example/saml", "acs_url", "https://db.example/saml/acs",
                   "algorithms", "RS256", "ES256", "unsolicited", 1, "skew", (json_int_t)60, "key",
                   sp_key);
}

/* What an accepted response may say, whatever it was made of. */
static void check_identity(const json_t *answer, int is_resigned) {
  const char *subject = json_string_value(json_object_get(answer, "subject"));

  if (subject == NULL || *subject == '\0' ||
      json_integer_value(json_object_get(answer, "usable_until")) + 60 <= NOW)
    abort();
  if (!is_resigned && strcmp(subject, "admin") == 0)
    abort();
}

/* Exactly as many bytes as the text has, so that AddressSanitizer sees a read past the end. */
static void ask(const char *xml, size_t len, int is_resigned) {
  json_t *question = make_question(xml, len), *answer;
  char *text = question != NULL ? json_dumps(question, JSON_COMPACT) : NULL, *bytes, *reply;
  size_t size;

  json_decref(question);
  if (text == NULL)
    return;
  size = strlen(text);
  bytes = malloc(size);
  if (bytes == NULL)
    abort();
  memcpy(bytes, text, size);
  reply = saml_answer(bytes, size);
  answer = reply != NULL ? json_loads(reply, 0, NULL) : NULL;
  if (answer == NULL)
    abort();
  if (json_is_true(json_object_get(answer, "ok")))
    check_identity(answer, is_resigned);
  json_decref(answer);
  free(reply);
  free(bytes);
  free(text);
}

static void say_nothing(void *context, const char *format, ...) {
  (void)context;
  (void)format;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  static int is_ready; /* libFuzzer calls it, what replays a corpus does not */

  (void)argc;
  (void)argv;
  if (is_ready)
    return 0;
  if (!saml_signature_init() || saml_resign_init() != 0)
    abort();
  is_ready = 1;
  xmlSetGenericErrorFunc(NULL, say_nothing); /* libxml2 tells of canonicalisation there */
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  size_t len;
  char *text;

  LLVMFuzzerInitialize(NULL, NULL);
  if (size == 0 || data[0] != RESIGN) {
    ask((const char *)data, size, 0);
    return 0;
  }
  text = saml_resign(data + 1, size - 1, &len);
  if (text != NULL)
    ask(text, len, 1);
  xmlFree(text);
  return 0;
}

/* Mostly changes of XML; now and then of bytes, and of whether it is signed anew. */
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t room, unsigned seed) {
  size_t head = size > 0 && data[0] == RESIGN;
  unsigned kind = seed % 16, count;

  if (kind == 0 && head == 0 && size + 1 <= room) {
    memmove(data + 1, data, size);
    data[0] = RESIGN;
    return size + 1;
  }
  if (kind == 1 && LLVMFuzzerMutate != NULL)
    return LLVMFuzzerMutate(data, size, room);
  for (count = 0; count <= kind % 3; count++)
    size = head + xml_mutate(data + head, size - head, room - head, seed * 31 + count);
  return size;
}

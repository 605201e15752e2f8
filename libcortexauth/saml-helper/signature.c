/*
 * XML signatures (XML-DSig, SAML core 5.4): one shape, pinned keys, and the bytes they cover.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "signature.h"

#include <libxml/parser.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>
#include <xmlsec/xmlsec.h> /* before the others, which do not stand alone */

#include <xmlsec/errors.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/openssl/evp.h>
#include <xmlsec/xmldsig.h>

#include "tree.h"
#include "util/quote.h"

/* A transform of xmlsec by the identifier that a document names it with. */
struct transform {
  const char *uri;
  xmlSecTransformId (*id)(void);
  const char *name;     /* of a signature algorithm, as the configuration writes it */
  const char *key_type; /* what its key must be */
};

/* RFC 9231 2.3.2, 2.3.6. No HMAC: a public key must never become a shared secret. No SHA-1, no MD5. */
static const struct transform signature_methods[] = {
    {NS_DSIG_MORE "rsa-sha256", xmlSecOpenSSLTransformRsaSha256GetKlass, "RS256", "RSA"},
    {NS_DSIG_MORE "rsa-sha384", xmlSecOpenSSLTransformRsaSha384GetKlass, "RS384", "RSA"},
    {NS_DSIG_MORE "rsa-sha512", xmlSecOpenSSLTransformRsaSha512GetKlass, "RS512", "RSA"},
    {NS_DSIG_MORE "ecdsa-sha256", xmlSecOpenSSLTransformEcdsaSha256GetKlass, "ES256", "EC"},
    {NS_DSIG_MORE "ecdsa-sha384", xmlSecOpenSSLTransformEcdsaSha384GetKlass, "ES384", "EC"},
    {NS_DSIG_MORE "ecdsa-sha512", xmlSecOpenSSLTransformEcdsaSha512GetKlass, "ES512", "EC"},
    {NULL, NULL, NULL, NULL},
};

static const struct transform digest_methods[] = {
    {NS_XENC "sha256", xmlSecOpenSSLTransformSha256GetKlass, NULL, NULL},
    {NS_DSIG_MORE "sha384", xmlSecOpenSSLTransformSha384GetKlass, NULL, NULL},
    {NS_XENC "sha512", xmlSecOpenSSLTransformSha512GetKlass, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

/* Core 5.4.3 names both forms. What is read is these bytes, where comments are judged again. */
static const struct transform canonicalizations[] = {
    {NS_EXC_C14N, xmlSecTransformExclC14NGetKlass, NULL, NULL},
    {NS_C14N, xmlSecTransformInclC14NGetKlass, NULL, NULL},
    {NS_EXC_C14N "WithComments", xmlSecTransformExclC14NWithCommentsGetKlass, NULL, NULL},
    {NS_C14N "#WithComments", xmlSecTransformInclC14NWithCommentsGetKlass, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

static const struct transform enveloped[] = {
    {NS_DSIG "enveloped-signature", xmlSecTransformEnvelopedGetKlass, NULL, NULL},
    {NULL, NULL, NULL, NULL},
};

/* What a signature says of itself, once its shape is the one we know. */
struct form {
  xmlNode *signature;
  xmlNode *element; /* that it covers */
  const xmlChar *id;
  const struct transform *canonicalization;
  const struct transform *method;
  const struct transform *digest;
};

#define REFUSE(...) cx_error_set(error, CORTEX_REFERENCE_INVALID, __VA_ARGS__)

/*
 * The process lives for one question: no texts of errors that nobody reads, no
 * names of algorithms that are never asked for by name, no clearing up.
 */
static const uint64_t only_what_is_used =
    OPENSSL_INIT_NO_LOAD_CONFIG | OPENSSL_INIT_NO_ATEXIT | OPENSSL_INIT_NO_LOAD_CRYPTO_STRINGS |
    OPENSSL_INIT_NO_ADD_ALL_CIPHERS | OPENSSL_INIT_NO_ADD_ALL_DIGESTS;

bool saml_signature_init(void) {
  if (OPENSSL_init_crypto(only_what_is_used, NULL) != 1)
    return false;
  xmlInitParser();
  if (xmlSecInit() < 0 || xmlSecOpenSSLInit() < 0)
    return false;
  xmlSecErrorsDefaultCallbackEnableOutput(0);
  return true;
}

void saml_signature_end(void) {
  xmlSecOpenSSLShutdown();
  xmlSecShutdown();
  xmlCleanupParser();
}

xmlNode *saml_signature_of(const xmlNode *element) {
  return saml_child(element, NS_DSIG, "Signature");
}

enum cortex_reason saml_signature_check_places(const xmlDoc *doc, const xmlNode *first,
                                               const xmlNode *second, struct cortex_error *error) {
  const xmlNode *node;

  for (node = doc->children; node != NULL; node = saml_walk(node)) {
    if (!saml_is(node, NS_DSIG, "Signature"))
      continue;
    if ((node->parent != first && node->parent != second) || node != saml_signature_of(node->parent))
      return REFUSE("a signature stands where none is expected");
  }
  return CORTEX_OK;
}

static const struct transform *find(const struct transform *table, const xmlNode *node) {
  const char *uri = saml_attribute(node, "Algorithm");

  if (uri == NULL)
    return NULL;
  while (table->uri != NULL && strcmp(table->uri, uri) != 0)
    table++;
  return table->uri != NULL ? table : NULL;
}

/* The children of a node are exactly these elements of XML-DSig, in this order. */
static bool has_children(const xmlNode *parent, const char *const *names) {
  const xmlNode *node = saml_first(parent);

  for (; *names != NULL; names++) {
    if (!saml_is(node, NS_DSIG, *names))
      return false;
    node = saml_next(node);
  }
  return node == NULL;
}

/* The one parameter that a canonicalisation may have (exclusive: a list of prefixes). */
static bool has_known_parameters(const xmlNode *node, const struct transform *transform) {
  const xmlNode *child = saml_first(node);

  if (child == NULL)
    return true;
  return strncmp(transform->uri, NS_EXC_C14N, strlen(NS_EXC_C14N)) == 0 &&
         saml_is(child, NS_EXC_C14N, "InclusiveNamespaces") && saml_next(child) == NULL &&
         saml_first(child) == NULL;
}

/*
 * Core 5.4.4: the enveloped signature and a canonicalisation, nothing else. A
 * transform that picks (XPath, XSLT, base64) would sign less than is read.
 */
static enum cortex_reason read_transforms(const xmlNode *transforms, struct cortex_error *error) {
  const xmlNode *node = saml_first(transforms);
  const struct transform *canonicalization;

  if (!saml_is(node, NS_DSIG, "Transform") || find(enveloped, node) == NULL ||
      saml_first(node) != NULL)
    return REFUSE("the reference's first transform is not the enveloped signature");
  node = saml_next(node);
  if (node == NULL)
    return CORTEX_OK;
  canonicalization = find(canonicalizations, node);
  if (!saml_is(node, NS_DSIG, "Transform") || canonicalization == NULL ||
      !has_known_parameters(node, canonicalization) || saml_next(node) != NULL)
    return REFUSE("the reference has a transform that is not accepted");
  return CORTEX_OK;
}

static enum cortex_reason read_reference(const xmlNode *reference, struct form *form,
                                         struct cortex_error *error) {
  static const char *const children[] = {"Transforms", "DigestMethod", "DigestValue", NULL};
  const char *uri = saml_attribute(reference, "URI");
  const char *id = saml_attribute(form->element, "ID");
  const xmlNode *digest = saml_child(reference, NS_DSIG, "DigestMethod");

  if (!has_children(reference, children))
    return REFUSE("the reference has not the one form that is accepted");
  if (id == NULL || *id == '\0' || uri == NULL || uri[0] != '#' || strcmp(uri + 1, id) != 0)
    return REFUSE("the reference is not to the element that holds the signature");
  form->id = (const xmlChar *)id;
  form->digest = find(digest_methods, digest);
  if (form->digest == NULL || saml_first(digest) != NULL)
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the reference's digest method is not allowed");
  return read_transforms(saml_first(reference), error);
}

static bool is_listed(const json_t *algorithms, const char *name) {
  const json_t *item;
  size_t i;

  json_array_foreach(algorithms, i, item)
    if (strcmp(json_string_value(item), name) == 0)
      return true;
  return algorithms == NULL;
}

static enum cortex_reason read_method(const xmlNode *node, const json_t *algorithms,
                                      struct form *form, struct cortex_error *error) {
  const char *uri = saml_attribute(node, "Algorithm");

  form->method = find(signature_methods, node);
  if (form->method != NULL && saml_first(node) == NULL && is_listed(algorithms, form->method->name))
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                      "the signature's algorithm is %s, which the issuer's algorithms do not list",
                      cx_quote(uri != NULL ? uri : "", uri != NULL ? strlen(uri) : 0).text);
}

/*
 * XML-DSig core 4, as far as SAML needs it. What xmlsec is handed has one
 * meaning only: no second reference, no object, no manifest.
 */
static enum cortex_reason read_form(const json_t *algorithms, struct form *form,
                                    struct cortex_error *error) {
  static const char *const bare[] = {"SignedInfo", "SignatureValue", NULL};
  static const char *const with_key[] = {"SignedInfo", "SignatureValue", "KeyInfo", NULL};
  static const char *const info[] = {"CanonicalizationMethod", "SignatureMethod", "Reference", NULL};
  const xmlNode *signed_info = saml_first(form->signature), *node;
  enum cortex_reason reason;

  if (!has_children(form->signature, bare) && !has_children(form->signature, with_key))
    return REFUSE("the signature has not the one form that is accepted");
  if (!has_children(signed_info, info))
    return REFUSE("the signature has not exactly one reference");
  node = saml_first(signed_info);
  form->canonicalization = find(canonicalizations, node);
  if (form->canonicalization == NULL || !has_known_parameters(node, form->canonicalization))
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the signature's canonicalization method is not allowed");
  node = saml_next(node);
  reason = read_method(node, algorithms, form, error);
  return reason == CORTEX_OK ? read_reference(saml_next(node), form, error) : reason;
}

/* The reference is resolved through the document's table of IDs: this element and no other. */
static bool bind_id(const struct form *form) {
  xmlDoc *doc = form->element->doc;
  xmlAttr *attribute = xmlHasProp(form->element, (const xmlChar *)"ID");
  xmlAttr *known = xmlGetID(doc, form->id);

  if (known == NULL) {
    if (attribute == NULL || xmlAddID(NULL, doc, form->id, attribute) == NULL)
      return false;
    known = xmlGetID(doc, form->id);
  }
  return known == attribute && known->parent == form->element;
}

static xmlSecKey *make_key(EVP_PKEY *key) {
  xmlSecKey *result = NULL;
  xmlSecKeyData *data;

  if (EVP_PKEY_up_ref(key) != 1)
    return NULL;
  data = xmlSecOpenSSLEvpKeyAdopt(key);
  if (data == NULL) {
    EVP_PKEY_free(key);
    return NULL;
  }
  result = xmlSecKeyCreate();
  if (result == NULL || xmlSecKeySetValue(result, data) < 0) {
    xmlSecKeyDataDestroy(data);
    if (result != NULL)
      xmlSecKeyDestroy(result);
    return NULL;
  }
  return result;
}

/* xmlsec must not know more than the form that was read: everything else is switched off. */
static bool restrict_context(xmlSecDSigCtx *context, const struct form *form) {
  const struct transform *row;

  context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
  context->flags = XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS | XMLSEC_DSIG_FLAGS_STORE_SIGNEDINFO_REFERENCES |
                   XMLSEC_DSIG_FLAGS_USE_VISA3D_HACK; /* xmlGetID, not the XPointer engine */
  for (row = canonicalizations; row->uri != NULL; row++)
    if (xmlSecDSigCtxEnableReferenceTransform(context, row->id()) < 0)
      return false;
  return xmlSecDSigCtxEnableReferenceTransform(context, xmlSecTransformEnvelopedId) == 0 &&
         xmlSecDSigCtxEnableReferenceTransform(context, form->digest->id()) == 0 &&
         xmlSecDSigCtxEnableSignatureTransform(context, form->canonicalization->id()) == 0 &&
         xmlSecDSigCtxEnableSignatureTransform(context, form->method->id()) == 0;
}

/* What xmlsec digested: the one reference's canonical bytes. */
static bool take_covered(xmlSecDSigCtx *context, struct cx_buf *covered) {
  xmlSecDSigReferenceCtx *reference;
  xmlSecBuffer *bytes;

  if (context->status != xmlSecDSigStatusSucceeded ||
      xmlSecPtrListGetSize(&context->signedInfoReferences) != 1)
    return false;
  reference = xmlSecPtrListGetItem(&context->signedInfoReferences, 0);
  if (reference == NULL || reference->status != xmlSecDSigStatusSucceeded)
    return false;
  bytes = xmlSecDSigReferenceCtxGetPreDigestBuffer(reference);
  if (bytes == NULL || xmlSecBufferGetData(bytes) == NULL || xmlSecBufferGetSize(bytes) == 0)
    return false;
  cx_buf_put(covered, xmlSecBufferGetData(bytes), xmlSecBufferGetSize(bytes));
  return !covered->failed;
}

static bool verify_with(const struct form *form, EVP_PKEY *key, struct cx_buf *covered) {
  xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL); /* no key manager: no key but ours */
  bool is_valid = false;

  if (context == NULL)
    return false;
  context->signKey = make_key(key);
  if (context->signKey != NULL && restrict_context(context, form) &&
      xmlSecDSigCtxVerify(context, form->signature) == 0)
    is_valid = take_covered(context, covered);
  xmlSecDSigCtxDestroy(context);
  return is_valid;
}

static enum cortex_reason try_keys(const struct form *form, const struct saml_keys *keys,
                                   struct cx_buf *covered, struct cortex_error *error) {
  size_t i, tried = 0;

  for (i = 0; i < keys->count; i++) {
    if (!EVP_PKEY_is_a(keys->keys[i], form->method->key_type))
      continue;
    tried++;
    if (verify_with(form, keys->keys[i], covered))
      return CORTEX_OK;
  }
  if (tried > 0)
    return cx_error_set(error, CORTEX_SIGNATURE_INVALID,
                        "the signature verifies with none of the issuer's %zu keys", tried);
  if (keys->weak > 0)
    return cx_error_set(error, CORTEX_WEAK_KEY, "the issuer's keys are too weak to be trusted");
  return cx_error_set(error, CORTEX_KEY_MISMATCH, "no key of the issuer is made for %s",
                      form->method->name);
}

enum cortex_reason saml_signature_verify(xmlNode *element, const struct saml_keys *keys,
                                         const json_t *algorithms, struct cx_buf *covered_out,
                                         struct cortex_error *error) {
  struct form form = {.signature = saml_signature_of(element), .element = element};
  enum cortex_reason reason;

  cx_buf_init(covered_out, 2 * 1024 * 1024);
  if (form.signature == NULL)
    return cx_error_set(error, CORTEX_SIGNATURE_INVALID, "the %s is not signed", element->name);
  reason = read_form(algorithms, &form, error);
  if (reason != CORTEX_OK)
    return reason;
  if (!bind_id(&form))
    return REFUSE("the ID of the signed element is not its own");
  return try_keys(&form, keys, covered_out, error);
}

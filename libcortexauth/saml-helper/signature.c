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
#include <xmlsec/nodeset.h>
#include <xmlsec/transforms.h>

#include "document.h"
#include "tree.h"
#include "util/base64.h"
#include "util/quote.h"
#include "util/signature.h"

#define VALUE_MAX 16384 /* bytes that a digest or a signature may have, blanks in its text included */

/* What a document names by an identifier. xmlsec has the transforms, OpenSSL the rest. */
struct algorithm {
  const char *uri;
  xmlSecTransformId (*transform)(void);
  const struct cx_digest *digest;
  const char *name; /* of a signature algorithm, as the configuration writes it */
  bool is_rsa;
};

/* RFC 9231 2.3.2, 2.3.6. No HMAC: a public key must never become a shared secret. No SHA-1, no MD5. */
static const struct algorithm signature_methods[] = {
    {NS_DSIG_MORE "rsa-sha256", NULL, &cx_sha256, "RS256", true},
    {NS_DSIG_MORE "rsa-sha384", NULL, &cx_sha384, "RS384", true},
    {NS_DSIG_MORE "rsa-sha512", NULL, &cx_sha512, "RS512", true},
    {NS_DSIG_MORE "ecdsa-sha256", NULL, &cx_sha256, "ES256", false},
    {NS_DSIG_MORE "ecdsa-sha384", NULL, &cx_sha384, "ES384", false},
    {NS_DSIG_MORE "ecdsa-sha512", NULL, &cx_sha512, "ES512", false},
    {NULL, NULL, NULL, NULL, false},
};

static const struct algorithm digest_methods[] = {
    {NS_XENC "sha256", NULL, &cx_sha256, NULL, false},
    {NS_DSIG_MORE "sha384", NULL, &cx_sha384, NULL, false},
    {NS_XENC "sha512", NULL, &cx_sha512, NULL, false},
    {NULL, NULL, NULL, NULL, false},
};

/* Core 5.4.3 names both forms. What is read is these bytes, where comments are judged again. */
static const struct algorithm canonicalizations[] = {
    {NS_EXC_C14N, xmlSecTransformExclC14NGetKlass, NULL, NULL, false},
    {NS_C14N, xmlSecTransformInclC14NGetKlass, NULL, NULL, false},
    {NS_EXC_C14N "WithComments", xmlSecTransformExclC14NWithCommentsGetKlass, NULL, NULL, false},
    {NS_C14N "#WithComments", xmlSecTransformInclC14NWithCommentsGetKlass, NULL, NULL, false},
    {NULL, NULL, NULL, NULL, false},
};

static const struct algorithm enveloped[] = {
    {NS_DSIG "enveloped-signature", xmlSecTransformEnvelopedGetKlass, NULL, NULL, false},
    {NULL, NULL, NULL, NULL, false},
};

/* What a signature says of itself, once its shape is the one we know. */
struct form {
  xmlNode *signature;
  xmlNode *element; /* that it covers */
  xmlNode *info;
  xmlNode *reference;
  const xmlChar *id;
  const struct algorithm *canonicalization;
  const struct algorithm *method;
  const struct algorithm *digest;
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
  if (xmlSecInit() < 0)
    return false;
  xmlSecErrorsDefaultCallbackEnableOutput(0);
  return true;
}

void saml_signature_end(void) {
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

/* What a refusal says of an algorithm. */
static struct cx_quote quote(const xmlNode *node) {
  const char *uri = saml_attribute(node, "Algorithm");

  return uri != NULL ? cx_quote(uri, strlen(uri)) : cx_quote("", 0);
}

static const struct algorithm *find(const struct algorithm *table, const xmlNode *node) {
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
static bool has_known_parameters(const xmlNode *node, const struct algorithm *transform) {
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
  const struct algorithm *canonicalization;

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

static enum cortex_reason read_reference(struct form *form, struct cortex_error *error) {
  static const char *const children[] = {"Transforms", "DigestMethod", "DigestValue", NULL};
  const xmlNode *reference = form->reference;
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
                        "the reference's digest is %s, expected SHA-256, SHA-384 or SHA-512",
                        quote(digest).text);
  return read_transforms(saml_first(reference), error);
}

static bool is_listed(const cx_json *algorithms, const char *name) {
  const cx_json *item;

  for (item = cx_json_items(algorithms); item != NULL; item = item->next)
    if (cx_json_is_text(item, name, strlen(name)))
      return true;
  return algorithms == NULL;
}

static enum cortex_reason read_method(const xmlNode *node, const cx_json *algorithms,
                                      struct form *form, struct cortex_error *error) {
  form->method = find(signature_methods, node);
  if (form->method == NULL)
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the signature's algorithm is %s, which no issuer may allow",
                        quote(node).text);
  if (saml_first(node) != NULL)
    return REFUSE("the signature's algorithm has a parameter");
  if (is_listed(algorithms, form->method->name))
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                      "the signature's algorithm is %s, which the issuer's algorithms do not list",
                      quote(node).text);
}

/*
 * XML-DSig core 4, as far as SAML needs it. What is verified has one
 * meaning only: no second reference, no object, no manifest.
 */
static enum cortex_reason read_form(const cx_json *algorithms, struct form *form,
                                    struct cortex_error *error) {
  static const char *const bare[] = {"SignedInfo", "SignatureValue", NULL};
  static const char *const with_key[] = {"SignedInfo", "SignatureValue", "KeyInfo", NULL};
  static const char *const info[] = {"CanonicalizationMethod", "SignatureMethod", "Reference", NULL};
  enum cortex_reason reason;
  const xmlNode *node;

  if (!has_children(form->signature, bare) && !has_children(form->signature, with_key))
    return REFUSE("the signature has not the one form that is accepted");
  form->info = saml_first(form->signature);
  if (!has_children(form->info, info))
    return REFUSE("the signature has not exactly one reference");
  node = saml_first(form->info);
  form->canonicalization = find(canonicalizations, node);
  if (form->canonicalization == NULL || !has_known_parameters(node, form->canonicalization))
    return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                        "the signature's canonicalization is %s, which is not accepted",
                        quote(node).text);
  node = saml_next(node);
  form->reference = saml_next(node);
  reason = read_method(node, algorithms, form, error);
  return reason == CORTEX_OK ? read_reference(form, error) : reason;
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

/* xmlsec must not know more than the form that was read: everything else is switched off. */
static bool allow(xmlSecTransformCtx *context, const struct algorithm *table) {
  for (; table->uri != NULL; table++)
    if (xmlSecPtrListAdd(&context->enabledTransforms, (void *)(uintptr_t)table->transform()) < 0)
      return false;
  return true;
}

static bool take(const xmlSecTransformCtx *context, struct cx_buf *bytes_out) {
  const xmlSecBuffer *result = context->result;

  if (context->status != xmlSecTransformStatusFinished || result == NULL || result->size == 0)
    return false;
  cx_buf_put(bytes_out, result->data, result->size);
  return !bytes_out->failed;
}

/* XML-DSig 4.4.3: the bytes that the reference covers. */
static bool cover_element(const struct form *form, struct cx_buf *covered_out) {
  const char *uri = saml_attribute(form->reference, "URI");
  xmlSecTransformCtx context;
  bool done = false;

  if (xmlSecTransformCtxInitialize(&context) < 0)
    return false;
  context.flags = XMLSEC_TRANSFORMCTX_FLAGS_USE_VISA3D_HACK; /* xmlGetID, not the XPointer engine */
  context.enabledUris = xmlSecTransformUriTypeSameDocument;
  if (allow(&context, enveloped) && allow(&context, canonicalizations) &&
      xmlSecTransformCtxSetUri(&context, (const xmlChar *)uri, form->reference) == 0 &&
      xmlSecTransformCtxNodesListRead(&context, saml_first(form->reference),
                                      xmlSecTransformUsageDSigTransform) == 0 &&
      xmlSecTransformCtxExecute(&context, form->element->doc) == 0)
    done = take(&context, covered_out);
  xmlSecTransformCtxFinalize(&context);
  return done;
}

/* 4.4.1: the bytes that the signature is over. */
static bool cover_info(const struct form *form, struct cx_buf *info_out) {
  xmlSecTransformCtx context;
  xmlSecNodeSet *nodes;
  bool done = false;

  if (xmlSecTransformCtxInitialize(&context) < 0)
    return false;
  nodes = xmlSecNodeSetGetChildren(form->info->doc, form->info, 1, 0);
  if (nodes != NULL && allow(&context, canonicalizations) &&
      xmlSecTransformCtxNodeRead(&context, saml_first(form->info),
                                 xmlSecTransformUsageC14NMethod) != NULL &&
      xmlSecTransformCtxXmlExecute(&context, nodes) == 0)
    done = take(&context, info_out);
  xmlSecTransformCtxFinalize(&context);
  xmlSecNodeSetDestroy(nodes);
  return done;
}

static bool read_value(const xmlNode *node, struct cx_buf *bytes_out) {
  const char *text = saml_text(node);
  size_t len = text != NULL ? strlen(text) : 0;
  char *room = text != NULL ? cx_buf_reserve(bytes_out, CX_BASE64_SIZE(len)) : NULL;

  return room != NULL &&
         cx_base64_decode(text, len, XML_BLANKS, (uint8_t *)room, &bytes_out->len);
}

static bool has_digest(const struct form *form, const struct cx_buf *covered) {
  const struct cx_digest *digest = form->digest->digest;
  uint8_t computed[CX_DIGEST_MAX];
  struct cx_buf value;
  bool is_equal;

  cx_buf_init(&value, VALUE_MAX);
  digest->compute(covered->bytes, covered->len, computed);
  is_equal = read_value(saml_child(form->reference, NS_DSIG, "DigestValue"), &value) &&
             value.len == digest->len && memcmp(value.bytes, computed, digest->len) == 0;
  cx_buf_clear(&value);
  return is_equal;
}

static bool fits(const struct form *form, const struct saml_key *key) {
  return form->method->is_rsa ? key->rsa != NULL : key->ec != NULL;
}

/* Which key it was: no document says so with any weight. */
static bool is_signed(const struct form *form, const struct saml_keys *keys) {
  struct cx_signature signature = {.digest = form->method->digest};
  struct cx_buf info, value;
  bool is_good = false;
  size_t i;

  cx_buf_init(&info, 2 * VALUE_MAX);
  cx_buf_init(&value, VALUE_MAX);
  if (cover_info(form, &info) && read_value(saml_next(form->info), &value)) {
    signature.input = info.bytes;
    signature.input_len = info.len;
    signature.bytes = (const uint8_t *)value.bytes;
    signature.len = value.len;
    for (i = 0; i < keys->count && !is_good; i++)
      if (fits(form, &keys->keys[i]))
        is_good = form->method->is_rsa ? cx_signature_is_rsa(&signature, keys->keys[i].rsa)
                                       : cx_signature_is_ecdsa(&signature, keys->keys[i].ec,
                                                               keys->keys[i].size);
  }
  cx_buf_clear(&info);
  cx_buf_clear(&value);
  return is_good;
}

static enum cortex_reason verify(const struct form *form, const struct saml_keys *keys,
                                 struct cx_buf *covered, struct cortex_error *error) {
  const char *owner = keys->owner != NULL ? keys->owner : "issuer";
  size_t i, fitting = 0;

  for (i = 0; i < keys->count; i++)
    fitting += fits(form, &keys->keys[i]);
  if (fitting == 0 && keys->weak > 0)
    return cx_error_set(error, CORTEX_WEAK_KEY, "the %s's keys are too weak to be trusted", owner);
  if (fitting == 0)
    return cx_error_set(error, CORTEX_KEY_MISMATCH, "no key of the %s is made for %s", owner,
                        form->method->name);
  if (cover_element(form, covered) && has_digest(form, covered) && is_signed(form, keys))
    return CORTEX_OK;
  cx_buf_clear(covered);
  return cx_error_set(error, CORTEX_SIGNATURE_INVALID,
                      "the signature verifies with none of the %s's %zu keys", owner, fitting);
}

enum cortex_reason saml_signature_verify(xmlNode *element, const struct saml_keys *keys,
                                         const cx_json *algorithms, struct cx_buf *covered_out,
                                         struct cortex_error *error) {
  struct form form = {.signature = saml_signature_of(element), .element = element};
  enum cortex_reason reason;

  cx_buf_init(covered_out, SAML_SIGNED_MAX);
  if (form.signature == NULL)
    return cx_error_set(error, CORTEX_SIGNATURE_INVALID, "the %s is not signed", element->name);
  reason = read_form(algorithms, &form, error);
  if (reason != CORTEX_OK)
    return reason;
  if (!bind_id(&form))
    return REFUSE("the ID of the signed element is not its own");
  return verify(&form, keys, covered_out, error);
}

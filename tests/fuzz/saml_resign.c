/*
 * Signs a changed SAML response anew, so that a fuzzer gets past its signature.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "saml_resign.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>
#include <xmlsec/xmlsec.h>

#include <xmlsec/openssl/app.h>
#include <xmlsec/openssl/crypto.h>
#include <xmlsec/xmldsig.h>
#include <xmlsec/xmltree.h>

#define SIGNATURES_MAX 8

static const char key_text[] = "-----BEGIN PRIVATE KEY-----\n"
                               "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgb9kYqLHj+l7F19Sg\n"
                               "PG4Qx1R8NM+hroA5Arkxbwcfeq6hRANCAAQVkq1krg5fCT/HZ6+ltyc4rg5N0An6\n"
                               "oSOPmEcsPcICJsf7aiKJrVWKrIuvYrD+L3O5x8k9468BNvoQ4fRfffYf\n"
                               "-----END PRIVATE KEY-----\n";

/* Elements deeper than this are not walked. */
#define DEPTH_MAX 64

struct found {
  xmlNode *signatures[SIGNATURES_MAX];
  size_t count;
};

static int is_dsig(const xmlNode *node, const char *name) {
  return node->type == XML_ELEMENT_NODE && strcmp((const char *)node->name, name) == 0 &&
         node->ns != NULL && xmlStrEqual(node->ns->href, xmlSecDSigNs);
}

static void look(struct found *found, xmlNode *node, unsigned depth) {
  for (; node != NULL && depth < DEPTH_MAX; node = node->next) {
    xmlAttr *id = node->type == XML_ELEMENT_NODE ? xmlHasProp(node, (const xmlChar *)"ID") : NULL;

    if (node->type != XML_ELEMENT_NODE)
      continue;
    if (id != NULL && id->children != NULL && id->children->content != NULL &&
        xmlGetID(node->doc, id->children->content) == NULL)
      xmlAddID(NULL, node->doc, id->children->content, id);
    if (is_dsig(node, "Signature") && found->count < SIGNATURES_MAX)
      found->signatures[found->count++] = node;
    look(found, node->children, depth + 1);
  }
}

/* Nothing outside the document, and no transform that could run for long. */
static int restrict_context(xmlSecDSigCtx *context) {
  xmlSecTransformId ids[] = {xmlSecTransformEnvelopedId,
                             xmlSecTransformInclC14NId,
                             xmlSecTransformExclC14NId,
                             xmlSecTransformInclC14NWithCommentsId,
                             xmlSecTransformExclC14NWithCommentsId,
                             xmlSecOpenSSLTransformSha256Id,
                             xmlSecOpenSSLTransformSha384Id,
                             xmlSecOpenSSLTransformSha512Id};
  size_t i;

  context->enabledReferenceUris = xmlSecTransformUriTypeSameDocument;
  context->flags = XMLSEC_DSIG_FLAGS_IGNORE_MANIFESTS | XMLSEC_DSIG_FLAGS_USE_VISA3D_HACK;
  for (i = 0; i < sizeof ids / sizeof ids[0]; i++)
    if (xmlSecDSigCtxEnableReferenceTransform(context, ids[i]) < 0 ||
        xmlSecDSigCtxEnableSignatureTransform(context, ids[i]) < 0)
      return -1;
  return xmlSecDSigCtxEnableSignatureTransform(context, xmlSecOpenSSLTransformEcdsaSha256Id);
}

static void sign(xmlNode *signature) {
  xmlSecDSigCtx *context = xmlSecDSigCtxCreate(NULL);
  xmlNode *info = xmlSecGetNextElementNode(signature->children);
  xmlNode *method =
      info != NULL ? xmlSecFindChild(info, xmlSecNodeSignatureMethod, xmlSecDSigNs) : NULL;

  if (context == NULL)
    return;
  if (method != NULL)
    xmlSetProp(method, (const xmlChar *)"Algorithm", xmlSecHrefEcdsaSha256);
  context->signKey = xmlSecOpenSSLAppKeyLoadMemory(
      (const xmlSecByte *)key_text, sizeof key_text - 1, xmlSecKeyDataFormatPem, NULL, NULL, NULL);
  if (context->signKey != NULL && method != NULL && restrict_context(context) == 0 &&
      xmlSecDSigCtxSign(context, signature) < 0)
    xmlResetLastError();
  xmlSecDSigCtxDestroy(context);
}

int saml_resign_init(void) {
  return xmlSecOpenSSLInit();
}

char *saml_resign(const uint8_t *text, size_t len, size_t *len_out) {
  xmlDoc *doc = xmlReadMemory((const char *)text, (int)len, NULL, "UTF-8",
                              XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
  struct found found = {.count = 0};
  xmlChar *made = NULL;
  int size = 0;

  *len_out = 0;
  if (doc == NULL)
    return NULL;
  look(&found, doc->children, 0);
  while (found.count > 0)
    sign(found.signatures[--found.count]);
  xmlDocDumpMemory(doc, &made, &size);
  xmlFreeDoc(doc);
  *len_out = size > 0 ? (size_t)size : 0;
  return (char *)made;
}

/*
 * cortexctl saml metadata: what an identity provider must know of us.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cortexctl.h"

#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include <cortexauth/settings.h>

#include "saml_certificate.h"

#define MD "urn:oasis:names:tc:SAML:2.0:metadata"
#define DSIG "http://www.w3.org/2000/09/xmldsig#"

/* What we decrypt with (cortex.conf(5)), the better first (SAML metadata 2.4.1.1). */
static const char *const encryption_methods[] = {
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",      "http://www.w3.org/2009/xmlenc11#aes128-gcm",
    "http://www.w3.org/2001/04/xmlenc#aes256-cbc",     "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p",
};

/* Text as the value of an attribute; the configuration holds no control characters. */
static void print_value(const char *text) {
  for (; *text != '\0'; text++) {
    if (*text == '&')
      fputs("&amp;", stdout);
    else if (*text == '<')
      fputs("&lt;", stdout);
    else if (*text == '"')
      fputs("&quot;", stdout);
    else
      putchar(*text);
  }
}

static void print_attribute(const char *name, const char *value) {
  printf(" %s=\"", name);
  print_value(value);
  putchar('"');
}

/* The lines of PEM between its head and its end are what XML-DSig wants. */
static bool print_certificate(X509 *certificate) {
  BIO *sink = BIO_new(BIO_s_mem());
  char line[128];
  bool done = sink != NULL && PEM_write_bio_X509(sink, certificate) == 1;
  int len;

  while (done && (len = BIO_gets(sink, line, sizeof line)) > 0)
    if (strncmp(line, "-----", 5) != 0)
      fwrite(line, 1, (size_t)len, stdout);
  BIO_free(sink);
  return done;
}

static bool print_key(X509 *certificate) {
  size_t i;
  bool done;

  puts("    <md:KeyDescriptor use=\"encryption\">\n"
       "      <ds:KeyInfo xmlns:ds=\"" DSIG "\"><ds:X509Data><ds:X509Certificate>");
  done = print_certificate(certificate);
  puts("</ds:X509Certificate></ds:X509Data></ds:KeyInfo>");
  for (i = 0; i < sizeof encryption_methods / sizeof encryption_methods[0]; i++)
    printf("      <md:EncryptionMethod Algorithm=\"%s\"/>\n", encryption_methods[i]);
  puts("    </md:KeyDescriptor>");
  return done;
}

static bool print_metadata(const struct cortex_issuer *issuer, X509 *certificate) {
  bool done = true;

  printf("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<md:EntityDescriptor xmlns:md=\"" MD "\"");
  print_attribute("entityID", cortex_issuer_value(issuer, "sp_entity_id"));
  puts(">\n  <md:SPSSODescriptor AuthnRequestsSigned=\"false\" WantAssertionsSigned=\"true\"\n"
       "      protocolSupportEnumeration=\"urn:oasis:names:tc:SAML:2.0:protocol\">");
  if (certificate != NULL)
    done = print_key(certificate);
  printf("    <md:AssertionConsumerService index=\"0\" isDefault=\"true\"\n"
         "        Binding=\"urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST\"");
  print_attribute("Location", cortex_issuer_value(issuer, "acs_url"));
  puts("/>\n  </md:SPSSODescriptor>\n</md:EntityDescriptor>");
  return fflush(stdout) == 0 && done;
}

static bool is_value_same(const struct cortex_issuer *left, const struct cortex_issuer *right,
                          const char *key) {
  const char *own = cortex_issuer_value(left, key), *other = cortex_issuer_value(right, key);

  return own == NULL || other == NULL ? own == other : strcmp(own, other) == 0;
}

/* The section that is meant: the named one, or all that there are say the same of us. */
static const struct cortex_issuer *choose(const struct cli *cli,
                                          const struct cortex_settings *settings) {
  static const char *const keys[] = {"sp_entity_id", "acs_url", "sp_cert_file"};
  const char *label = cli_value(cli, "issuer");
  const struct cortex_issuer *issuer, *found = NULL;
  size_t i, j;

  for (i = 0; (issuer = cortex_settings_issuer(settings, i)) != NULL; i++) {
    if (strcmp(cortex_issuer_kind(issuer), "saml") != 0 ||
        (label != NULL && strcmp(cortex_issuer_label(issuer), label) != 0))
      continue;
    for (j = 0; found != NULL && j < sizeof keys / sizeof keys[0]; j++)
      if (!is_value_same(found, issuer, keys[j])) {
        cli_misuse(cli, "the [saml] sections differ in %s: --issuer must name one", keys[j]);
        return NULL;
      }
    found = issuer;
  }
  if (found == NULL)
    cli_misuse(cli, label != NULL ? "--issuer: no [saml] section has the label '%s'"
                                  : "there is no [saml] section%s",
               label != NULL ? label : "");
  return found;
}

static enum cli_exit print_for(const struct cortex_issuer *issuer) {
  const char *file = cortex_issuer_value(issuer, "sp_cert_file");
  const char *key = cortex_issuer_value(issuer, "sp_key_file");
  X509 *certificate = file != NULL ? saml_certificate_load(file) : NULL;
  enum cli_exit code = CLI_USAGE;

  if (file != NULL && certificate == NULL)
    cli_complain("%s: no certificate can be read from it", file);
  else if (certificate != NULL && key == NULL)
    cli_complain("%s: the certificate is of no key here: there is no sp_key_file", file);
  else if (certificate != NULL && !saml_certificate_fits(certificate, key))
    cli_complain("%s: the certificate is not of the key in sp_key_file", file);
  else if (!print_metadata(issuer, certificate))
    code = CLI_OUTSIDE;
  else
    code = CLI_DONE;
  X509_free(certificate);
  return code;
}

static enum cli_exit run(const struct cli *cli) {
  struct cortex_settings *settings = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  const struct cortex_issuer *issuer;
  enum cli_exit code = CLI_USAGE;

  if (cortex_settings_load(cli_value_or(cli, "config", CONFIG_DEFAULT), &settings, &error) !=
      CORTEX_OK)
    cli_complain_error(&error);
  else if ((issuer = choose(cli, settings)) != NULL)
    code = print_for(issuer);
  cortex_settings_free(&settings);
  return code;
}

static const struct cli_option options[] = {
    OPTION_CONFIG,
    {"issuer", "LABEL", "the [saml] section that is meant, where they differ", false, false},
    {0},
};

const struct cli_verb cmd_saml_metadata = {
    "saml metadata", "", 0, 0, "print our metadata for SAML identity providers", options, run};

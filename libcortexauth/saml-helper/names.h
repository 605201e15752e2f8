/*
 * Namespaces and identifiers of the standards.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_NAMES_H
#define SAML_NAMES_H

#define NS_PROTOCOL "urn:oasis:names:tc:SAML:2.0:protocol"
#define NS_ASSERTION "urn:oasis:names:tc:SAML:2.0:assertion"
#define NS_METADATA "urn:oasis:names:tc:SAML:2.0:metadata"
#define NS_DSIG "http://www.w3.org/2000/09/xmldsig#"
#define NS_DSIG_MORE "http://www.w3.org/2001/04/xmldsig-more#"
#define NS_XENC "http://www.w3.org/2001/04/xmlenc#"
#define NS_XENC11 "http://www.w3.org/2009/xmlenc11#"
#define NS_EXC_C14N "http://www.w3.org/2001/10/xml-exc-c14n#"
#define NS_C14N "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"

#define STATUS_SUCCESS "urn:oasis:names:tc:SAML:2.0:status:Success"
#define METHOD_BEARER "urn:oasis:names:tc:SAML:2.0:cm:bearer"
#define FORMAT_ENTITY "urn:oasis:names:tc:SAML:2.0:nameid-format:entity"
#define FORMAT_TRANSIENT "urn:oasis:names:tc:SAML:2.0:nameid-format:transient"

#define XML_BLANKS " \t\r\n"

#endif

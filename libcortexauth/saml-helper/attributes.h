/*
 * An assertion's attributes (SAML core 2.7.3), by name only.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_ATTRIBUTES_H
#define SAML_ATTRIBUTES_H

#include <libxml/tree.h>

#include "util/buf.h"
#include "util/error.h"

/*
 * Puts "attributes" into facts: for each name the array of its values, in order;
 * a value with elements inside is null.
 */
CORTEX_MUSTCHECK enum cortex_reason
saml_attributes_read(const xmlNode *assertion, struct cx_buf *facts, struct cortex_error *error);

#endif

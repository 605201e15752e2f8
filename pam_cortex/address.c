/*
 * Telling numeric addresses from names.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "address.h"

#include <arpa/inet.h>
#include <string.h>

enum cx_address_kind cx_address_parse(const char *host, char address_out[INET6_ADDRSTRLEN]) {
  struct in6_addr binary;
  char text[INET6_ADDRSTRLEN];
  size_t len;

  address_out[0] = '\0';
  if (host == NULL || host[0] == '\0' || strcmp(host, "unix") == 0)
    return CX_ADDRESS_LOCAL;
  len = strcspn(host, "%");
  if (len >= sizeof text)
    return CX_ADDRESS_NAME;
  memcpy(text, host, len);
  text[len] = '\0';
  if (inet_pton(AF_INET6, text, &binary) != 1 &&
      (host[len] == '%' || inet_pton(AF_INET, text, &binary) != 1))
    return CX_ADDRESS_NAME;
  memcpy(address_out, text, len + 1);
  return CX_ADDRESS_NUMERIC;
}

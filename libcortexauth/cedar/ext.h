/*
 * Extension types: ipaddr, decimal, datetime, duration; their functions in one table.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_EXT_H
#define CEDAR_EXT_H

#include "text.h"

/* An argument or a result of an extension function, out of its stored form. */
struct cedar_ext_value {
  enum cedar_kind kind;
  int64_t i;       /* BOOL, LONG, DECIMAL, DATETIME, DURATION */
  uint8_t version; /* IPADDR: 4 or 6 */
  uint8_t prefix;
  uint8_t bytes[16]; /* network order; version 4 uses the first four */
};

/* One function or method. */
struct cedar_ext {
  const char *name;
  bool method;
  uint8_t arity;           /* with the object of a method */
  enum cedar_kind args[2]; /* kinds of the arguments; constructors take a string */
  enum cedar_kind result;
  /* false: the result does not fit 64 bits; NULL for constructors */
  bool (*call)(const struct cedar_ext_value *args, struct cedar_ext_value *out);
};

extern const struct cedar_ext cedar_ext_table[];
extern const size_t cedar_ext_count;

/* Index of a function (or method) by name, -1 when there is none. */
int cedar_ext_find(struct cedar_text name, bool method);

/* Index of the constructor of a kind. */
int cedar_ext_constructor(enum cedar_kind kind);

/* Each reads its type's text form; false when the text is not one. */
bool cedar_ext_parse(enum cedar_kind kind, struct cedar_text text, struct cedar_ext_value *out);
bool cedar_decimal_parse(struct cedar_text text, struct cedar_ext_value *out);
bool cedar_ipaddr_parse(struct cedar_text text, struct cedar_ext_value *out);
bool cedar_datetime_parse(struct cedar_text text, struct cedar_ext_value *out);
bool cedar_duration_parse(struct cedar_text text, struct cedar_ext_value *out);

/* Longest text of cedar_ext_print, with its NUL. */
#define CEDAR_EXT_TEXT 96

/* Writes a value as the Cedar expression that makes it, NUL-terminated. */
void cedar_ext_print(const struct cedar_ext_value *value, char out[CEDAR_EXT_TEXT]);

/* The functions behind the table, in the file of their type. */
bool cedar_ip_is_v4(const struct cedar_ext_value *args, struct cedar_ext_value *out);
bool cedar_ip_is_v6(const struct cedar_ext_value *args, struct cedar_ext_value *out);
bool cedar_ip_is_loopback(const struct cedar_ext_value *args, struct cedar_ext_value *out);
bool cedar_ip_is_multicast(const struct cedar_ext_value *args, struct cedar_ext_value *out);
bool cedar_ip_is_in_range(const struct cedar_ext_value *args, struct cedar_ext_value *out);
void cedar_ip_print(const struct cedar_ext_value *value, char out[CEDAR_EXT_TEXT]);
void cedar_datetime_print(int64_t millis, char out[CEDAR_EXT_TEXT]);

#endif

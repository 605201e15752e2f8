/*
 * Syslog kept in memory: what libpam would have sent. The program that links it
 * must export its symbols.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SUPPORT_FAKE_SYSLOG_H
#define SUPPORT_FAKE_SYSLOG_H

struct fake_syslog {
  unsigned count;
  int priority;    /* of the last message */
  char text[8192]; /* all messages, each with a newline */
};

extern struct fake_syslog fake_syslog;

#endif

/*
 * A line that says what is going on, on a terminal only.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_PROGRESS_H
#define SYNC_PROGRESS_H

/* Replaces the line; nothing where standard error is no terminal. */
void progress_say(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Takes the line away, before anything else is printed. */
void progress_end(void);

#endif

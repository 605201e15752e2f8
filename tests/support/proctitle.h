/*
 * A process title as PostgreSQL sets it: over argv and the environment.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SUPPORT_PROCTITLE_H
#define SUPPORT_PROCTITLE_H

#include <stdbool.h>

/* Call first in main: moves the environment away and makes its room the title's. */
bool proctitle_init(int argc, char **argv);

/* Writes a title and fills the rest with NUL; false when it was cut. */
bool proctitle_set(const char *title);

/* The name of the program file that the kernel reports ("postgres" for the server). */
bool proctitle_set_program(const char *name);

#endif

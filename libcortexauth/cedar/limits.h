/*
 * Every ceiling of the Cedar library; reaching one gives CEDAR_LIMIT, never a crash.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_LIMITS_H
#define CEDAR_LIMITS_H

#define CEDAR_MAX_SOURCE (64U << 20)  /* bytes of one input */
#define CEDAR_MAX_TEXT (512U << 20)   /* bytes of all interned texts of a store */
#define CEDAR_MAX_SCHEMA (512U << 20) /* bytes of memory one schema may hold */
#define CEDAR_MAX_ITEMS (64U << 20)   /* entries of any flat array of a store */
#define CEDAR_MAX_CODE (256U << 20)   /* units of four bytes that the policies' code has */
#define CEDAR_MAX_POLICIES (1U << 20) /* policies, templates and links */
#define CEDAR_MAX_REACH (64U << 20)   /* parents and ancestors of all entities together */
#define CEDAR_MAX_FILTER 4096U        /* words of a filter; larger stores go without one */
#define CEDAR_MAX_WORDS 8192U         /* of each table of words at the head of an image */
#define CEDAR_MAX_DEPTH 200           /* nesting of an expression, a JSON text or a value */
#define CEDAR_MAX_UNARY 4             /* `!` or `-` in a row, as the official grammar has it */
#define CEDAR_MAX_STEPS (4U << 20)    /* expression nodes evaluated for one policy */
#define CEDAR_MAX_SCRATCH (64U << 20) /* bytes of memory one request may hold */
#define CEDAR_MAX_VISITS (64U << 20)  /* steps of one ancestor computation */
#define CEDAR_MAX_MESSAGE 240         /* bytes of an evaluation error */
#define CEDAR_MAX_FINDINGS 1000       /* errors, and warnings, about one policy */

#endif

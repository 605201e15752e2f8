/*
 * The policy folder: its *.cedar files in the order in which they are read.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_FOLDER_H
#define CX_POLICY_FOLDER_H

#include "util/error.h"

typedef enum cortex_reason cx_folder_visit_fn(void *context, const char *path);

/*
 * Calls visit for each file until one call fails. Dotfiles and subfolders are not entered.
 *   gives  CORTEX_OK, CORTEX_POLICY_UNAVAILABLE (unreadable or without a file), what visit gave
 */
CORTEX_MUSTCHECK enum cortex_reason cx_folder_visit(const char *folder, cx_folder_visit_fn *visit,
                                                    void *context, struct cortex_error *error);

#endif

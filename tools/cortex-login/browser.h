/*
 * Opening a page in the person's browser.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_BROWSER_H
#define CORTEX_LOGIN_BROWSER_H

/*
 * Says on standard error what to open, and starts a browser: the first of
 * $BROWSER (commands with a colon between them, "%s" stands for the address)
 * that can be started, or xdg-open on a desktop. An empty $BROWSER starts none.
 */
void browser_open(const char *label, const char *url);

#endif

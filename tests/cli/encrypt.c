/*
 * Makes a key, writes it to a file and prints standard input encrypted to it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jwt.h"

int main(int argc, char **argv) {
  static char plain[65536];
  struct jwt_key *key;
  char *token;

  if (argc != 4) {
    fprintf(stderr, "usage: encrypt RSA|P-256 ALGORITHM KEY_FILE <TOKEN\n");
    return 2;
  }
  plain[fread(plain, 1, sizeof plain - 1, stdin)] = '\0';
  key = jwt_key_new(argv[1]);
  jwt_key_write(key, argv[3]);
  token = jwt_encrypt(key, argv[2], "A256GCM", NULL, plain);
  puts(token);
  free(token);
  jwt_key_free(key);
  return 0;
}

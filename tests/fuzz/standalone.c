/*
 * Runs a fuzz target without a fuzzer: over the files named as arguments, else over its corpus.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The corpus of fuzz_NAME is $corpus/NAME/. Prints TAP, a case for each file; a
 * crash is the failure. The empty input is always tried first.
 */
#include <dirent.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A block of exactly the input's size, so that AddressSanitizer sees a read past its end. */
static void run_file(const char *path, unsigned number) {
  struct stat status;
  FILE *file = fopen(path, "rbe");
  uint8_t *data;

  if (file == NULL || fstat(fileno(file), &status) != 0 ||
      (data = malloc((size_t)status.st_size + 1)) == NULL ||
      (data = realloc(data, (size_t)status.st_size + (status.st_size == 0))) == NULL ||
      fread(data, 1, (size_t)status.st_size, file) != (size_t)status.st_size) {
    printf("not ok %u - cannot read %s\n", number, path);
    exit(1);
  }
  fclose(file);
  LLVMFuzzerTestOneInput(data, (size_t)status.st_size);
  free(data);
  printf("ok %u - %s\n", number, strrchr(path, '/') != NULL ? strrchr(path, '/') + 1 : path);
  fflush(stdout);
}

static unsigned run_folder(const char *path, unsigned number) {
  char file[PATH_MAX];
  struct dirent *entry;
  DIR *folder = opendir(path);

  if (folder == NULL) {
    printf("not ok %u - no corpus %s\n", number + 1, path);
    exit(1);
  }
  while ((entry = readdir(folder)) != NULL) {
    if (entry->d_name[0] == '.' ||
        snprintf(file, sizeof file, "%s/%s", path, entry->d_name) >= (int)sizeof file)
      continue;
    run_file(file, ++number);
  }
  closedir(folder);
  return number;
}

int main(int argc, char **argv) {
  const char *name = strstr(argv[0], "fuzz_");
  const char *corpus = getenv("corpus");
  char path[PATH_MAX];
  unsigned number = 1;
  int i;

  for (const char *next = name; next != NULL; next = strstr(next + 1, "fuzz_"))
    name = next;
  LLVMFuzzerTestOneInput((const uint8_t *)"", 0);
  printf("ok 1 - (empty)\n");
  for (i = 1; i < argc; i++)
    run_file(argv[i], ++number);
  if (argc == 1 && corpus != NULL && name != NULL) {
    snprintf(path, sizeof path, "%s/%s", corpus, name + strlen("fuzz_"));
    number = run_folder(path, number);
  }
  printf("1..%u\n", number);
  return 0;
}

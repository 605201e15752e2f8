/*
 * Fuzzes the reading of an audit file: verifying and finding.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The input serves as audit file and as anchors file at once.
 */
#include <config.h>

#include <cortexauth/audit.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cortex_audit_entry *entry;
  struct cortex_audit_summary summary;
  char path[64];
  const char *files[] = {path, path};
  struct cortex_audit_check check = {.files = files, .file_count = 2, .anchors_file = path};
  int fd = memfd_create("audit", MFD_CLOEXEC);

  if (fd < 0 || write(fd, data, size) != (ssize_t)size)
    abort();
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  if (cortex_audit_verify(&check, &summary, NULL) != CORTEX_OK ||
      cortex_audit_find(path, "r000000000000002", &entry, NULL) != CORTEX_OK)
    abort();
  cortex_audit_entry_free(&entry);
  close(fd);
  return 0;
}

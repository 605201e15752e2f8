/*
 * Refusals that a stranger can cause: counted per address and minute.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/refusals.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "audit/sink_file.h"
#include "audit/stamp.h"
#include "util/file.h"

#define MAGIC "cxrefus1"

_Static_assert(sizeof(struct cx_refusals_table) ==
                   8 + 8 + CX_REFUSALS_SLOTS * (CX_REFUSALS_ADDRESS_MAX + 8) + 8,
               "the table has no padding, so that its check covers known bytes");

/* FNV-1a: tells a torn write from a whole one, and is no protection against a writer. */
static uint64_t check_of(const struct cx_refusals_table *table) {
  const unsigned char *bytes = (const unsigned char *)table;
  uint64_t check = 14695981039346656037ULL;
  size_t i;

  for (i = 0; i < offsetof(struct cx_refusals_table, check); i++)
    check = (check ^ bytes[i]) * 1099511628211ULL;
  return check;
}

static bool is_sound(const struct cx_refusals_table *table) {
  size_t i;

  if (memcmp(table->magic, MAGIC, sizeof table->magic) != 0 || table->check != check_of(table))
    return false;
  for (i = 0; i < CX_REFUSALS_SLOTS; i++)
    if (memchr(table->slots[i].address, '\0', CX_REFUSALS_ADDRESS_MAX) == NULL)
      return false;
  return true;
}

static void empty(struct cx_refusals_table *table, int64_t minute) {
  *table = (struct cx_refusals_table){.minute = minute};
  memcpy(table->magic, MAGIC, sizeof table->magic);
}

void cx_refusals_open(struct cx_refusals *refusals, const char *audit_file, bool create) {
  char path[CORTEX_AUDIT_PATH_MAX];
  const char *what;
  ssize_t n;

  *refusals = (struct cx_refusals){.fd = -1};
  empty(&refusals->table, 0);
  if (snprintf(path, sizeof path, "%s.refusals", audit_file) >= (int)sizeof path)
    return;
  refusals->fd = cx_sink_open(path, create ? CX_SINK_CREATE : CX_SINK_PLAIN, &what);
  if (refusals->fd < 0)
    return;
  n = cx_file_pread(refusals->fd, &refusals->table, sizeof refusals->table, 0);
  if (n == (ssize_t)sizeof refusals->table && is_sound(&refusals->table))
    return;
  refusals->damaged = n != 0; /* an empty one was just made */
  refusals->changed = refusals->damaged;
  empty(&refusals->table, 0);
}

void cx_refusals_close(struct cx_refusals *refusals) {
  if (refusals->fd < 0)
    return;
  if (refusals->changed) {
    refusals->table.check = check_of(&refusals->table);
    (void)!pwrite(refusals->fd, &refusals->table, sizeof refusals->table, 0);
  }
  close(refusals->fd);
  refusals->fd = -1;
}

void cx_refusals_abandon(struct cx_refusals *refusals) {
  refusals->changed = false;
  cx_refusals_close(refusals);
}

/* One network of a provider's customer is one address: 2^64 of them cost an attacker nothing. */
static void key_of(const char *address, char key_out[CX_REFUSALS_ADDRESS_MAX]) {
  struct in6_addr ip;

  if (address == NULL || inet_pton(AF_INET6, address, &ip) != 1 || IN6_IS_ADDR_V4MAPPED(&ip)) {
    snprintf(key_out, CX_REFUSALS_ADDRESS_MAX, "%s", address != NULL ? address : "local");
    return;
  }
  memset(&ip.s6_addr[8], 0, 8);
  if (inet_ntop(AF_INET6, &ip, key_out, CX_REFUSALS_ADDRESS_MAX - 4) == NULL)
    key_out[0] = '\0';
  memcpy(key_out + strlen(key_out), "/64", 4);
}

static struct cx_refusals_slot *slot_of(struct cx_refusals_table *table, const char *key) {
  size_t i;

  for (i = 0; i + 1 < CX_REFUSALS_SLOTS; i++) {
    if (table->slots[i].address[0] == '\0')
      snprintf(table->slots[i].address, CX_REFUSALS_ADDRESS_MAX, "%s", key);
    if (strcmp(table->slots[i].address, key) == 0)
      return &table->slots[i];
  }
  snprintf(table->slots[i].address, CX_REFUSALS_ADDRESS_MAX, "others");
  return &table->slots[i];
}

bool cx_refusals_count(struct cx_refusals *refusals, const char *address, int64_t minute) {
  struct cx_refusals_slot *slot;
  char key[CX_REFUSALS_ADDRESS_MAX];

  if (refusals->fd < 0)
    return true;
  if (refusals->table.minute != minute)
    empty(&refusals->table, minute);
  refusals->changed = true;
  key_of(address, key);
  slot = slot_of(&refusals->table, key);
  if (slot->written < CX_REFUSALS_CAP) {
    slot->written++;
    return true;
  }
  if (slot->counted < UINT32_MAX)
    slot->counted++;
  return false;
}

static void describe(int64_t minute, char *text_out, size_t size) {
  char stamp[CX_STAMP_MAX];

  cx_stamp_format_seconds(minute * 60, stamp);
  snprintf(text_out, size, "beyond %d records in the minute of %s", CX_REFUSALS_CAP, stamp);
}

bool cx_refusals_take_due(struct cx_refusals *refusals, int64_t minute,
                          struct cortex_record *record_out, struct cx_refusals_room *room) {
  struct cx_refusals_slot *slot = refusals->table.slots;
  struct cx_refusals_slot *end = slot + CX_REFUSALS_SLOTS;

  *record_out = (struct cortex_record){.event = CORTEX_EVENT_REFUSALS};
  if (refusals->damaged) {
    refusals->damaged = false;
    record_out->detail = "the counts could not be read and start anew";
    return true;
  }
  if (refusals->table.minute == minute)
    return false;
  while (slot < end && slot->counted == 0)
    slot++;
  if (slot == end)
    return false;
  memcpy(room->address, slot->address, sizeof room->address);
  describe(refusals->table.minute, room->detail, sizeof room->detail);
  record_out->address = room->address;
  record_out->count = slot->counted;
  record_out->detail = room->detail;
  slot->counted = 0;
  refusals->changed = true;
  return true;
}

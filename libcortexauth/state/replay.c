/*
 * The one-use memory.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/file.h"
#include "util/hash.h"

#define FILE_SIZE ((off_t)CX_REPLAY_BUCKETS * CX_REPLAY_BUCKET)

/* All zero: empty. */
struct entry {
  uint8_t key[CX_HASH_BYTES];
  int64_t until; /* live before this second */
  int64_t first; /* when it was used first */
  uint64_t user; /* by whom: a hash of service, role and address */
  uint64_t check;
};

/* All zero: nothing was ever removed. */
struct head {
  int64_t forgotten; /* the latest `until` that made room for another entry */
  uint64_t unused[6];
  uint64_t check;
};

struct bucket {
  struct head head;
  struct entry entries[CX_REPLAY_SLOTS];
};

_Static_assert(sizeof(struct entry) == 64 && sizeof(struct head) == 64 &&
                   sizeof(struct bucket) == CX_REPLAY_BUCKET,
               "a bucket is one page, so that no entry crosses one, and has no padding");

struct memory {
  const struct cx_state *state;
  int fd;
  size_t at[2]; /* the two buckets */
  struct bucket buckets[2];
};

static enum cortex_reason refuse(const struct memory *memory, struct cortex_error *error,
                                 const char *what) {
  return cx_state_refuse(memory->state, CX_REPLAY_FILE, error, what);
}

/* ---- checks ---- */

/*
 * Tells damage, and a block that stands in another's place, from what was
 * written; no protection against one who writes the file. FNV-1a by words.
 */
static uint64_t check_of(const void *block, size_t bucket, size_t place) {
  uint64_t words[7], check = 14695981039346656037ULL;
  size_t i;

  memcpy(words, block, sizeof words);
  check = (check ^ (bucket * (CX_REPLAY_SLOTS + 1) + place)) * 1099511628211ULL;
  for (i = 0; i < 7; i++) {
    check = (check ^ words[i]) * 1099511628211ULL;
    check ^= check >> 32;
  }
  return check;
}

static bool is_zero(const void *block) {
  static const uint8_t zero[64] = {0};

  return memcmp(block, zero, sizeof zero) == 0;
}

static bool is_sound(const struct bucket *bucket, size_t at) {
  size_t i;

  if (!is_zero(&bucket->head) && bucket->head.check != check_of(&bucket->head, at, 0))
    return false;
  for (i = 0; i < CX_REPLAY_SLOTS; i++)
    if (!is_zero(&bucket->entries[i]) &&
        bucket->entries[i].check != check_of(&bucket->entries[i], at, i + 1))
      return false;
  return true;
}

/* ---- the file ---- */

/* Whole at once, and with its room on the disk: later writes cannot meet a full one. */
static enum cortex_reason make(const struct cx_state *state, const struct cx_wait *wait,
                               struct cortex_error *error) {
  enum cortex_reason reason;
  void *zero = NULL;
  int lock, fd = -1;
  off_t size;

  reason = cx_state_lock(state, wait, &lock, error);
  if (reason != CORTEX_OK)
    return reason;
  reason = cx_state_open_file(state, CX_REPLAY_FILE, O_RDONLY, &fd, &size, error);
  if (reason == CORTEX_OK && fd < 0) {
    zero = calloc(1, (size_t)FILE_SIZE);
    reason = zero == NULL ? cx_error_memory(error)
                          : cx_state_write(state, CX_REPLAY_FILE, zero, (size_t)FILE_SIZE,
                                           CX_STATE_QUICK, error);
  }
  free(zero);
  if (fd >= 0)
    close(fd);
  close(lock);
  return reason;
}

static enum cortex_reason open_locked(struct memory *memory, const struct cx_wait *wait,
                                      struct cortex_error *error) {
  const struct cx_state *state = memory->state;
  enum cortex_reason reason;
  off_t size;

  reason = cx_state_open_file(state, CX_REPLAY_FILE, O_RDWR, &memory->fd, &size, error);
  if (reason == CORTEX_OK && memory->fd < 0) {
    reason = make(state, wait, error);
    if (reason == CORTEX_OK)
      reason = cx_state_open_file(state, CX_REPLAY_FILE, O_RDWR, &memory->fd, &size, error);
  }
  if (reason != CORTEX_OK)
    return reason;
  if (memory->fd < 0)
    return refuse(memory, error, "vanished");
  if (size != FILE_SIZE)
    return refuse(memory, error, "is damaged: it has another size than it was made with");
  if (!cx_lock_take(memory->fd, wait))
    return refuse(memory, error,
                  errno == ETIMEDOUT ? "others held the lock too long" : strerror(errno));
  return CORTEX_OK;
}

static enum cortex_reason read_bucket(struct memory *memory, size_t which,
                                      struct cortex_error *error) {
  struct bucket *bucket = &memory->buckets[which];
  off_t offset = (off_t)(memory->at[which] * sizeof *bucket);
  ssize_t len = cx_file_pread(memory->fd, bucket, sizeof *bucket, offset);

  if (len < 0)
    return refuse(memory, error, strerror(errno));
  if (len != (ssize_t)sizeof *bucket || !is_sound(bucket, memory->at[which]))
    return refuse(memory, error, "is damaged");
  return CORTEX_OK;
}

/* One block of 64 bytes, within one page: the kernel takes it as a whole. */
static enum cortex_reason write_block(const struct memory *memory, size_t which, size_t place,
                                      const void *block, struct cortex_error *error) {
  off_t offset = (off_t)(memory->at[which] * CX_REPLAY_BUCKET + place * sizeof(struct entry));
  ssize_t len;

  do
    len = pwrite(memory->fd, block, sizeof(struct entry), offset);
  while (len < 0 && errno == EINTR);
  if (len == (ssize_t)sizeof(struct entry))
    return CORTEX_OK;
  return refuse(memory, error, len < 0 ? strerror(errno) : "was written in part only");
}

/* ---- entries ---- */

static void hash_text(struct cx_hash *hash, const char *text) {
  cx_hash_put(hash, text, strlen(text) + 1);
}

static void end_hash(struct cx_hash *hash, uint8_t *bytes_out, size_t len) {
  static const char digits[] = "0123456789abcdef";
  char hex[CX_HASH_HEX + 1];
  size_t i;

  cx_hash_hex(hash, hex);
  for (i = 0; i < len; i++)
    bytes_out[i] = (uint8_t)((strchr(digits, hex[2 * i]) - digits) << 4 |
                             (strchr(digits, hex[2 * i + 1]) - digits));
}

static void make_entry(const struct cx_use *use, struct entry *entry_out) {
  struct cx_hash hash;

  memset(entry_out, 0, sizeof *entry_out);
  cx_hash_init(&hash);
  hash_text(&hash, use->token_id);
  end_hash(&hash, entry_out->key, sizeof entry_out->key);
  cx_hash_init(&hash);
  hash_text(&hash, use->service);
  hash_text(&hash, use->role);
  hash_text(&hash, use->address != NULL ? use->address : "");
  end_hash(&hash, (uint8_t *)&entry_out->user, sizeof entry_out->user);
  entry_out->until = use->usable_until + CX_REPLAY_MARGIN;
  entry_out->first = use->now;
}

static void choose_buckets(struct memory *memory, const struct entry *entry) {
  uint32_t numbers[2];

  memcpy(numbers, entry->key, sizeof numbers);
  memory->at[0] = numbers[0] % CX_REPLAY_BUCKETS;
  memory->at[1] = (memory->at[0] + 1 + numbers[1] % (CX_REPLAY_BUCKETS - 1)) % CX_REPLAY_BUCKETS;
}

static const struct entry *find(const struct memory *memory, const struct entry *entry) {
  size_t which, i;

  for (which = 0; which < 2; which++)
    for (i = 0; i < CX_REPLAY_SLOTS; i++)
      if (memcmp(memory->buckets[which].entries[i].key, entry->key, sizeof entry->key) == 0)
        return &memory->buckets[which].entries[i];
  return NULL;
}

/* The window counts both ways: the clock may have been set back since, or be read a second apart. */
static enum cortex_reason use_again(const struct cx_use *use, const struct entry *known,
                                    const struct entry *entry, struct cortex_error *error) {
  int64_t apart = use->now > known->first ? use->now - known->first : known->first - use->now;

  if (use->window == 0)
    return cx_error_set(error, CORTEX_REPLAYED, "the credential was used %lld s ago",
                        (long long)(use->now - known->first));
  if (known->user != entry->user)
    return cx_error_set(error, CORTEX_REPLAYED,
                        "the credential was used for another address, role or service");
  if (apart > use->window)
    return cx_error_set(error, CORTEX_REPLAYED,
                        "the credential was used %lld s ago, reuse_window is %lld s",
                        (long long)(use->now - known->first), (long long)use->window);
  return CORTEX_OK;
}

/* Places that are empty or whose credential has ended. */
static size_t count_free(const struct bucket *bucket, int64_t now) {
  size_t i, count = 0;

  for (i = 0; i < CX_REPLAY_SLOTS; i++)
    count += bucket->entries[i].until <= now;
  return count;
}

/* An empty place before an ended one: what need not be forgotten is not. */
static size_t find_place(const struct bucket *bucket, int64_t now) {
  size_t i, ended = 0;

  for (i = 0; i < CX_REPLAY_SLOTS; i++) {
    if (is_zero(&bucket->entries[i]))
      return i;
    if (bucket->entries[i].until <= now)
      ended = i;
  }
  return ended;
}

/* First it is said what will be forgotten: a kill in between has said too much, never too little. */
static enum cortex_reason forget(struct memory *memory, size_t which, const struct entry *old,
                                 struct cortex_error *error) {
  struct head *head = &memory->buckets[which].head;

  if (old->until <= head->forgotten)
    return CORTEX_OK;
  head->forgotten = old->until;
  head->check = check_of(head, memory->at[which], 0);
  return write_block(memory, which, 0, head, error);
}

static enum cortex_reason add(struct memory *memory, struct entry *entry, int64_t now,
                              struct cortex_error *error) {
  size_t room[2] = {count_free(&memory->buckets[0], now), count_free(&memory->buckets[1], now)};
  size_t which = room[1] > room[0], place;
  enum cortex_reason reason;

  if (room[which] == 0)
    return cx_error_set(error, CORTEX_REPLAY_FULL,
                        "the memory is full of credentials that have not ended");
  place = find_place(&memory->buckets[which], now);
  reason = forget(memory, which, &memory->buckets[which].entries[place], error);
  if (reason != CORTEX_OK)
    return reason;
  entry->check = check_of(entry, memory->at[which], place + 1);
  return write_block(memory, which, place + 1, entry, error);
}

static enum cortex_reason look_up(struct memory *memory, const struct cx_use *use,
                                  struct cortex_error *error) {
  const struct entry *known;
  enum cortex_reason reason;
  struct entry entry;
  size_t which;

  make_entry(use, &entry);
  choose_buckets(memory, &entry);
  for (which = 0; which < 2; which++) {
    reason = read_bucket(memory, which, error);
    if (reason != CORTEX_OK)
      return reason;
  }
  known = find(memory, &entry);
  if (known != NULL)
    return use_again(use, known, &entry, error);
  if (entry.until <= memory->buckets[0].head.forgotten ||
      entry.until <= memory->buckets[1].head.forgotten)
    return refuse(memory, error, "the clock was set back, and what ended before is forgotten");
  return add(memory, &entry, use->now, error);
}

enum cortex_reason cx_replay_use(const struct cortex_settings *settings, const struct cx_use *use,
                                 const struct cx_wait *wait, struct cortex_error *error) {
  struct cx_state state;
  struct memory memory = {.state = &state, .fd = -1};
  enum cortex_reason reason;

  if (use->token_id == NULL || *use->token_id == '\0' || use->usable_until <= 0)
    return cx_error_set(error, CORTEX_INTERNAL, "a credential of one use has no id or no end");
  reason = cx_state_open(settings, CX_STATE_REPLAY, &state, error);
  if (reason == CORTEX_OK)
    reason = open_locked(&memory, wait, error);
  if (reason == CORTEX_OK)
    reason = look_up(&memory, use, error);
  if (memory.fd >= 0)
    close(memory.fd);
  cx_state_close(&state);
  return reason;
}

/*
 * The policy image: the arrays of a sealed store one after the other, used in place.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "ext.h"
#include "store.h"

/* Raise with any change of a stored struct, of an enum in one, or of the extension table. */
#define IMAGE_VERSION 6U
#define IMAGE_ORDER 0x01020304U
#define ALIGN 16U

/* So much of the stamp is read with the head, and so much there may be before it. */
#define STAMP_HEAD ((uint64_t)1 << 10)
#define HEAD_MAX ((uint64_t)1 << 17)

/* About so much the head has, and of the image's size such a part. */
#define HEAD_LEAST ((uint64_t)9 << 9)
#define HEAD_PART 1280U

_Static_assert(sizeof(struct cedar_value) == 16, "the image relies on it");

static const char image_magic[8] = {'C', 'E', 'D', 'A', 'R', 'I', 'M', 'G'};

struct section {
  uint64_t offset;
  uint32_t count;
  uint32_t item; /* bytes of an item, so that a struct that changed is noticed */
};

#define COUNT_ONE(name, type, max) +1
enum { SECTIONS = 0 CEDAR_ARRAYS(COUNT_ONE) };

struct header {
  char magic[8];
  uint32_t version;
  uint32_t order;
  uint64_t size;   /* of the whole image */
  uint64_t digest; /* of everything, itself being zero */
  uint64_t stamp_offset;
  uint64_t stamp_len;
  struct section sections[SECTIONS];
};

_Static_assert(sizeof(struct header) % ALIGN == 0, "no gap before the first piece");

/* In image order: the arrays of the head, the stamp, then the other arrays. */
enum { STAMP = 6, PIECES = SECTIONS + 1 };

struct piece {
  const void *bytes;
  size_t len;
};

static uint64_t align_up(uint64_t n) {
  return (n + ALIGN - 1) / ALIGN * ALIGN;
}

/* Finds accidents, not attackers: an image is trusted by its owner and mode. */
static uint64_t digest_add(uint64_t digest, const void *bytes, size_t len) {
  const unsigned char *at = bytes;
  uint64_t word;

  for (; len >= 8; at += 8, len -= 8) {
    memcpy(&word, at, 8);
    digest = (digest ^ word) * 0x9e3779b97f4a7c15U;
    digest ^= digest >> 32;
  }
  if (len > 0) {
    word = 0;
    memcpy(&word, at, len);
    digest = (digest ^ word) * 0x9e3779b97f4a7c15U;
    digest ^= digest >> 32;
  }
  return digest;
}

/* The header's part of the digest; what fills it up to the first piece is zero. */
static uint64_t header_digest(const struct header *header) {
  struct header copy = *header;

  copy.digest = 0;
  return digest_add(0, &copy, sizeof(copy));
}

#define PIECE_FILL(name, type, max)                                                                \
  n += n == STAMP;                                                                                 \
  pieces[n].bytes = store->name.at;                                                                \
  pieces[n++].len = (size_t)store->name.n * sizeof(type);

#define SECTION_FILL(name, type, max)                                                              \
  header->sections[i].count = store->name.n;                                                       \
  header->sections[i++].item = (uint32_t)sizeof(type);

static void header_fill(struct header *header, const struct cedar_store *store,
                        const struct piece pieces[PIECES]) {
  uint64_t offset = align_up(sizeof(*header));
  size_t i = 0;

  memset(header, 0, sizeof(*header));
  memcpy(header->magic, image_magic, sizeof(image_magic));
  header->version = IMAGE_VERSION;
  header->order = IMAGE_ORDER;
  CEDAR_ARRAYS(SECTION_FILL)
  header->stamp_len = pieces[STAMP].len;
  for (i = 0; i < PIECES; i++) {
    if (i == STAMP)
      header->stamp_offset = offset;
    else
      header->sections[i < STAMP ? i : i - 1].offset = offset;
    offset = align_up(offset + pieces[i].len);
  }
  header->size = offset;
}

static bool put_padded(const struct cedar_sink *sink, const void *bytes, size_t len) {
  static const char zeros[ALIGN];
  size_t rest = (size_t)(align_up(len) - len);

  return (len == 0 || sink->put(sink->ctx, bytes, len)) &&
         (rest == 0 || sink->put(sink->ctx, zeros, rest));
}

/* A piece with the zeros that fill it up counts as one: the reader sees them so. */
static uint64_t digest_padded(uint64_t digest, const struct piece *piece) {
  size_t whole = piece->len / ALIGN * ALIGN;
  char last[ALIGN] = {0};

  digest = digest_add(digest, piece->bytes, whole);
  if (whole == piece->len)
    return digest;
  memcpy(last, (const char *)piece->bytes + whole, piece->len - whole);
  return digest_add(digest, last, sizeof(last));
}

enum cedar_status cedar_store_write_image(const struct cedar_store *store, struct cedar_text stamp,
                                          const struct cedar_sink *sink) {
  struct piece pieces[PIECES] = {[STAMP] = {stamp.ptr, stamp.len}};
  struct header header;
  uint64_t digest;
  size_t n = 0, i;

  if (!store->sealed)
    return CEDAR_MISUSE;
  CEDAR_ARRAYS(PIECE_FILL)
  header_fill(&header, store, pieces);
  digest = header_digest(&header);
  for (i = 0; i < n; i++)
    digest = digest_padded(digest, &pieces[i]);
  header.digest = digest;
  if (!put_padded(sink, &header, sizeof(header)))
    return CEDAR_LIMIT;
  for (i = 0; i < n; i++)
    if (!put_padded(sink, pieces[i].bytes, pieces[i].len))
      return CEDAR_LIMIT;
  return CEDAR_OK;
}

static bool range_fits(uint64_t offset, uint64_t len, uint64_t size) {
  return offset <= size && len <= size - offset && offset % ALIGN == 0;
}

/* Whether a header is this version's and fits an image of that size. */
static bool header_fits(const struct header *header, uint64_t size) {
  return memcmp(header->magic, image_magic, sizeof(image_magic)) == 0 &&
         header->version == IMAGE_VERSION && header->order == IMAGE_ORDER && header->size == size &&
         range_fits(header->stamp_offset, header->stamp_len, size);
}

static const struct header *header_get(const void *bytes, size_t len) {
  const struct header *header = bytes;

  return len >= sizeof(*header) && (uintptr_t)bytes % ALIGN == 0 && header_fits(header, len)
             ? header
             : NULL;
}

bool cedar_image_stamp(const void *bytes, size_t len, struct cedar_text *stamp_out) {
  const struct header *header = header_get(bytes, len);

  stamp_out->ptr = NULL;
  stamp_out->len = 0;
  if (header == NULL)
    return false;
  stamp_out->ptr = (const char *)bytes + header->stamp_offset;
  stamp_out->len = (size_t)header->stamp_len;
  return true;
}

/* Hash tables have a power of two of slots. */
static bool tables_fit(const struct cedar_store *s) {
  return (s->sym_slots.n & (s->sym_slots.n - 1)) == 0 &&
         (s->uid_slots.n & (s->uid_slots.n - 1)) == 0 && (s->words.n & (s->words.n - 1)) == 0 &&
         (s->policy_slots.n & (s->policy_slots.n - 1)) == 0 &&
         (s->buckets.n & (s->buckets.n - 1)) == 0;
}

#define SECTION_OPEN(name, type, max)                                                              \
  section = &header->sections[i++];                                                                \
  fits = fits && section->item == sizeof(type) && section->count <= (max) &&                       \
         range_fits(section->offset, (uint64_t)section->count * sizeof(type), header->size);       \
  s->name.where = section->offset;                                                                 \
  s->name.n = section->count;

static bool sections_open(struct cedar_store *s, const struct header *header) {
  const struct section *section;
  bool fits = true;
  size_t i = 0;

  CEDAR_ARRAYS(SECTION_OPEN)
  s->stamp_where = header->stamp_offset;
  s->stamp_len = header->stamp_len;
  return fits && tables_fit(s);
}

/* The store only reads its arrays from now on, so const may go. */
#define ARRAY_BORROW(name, type, max) s->name.at = (type *)((uintptr_t)bytes + s->name.where);

static void arrays_borrow(struct cedar_store *s, const void *bytes) {
  CEDAR_ARRAYS(ARRAY_BORROW)
}

#define ARRAY_READ(name, type, max)                                                                \
  if (s->name.n > 0)                                                                               \
    s->name.at = (type *)(uintptr_t)cedar_##name##_get(s, 0, s->name.n);                           \
  whole = whole && (s->name.n == 0 || s->name.at != NULL);

/* The arrays that lie in the head are used where they are. */
static bool head_borrow(struct cedar_store *s) {
  bool whole = true;

  ARRAY_READ(filter, uint64_t, 0)
  ARRAY_READ(words, struct cedar_word, 0)
  ARRAY_READ(word_bytes, char, 0)
  ARRAY_READ(names, struct cedar_name, 0)
  ARRAY_READ(types, uint32_t, 0)
  ARRAY_READ(others, struct cedar_bucket, 0)
  return whole;
}

bool cedar_store_make_whole(const struct cedar_store *store) {
  struct cedar_store *s = (struct cedar_store *)(uintptr_t)store;
  bool whole = true;

  if (store->pager == NULL)
    return true;
  CEDAR_ARRAYS(ARRAY_READ)
  if (whole) {
    s->whole = s->pager;
    s->pager = NULL;
  }
  return whole;
}

enum cedar_status cedar_store_open_image(const void *bytes, size_t len,
                                         const struct cedar_allocator *allocator,
                                         struct cedar_store **store_out,
                                         struct cedar_error *error) {
  const struct header *header = header_get(bytes, len);
  struct cedar_store *store;
  enum cedar_status status;

  *store_out = NULL;
  if (header == NULL)
    return cedar_error_plain(error, CEDAR_DAMAGED, "not a policy image of this version");
  status = cedar_store_new(allocator, &store);
  if (status != CEDAR_OK)
    return cedar_error_plain(error, status, "out of memory");
  store->mapped = true;
  store->sealed = true;
  if (!sections_open(store, header)) {
    cedar_store_free(&store);
    return cedar_error_plain(error, CEDAR_DAMAGED, "the policy image is damaged");
  }
  arrays_borrow(store, bytes);
  store->image = bytes;
  *store_out = store;
  return CEDAR_OK;
}

/*
 * How much every question needs, so that it is read at once: all of a small image, else what lies
 * before the stamp, and the stamp's beginning. 0: no image of this version.
 */
static uint64_t head_len(const struct header *header, const struct cedar_image_source *source) {
  uint64_t size = source->size;

  if (!header_fits(header, size) || header->stamp_offset > HEAD_MAX)
    return 0;
  if (size <= source->at_once || size - header->stamp_offset < STAMP_HEAD)
    return size;
  return header->stamp_offset + STAMP_HEAD;
}

/* The same before the header is known: the filter, which is most of it, grows with the image. */
static uint64_t head_guess(const struct cedar_image_source *source) {
  uint64_t guess = HEAD_LEAST + source->size / HEAD_PART;

  if (guess > HEAD_MAX)
    guess = HEAD_MAX;
  return source->size <= source->at_once || source->size < guess ? source->size : guess;
}

/* The first len bytes. */
static enum cedar_status bytes_read(const struct cedar_image_source *source,
                                    const struct cedar_allocator *alloc, size_t len,
                                    char **bytes_out) {
  *bytes_out = alloc->alloc(alloc->ctx, len);
  if (*bytes_out == NULL)
    return CEDAR_NOMEM;
  if (source->read(source->ctx, 0, *bytes_out, len))
    return CEDAR_OK;
  alloc->free(alloc->ctx, *bytes_out, len);
  *bytes_out = NULL;
  return CEDAR_DAMAGED;
}

/* Read once more where the guess was too small. */
static enum cedar_status head_read(const struct cedar_image_source *source,
                                   const struct cedar_allocator *alloc, char **head_out,
                                   size_t *len_out) {
  uint64_t want = head_guess(source), len;
  enum cedar_status status;
  unsigned int round;

  *head_out = NULL;
  if (source->size < sizeof(struct header))
    return CEDAR_DAMAGED;
  for (round = 0; round < 2 && want <= SIZE_MAX; round++) {
    status = bytes_read(source, alloc, (size_t)want, head_out);
    if (status != CEDAR_OK)
      return status;
    *len_out = (size_t)want;
    len = head_len((const struct header *)(const void *)*head_out, source);
    if (len > 0 && len <= want)
      return CEDAR_OK;
    alloc->free(alloc->ctx, *head_out, (size_t)want);
    *head_out = NULL;
    if (len == 0)
      break;
    want = len;
  }
  return CEDAR_DAMAGED;
}

/* A store over an image whose head is there already. It owns the head in any case. */
static enum cedar_status store_over(const struct cedar_image_source *source,
                                    const struct cedar_allocator *alloc, char *head, size_t len,
                                    struct cedar_store **store_out) {
  enum cedar_status status = cedar_store_new(alloc, store_out);
  struct cedar_store *store = *store_out;

  if (status == CEDAR_OK) {
    store->mapped = true;
    store->sealed = true;
    store->pager = cedar_pager_new(source, alloc, head, len);
  }
  if (status != CEDAR_OK || store->pager == NULL) {
    alloc->free(alloc->ctx, head, len);
    return CEDAR_NOMEM;
  }
  /* It may have been another header a moment ago. */
  if (!header_fits((const struct header *)(const void *)head, source->size) ||
      !sections_open(store, (const struct header *)(const void *)head))
    return CEDAR_DAMAGED;
  return head_borrow(store) ? CEDAR_OK : CEDAR_DAMAGED;
}

enum cedar_status cedar_store_read_image(const struct cedar_image_source *source,
                                         const struct cedar_allocator *allocator,
                                         struct cedar_store **store_out,
                                         struct cedar_error *error) {
  struct cedar_allocator alloc = cedar_allocator_get(allocator);
  enum cedar_status status;
  size_t len;
  char *head;

  *store_out = NULL;
  status = head_read(source, &alloc, &head, &len);
  if (status == CEDAR_OK)
    status = store_over(source, &alloc, head, len, store_out);
  if (status == CEDAR_OK)
    return CEDAR_OK;
  cedar_store_free(store_out);
  return cedar_error_plain(error, status,
                           status == CEDAR_NOMEM ? "out of memory"
                                                 : "not a policy image of this version");
}

const char *cedar_store_stamp(const struct cedar_store *store, size_t offset, size_t len) {
  struct cedar_pager *pager = store->pager != NULL ? store->pager : store->whole;

  if (offset > store->stamp_len || len > store->stamp_len - offset || len == 0)
    return NULL;
  return pager != NULL ? cedar_pager_get(pager, store->stamp_where + offset, len)
                       : store->image + store->stamp_where + offset;
}

bool cedar_image_is_intact(const void *bytes, size_t len) {
  const struct header *header = header_get(bytes, len);

  return header != NULL &&
         digest_add(header_digest(header), header + 1, len - sizeof(*header)) == header->digest;
}

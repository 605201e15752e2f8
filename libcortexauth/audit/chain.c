/*
 * The chain: how a line names its predecessor and proves its own bytes.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/chain.h"

#include <string.h>

#include "util/hash.h"

#define SEQ ",\"seq\":"
#define PREV ",\"prev\":\""
#define HASH ",\"hash\":\""
#define END "\"}"

void cx_chain_init(struct cx_chain_head *head) {
  head->seq = 0;
  memset(head->hash, '0', CX_CHAIN_HEX);
  head->hash[CX_CHAIN_HEX] = '\0';
}

bool cx_chain_is_hex(const char *text) {
  size_t i;

  for (i = 0; i < CX_CHAIN_HEX; i++)
    if (!((text[i] >= '0' && text[i] <= '9') || (text[i] >= 'a' && text[i] <= 'f')))
      return false;
  return true;
}

/* Steps back over text when the bytes before *at are that text. */
static bool step_back(const char *line, size_t *at, const char *text) {
  size_t len = strlen(text);

  if (*at < len || memcmp(line + *at - len, text, len) != 0)
    return false;
  *at -= len;
  return true;
}

static bool step_back_hex(const char *line, size_t *at, const char **hex_out) {
  if (*at < CX_CHAIN_HEX || !cx_chain_is_hex(line + *at - CX_CHAIN_HEX))
    return false;
  *at -= CX_CHAIN_HEX;
  *hex_out = line + *at;
  return true;
}

/* A decimal from 1 to CX_CHAIN_SEQ_MAX without leading zeros. */
static bool step_back_seq(const char *line, size_t *at, uint64_t *seq_out) {
  uint64_t seq = 0;
  size_t start = *at, i;

  while (start > 0 && *at - start < 19 && line[start - 1] >= '0' && line[start - 1] <= '9')
    start--;
  if (start == *at || line[start] == '0')
    return false;
  for (i = start; i < *at; i++)
    seq = seq * 10 + (uint64_t)(line[i] - '0');
  if (seq > CX_CHAIN_SEQ_MAX)
    return false;
  *at = start;
  *seq_out = seq;
  return true;
}

bool cx_chain_parse(const char *line, size_t len, struct cx_chain_link *link_out) {
  struct cx_chain_link link;
  size_t at = len;

  if (!step_back(line, &at, END) || !step_back_hex(line, &at, &link.hash) ||
      !step_back(line, &at, HASH))
    return false;
  link.covered = at;
  if (!step_back(line, &at, "\"") || !step_back_hex(line, &at, &link.prev) ||
      !step_back(line, &at, PREV) || !step_back_seq(line, &at, &link.seq) ||
      !step_back(line, &at, SEQ))
    return false;
  *link_out = link;
  return true;
}

void cx_chain_hash(const char *bytes, size_t len, char hex_out[CX_CHAIN_HEX + 1]) {
  struct cx_hash hash;

  cx_hash_init(&hash);
  cx_hash_put(&hash, bytes, len);
  cx_hash_hex(&hash, hex_out);
}

bool cx_chain_seal(struct cx_buf *buf, size_t start, struct cx_chain_head *head) {
  char hash[CX_CHAIN_HEX + 1];

  if (head->seq >= CX_CHAIN_SEQ_MAX)
    return false;
  cx_buf_printf(buf, SEQ "%llu" PREV, (unsigned long long)head->seq + 1);
  cx_buf_put(buf, head->hash, CX_CHAIN_HEX);
  cx_buf_put(buf, "\"", 1);
  if (buf->failed || buf->len < start)
    return false;
  cx_chain_hash(buf->bytes + start, buf->len - start, hash);
  cx_buf_put(buf, HASH, sizeof HASH - 1);
  cx_buf_put(buf, hash, CX_CHAIN_HEX);
  cx_buf_put(buf, END "\n", sizeof END);
  if (buf->failed || buf->len - start > CX_CHAIN_LINE_MAX)
    return false;
  head->seq++;
  memcpy(head->hash, hash, sizeof head->hash);
  return true;
}

/*
 * Writing systems of characters, by Unicode's blocks.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "script.h"

/*
 * Systems as bits, so that what a text may be written in is an intersection. Han is part of three
 * ways of writing (UTS 39, augmented script sets).
 */
enum {
  LATIN = 1 << 0,
  GREEK = 1 << 1,
  CYRILLIC = 1 << 2,
  ARMENIAN = 1 << 3,
  HEBREW = 1 << 4,
  ARABIC = 1 << 5,
  INDIC = 1 << 6, /* several, see range_bits() */
  SOUTHEAST = 1 << 7,
  GEORGIAN = 1 << 8,
  ETHIOPIC = 1 << 9,
  HISTORIC = 1 << 10,
  CHINESE = 1 << 11,
  JAPANESE = 1 << 12,
  KOREAN = 1 << 13,
  TAIWANESE = 1 << 14,
  HAN = CHINESE | JAPANESE | KOREAN | TAIWANESE,
  HANGUL = KOREAN,
  KANA = JAPANESE,
  BOPOMOFO = TAIWANESE,
  ANY = (1 << 15) - 1
};

struct range {
  uint32_t first;
  uint32_t last;
  uint16_t script; /* ANY: common to all */
  bool plain;      /* has a place in identifiers (UTS 39, recommended) */
};

/* Sorted; what is not listed is common to all and has no place in identifiers. */
static const struct range ranges[] = {
    {0x20, 0x40, ANY, true},
    {0x41, 0x5a, LATIN, true},
    {0x5b, 0x60, ANY, true},
    {0x61, 0x7a, LATIN, true},
    {0x7b, 0x7e, ANY, true},
    {0xaa, 0xaa, LATIN, false},
    {0xb7, 0xb7, ANY, true},
    {0xba, 0xba, LATIN, false},
    {0xc0, 0xd6, LATIN, true},
    {0xd8, 0xf6, LATIN, true},
    {0xf8, 0x131, LATIN, true},
    {0x132, 0x133, LATIN, false},
    {0x134, 0x13e, LATIN, true},
    {0x13f, 0x140, LATIN, false},
    {0x141, 0x148, LATIN, true},
    {0x149, 0x149, LATIN, false},
    {0x14a, 0x17e, LATIN, true},
    {0x17f, 0x17f, LATIN, false},
    {0x180, 0x1c3, LATIN, true},
    {0x1c4, 0x1cc, LATIN, false},
    {0x1cd, 0x1f0, LATIN, true},
    {0x1f1, 0x1f3, LATIN, false},
    {0x1f4, 0x259, LATIN, true},
    {0x25a, 0x2af, LATIN, false},
    {0x2b0, 0x2b8, LATIN, false},
    {0x2bb, 0x2bc, ANY, true},
    {0x2e0, 0x2e4, LATIN, false},
    {0x300, 0x36f, ANY, true},
    {0x370, 0x377, GREEK, false},
    {0x37b, 0x37d, GREEK, true},
    {0x37f, 0x37f, GREEK, false},
    {0x384, 0x384, GREEK, false},
    {0x386, 0x386, GREEK, true},
    {0x388, 0x3ce, GREEK, true},
    {0x3cf, 0x3d6, GREEK, false},
    {0x3d7, 0x3e1, GREEK, false},
    {0x3e2, 0x3ef, HISTORIC, false},
    {0x3f0, 0x3fb, GREEK, false},
    {0x3fc, 0x3ff, GREEK, true},
    {0x400, 0x45f, CYRILLIC, true},
    {0x460, 0x489, CYRILLIC, false},
    {0x48a, 0x52f, CYRILLIC, true},
    {0x531, 0x556, ARMENIAN, true},
    {0x559, 0x586, ARMENIAN, true},
    {0x587, 0x58f, ARMENIAN, false},
    {0x591, 0x5af, HEBREW, false},
    {0x5b0, 0x5bd, HEBREW, true},
    {0x5be, 0x5cf, HEBREW, false},
    {0x5d0, 0x5ea, HEBREW, true},
    {0x5ef, 0x5f4, HEBREW, true},
    {0x606, 0x60b, ARABIC, false},
    {0x60d, 0x61a, ARABIC, false},
    {0x61e, 0x61e, ARABIC, false},
    {0x620, 0x63f, ARABIC, true},
    {0x641, 0x64a, ARABIC, true},
    {0x64b, 0x655, ANY, true},
    {0x656, 0x66f, ARABIC, true},
    {0x670, 0x670, ANY, true},
    {0x671, 0x6d3, ARABIC, true},
    {0x6d5, 0x6d5, ARABIC, true},
    {0x6d6, 0x6ff, ARABIC, true},
    {0x700, 0x74f, HISTORIC, false},
    {0x750, 0x77f, ARABIC, true},
    {0x780, 0x7b1, INDIC, true},
    {0x7c0, 0x85f, HISTORIC, false},
    {0x8a0, 0x8e1, ARABIC, true},
    {0x8e3, 0x8ff, ARABIC, false},
    {0x900, 0x950, INDIC, true},
    {0x951, 0x954, ANY, false},
    {0x955, 0x963, INDIC, true},
    {0x966, 0xdff, INDIC, true},
    {0xe01, 0xe5b, SOUTHEAST, true},
    {0xe80, 0xeff, SOUTHEAST, true},
    {0xf00, 0xfd4, SOUTHEAST, true},
    {0x1000, 0x109f, SOUTHEAST, true},
    {0x10a0, 0x10cf, GEORGIAN, false},
    {0x10d0, 0x10fa, GEORGIAN, true},
    {0x10fc, 0x10fc, GEORGIAN, false},
    {0x10fd, 0x10ff, GEORGIAN, true},
    {0x1100, 0x11ff, HANGUL, false},
    {0x1200, 0x139f, ETHIOPIC, true},
    {0x13a0, 0x16ff, HISTORIC, false},
    {0x1780, 0x17ff, SOUTHEAST, true},
    {0x1800, 0x18af, HISTORIC, false},
    {0x18b0, 0x1c7f, HISTORIC, false},
    {0x1c80, 0x1c8f, CYRILLIC, false},
    {0x1c90, 0x1cbf, GEORGIAN, true},
    {0x1cc0, 0x1ccf, HISTORIC, false},
    {0x1d00, 0x1dbf, LATIN, false},
    {0x1e00, 0x1e99, LATIN, true},
    {0x1e9a, 0x1e9d, LATIN, false},
    {0x1e9e, 0x1e9e, LATIN, true},
    {0x1e9f, 0x1e9f, LATIN, false},
    {0x1ea0, 0x1ef9, LATIN, true},
    {0x1efa, 0x1eff, LATIN, false},
    {0x1f00, 0x1fff, GREEK, true},
    {0x2010, 0x2010, ANY, true},
    {0x2019, 0x2019, ANY, true},
    {0x2027, 0x2027, ANY, true},
    {0x2071, 0x2071, LATIN, false},
    {0x207f, 0x207f, LATIN, false},
    {0x2090, 0x209c, LATIN, false},
    {0x2126, 0x2126, GREEK, false},
    {0x212a, 0x212b, LATIN, false},
    {0x2160, 0x2188, LATIN, false},
    {0x2800, 0x28ff, HISTORIC, false},
    {0x2c00, 0x2c5f, HISTORIC, false},
    {0x2c60, 0x2c7f, LATIN, false},
    {0x2c80, 0x2cff, HISTORIC, false},
    {0x2d00, 0x2d2f, GEORGIAN, true},
    {0x2d80, 0x2ddf, ETHIOPIC, true},
    {0x2de0, 0x2dff, CYRILLIC, false},
    {0x2e80, 0x2fdf, HAN, false},
    {0x3005, 0x3005, HAN, true},
    {0x3006, 0x3006, HAN, true},
    {0x3007, 0x3007, HAN, true},
    {0x3021, 0x3029, HAN, false},
    {0x3038, 0x303b, HAN, false},
    {0x3041, 0x3096, KANA, true},
    {0x3099, 0x309a, KANA, true},
    {0x309d, 0x309e, KANA, true},
    {0x309f, 0x309f, KANA, false},
    {0x30a0, 0x30a0, KANA, true},
    {0x30a1, 0x30fe, KANA, true},
    {0x30ff, 0x30ff, KANA, false},
    {0x3105, 0x312f, BOPOMOFO, true},
    {0x3131, 0x318e, HANGUL, false},
    {0x31a0, 0x31bf, BOPOMOFO, true},
    {0x31f0, 0x31ff, KANA, false},
    {0x3400, 0x4dbf, HAN, true},
    {0x4e00, 0x9fff, HAN, true},
    {0xa000, 0xa4ff, HISTORIC, false},
    {0xa500, 0xa63f, HISTORIC, false},
    {0xa640, 0xa69f, CYRILLIC, false},
    {0xa6a0, 0xa6ff, HISTORIC, false},
    {0xa722, 0xa787, LATIN, false},
    {0xa78b, 0xa7ff, LATIN, false},
    {0xa800, 0xa82f, HISTORIC, false},
    {0xa840, 0xa8df, HISTORIC, false},
    {0xa900, 0xa92d, HISTORIC, false},
    {0xa930, 0xab2f, HISTORIC, false},
    {0xab30, 0xab64, LATIN, false},
    {0xab70, 0xabbf, HISTORIC, false},
    {0xabc0, 0xabff, HISTORIC, false},
    {0xac00, 0xd7a3, HANGUL, true},
    {0xe000, 0xf8ff, HISTORIC, false},
    {0xf900, 0xfaff, HAN, false},
    {0xfb00, 0xfb06, LATIN, false},
    {0xfb13, 0xfb17, ARMENIAN, false},
    {0xfb1d, 0xfb4f, HEBREW, false},
    {0xfb50, 0xfdff, ARABIC, false},
    {0xfe70, 0xfefc, ARABIC, false},
    {0xff21, 0xff3a, LATIN, false},
    {0xff41, 0xff5a, LATIN, false},
    {0xff66, 0xff9d, KANA, false},
    {0xffa0, 0xffdc, HANGUL, false},
    {0x10000, 0x1013f, HISTORIC, false},
    {0x10140, 0x1018e, GREEK, false},
    {0x10280, 0x1b0ff, HISTORIC, false},
    {0x1b100, 0x1cfff, HISTORIC, false},
    {0x1d800, 0x1daaf, HISTORIC, false},
    {0x1e000, 0x1ecff, HISTORIC, false},
    {0x20000, 0x2f7ff, HAN, true},
    {0x2f800, 0x2fa1f, HAN, false},
    {0x30000, 0x323af, HAN, true},
};

static const struct range *range_find(uint32_t scalar) {
  size_t low = 0, high = sizeof(ranges) / sizeof(ranges[0]);

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (scalar < ranges[middle].first)
      high = middle;
    else if (scalar > ranges[middle].last)
      low = middle + 1;
    else
      return &ranges[middle];
  }
  return NULL;
}

/* Those of India have 128 characters each, others that share a bit stand in ranges of their own. */
static uint64_t range_bits(const struct range *range, uint32_t scalar) {
  uint64_t bits = range->script;

  if (range->script == INDIC)
    bits |= (uint64_t)(scalar / 128) << 16;
  else if (range->script == SOUTHEAST || range->script == HISTORIC)
    bits |= (uint64_t)range->first << 16;
  return bits;
}

bool cedar_text_is_single_script(struct cedar_text text) {
  uint64_t all = ANY, bits;
  const struct range *range;
  uint32_t scalar;
  size_t i, n;

  for (i = 0; i < text.len; i += n) {
    n = cedar_utf8_next(text.ptr + i, text.len - i, &scalar);
    if (n == 0) {
      n = 1; /* a pattern's wildcard */
      continue;
    }
    range = range_find(scalar);
    if (range == NULL || range->script == ANY)
      continue;
    bits = range_bits(range, scalar);
    if (all != ANY && (bits >> 16) != (all >> 16))
      return false;
    all = (all == ANY ? bits : all & bits);
    if ((all & ANY) == 0)
      return false;
  }
  return true;
}

bool cedar_text_has_bidi(struct cedar_text text) {
  uint32_t scalar;
  size_t i, n;

  for (i = 0; i < text.len; i += n) {
    n = cedar_utf8_next(text.ptr + i, text.len - i, &scalar);
    if (n == 0)
      n = 1;
    else if ((scalar >= 0x202a && scalar <= 0x202e) || (scalar >= 0x2066 && scalar <= 0x2069))
      return true;
  }
  return false;
}

uint32_t cedar_text_odd_character(struct cedar_text text) {
  const struct range *range;
  uint32_t scalar;
  size_t i, n;

  for (i = 0; i < text.len; i += n) {
    n = cedar_utf8_next(text.ptr + i, text.len - i, &scalar);
    if (n == 0) {
      n = 1;
      continue;
    }
    range = range_find(scalar);
    if (range == NULL || !range->plain)
      return scalar;
  }
  return 0;
}

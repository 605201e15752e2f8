/*
 * In place of ICU: libxml2 may be linked with it, for encodings that are refused before it is asked.
 * SPDX-License-Identifier: PostgreSQL
 */

/*
 * ICU comes with the C++ library: five libraries, a quarter of the helper's whole
 * time, and much to read for whoever looks for gadgets. The program says in its
 * dynamic section that it is libicuuc.so itself (the linker's -soname), so the
 * dynamic linker looks for no other and binds libxml2 to what stands here, which
 * knows no encoding. Where libxml2 comes with another ICU than the one it was built
 * beside, that one is loaded as ever.
 */
#include <config.h>

#ifdef ICU_MAJOR

#define JOIN(name, number) name##_##number
#define NUMBERED(name, number) JOIN(name, number)
#define ICU(name) NUMBERED(name, ICU_MAJOR)
#define SEEN __attribute__((visibility("default")))

#define FILE_ACCESS_ERROR 4 /* ICU's answer for an encoding that it has no table of */

SEEN void *ICU(ucnv_open)(const char *encoding, int *error_out);
SEEN void ICU(ucnv_close)(void *converter);

void *ICU(ucnv_open)(const char *encoding, int *error_out) {
  (void)encoding;
  *error_out = FILE_ACCESS_ERROR;
  return (void *)0;
}

void ICU(ucnv_close)(void *converter) {
  (void)converter;
}

/* These are for those who have a converter, and nobody has one. */
#define NEVER(name)                                                                                \
  SEEN void ICU(name)(void);                                                                       \
  void ICU(name)(void) {                                                                           \
    __builtin_trap();                                                                              \
  }

NEVER(ucnv_convertEx)
NEVER(ucnv_setFromUCallBack)
NEVER(ucnv_setToUCallBack)
NEVER(UCNV_FROM_U_CALLBACK_STOP)
NEVER(UCNV_TO_U_CALLBACK_STOP)

#endif

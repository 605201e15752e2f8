dnl Warning, hardening, sanitizer and fuzzer flags, each probed on its own.
dnl SPDX-License-Identifier: PostgreSQL

dnl CORTEX_TRY_CFLAGS(VARIABLE, FLAGS): appends each flag that the compiler takes.
AC_DEFUN([CORTEX_TRY_CFLAGS], [
  for cortex_flag in $2; do
    AX_CHECK_COMPILE_FLAG([$cortex_flag], [$1="$$1 $cortex_flag"], [], [-Werror])
  done
])

dnl CORTEX_TRY_LDFLAGS(VARIABLE, FLAGS): appends each flag that the linker takes.
AC_DEFUN([CORTEX_TRY_LDFLAGS], [
  for cortex_flag in $2; do
    AX_CHECK_LINK_FLAG([$cortex_flag], [$1="$$1 $cortex_flag"])
  done
])

AC_DEFUN([CORTEX_WARNING_FLAGS], [
  AC_ARG_ENABLE([werror],
    [AS_HELP_STRING([--enable-werror], [make compiler warnings errors @<:@no@:>@])],
    [cortex_werror=$enableval], [cortex_werror=no])
  WARN_CFLAGS=
  CORTEX_TRY_CFLAGS([WARN_CFLAGS], [-Wall -Wextra -Wshadow -Wconversion -Wformat=2 dnl
    -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wnull-dereference -Wswitch-enum dnl
    -Wpointer-arith -Wundef -Wwrite-strings])
  AS_IF([test "x$cortex_werror" = xyes], [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
  AC_SUBST([WARN_CFLAGS])
])

AC_DEFUN([CORTEX_SANITIZERS], [
  AC_ARG_ENABLE([sanitizers],
    [AS_HELP_STRING([--enable-sanitizers], [build with AddressSanitizer and UBSan @<:@no@:>@])],
    [cortex_sanitizers=$enableval], [cortex_sanitizers=no])
  SAN_CFLAGS=
  AS_IF([test "x$cortex_sanitizers" = xyes],
    [SAN_CFLAGS="-fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer"])
  AC_SUBST([SAN_CFLAGS])
  AM_CONDITIONAL([SANITIZERS], [test "x$cortex_sanitizers" = xyes])
])

dnl Fortify needs an optimised build and hides errors from the sanitizers; -z defs
dnl refuses the sanitizers' run-time symbols: so none of it beside sanitizers.
AC_DEFUN([CORTEX_HARDENING_FLAGS], [
  AC_ARG_ENABLE([hardening],
    [AS_HELP_STRING([--disable-hardening], [build without hardening flags])],
    [cortex_hardening=$enableval], [cortex_hardening=yes])
  AS_IF([test "x$cortex_sanitizers" = xyes], [cortex_hardening=no])
  HARDEN_CFLAGS= HARDEN_CPPFLAGS= HARDEN_LDFLAGS= PIE_CFLAGS= PIE_LDFLAGS=
  AS_IF([test "x$cortex_hardening" = xyes], [
    CORTEX_TRY_CFLAGS([HARDEN_CFLAGS], [-fstack-protector-strong -fstack-clash-protection -fcf-protection])
    CORTEX_TRY_LDFLAGS([HARDEN_LDFLAGS], [-Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,-z,defs -Wl,--as-needed])
    CORTEX_TRY_CFLAGS([PIE_CFLAGS], [-fPIE])
    CORTEX_TRY_LDFLAGS([PIE_LDFLAGS], [-pie])
    AS_CASE([" $CFLAGS "], [*" -O0 "*], [],
      [*" -O"*], [HARDEN_CPPFLAGS="-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2"])
  ])
  CORTEX_TRY_CFLAGS([HARDEN_CFLAGS], [-fvisibility=hidden])
  ONE_SEGMENT_LDFLAGS=
  CORTEX_TRY_LDFLAGS([ONE_SEGMENT_LDFLAGS], [-Wl,-z,noseparate-code])
  AC_SUBST([ONE_SEGMENT_LDFLAGS])
  AC_SUBST([HARDEN_CFLAGS])
  AC_SUBST([HARDEN_CPPFLAGS])
  AC_SUBST([HARDEN_LDFLAGS])
  AC_SUBST([PIE_CFLAGS])
  AC_SUBST([PIE_LDFLAGS])
])

dnl The fuzz targets are always built with a stand-alone runner that replays their
dnl corpora; --enable-fuzzers links them to libFuzzer instead (clang only).
AC_DEFUN([CORTEX_FUZZERS], [
  AC_ARG_ENABLE([fuzzers],
    [AS_HELP_STRING([--enable-fuzzers], [link the fuzz targets to libFuzzer (clang) @<:@no@:>@])],
    [cortex_fuzzers=$enableval], [cortex_fuzzers=no])
  AM_CONDITIONAL([FUZZERS], [test "x$cortex_fuzzers" = xyes])
  AS_IF([test "x$cortex_fuzzers" = xyes], [
    SAN_CFLAGS="$SAN_CFLAGS -fsanitize=fuzzer-no-link"
    FUZZ_LDFLAGS=-fsanitize=fuzzer
  ])
  AC_SUBST([FUZZ_LDFLAGS])
])

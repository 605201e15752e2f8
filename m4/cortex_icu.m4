dnl Whether libxml2 is linked with ICU, and what it takes from it.
dnl SPDX-License-Identifier: PostgreSQL

dnl The names that saml-helper/icu.c has, without ICU's number.
m4_define([CORTEX_ICU_NAMES], [ucnv_open ucnv_close ucnv_convertEx ucnv_setFromUCallBack dnl
  ucnv_setToUCallBack UCNV_FROM_U_CALLBACK_STOP UCNV_TO_U_CALLBACK_STOP])

dnl CORTEX_ICU: ICU_MAJOR is the number of the ICU that the helper can stand in for, or nothing:
dnl libxml2 has none, or takes a name that icu.c does not know.
AC_DEFUN([CORTEX_ICU], [
  AC_REQUIRE([LT_INIT])
  AC_CACHE_CHECK([which ICU the helper can do without], [cortex_cv_icu], [
    cortex_cv_icu=none
    cortex_libxml2=`$CC -print-file-name=libxml2.so 2>/dev/null`
    cortex_icu=`objdump -p "$cortex_libxml2" 2>/dev/null |
      sed -n 's/^ *NEEDED *libicuuc\.so\.\(@<:@0-9@:>@@<:@0-9@:>@*\)$/\1/p'`
    AS_IF([test -n "$cortex_icu"], [
      cortex_cv_icu=$cortex_icu
      for cortex_name in `objdump -T "$cortex_libxml2" |
          sed -n "s/.*\*UND\*.* \(@<:@Uu@:>@@<:@A-Za-z_@:>@*\)_$cortex_icu\$/\1/p"`; do
        AS_CASE([" CORTEX_ICU_NAMES "], [*" $cortex_name "*], [], [cortex_cv_icu=none])
      done
    ])
  ])
  ICU_LDFLAGS=
  AS_IF([test "x$cortex_cv_icu" != xnone], [
    ICU_LDFLAGS="-Wl,-soname,libicuuc.so.$cortex_cv_icu"
    AC_DEFINE_UNQUOTED([ICU_MAJOR], [$cortex_cv_icu], [The ICU that libxml2 is linked with.])
  ])
  AC_SUBST([ICU_LDFLAGS])
])

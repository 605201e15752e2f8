# Tests that print TAP: each case is counted.
# SPDX-License-Identifier: PostgreSQL
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
TEST_EXTENSIONS = .sh
SH_LOG_DRIVER = $(LOG_DRIVER)
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = CMOCKA_MESSAGE_OUTPUT=TAP; \
  top_srcdir='$(abs_top_srcdir)'; top_builddir='$(abs_top_builddir)'; \
  cases='$(abs_top_srcdir)/tests/cases'; \
  export CMOCKA_MESSAGE_OUTPUT top_srcdir top_builddir cases;

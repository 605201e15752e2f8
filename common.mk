# What every folder compiles and links with.
# SPDX-License-Identifier: PostgreSQL
AM_CPPFLAGS = -I$(top_srcdir)/libcortexauth/include $(HARDEN_CPPFLAGS)
AM_CFLAGS = $(WARN_CFLAGS) $(HARDEN_CFLAGS) $(SAN_CFLAGS)
AM_LDFLAGS = $(HARDEN_LDFLAGS) $(SAN_CFLAGS)

# For what a server loads: of a compiler's start files nothing is used (no constructor, no profile),
# and each login would look for their three weak names in every library of the server.
NO_START_FILES = -Wc,-nostartfiles

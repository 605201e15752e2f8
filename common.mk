# What every folder compiles and links with.
# SPDX-License-Identifier: PostgreSQL
AM_CPPFLAGS = -I$(top_srcdir)/libcortexauth/include $(HARDEN_CPPFLAGS)
AM_CFLAGS = $(WARN_CFLAGS) $(HARDEN_CFLAGS) $(SAN_CFLAGS)
AM_LDFLAGS = $(HARDEN_LDFLAGS) $(SAN_CFLAGS)

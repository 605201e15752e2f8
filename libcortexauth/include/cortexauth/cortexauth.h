/*
 * All of libcortexauth but the Cedar engine's own header.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_CORTEXAUTH_H
#define CORTEXAUTH_CORTEXAUTH_H

#include <cortexauth/audit.h>
#include <cortexauth/binding.h>
#include <cortexauth/clock.h>
#include <cortexauth/credential.h>
#include <cortexauth/decision.h>
#include <cortexauth/error.h>
#include <cortexauth/file.h>
#include <cortexauth/identity.h>
#include <cortexauth/ini.h>
#include <cortexauth/login.h>
#include <cortexauth/metadata.h>
#include <cortexauth/reason.h>
#include <cortexauth/revocation.h>
#include <cortexauth/session.h>
#include <cortexauth/settings.h>
#include <cortexauth/state.h>

#endif

/*
 * What check and doctor can find: FAULT(symbol, name, severity, meaning, fix).
 * The name stands in doctor's answers and in cortexctl(8); the fix is said where no exact command is known.
 * SPDX-License-Identifier: PostgreSQL
 */

/* configuration and policy */
FAULT(CONFIG_INVALID, config_invalid, ERROR, "no login can be decided: every one is refused as config_invalid", "correct the line that is named, then run this again")
FAULT(POLICY_INVALID, policy_invalid, ERROR, "no policy is in force: every login is refused as policy_unavailable", "correct the line that is named, then run this again")
FAULT(POLICY_NONE, policy_none, WARNING, "nobody can log in", "write a permit to a file of the policy folder")
FAULT(ANNOTATION_UNKNOWN, annotation_unknown, WARNING, "Cedar permits any annotation, so what it was to say is not heard: sessions may last longer than it says", "correct its name, or choose one that is less like it")
FAULT(RESOURCE_UNKNOWN, resource_unknown, WARNING, "the policy decides nothing: nobody gets what it permits, and what it forbids is not forbidden", "correct the name, or describe the service in the entities file")
FAULT(IMAGE_UNUSED, image_unused, WARNING, "logins read and check the policies' text each time, which costs them time", "cortexctl policy image")

/* issuers and keys */
FAULT(NAMES_SHARED, names_shared, ERROR, "a person of one issuer could take the role of a person of the other, so both are refused", "give one of them a namespace, or both shared_names = yes where their names mean the same people")
FAULT(KEYS_DEVELOPMENT, keys_development, WARNING, "its private keys lie in a folder: who reads them can be anyone", "remove the section before people rely on this host")
FAULT(KEYS_WEAK, keys_weak, WARNING, "tokens that these keys signed are refused", "ask the issuer for an RSA key of 2048 bits or more, or an EC key")
FAULT(KEYS_NONE, keys_none, ERROR, "every token of this issuer is refused", "compare the section's algorithms with the keys that the issuer publishes")
FAULT(KEYS_UNAVAILABLE, keys_unavailable, ERROR, "every login through this issuer is refused as keys_unavailable", "put the issuer's key set where the configuration says, readable for the server")
FAULT(KEYS_UNFETCHED, keys_unfetched, OUTSIDE, "the issuer did not answer: with keys in the cache logins go on until these are stale", "see that this host reaches the address, by proxy and ca_file where needed; then cortexctl refresh")
FAULT(KEYS_STALE, keys_stale, ERROR, "logins through this issuer are refused until its keys have been fetched", "cortexctl refresh")
FAULT(JWKS_URI_IDLE, jwks_uri_idle, WARNING, "keys come from the file alone: a key that the issuer changes is missed", "remove jwks_file, or jwks_uri where the file is meant")
FAULT(REFRESH_FAILING, refresh_failing, WARNING, "keys in the cache serve until they are stale; then logins are refused", "cortexctl refresh, and heed what it says")
FAULT(REFRESH_LATE, refresh_late, WARNING, "nothing fetches keys on this host: soon they are stale and logins are refused", "systemctl enable --now cortex-refresh.timer cortex-refresh.path")
FAULT(CA_UNREADABLE, ca_unreadable, ERROR, "the issuer's keys cannot be fetched", "write the authority's certificates, PEM, to that file")
FAULT(PROVIDER_TWICE, provider_twice, ERROR, "two issuers have one name, and names of people belong to it: every response of it is refused as unknown_issuer, but of the section whose idp_entity_id it is", "keep one [saml] section for each identity provider, or write idp_entity_id in the one that the name belongs to")
FAULT(METADATA_ENDING, metadata_ending, WARNING, "after its validUntil every login through this identity provider is refused", "get new metadata from the provider; where it is fetched, see that refresh runs")
FAULT(CERTIFICATE_ENDING, certificate_ending, WARNING, "its key is trusted after that day too, but the provider is likely to change it, which new metadata must say", "get new metadata from the provider, or make a new certificate for sp_cert_file and give the provider our metadata")
FAULT(CERTIFICATE_UNFIT, certificate_unfit, ERROR, "identity providers encrypt for a key that this host does not have", "write the certificate of sp_key_file to sp_cert_file, then cortexctl saml metadata for the provider")
FAULT(PRIVATE_KEY_PUBLIC, private_key_public, WARNING, "who reads it can open what is encrypted for this host", "chown root:cortex and chmod 0640 the file")

/* services */
FAULT(SERVICE_NONE, service_none, WARNING, "nobody can log in", "describe a Service in the entities file")
FAULT(NAME_LONG, name_long, ERROR, "PostgreSQL cuts names at 63 bytes: nothing has this one, so nobody reaches the database or gets the role", "give it a shorter name, there and here")
FAULT(ENVIRONMENT_DIFFERS, environment_differs, ERROR, "policies that ask for the environment and policies that ask for membership disagree", "make the attribute and the parent say the same")
FAULT(ENVIRONMENT_NONE, environment_none, WARNING, "policies for an Environment do not fit this service", "add the Environment to the service's parents")
FAULT(AUDIENCE_SHARED, audience_shared, WARNING, "who has a token for one environment can use it in the other", "give each environment an audience of its own")
FAULT(AUDIENCE_UNACCEPTED, audience_unaccepted, WARNING, "no token fits this service", "add the audience to the issuer's section, or correct the service's")
FAULT(GRANT_MISSING, grant_missing, WARNING, "people are let in with this level and can do nothing by it", "name the level's roles in the service's grants")
FAULT(GRANT_PROTECTED, grant_protected, WARNING,
      "nobody gets the role: cortex-sync rejects it at each run (exit status 4), and a login just in "
      "time that needs one of PostgreSQL's own roles is refused",
      "name a group role of your own in its place: CREATE ROLE NAME IN ROLE cortex_groups, with "
      "what it is to have")
FAULT(GRANT_SHARED, grant_shared, WARNING,
      "a role is held on the whole server: who is permitted one of the two levels has what the "
      "other one stands for as well",
      "give each of the services a group role of its own for that level")

/* files */
FAULT(FILE_UNTRUSTED, file_untrusted, ERROR, "others than root can change what decides logins; they are refused for it", "chown root:cortex and chmod 0640 the file")
FAULT(FILE_OWNER, file_owner, WARNING, "its owner decides who logs in, without being root", "chown root:cortex the file")
FAULT(FOLDER_WRITABLE, folder_writable, ERROR, "who can write to the folder can put another file in the place of this one", "chown root:root and chmod go-w the folder")
FAULT(CACHE_WRITABLE, cache_writable, ERROR, "a session that breaks out of PostgreSQL could trust keys of its own", "chown cortex:cortex and chmod 0750 the folder")
FAULT(SERVER_UNREADABLE, server_unreadable, ERROR, "logins are refused, as the server cannot read the file", "let the server's user read it through group cortex")
FAULT(SERVER_GROUPS, server_groups, ERROR, "the server was started before its user joined the group, so logins are refused", "systemctl restart postgresql")

/* clock */
FAULT(CLOCK_UNSYNCHRONISED, clock_unsynchronised, WARNING, "tokens live for minutes: a clock that drifts refuses them, or accepts ended ones", "systemctl enable --now systemd-timesyncd, or chrony")
FAULT(CLOCK_DIFFERS, clock_differs, ERROR, "this host and the database server disagree about the time: tokens and deadlines are judged wrongly", "set the clocks of both by the same time servers")
FAULT(CLOCK_BEHIND, clock_behind, ERROR, "the clock was set back, or was ahead: tokens and deadlines are judged wrongly", "set the clock, then look at the records of that time")

/* audit */
FAULT(AUDIT_UNUSABLE, audit_unusable, ERROR, "no decision can be recorded, so logins are refused as audit_unavailable", "install -o root -g cortex -m 0660 /dev/null FILE")
FAULT(AUDIT_WRITABLE, audit_writable, ERROR, "everybody can add and remove records", "chown root:cortex and chmod 0660 the file")
FAULT(AUDIT_READABLE, audit_readable, WARNING, "everybody can read who logged in when", "chmod 0660 the file")
FAULT(AUDIT_BROKEN, audit_broken, ERROR, "records were changed, removed or moved after they were written", "keep the files as they are, copy them away, and read cortexctl audit verify")
FAULT(AUDIT_UNANCHORED, audit_unanchored, NOTE, "records cut from the end, or a chain written anew, would not show", "give the anchors that syslog kept: --anchors FILE")
FAULT(AUDIT_OPTIONAL, audit_optional, WARNING, "people are let in without a record when the trail cannot be written", "required = yes in [audit]")
FAULT(AUDIT_DISK, audit_disk, WARNING, "when the disk is full no decision can be recorded and logins are refused", "cortexctl audit rotate, then move kept files away")
FAULT(SYSLOG_ABSENT, syslog_absent, WARNING, "anchors go nowhere, so nobody can tell later whether the trail's end was cut", "run a syslog daemon or systemd-journald")

/* state and sessions */
FAULT(STATE_UNUSABLE, state_unusable, ERROR, "logins are refused as state_unavailable", "make the folder as cortex.conf(5) says")
FAULT(REUSE_WINDOW_IDLE, reuse_window_idle, WARNING, "the key does nothing", "one_use = yes, or remove reuse_window")
FAULT(REAPER_STALE, reaper_stale, ERROR, "nobody ends sessions that are over, so new ones are refused ([session] enforce = yes)", "systemctl enable --now cortex-reap.timer")
FAULT(REAPER_ABSENT, reaper_absent, WARNING, "sessions go on after their deadline", "systemctl enable --now cortex-reap.timer")

/* PAM */
FAULT(PAM_FILE_MISSING, pam_file_missing, WARNING, "this host serves no logins for the service; a pg_hba line that names it falls to /etc/pam.d/other", "cortexctl service render NAME")
FAULT(PAM_LINE_MISSING, pam_line_missing, ERROR, "the rest of the file decides, without Cortex", "cortexctl service render NAME")
FAULT(PAM_LINE_OPTIONAL, pam_line_optional, ERROR, "a refusal by Cortex may not end the login", "write required")
FAULT(PAM_LINE_FOREIGN, pam_line_foreign, ERROR, "people are let in by the policy of another service", "cortexctl service render NAME")
FAULT(PAM_LINE_BYPASS, pam_line_bypass, ERROR, "another module may accept a login that Cortex refuses, or before it is asked", "leave nothing in the file but the two lines of cortexctl service render")
FAULT(PAM_FILE_OWNER, pam_file_owner, ERROR, "who can change it can let anybody in", "chown root:root and chmod 0644 the file")
FAULT(PAM_FILE_UNREADABLE, pam_file_unreadable, ERROR, "the server goes by /etc/pam.d/other instead: tokens are refused, and what that file accepts comes in", "chmod 0644 the file")
FAULT(PAM_FILE_STRAY, pam_file_stray, WARNING, "logins through it are refused as service_unknown", "remove the file, or describe the service in the entities file")
FAULT(PAM_MODULE_MISSING, pam_module_missing, ERROR, "PAM cannot load the module: every login is refused", "install the package libpam-cortex")
FAULT(PAM_OTHER_OPEN, pam_other_open, WARNING, "a pamservice that is mistyped is decided by this file, which does not only refuse", "let its auth and account lines be pam_deny.so, after seeing which programs rely on it")
FAULT(PAM_OTHER_COST, pam_other_cost, NOTE, "PAM reads this file and loads its modules at each login, whatever the service: up to 2 ms", "where nothing on this host relies on it: four lines of pam_deny.so")

/* the server */
FAULT(DATABASE_UNASKED, database_unasked, NOTE, "pg_hba.conf, the extension and the server's settings were not looked at", "run this as root or postgres on the server, or give --database CONNINFO")
FAULT(DATABASE_UNREACHABLE, database_unreachable, OUTSIDE, "pg_hba.conf, the extension and the server's settings were not looked at", "give a superuser's CONNINFO to --database")
FAULT(SERVER_OLD, server_old, ERROR, "its password message holds 995 bytes: it hangs up on longer tokens, as most are, before PAM is asked", "upgrade to PostgreSQL 14 or later")
FAULT(SERVER_OWN_GRANTS, server_own_grants, WARNING, "each role may grant itself to others: a level that asks for a second factor can be lent to sessions without", "upgrade to PostgreSQL 15 or later; until then cortex-sync --reap --watch takes such grants back")
FAULT(SSL_OFF, ssl_off, ERROR, "no hostssl line can be met, and tokens must not travel in clear", "ssl = on in postgresql.conf")
FAULT(HBA_BROKEN, hba_broken, ERROR, "the server goes on with the lines it had, and does not start again", "correct the line that is named, then SELECT pg_reload_conf()")
FAULT(HBA_UNLOADED, hba_unloaded, WARNING, "the file was changed since: the server still decides by the lines before", "SELECT pg_reload_conf()")
FAULT(HBA_CLEAR, hba_clear, ERROR, "a token travels in clear and can be used by who reads it", "write hostssl")
FAULT(HBA_SOCKET, hba_socket, WARNING, "policies that look at the address do not fit logins by the socket", "write hostssl")
FAULT(HBA_PAM_UNKNOWN, hba_pam_unknown, ERROR, "PAM falls back to /etc/pam.d/other, which may accept the passwords of the operating system", "correct pamservice, or write its file: cortexctl service render NAME")
FAULT(HBA_PAM_FOREIGN, hba_pam_foreign, NOTE, "these logins are decided without Cortex", "none where that is meant")
FAULT(HBA_DATABASE, hba_database, ERROR, "logins to any other database than the service's are refused as service_mismatch", "name the service's database and no other")
FAULT(HBA_REPLICATION, hba_replication, ERROR, "standbys cannot log in, as Cortex refuses replication", "give replication a line of its own above, with scram-sha-256 or cert")
FAULT(HBA_SUPERUSER, hba_superuser, ERROR, "a token with this name opens a superuser's or replication role", "add it to protected in [roles], or catch it in a line above")
FAULT(HBA_SHADOWED, hba_shadowed, ERROR, "this line is never reached: the one above decides, without Cortex", "move the line above it")
FAULT(HBA_BYPASS, hba_bypass, ERROR, "people that Cortex manages come in without token, policy and record", "remove the line, or name the roles it is for")
FAULT(HBA_BESIDE, hba_beside, WARNING, "a role that Cortex manages could be met by this line, which does not ask Cortex", "name the roles it is for, or reject")
FAULT(HBA_GROUP, hba_group, ERROR, "a role that is made just in time is in no group yet when pg_hba.conf is read: its first login is refused", "write all for the user")
FAULT(JIT_UNREADY, jit_unready, ERROR, "no role can be made: the first login of each person is refused as role_unavailable", "write the lines for cortex_jit that cortexctl service render prints; let jit_conninfo name the database in which the extension cortex was created first")
FAULT(HBA_REJECT, hba_reject, WARNING, "what no line foresees is refused only as long as nobody adds a line below", "end the file with: host all all all reject")
FAULT(HBA_SERVICE_NONE, hba_service_none, WARNING, "nobody can reach the service on this server", "cortexctl service render NAME")
FAULT(EXTENSION_ABSENT, extension_absent, WARNING, "roles cannot be made or synchronised, and SQL cannot ask who a session is", "CREATE EXTENSION cortex")
FAULT(EXTENSION_OUTDATED, extension_outdated, WARNING, "the database has functions of an older release", "ALTER EXTENSION cortex UPDATE")
FAULT(POOLER_FORWARDS, pooler_forwards, ERROR, "the pooler keeps tokens and sends them again when they have ended: logins hang, and one person rides on another's connection", "let the pooler reach the server by a line of its own with cert or trust clientcert=verify-ca")
FAULT(POOLER_TRUNCATES, pooler_truncates, WARNING, "PgBouncer before 1.26 cuts a password to 2047 bytes: longer tokens are refused without a hint", "upgrade PgBouncer to 1.26 or later, or keep groups out of the token")

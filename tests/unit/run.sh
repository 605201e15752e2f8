# Runs a unit test: run.sh PROGRAM. Of a case that is skipped cmocka 1.1.5 says "not ok", which automake
# counts as a failure.
# SPDX-License-Identifier: PostgreSQL
said=$("$@")
status=$?
printf '%s\n' "$said" | sed 's/^not ok \([0-9]* # SKIP\)/ok \1/'
exit "$status"

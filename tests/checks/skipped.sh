# A unit test's skipped case is no failure, as those that only root can run are for all others.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

# expect LINE STATUS OUTPUT: what becomes of a unit test's output and exit status
expect() {
  said=$(sh tests/unit/run.sh sh -c "echo '$3'; exit $2")
  status=$?
  [ "$said $status" = "$1 $2" ] || echo "$3: $said, exit status $status"
}
{
  expect 'ok 7 # SKIP a_case' 0 'not ok 7 # SKIP a_case'
  expect 'not ok 7 - a_case' 1 'not ok 7 - a_case'
  expect 'ok 7 - a_case' 0 'ok 7 - a_case'
} >"$work/bad"
report 'a skipped case is ok, a failed one is not'
finish

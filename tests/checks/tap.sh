# What every check uses: TAP lines, and where the sources are.
# SPDX-License-Identifier: PostgreSQL
set -u
LC_ALL=C
export LC_ALL
cd "$top_srcdir" || exit 99
count=0
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# report NAME: a pass when the file "$work/bad" is empty; else a failure with its lines.
report() {
  count=$((count + 1))
  if [ -s "$work/bad" ]; then
    echo "not ok $count - $1"
    sed 's/^/#   /' "$work/bad"
  else
    echo "ok $count - $1"
  fi
  : >"$work/bad"
}

# skip_all REASON: the whole check is left out.
skip_all() {
  echo "1..0 # SKIP $1"
  exit 0
}

finish() { echo "1..$count"; }

# sources FOLDER...: the C files and headers below, but no built or foreign ones.
sources() {
  find "$@" \( -name node_modules -o -name build -o -name .git \) -prune -o \
    \( -name '*.c' -o -name '*.h' \) -type f -print | sort
}

# names in the "global:" part of a version map
mapped() {
  sed -e 's:/\*.*\*/::' -e 's/#.*//' "$1" |
    awk '/global:/ { on = 1; next } /local:/ { on = 0 } on { gsub(/[ ;]/, ""); if ($0) print }' | sort
}

: >"$work/bad"

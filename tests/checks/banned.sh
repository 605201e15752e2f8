# Calls that a library inside a PostgreSQL backend must not make.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

# plain FILE...: the code without comments and strings, each line as FILE:LINE:CODE
plain() {
  awk '{
    line = $0; out = ""
    while (line != "") {
      if (inside) {
        end = index(line, "*/")
        if (!end) break
        line = substr(line, end + 2); inside = 0; continue
      }
      c = substr(line, 1, 1)
      if (substr(line, 1, 2) == "/*") { inside = 1; line = substr(line, 3); continue }
      if (substr(line, 1, 2) == "//") break
      if (c == "\"" || c == "\47") {
        line = substr(line, 2)
        while (line != "" && substr(line, 1, 1) != c)
          line = substr(line, substr(line, 1, 1) == "\\" ? 3 : 2)
        line = substr(line, 2); out = out c c; continue
      }
      out = out c; line = substr(line, 2)
    }
    print FILENAME ":" FNR ":" out
  }' "$@"
}

# none WHAT NAMES FOLDER...: no file below calls one of these
none() {
  what=$1 names=$2
  shift 2
  sources "$@" | grep -v "^${except:-none}" | while read -r file; do plain "$file"; done |
    grep -E "[^A-Za-z0-9_>.]($names)[[:space:]]*\(" | grep -v 'AF_UNIX' >"$work/bad"
  report "no $what in $*"
}

everywhere='libcortexauth pam_cortex tools'
in_backend='libcortexauth pam_cortex'

# The helper of SAML is a process of its own: it may end, and limits itself. The one
# file that starts it, and waits for it, is named where such calls are looked for.
helper='libcortexauth/saml-helper/'
starter='libcortexauth/saml/worker\.c'
none 'unbounded copying' 'strcpy|strcat|stpcpy|sprintf|vsprintf|gets|scanf|sscanf|alloca' $everywhere
none 'call with hidden state' 'strtok|asctime|ctime|gmtime|localtime|rand|srand|tmpnam|mktemp|readdir_r' $everywhere
none 'unchecked number' 'atoi|atol|atoll|atof' $everywhere
none 'shell' 'system|popen' $everywhere
except="\($helper\|$starter\)"
none 'end of the process' 'exit|_exit|_Exit|abort|assert|atexit|quick_exit|err|errx|raise|kill' $in_backend
none 'signal, timer or jump' 'signal|sigaction|sigprocmask|alarm|setitimer|setjmp|longjmp|sigsetjmp' $in_backend
none 'process or thread' 'fork|vfork|clone|execve?|execvp|execl|posix_spawnp?|pthread_create|waitpid|setsid' $in_backend
except=$helper
none 'network' 'socket|connect|getaddrinfo|gethostbyname|bind|listen' $in_backend
# libpq reads the environment: the object that calls it puts that aside meanwhile.
except="\($helper\|libcortexauth/session/jit_call\.c\)"
none 'environment or locale' 'getenv|setenv|putenv|unsetenv|setlocale|chdir|umask|setrlimit' $in_backend
except=$helper
none 'other output' 'printf|puts|putchar|perror|fputs' $in_backend
none 'flock' 'flock|lockf' $in_backend
none 'waiting' 'sleep|usleep|pam_fail_delay' $in_backend
none 'own clock or identity' 'time|gettimeofday|getpid|getppid|getuid|gethostname' \
  libcortexauth/cedar libcortexauth/oidc libcortexauth/identity libcortexauth/policy libcortexauth/audit \
  libcortexauth/state   libcortexauth/login.c libcortexauth/saml

# Every descriptor is closed by exec.
for file in $(sources $in_backend); do plain "$file"; done |
  grep -E '[^A-Za-z0-9_](open|openat|dup|dup2|fopen|pipe|accept|creat)[[:space:]]*\(' |
  grep -Ev 'O_CLOEXEC' >"$work/bad"
report "O_CLOEXEC on each open in $in_backend"

# Writable data would be shared by all logins of a long-lived process. The
# sanitizers keep tables of their own there.
if [ "$SANITIZED" = no ]; then
  find "$top_builddir/libcortexauth" "$top_builddir/pam_cortex" -path '*/.libs/*.o' | sort |
    while read -r object; do
      nm -f sysv "$object" | awk -F'|' -v file="$(basename "$object")" '
        { sub(/ *$/, "", $1); gsub(/ /, "", $7) }
        $7 ~ /^(\.t?(data|bss)|\*COM\*)/ && $7 !~ /^\.data\.rel\.ro/ { print file ": " $1 " in " $7 }'
    done >"$work/bad"
  report 'no writable globals or statics'
fi
finish

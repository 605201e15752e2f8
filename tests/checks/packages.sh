# The packages say the version of the sources, the Debian and the RPM ones hold the same files, and the tarball all tests.
# SPDX-License-Identifier: PostgreSQL
. "${0%/*}/tap.sh"

spec=packaging/rpm/cortex-postgresql.spec
version=$(sed -nE 's/^AC_INIT\(\[[^]]*\], \[([^]]*)\].*/\1/p' configure.ac)
{
  sed -nE '1s/^[^(]*\(([^)-]*).*/packaging\/debian\/changelog \1/p' packaging/debian/changelog
  sed -nE "s:^Version\: *:$spec :p" "$spec"
  sed -nE '/^[0-9]/{s/^([^ ]*).*/NEWS \1/p;q}' NEWS
} | awk -v version="$version" '{ n++ } $2 != version { print } END { if (n != 3) print n " of 3 say one" }' >"$work/bad"
report "changelog, spec and NEWS say $version"

# Of what make install makes, each package's files: by their last name, as the folders differ.
names() { sed 's:/*$::; s:.*/::; s:\*$::' | grep -v '^$' | sort -u; }
sed 's/ .*//' packaging/debian/*.install | names >"$work/debian"
sed -n '/^%files/,/^%changelog/p' "$spec" | grep -E '^%\{[a-z_]*\}|^%\{pgshare' | grep -v 'etc' | names >"$work/rpm"
# One folder of documents there, several lines here.
grep -vxF -f "$work/rpm" "$work/debian" | grep -vxE 'README.md|SECURITY.md|NEWS|docs|providers|cortex.cedarschema' >"$work/bad"
report 'every file of the Debian packages is in an RPM package'

for file in tests/e2e/*.py; do
  grep -qE "^  ${file#tests/}( |\$)" tests/Makefile.am || echo "$file"
done >"$work/bad"
report 'every end-to-end test is in the tarball'
finish

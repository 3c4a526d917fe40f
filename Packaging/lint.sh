#!/bin/sh
# What swift-format does not look at: shell, C and Python.
set -eu

if command -v shellcheck >/dev/null 2>&1; then
    git ls-files '*.sh' '.ci/run' | xargs shellcheck
else
    echo "vault: note: shellcheck is not installed; the shell scripts were not checked" >&2
fi

compiler=$(command -v cc || command -v clang)
for language in "c -std=c11" "c++ -std=c++17"; do
    # shellcheck disable=SC2086 # a language and its standard
    "$compiler" -x $language -Wall -Wextra -Wpedantic -Werror -fsyntax-only Sources/VaultABI/include/vault_plugin.h
done

if command -v python3 >/dev/null 2>&1; then
    git ls-files '*.py' | while read -r file; do
        python3 -c "import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])" "$file"
    done
fi

# What the documents name must be there.
git grep -hoE '\b(Sources|Tests|Plugins|Packaging|Benchmarks)/[A-Za-z0-9_./-]*[A-Za-z0-9_/]' -- '*.md' | sort -u |
    while read -r place; do
        [ -e "$place" ] || { echo "vault: error: a document names $place, which is not there" >&2; exit 1; }
    done

# Only what needs its reason beside it may crash the program.
if git grep -nE 'fatalError\("stub"\)|try! |: *TODO' -- Sources Plugins; then
    echo "vault: error: the lines above are unfinished or crash without a reason" >&2
    exit 1
fi

#!/bin/sh
# Installs what the figures need, builds it, takes them.
#
#   sh Benchmarks/run.sh [--short | --long] [storage]
set -eu
cd "$(dirname "$0")/.."
out=$PWD/.build/bench
mkdir -p "$out"

say() { echo "bench: $*" >&2; }
wanted() { case " $parts " in *" $1 "*) true ;; *) false ;; esac }

parts=
for word; do case $word in -*) ;; *) parts="$parts $word" ;; esac done
parts=${parts:-storage}

sh Packaging/setup.sh bench
if wanted storage; then
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror Benchmarks/Baseline/*.c \
        -llmdb -lsodium -lpthread -o "$out/baseline"
fi
swift=${SWIFT:-swift}
build() { "$swift" build --package-path Benchmarks --scratch-path "$out" -c release --product "$1"; }
wanted storage || wanted http && build storage-bench
exec python3 -B Benchmarks/bench.py "$@"

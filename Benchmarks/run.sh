#!/bin/sh
# Installs what the figures need, builds it, takes them.
#
#   sh Benchmarks/run.sh [--short | --long] [storage] [puts] [plugins] [http]
set -eu
cd "$(dirname "$0")/.."
out=$PWD/.build/bench
mkdir -p "$out"

say() { echo "bench: $*" >&2; }
wanted() { case " $parts " in *" $1 "*) true ;; *) false ;; esac }

parts=
for word; do case $word in -*) ;; *) parts="$parts $word" ;; esac done
parts=${parts:-storage plugins http}

sh Packaging/setup.sh bench
if wanted storage || wanted puts; then
    "${CC:-cc}" -std=c11 -D_GNU_SOURCE -O2 -Wall -Wextra -Wpedantic -Werror Benchmarks/Baseline/*.c \
        -llmdb -lsodium -lpthread -o "$out/baseline"
fi
swift=${SWIFT:-swift}
# It looks for new files in the package above only when this one has changed.
touch Benchmarks/Package.swift
# Built as the program is.
build() { "$swift" build --package-path Benchmarks --scratch-path "$out" -c release --static-swift-stdlib --product "$1"; }
if wanted storage || wanted puts || wanted http; then build storage-bench; fi
if wanted http; then build floor-server; fi
if wanted plugins; then
    build plugin-bench
    mkdir -p "$out/plugins"
    for number in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19; do
        "${CC:-cc}" -std=c11 -O2 -Wall -Wextra -Werror -shared -fPIC -fvisibility=hidden -ISources/VaultABI/include \
            -DNUMBER=$number Benchmarks/Plugins/plugin.c -o "$out/plugins/bench$number.so"
    done
fi
exec python3 -B Benchmarks/bench.py "$@"

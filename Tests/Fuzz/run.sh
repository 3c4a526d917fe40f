#!/bin/sh
# Fuzzes the parsers of what others may have written: sealed values, keyrings, backups, providers' answers, lines of an import.
#
# Usage: sh Tests/Fuzz/run.sh [SECONDS [TARGET…]]. Default: 30 seconds each, all of them.
# A finding stops it with status 1 and leaves the input in .build/fuzz.
set -eu
cd "$(dirname "$0")/../.."
seconds=${1:-30}
[ $# -gt 0 ] && shift
targets=${*:-Envelope Keyring Backup Answer Import}
out=$PWD/.build/fuzz
swift=${SWIFTC:-swiftc}
# After a crash the backtrace would wait for a terminal.
export SWIFT_BACKTRACE=enable=no

mkdir -p "$out"
printf '@_cdecl("LLVMFuzzerTestOneInput") public func fuzz(_ s: UnsafePointer<UInt8>, _ c: Int) -> CInt { 0 }\n' \
    >"$out/probe.swift"
if ! "$swift" -sanitize=fuzzer -parse-as-library "$out/probe.swift" -o "$out/probe" >"$out/probe.log" 2>&1; then
    echo "fuzzing: skipped, this toolchain has no -sanitize=fuzzer"
    exit 0
fi

# A C target's headers as a module, as the package manager makes them.
for target in CVaultSandbox VaultABI; do
    mkdir -p "$out/maps/$target"
    printf 'module %s { umbrella "%s/Sources/%s/include" export * }\n' "$target" "$PWD" "$target" \
        >"$out/maps/$target/module.modulemap"
    for source in "Sources/$target"/*.c; do
        clang=${CC:-clang}
        command -v "$clang" >/dev/null 2>&1 || clang=cc
        "$clang" -c -g -I "Sources/$target/include" "$source" -o "$out/$target-$(basename "$source" .c).o"
    done
done

flags="-swift-version 6 -O -g -parse-as-library -package-name vault -sanitize=fuzzer,address -I $out -I Sources/CLMDB
    -I Sources/CSodium -I $out/maps/CVaultSandbox -I $out/maps/VaultABI
    -enable-upcoming-feature ExistentialAny -enable-upcoming-feature InternalImportsByDefault
    -enable-upcoming-feature MemberImportVisibility"

# Of these modules only the files that a target needs: the rest would bring in every package.
files() {
    case $1 in
    Vault) echo Sources/Vault/Administration/ConnectionDocument.swift Sources/Vault/Administration/RFC3339.swift ;;
    VaultCrypto) grep -LE '^import Crypto|Digest\.hmacSHA256' "Sources/$1"/*.swift ;;
    *) find "Sources/$1" -name '*.swift' ;;
    esac
}

compile() {
    # What did not change since is not compiled again.
    if [ -e "$out/$1.o" ] && [ -z "$(find Sources -name '*.swift' -newer "$out/$1.o" | head -n 1)" ]; then return; fi
    # shellcheck disable=SC2046,SC2086 # lists of words
    "$swift" $flags -enable-testing -wmo -emit-module -emit-module-path "$out/$1.swiftmodule" -module-name "$1" \
        -c $(files "$1") -o "$out/$1.o"
}

for target in $targets; do
    case $target in
    Answer) modules="VaultBase VaultProviders" objects="$out/CVaultSandbox-*.o $out/VaultABI-*.o" ;;
    Keyring) modules="VaultBase VaultCrypto" objects= ;;
    Import) modules="VaultBase VaultCrypto VaultStore VaultRecords Vault" objects= ;;
    *) modules="VaultBase VaultCrypto VaultStore VaultRecords" objects= ;;
    esac
    more=
    [ "$target" != Import ] || more="Sources/VaultCLI/Commands/ConnectionLines.swift Sources/VaultCLI/Output/JSON.swift
        Sources/VaultCLI/Settings/NearestName.swift"
    for module in $modules; do
        compile "$module"
        objects="$objects $out/$module.o"
    done
    # shellcheck disable=SC2086 # lists of words
    "$swift" $flags -enable-testing "Tests/Fuzz/$target.swift" $more $objects -module-name "Fuzz$target" -llmdb -lsodium \
        -o "$out/fuzz-$target" >"$out/$target.log" 2>&1 || { cat "$out/$target.log"; exit 1; }
    mkdir -p "$out/corpus-$target"
    echo "fuzzing: $target for $seconds seconds"
    # Guarded memory holds keys: limits on address space do not fit it.
    if ! "$out/fuzz-$target" -max_total_time="$seconds" -max_len=8192 -timeout=20 -rss_limit_mb=4096 -verbosity=0 \
        -print_final_stats=1 -artifact_prefix="$out/found-$target-" "$out/corpus-$target" "Tests/Fuzz/Seeds/$target" \
        >"$out/$target.log" 2>&1; then
        tail -n 40 "$out/$target.log"
        echo "fuzzing: $target found something, see $out"
        exit 1
    fi
    grep number_of_executed_units "$out/$target.log" || true
done

#!/bin/sh
# Runs test suites under ThreadSanitizer or AddressSanitizer.
#
# Usage: sh Tests/Sanitizers/run.sh thread|address [FILTER]. Default filter: the suites of every library.
# Everything is compiled anew the first time, in .build/sanitize-…: some fifteen minutes on two cores.
set -eu
cd "$(dirname "$0")/../.."
kind=${1:-thread}
filter=${2:-Vault(Crypto|Store|Records|Providers|HTTP|CLI)?Tests}
here=Tests/Sanitizers
out=.build/sanitize-$kind
# A limit on addresses, and the sanitizer's shadow of all of them, exclude each other.
skip=mapsLessWhenAddressesAreFew
# Nor can that shadow be searched for a secret,
skip="$skip|whatIsSecretHereNeverWasInTheChild"
# and a plugin that crashes in its process is ended by the sanitizer before it ends itself.
skip="$skip|aBadPluginInAProcessCostsItsOwnReportAlone|aHookThatFailsCostsOneCall"
# It asks for its own limits as it starts, and ends where a kernel does not know them.
skip="$skip|whatTheKernelLacksIsSaid"
# Under it no memory can be locked and none refuses to be.
skip="$skip|keysThatCannotBeLockedAreReported"
export SWIFT_BACKTRACE=enable=no
# A store maps a terabyte, of which the shadow leaves few: no more tests at once than that.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4

case $kind in
thread)
    mkdir -p "$out/proof"
    swiftc -sanitize=thread -Onone -parse-as-library -D RACE $here/Mutex.swift -o "$out/proof/race"
    if TSAN_OPTIONS="suppressions=$here/thread.supp" "$out/proof/race" >/dev/null 2>&1; then
        echo "sanitizers: a real race was not reported, so silence would prove nothing" >&2
        exit 1
    fi
    echo "sanitizers: a real race is reported"
    # Into files: what a server under test prints may have no reader.
    export TSAN_OPTIONS="suppressions=$PWD/$here/thread.supp:log_path=$PWD/$out/report"
    ;;
address)
    # The runtime keeps what it makes once, and a test program ends without giving it back.
    export ASAN_OPTIONS="detect_leaks=0:log_path=$PWD/$out/report"
    ;;
*)
    echo "sanitizers: thread or address, not $kind" >&2
    exit 64
    ;;
esac

rm -f "$out"/report.*
swift build --build-tests --sanitize="$kind" --scratch-path "$out"
sh Plugins/build.sh "$out/debug/plugins"
status=0
swift test --skip-build --sanitize="$kind" --scratch-path "$out" --filter "$filter" --skip "$skip" || status=$?
for report in "$out"/report.*; do
    [ -e "$report" ] || continue
    cat "$report" >&2
    status=1
done
exit "$status"

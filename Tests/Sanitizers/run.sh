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
# It asks for its limits as it starts, and ends where a kernel knows none;
skip="$skip|whatTheKernelLacksIsSaid"
# and it locks no memory, so that none can refuse.
skip="$skip|keysThatCannotBeLockedAreReported"
export SWIFT_BACKTRACE=enable=no
# A store maps a terabyte, of which the shadow leaves few: no more tests at once than that.
export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4

# Reports go into files: what a server under test prints may have no reader. A signal is none: whether a process may die
# of one (a control over a broken store may) is for its test to say.
options="handle_segv=0:handle_sigbus=0"
case $kind in
thread)
    fault=Race
    options="$options:suppressions=$PWD/$here/thread.supp"
    ;;
address)
    fault=Freed
    # The runtime keeps what it makes once, and a test program ends without giving it back.
    options="$options:detect_leaks=0"
    ;;
*)
    echo "sanitizers: thread or address, not $kind" >&2
    exit 64
    ;;
esac

# A program that is wrong, as a control.
rm -rf "$out/proof"
mkdir -p "$out/proof"
swiftc -sanitize="$kind" -Onone -parse-as-library "$here/$fault.swift" -o "$out/proof/wrong" 2>"$out/proof/log" ||
    { cat "$out/proof/log" >&2; exit 1; }
report_to() { export TSAN_OPTIONS="$options:log_path=$1" ASAN_OPTIONS="$options:log_path=$1"; }
report_to "$PWD/$out/proof/report"
if "$out/proof/wrong" || ! cat "$out/proof"/report.* >/dev/null 2>&1; then
    echo "sanitizers: a real fault was not reported, so silence would prove nothing" >&2
    exit 1
fi
echo "sanitizers: a real fault is reported"
report_to "$PWD/$out/report"
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

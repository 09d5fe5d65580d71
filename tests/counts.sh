# Counting for the scripts of this folder: pass, fail, skip and expect, and at the end finish NAME. And make_prefix, for
# what runs under Wine: such a script ends Wine's server. $tmp is a folder of their own.
#
# Copyright 2026 the qutil authors
# Licensed under the GNU Lesser General Public License, version 2.1 or later.

passed=0
failed=0
skipped=0

pass() { passed=$((passed + ${1:-1})); }
fail() { failed=$((failed + 1)); echo "FAILED: $*"; }
skip() { skipped=$((skipped + $1)); shift; echo "skipped: $*"; }

# expect WHAT EXPECTED GOT
expect()
{
    if [ "$2" = "$3" ]; then
        pass
    else
        fail "$1; - is expected, + is what there is:"
        printf '%s\n' "$2" >"$tmp/expected"
        printf '%s\n' "$3" | diff -u "$tmp/expected" - | tail -n +4
    fi
}

# The server stays: else it goes with a program, and the next one, which may meet it as it does, doesn't start.
make_prefix()
{
    "$SRCDIR/tools/prefix" "$WINEPREFIX" || return
    "$WINESERVER" -w
    "$WINESERVER" -p >/dev/null 2>&1 </dev/null
}

finish()
{
    echo "$1: $passed passed, $failed failed, $skipped skipped"
    [ "$failed" -eq 0 ]
}

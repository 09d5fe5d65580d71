#!/bin/sh
#
# Checks what programs built on wine/test.h print and return
#
# Copyright 2026 the qutil authors
#
# This library is free software; you can redistribute it and/or
# modify it under the terms of the GNU Lesser General Public
# License as published by the Free Software Foundation; either
# version 2.1 of the License, or (at your option) any later version.
#
# This library is distributed in the hope that it will be useful,
# but WITHOUT ANY WARRANTY; without even the implied warranty of
# MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
# Lesser General Public License for more details.
#
# You should have received a copy of the GNU Lesser General Public
# License along with this library; if not, write to the Free Software
# Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA
#
# usage: check.sh winetest_selftest.exe [command [argument]...]
#
# The command, such as wine, runs the program; without one it runs by itself. winetest_single.exe is looked for in
# the same folder and in its folder single, unless the environment variable SINGLE names it.

if [ $# -eq 0 ]; then
    echo "usage: $0 winetest_selftest.exe [command [argument]...]" >&2
    exit 2
fi
selftest=$1
shift
command=$*
if [ ! -f "$selftest" ]; then
    echo "$0: no file $selftest" >&2
    exit 2
fi
case $selftest in
*/*) ;;
*) selftest=./$selftest ;;
esac

single=${SINGLE:-}
for program in "${selftest%/*}/winetest_single.exe" "${selftest%/*}/single/winetest_single.exe"; do
    if [ -z "$single" ] && [ -f "$program" ]; then single=$program; fi
done

case $command in
*wine*) platform=wine; is_wine=1 ;;
*) platform=windows; is_wine=0 ;;
esac

unset WINETEST_COLOR WINETEST_DEBUG WINETEST_INTERACTIVE WINETEST_PLATFORM
unset WINETEST_REPORT_FLAKY WINETEST_REPORT_SUCCESS WINETEST_TIME

scratch=$(mktemp -d) || exit 2
trap 'rm -rf "$scratch"' EXIT
trap 'exit 2' HUP INT TERM

passed=0
failed=0
skipped=0
expected=$scratch/expected
program=$selftest
settings=       # environment variables for the next check
order="cat"     # and the filter for its output
escape=$(printf '\033')

pass()
{
    passed=$((passed + 1))
}

# fail what message
fail()
{
    failed=$((failed + 1))
    printf 'check.sh: %s: %s\n' "$1" "$2"
}

# What differs from run to run, or with every change of a test source, becomes a word. A line that tells its own
# number must be right.
normalize()
{
    tr -d '\r' | sed \
        -e "s/$escape\\[\\([0-9;]*\\)m/<\\1>/g" \
        -e 's/^\(output\.c:\([0-9]*\):.* line\) \2$/\1 N/' \
        -e 's/^\(<[0-9;<>]*>\)*[0-9a-f]\{4,8\}:\([a-z]*:\)/\1PID:\2/' \
        -e 's/^\(<[0-9;<>]*>\)*\([a-z]*\.c\):[1-9][0-9]*:/\1\2:N:/' \
        -e 's/:[0-9]\{1,\}\.[0-9]\{3\} /:TIME /' \
        -e 's/child process [0-9a-f]\{4,8\}$/child process PID/' \
        -e 's/\(exception [0-9a-f]\{8\} at\) [0-9A-Fa-fx]*$/\1 ADDRESS/' \
        -e 's/^Usage: .*winetest_selftest.* test_name$/Usage: PROGRAM test_name/'
}

# Prints the first line in which the output isn't as expected.
difference()
{
    awk -v file="$expected" '
        function quote(line) { return "\"" line "\"" }
        {
            want = (getline line <file) > 0 ? quote(line) : "nothing"
            if (want == quote($0)) next
            print "line " NR ": expected " want ", got " quote($0)
            done = 1
            exit
        }
        END { if (!done && (getline line <file) > 0) print "line " NR + 1 ": expected " quote(line) ", got nothing" }
    ' "$scratch/output"
}

# check what status [argument]...
check()
{
    what=$1
    expected_status=$2
    shift 2

    # shellcheck disable=SC2086
    env $settings $command "$program" "$@" </dev/null >"$scratch/raw" 2>/dev/null
    status=$?
    normalize <"$scratch/raw" | $order >"$scratch/output"
    settings=
    order="cat"

    if [ $status -eq "$expected_status" ]; then
        pass
    else
        fail "$what" "expected exit status $expected_status, got $status"
    fi
    line=$(difference)
    if [ -z "$line" ]; then
        pass
    else
        fail "$what" "$line"
    fi
}

# check_output case[,remark] status
check_output()
{
    check "$1" "$2" output "${1%%,*}"
}

# A test's last line: summary name executed todo flaky failures skipped
summary()
{
    noun=failures
    if [ "$5" -eq 1 ]; then noun=failure; fi
    echo "PID:$1: $2 tests executed ($3 marked as todo, $4 as flaky, $5 $noun), $6 skipped."
}

# repeat count line
repeat()
{
    awk -v count="$1" -v line="$2" 'BEGIN { for (i = 0; i < count; i++) print line }'
}

# What follows a line in colour starts with the return to no colour.
end_color()
{
    sed '2,$s/^/<0>/'
}

# The command line

list()
{
    echo "Valid test names:"
    echo "    child"
    echo "    output"
    echo "    strings"
    echo "    threads"
}

list >"$expected"
check "--list" 0 --list

{ echo "Usage: PROGRAM test_name"; echo; list; } >"$expected"
check "no argument, several tests" 1

echo "Fatal: test 'nothing' does not exist." >"$expected"
check "unknown test" 1 nothing

echo "Fatal: test 'string' does not exist." >"$expected"
check "beginning of a test's name" 1 string

summary strings 10070 0 0 0 0 >"$expected"
for name in strings strings.c tests/strings.c '..\tests\strings'; do
    check "test named $name" 0 "$name"
done

if [ -n "$single" ]; then
    program=$single
    summary single 1 0 0 0 0 >"$expected"
    check "no argument, one test" 0
    { echo "Valid test names:"; echo "    single"; } >"$expected"
    check "--list, one test" 0 --list
    program=$selftest
else
    skipped=$((skipped + 4))
fi

# What each macro prints and counts

summary output 3 0 0 0 0 >"$expected"
check_output success 0

{
    echo "output.c:N: Test failed: value 5"
    summary output 2 0 0 1 0
} >"$expected"
check_output failure 1

{
    awk 'BEGIN { for (i = 0; i < 300; i++) print "output.c:N: Test failed: value " i }'
    summary output 300 0 0 300 0
} >"$expected"
check_output failures 255

{
    echo "output.c:N: Test marked todo: todo_wine"
    echo "output.c:N: Test marked todo: todo_wine_if"
    echo "output.c:N: Test marked todo: todo_if"
    echo "output.c:N: Test marked todo: first of a block"
    echo "output.c:N: Test marked todo: inner block"
    summary output 8 5 0 0 0
} >"$expected"
settings="WINETEST_PLATFORM=wine"
check_output "todo, on Wine" 0

{
    echo "output.c:N: Test failed: todo_wine"
    echo "output.c:N: Test failed: todo_wine_if"
    echo "output.c:N: Test marked todo: todo_if"
    echo "output.c:N: Test marked todo: first of a block"
    echo "output.c:N: Test marked todo: inner block"
    summary output 8 3 0 2 0
} >"$expected"
settings="WINETEST_PLATFORM=windows"
check_output "todo, on Windows" 2

{
    echo "output.c:N: Test succeeded inside todo block: it works"
    summary output 1 0 0 1 0
} >"$expected"
settings="WINETEST_PLATFORM=wine"
check_output "todo_success, on Wine" 1

summary output 1 0 0 0 0 >"$expected"
settings="WINETEST_PLATFORM=windows"
check_output "todo_success, on Windows" 0

{
    echo "output.c:N: Test marked flaky: flaky"
    echo "output.c:N: Test marked flaky: flaky_if"
    echo "output.c:N: Test marked flaky: flaky_wine"
    echo "output.c:N: Test marked flaky: flaky_wine_if"
    echo "output.c:N: Test marked todo: flaky todo"
    echo "output.c:N: Test succeeded inside flaky todo block: flaky todo success"
    summary output 9 1 5 0 0
} >"$expected"
settings="WINETEST_PLATFORM=wine"
check_output "flaky, on Wine" 0
settings="WINETEST_PLATFORM=wine WINETEST_REPORT_FLAKY=1"
check_output "flaky, reported" 5

{
    echo "output.c:N: Test marked flaky: flaky"
    echo "output.c:N: Test marked flaky: flaky_if"
    echo "output.c:N: Test failed: flaky_wine"
    echo "output.c:N: Test failed: flaky_wine_if"
    echo "output.c:N: Test marked todo: flaky todo"
    echo "output.c:N: Test succeeded inside flaky todo block: flaky todo success"
    summary output 9 1 3 2 0
} >"$expected"
settings="WINETEST_PLATFORM=windows"
check_output "flaky, on Windows" 2

{
    echo "output.c:N: Tests skipped: no service"
    summary output 1 0 0 0 1
} >"$expected"
check_output skip 0

{
    echo "output.c:N: Test failed: no service"
    summary output 1 0 0 1 0
} >"$expected"
settings="WINETEST_PLATFORM=wine"
check_output "win_skip, on Wine" 1

{
    echo "output.c:N: Tests skipped: no service"
    summary output 0 0 0 0 1
} >"$expected"
settings="WINETEST_PLATFORM=windows"
check_output "win_skip, on Windows" 0

{
    echo "output.c:N: Test failed: broken 1"
    summary output 2 0 0 1 0
} >"$expected"
settings="WINETEST_PLATFORM=wine"
check_output "broken, on Wine" 1

summary output 2 0 0 0 0 >"$expected"
settings="WINETEST_PLATFORM=windows"
check_output "broken, on Windows" 0

{
    echo "output.c:N: value 7"
    summary output 0 0 0 0 0
} >"$expected"
check_output trace 0

{
    echo "output.c:N: Subtest first"
    echo "output.c:N: IgnoreExceptions=1"
    echo "output.c:N: IgnoreExceptions=0"
    summary output 0 0 0 0 0
} >"$expected"
check_output subtest 0

{
    echo "output.c:N: Test failed: size 2: inner: failed"
    echo "output.c:N: size 2: inner: traced"
    echo "output.c:N: Tests skipped: size 2: skipped"
    echo "output.c:N: Test failed: no context"
    printf 'output.c:N: %0127d: cut off\n' 0
    echo "output.c:N: 0: 1: 2: 3: 4: 5: 6: 7: deep"
    echo "output.c:N: shallow"
    summary output 2 0 0 2 1
} >"$expected"
check_output context 2

{
    echo "output.c:N: Test failed: line N"
    echo "output.c:N: line N"
    echo "output.c:N: Tests skipped: line N"
    echo "where.h:11: Test failed: ok_"
    echo "where.h:12: Test failed: ok_"
    echo "where.h:13: Test failed: ok_"
    echo "where.h:14: Tests skipped: skip_"
    echo "where.h:15: Test failed: win_skip_"
    echo "where.h:16: trace_"
    echo "where.h:17: Subtest subtest_"
    echo "where.h:18: IgnoreExceptions=1"
    echo "where.h:19: Test failed: No child process handle (CreateProcess failed?)"
    summary output 6 0 0 6 2
} >"$expected"
settings="WINETEST_PLATFORM=wine"
check_output location 6

{
    repeat 42 "output.c:N: trace"
    echo "output.c:N: Line has been silenced after 42 occurrences"
    repeat 42 "output.c:N: Tests skipped: skip"
    echo "output.c:N: Line has been silenced after 42 occurrences"
    repeat 42 "output.c:N: Test marked todo: todo"
    echo "output.c:N: Line has been silenced after 42 occurrences"
    echo "PID:output: Silenced 4 todos, 3 skips and 2 traces."
    summary output 89 42 0 0 42
} >"$expected"
check_output mute 0

{
    repeat 44 "output.c:N: trace"
    repeat 45 "output.c:N: Tests skipped: skip"
    repeat 46 "output.c:N: Test marked todo: todo"
    summary output 93 46 0 0 45
} >"$expected"
settings="WINETEST_DEBUG=2"
check_output "mute, debug level 2" 0

{
    echo "output.c:N: Test marked todo: evaluated 1"
    summary output 8 1 0 0 0
} >"$expected"
check_output expression 0

{
    echo "where.h:2: Test failed: failure 2"
    echo "where.h:3: Test marked todo: todo 3"
    echo "where.h:4: Test succeeded inside todo block: todo success 4"
    echo "where.h:5: Tests skipped: skip 5"
    summary output 14 1 0 6 1
} >"$expected"
check_output function 6

{
    echo "output.c:N: Test failed: got 0xdeadbeef"
    echo "output.c:N: Test marked todo: got 0xdeadbeef"
    summary output 4 1 0 1 0
} >"$expected"
check_output last_error 1

# Settings

# settings_lines platform is_wine debug interactive flaky success
settings_lines()
{
    echo "output.c:N: platform $1, wine $2"
    echo "output.c:N: debug $3, color 0, interactive $4"
    echo "output.c:N: flaky $5, success $6, time 0"
    summary output 0 0 0 0 0
}

settings_lines $platform $is_wine 1 0 0 0 >"$expected"
check_output "settings, none" 0
settings="WINETEST_COLOR=auto"
check_output "settings, colour on a terminal only" 0

settings_lines wine 1 3 4 5 6 >"$expected"
settings="WINETEST_PLATFORM=wine WINETEST_DEBUG=3 WINETEST_INTERACTIVE=4"
settings="$settings WINETEST_REPORT_FLAKY=5 WINETEST_REPORT_SUCCESS=6"
check_output "settings, many" 0

settings_lines windows 0 1 0 0 0 >"$expected"
settings="WINETEST_PLATFORM=windows"
check_output "settings, Windows" 0

settings_lines other 0 1 0 0 0 >"$expected"
settings="WINETEST_PLATFORM=other"
check_output "settings, another platform" 0

echo "output.c:N: Test failed: value 5" >"$expected"
settings="WINETEST_DEBUG=0"
check_output "failure, debug level 0" 1

echo "output.c:N: Tests skipped: no service" >"$expected"
settings="WINETEST_DEBUG=0"
check_output "skip, debug level 0" 0

: >"$expected"
settings="WINETEST_DEBUG=0"
check_output "trace, debug level 0" 0
settings="WINETEST_DEBUG=0 WINETEST_PLATFORM=wine"
check_output "todo, debug level 0" 0

{
    repeat 3 "output.c:N: Test succeeded"
    summary output 3 0 0 0 0
} >"$expected"
settings="WINETEST_REPORT_SUCCESS=1"
check_output "success, reported" 0

{
    echo "output.c:N:TIME Test failed: value 5"
    summary output 2 0 0 1 0 | sed 's/^PID:output:/&TIME/'
} >"$expected"
settings="WINETEST_TIME=1"
check_output "failure, with time" 1

{
    echo "<1;91>output.c:N: Test failed: value 5"
    summary output 2 0 0 1 0
} | end_color >"$expected"
settings="WINETEST_COLOR=1"
check_output "failure, coloured" 1

{
    echo "<34>output.c:N: Tests skipped: no service"
    echo "<32>output.c:N: Test succeeded"
    summary output 1 0 0 0 1
} | end_color >"$expected"
settings="WINETEST_COLOR=1 WINETEST_REPORT_SUCCESS=1"
check_output "skip, coloured" 0

{
    echo "<31>output.c:N: Test succeeded inside todo block: it works"
    summary output 1 0 0 1 0
} | end_color >"$expected"
settings="WINETEST_COLOR=1 WINETEST_PLATFORM=wine"
check_output "todo_success, coloured" 1

{
    echo "<1;95>output.c:N: Test marked flaky: flaky"
    echo "<1;95>output.c:N: Test marked flaky: flaky_if"
    echo "<1;95>output.c:N: Test marked flaky: flaky_wine"
    echo "<1;95>output.c:N: Test marked flaky: flaky_wine_if"
    echo "<33>output.c:N: Test marked todo: flaky todo"
    echo "<35>output.c:N: Test succeeded inside flaky todo block: flaky todo success"
    summary output 9 1 5 0 0
} | end_color >"$expected"
settings="WINETEST_COLOR=1 WINETEST_PLATFORM=wine"
check_output "flaky, coloured" 0

# Exceptions, threads and child processes

{
    echo "output.c:N: this is the last test seen before the exception"
    echo "PID:output: unhandled exception c000002a at ADDRESS"
} >"$expected"
settings="WINETEST_PLATFORM=windows"
check_output "exception, on Windows" 42

{
    summary threads 993 400 0 160 0
    repeat 400 "threads.c:N: Test marked todo: expected to fail"
    repeat 160 "threads.c:N: Test failed: thread: failed"
} | sort >"$expected"
order="sort"
check threads 160 threads

{
    echo "child.c:N: 2 failures in child process"
    echo "child.c:N: unhandled exception c0000005 in child process PID"
    echo "child.c:N: 3 failures in child process"
    echo "child.c:N: unhandled exception 00000100 in child process PID"
    echo "child.c:N: Test failed: No child process handle (CreateProcess failed?)"
    echo "child.c:N: Test failed: No child process handle (CreateProcess failed?)"
    summary child 33 0 0 9 0
} >"$expected"
check child 9 child

echo "winetest: $passed passed, $failed failed, $skipped skipped"
[ $failed -eq 0 ]

#!/bin/sh
#
# Compiles the public NAP headers in the ways that programs include them
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
# Environment:
#   SRCDIR        the project's folder
#   BUILDDIR      the folder whose include/ holds the generated headers
#   WINE_INCLUDE  Wine's folder of Windows headers, /usr/include/wine/wine/windows by default
#   WIDL          the IDL compiler, widl by default
#   CCS, CXXS     the C and C++ compilers, mingw-w64's by default; the first of each makes the
#                 checks that do not depend on the target
#
# Prints what failed, each with the compiler's first lines, and a line of totals.

: "${SRCDIR:?}" "${BUILDDIR:?}"
: "${WINE_INCLUDE=/usr/include/wine/wine/windows}"
: "${WIDL=widl}"
: "${CCS=x86_64-w64-mingw32-gcc i686-w64-mingw32-gcc}"
: "${CXXS=x86_64-w64-mingw32-g++ i686-w64-mingw32-g++}"

LC_ALL=C
export LC_ALL

srcdir=$(cd "$SRCDIR" && pwd) && builddir=$(cd "$BUILDDIR" && pwd) || exit 2
here=$srcdir/tests/headers
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
passed=0 failed=0 skipped=0

tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
trap 'exit 2' HUP INT TERM
cd "$tmp" || exit 2

pass()
{
    passed=$((passed + ${1:-1}))
}

# fail NAME: the log holds why.
fail()
{
    failed=$((failed + 1))
    echo "FAILED: $1"
    sed -n '1,6s/^/    /p' log
}

skip()
{
    skipped=$((skipped + 1))
    echo "skipped: $1"
}

# quiet NAME COMMAND...: a check that the command succeeds and says nothing.
quiet()
{
    check=$1
    shift
    if "$@" >log 2>&1 && ! test -s log; then pass; else fail "$check"; fi
}

# compile NAME "FLAGS" FILE...: one check a file, in few runs where all is well.
compile()
{
    name=$1
    flags=$2
    shift 2
    # shellcheck disable=SC2086
    if printf '%s\n' "$@" | xargs -P "$jobs" -n 16 $compiler $flags -fsyntax-only >log 2>&1 && ! test -s log; then
        pass $#
    else
        for file; do quiet "$compiler, $name: ${file##*/}" $compiler $flags -fsyntax-only "$file"; done
    fi
}

# include FILE HEADER...: a source that includes these.
include()
{
    output=$1
    shift
    printf '#include <%s>\n' "$@" >"$output"
}

#
# The sources, for C and C++ alike.
#

headers='' generated='' written=''
for file in "$srcdir"/include/nap*.idl; do
    file=${file##*/}
    headers="$headers ${file%.idl}.h"
    generated="$generated ${file%.idl}.c"
    include "${file%.idl}.c" "${file%.idl}.h"
done
for file in "$srcdir"/include/nap*.h; do
    file=${file##*/}
    headers="$headers $file"
    written="$written ${file%.h}.c"
    include "${file%.h}.c" "$file"
done

reverse='' pairs=''
for first in $headers; do
    reverse="$first $reverse"
    for second in $headers; do
        test "$first" != "$second" || continue
        include "${first%.h}-${second%.h}.c" "$first" "$second"
        pairs="$pairs ${first%.h}-${second%.h}.c"
    done
done

# The macros that widl's headers know: wrappers for the methods, objects as in C, GUIDs defined.
# shellcheck disable=SC2086
include forward.c $headers $headers
# shellcheck disable=SC2086
include reverse.c $reverse
{ echo '#define COBJMACROS'; cat forward.c; } >forward-COBJMACROS.c
{ echo '#define COBJMACROS'; cat reverse.c; } >reverse-COBJMACROS.c
{ echo '#define CINTERFACE'; cat forward.c; } >forward-CINTERFACE.c
{ echo '#define CINTERFACE'; cat reverse-COBJMACROS.c; } >reverse-CINTERFACE-COBJMACROS.c
{ echo '#include <initguid.h>'; cat forward.c; } >forward-initguid.c
orders='forward.c reverse.c forward-COBJMACROS.c reverse-COBJMACROS.c forward-CINTERFACE.c
    reverse-CINTERFACE-COBJMACROS.c forward-initguid.c'
{ echo '#define WIDL_C_INLINE_WRAPPERS'; cat forward-COBJMACROS.c; } >forward-inline.c
{ echo '#define __WINESRC__'; cat forward-COBJMACROS.c; } >forward-winesrc.c

errors=
for first in winerror windows; do
    include "$first-naperror.c" windef.h $first.h naperror.h
    include "naperror-$first.c" naperror.h $first.h windows.h
    errors="$errors $first-naperror.c naperror-$first.c"
done

# What every header by widl includes first, and no more than that.
include system.h windows.h ole2.h
echo '#define WIN32_LEAN_AND_MEAN' | cat - system.h >lean && mv lean system.h

#
# mingw-w64's own NAP headers say what a program may use.
#

mingw_headers=
for compiler in $CCS; do
    include probe.c naputil.h
    mingw_dir=$($compiler -M probe.c 2>/dev/null | sed -n 's,.* \(/[^ ]*\)/naputil\.h.*,\1,p')
    if test -n "$mingw_dir"; then
        mingw_headers=$(cd "$mingw_dir" && echo nap*.h)
        break
    fi
done

# derive LANGUAGE FILE: a source that uses all that they declare.
derive()
{
    # shellcheck disable=SC2086
    include list $mingw_headers
    # shellcheck disable=SC2086
    if (cd "$mingw_dir" && awk -v lang="$1" -f "$here/uses.awk" $mingw_headers) >body 2>log; then
        pass
    else
        sed -n '/^\/\* .*: 0 \*\/$/p' body >>log
        fail "uses.awk finds something of each kind for $1"
    fi
    # Wine has no WINBOOL, mingw-w64 both names for one type.
    { echo '#define COBJMACROS'; cat list; sed 's/WINBOOL/BOOL/g' body; } >"$2"
}

if test -n "$mingw_headers"; then
    for file in $mingw_headers; do
        echo "$file is in $mingw_dir only" >log
        case " $headers " in *" $file "*) pass ;; *) fail "a header for each of mingw-w64's" ;; esac
    done
    derive c uses.c
    derive c++ uses.cpp
    { echo '#define WIDL_C_INLINE_WRAPPERS'; cat uses.c; } >uses-inline.c
else
    skip "what mingw-w64's own NAP headers offer: no compiler has them"
fi

#
# Each compiler, with each set of system headers.
#

warnings='-Wall -Wextra -Wno-unused-parameter -Werror'
ours="-I$builddir/include -I$srcdir/include"

# Compiles all that there is with $compiler, for $lang, against the headers of $system.
# Those are precompiled, as they are what compiling takes its time for.
check_system()
{
    base="$system_flags $warnings -x $lang"
    fast="$base -include ./system.h"

    rm -f system.h.gch
    # shellcheck disable=SC2086
    if ! $compiler $system_flags -x "$lang-header" system.h -o system.h.gch >log 2>&1; then
        skip "$compiler, $system: the system headers do not compile"
        return
    fi

    # A header of ours that is missing could be stood in for by mingw-w64's.
    # shellcheck disable=SC2086
    $compiler $fast $ours -M forward.c 2>/dev/null | tr ' ' '\n' | grep '/nap[a-z]*\.h$' | sort -u >log
    for file in $headers; do
        if grep -q -x -F -e "$builddir/include/$file" -e "$srcdir/include/$file" log; then
            pass
        else
            fail "$compiler, $system: $file is our own"
        fi
    done

    # shellcheck disable=SC2086
    compile "$system, all" "$fast $ours" $orders
    compile "$system, $oldest" "$base $ours -std=$oldest" forward-COBJMACROS.c
    if test "$system" = Wine; then compile "$system, all" "$fast $ours" forward-inline.c forward-winesrc.c; fi

    if test -n "$mingw_headers"; then
        program="$system_flags -include ./system.h -Wall -Werror -x $lang"
        # shellcheck disable=SC2086
        compile "$system, programs" "$program $ours" $programs
        if test $system-$lang = Wine-c; then compile "$system, programs" "$program $ours" uses-inline.c; fi
    fi

    test "$compiler" = "$first_compiler" || return

    # shellcheck disable=SC2086
    if test $system = mingw-w64 && test -n "$mingw_headers"; then
        compile "mingw-w64's own NAP headers, programs" "$program" $programs
    fi
    # shellcheck disable=SC2086
    if test $system-$lang = Wine-c; then
        compile "$system, pairs" "$fast $ours" $pairs
        compile "$system, alone, nothing precompiled" "$base $ours" $generated
    fi
    # shellcheck disable=SC2086
    compile "$system, alone" "$fast $ours" $generated
    # shellcheck disable=SC2086
    compile "$system, alone" "$base $ours" $written

    # Compilers warn of what system headers redefine only if asked to.
    for file in $errors; do
        # shellcheck disable=SC2086
        if $compiler $base $ours -Wno-error -Wsystem-headers -E "$file" -o /dev/null >log 2>&1 &&
                ! grep -e 'naperror\.h:[0-9:]* [a-z]' -e 'NAP_' -e FACILITY_NAP log >found; then
            pass
        else
            if test -s found; then mv found log; fi
            fail "$compiler, $system: $file"
        fi
    done
}

for lang in c c++; do
    if test $lang = c; then
        compilers=$CCS
        oldest=gnu89
        programs="uses.c $(echo "$here"/mingw/*.c "$srcdir"/tests/client/*.c)"
    else
        compilers=$CXXS
        oldest=gnu++98
        programs="uses.cpp $(echo "$here"/mingw/*.cpp)"
    fi

    first_compiler=
    for compiler in $compilers; do
        if ! command -v "$compiler" >/dev/null; then
            skip "$compiler: not found"
            continue
        fi
        : "${first_compiler:=$compiler}"

        system=mingw-w64 system_flags=
        check_system

        if test -f "$WINE_INCLUDE/windows.h"; then
            system=Wine system_flags="-isystem ${WINE_INCLUDE%/*}/msvcrt -isystem $WINE_INCLUDE"
            check_system
        else
            skip "$compiler, Wine: no headers in $WINE_INCLUDE"
        fi
    done
done

#
# The IDLs.
#

if command -v "$WIDL" >/dev/null; then
    for file in "$srcdir"/include/nap*.idl; do
        name=${file##*/}
        for suffix in .h _i.c _p.c; do
            quiet "$WIDL: $name, $suffix" "$WIDL" -I"$srcdir/include" -I"$WINE_INCLUDE" \
                -o "${name%.idl}$suffix" "$file"
        done
    done
else
    skip "$WIDL: not found"
fi

echo "headers: $passed passed, $failed failed, $skipped skipped"
test $failed = 0

dnl Macros of the standalone build.
dnl Copyright 2026 the qutil authors
dnl Licensed under the GNU Lesser General Public License, version 2.1 or later.

dnl WINE_CONFIG_MAKEFILE(folder)
dnl   Registers a folder with a declarative Makefile.in; the same line does so in a Wine tree.
AC_DEFUN([WINE_CONFIG_MAKEFILE],[AS_VAR_APPEND([SUBDIRS],[" $1"])])

dnl QUTIL_FAIL(what is missing, what to do about it)
AC_DEFUN([QUTIL_FAIL],[AC_MSG_ERROR([$1.
  $2
  (./bootstrap brings everything on Debian.)])])

dnl QUTIL_FIND(variable, title, file, folders)
dnl   Sets the variable to the first folder that holds the file, or to nothing.
AC_DEFUN([QUTIL_FIND],
[AC_MSG_CHECKING([for $2])
$1=
for qutil_dir in m4_normalize([$4]); do
  AS_IF([test -f "$qutil_dir/$3"],[$1=$qutil_dir; break])
done
AC_MSG_RESULT([${$1:-not found}])])

dnl QUTIL_GIVEN(variable, option, files)
dnl   A folder that was named must be right; nothing is looked for in its place.
AC_DEFUN([QUTIL_GIVEN],
[AS_IF([test -n "$$1"],
  [qutil_found=
   for qutil_file in $3; do
     AS_IF([test -f "$$1/$qutil_file"],[qutil_found=yes])
   done
   AS_IF([test -z "$qutil_found"],[AC_MSG_ERROR([$2=$$1: there is none of these in it: $3])])])])

dnl QUTIL_TOOL(variable, program)
dnl   Finds one of Wine's build tools, in an installed Wine or in a build tree of it. Debian's
dnl   /usr/bin/winegcc is a wrapper that doesn't quote its arguments, so /usr/lib/wine goes first.
AC_DEFUN([QUTIL_TOOL],
[AC_PATH_PROGS([$1],[$2],[],
  [$with_wine_tools:$with_wine_tools/tools:$with_wine_tools/tools/$2:/usr/lib/wine:/opt/wine-stable/bin:/opt/wine-devel/bin:$PATH])
AS_IF([test -z "$$1"],[QUTIL_FAIL([$2, one of Wine's build tools, was not found],
  [Install it (Debian: wine64-tools) or name its folder with --with-wine-tools=DIR.])])])

dnl QUTIL_ARCH(architecture, GNU target, Debian multiarch name)
dnl   Finds the cross compilers and Wine's import libraries for one of --enable-archs.
AC_DEFUN([QUTIL_ARCH],
[AC_ARG_VAR([$1_CC],[C compiler for $1 PE files])
AC_ARG_VAR([$1_CXX],[C++ compiler for $1 PE files, for the tests of the headers])
AC_ARG_VAR([$1_CFLAGS],[C compiler flags for $1, default -g -O2])
AC_SUBST([$1_EXTRACFLAGS])
$1_EXTRACFLAGS=
AC_SUBST([$1_TARGET],[$2])
AC_SUBST([$1_LIBS])
case ",$enable_archs," in
*,$1,*)
  AC_CHECK_PROGS([$1_CC],[$2-gcc])
  AS_IF([test -z "$$1_CC"],[QUTIL_FAIL([no C compiler for $1 PE files],
    [Install mingw-w64's gcc (Debian: gcc-mingw-w64-m4_if([$1],[i386],[i686],[x86-64])-win32), set $1_CC, or leave $1 out of --enable-archs.])])
  AC_CHECK_PROGS([$1_CXX],[$2-g++])
  AS_IF([test -z "${$1_CFLAGS+set}"],[$1_CFLAGS="-g -O2"])
  dnl i386 has no use for unwind tables, which are a tenth of the DLL.
  m4_if([$1],[i386],[AS_VAR_APPEND([$1_EXTRACFLAGS],[" -fno-asynchronous-unwind-tables"])])
  AC_MSG_CHECKING([which compiler options $$1_CC knows])
  echo "int x;" >conftest.c
  qutil_count=0
  for qutil_flag in $qutil_options; do
    AS_IF([$$1_CC -Werror $qutil_flag -c -o conftest.o conftest.c >&AS_MESSAGE_LOG_FD 2>&1],
          [AS_VAR_APPEND([$1_EXTRACFLAGS],[" $qutil_flag"]); qutil_count=`expr $qutil_count + 1`])
  done
  rm -f conftest.c conftest.o
  AC_MSG_RESULT([$qutil_count])
  QUTIL_FIND([$1_LIBS],[Wine's $1 import libraries],[libwinecrt0.a],
    ["$qutil_wine_libs/$1-windows" "$qutil_pwd/wine-libs/$1-windows" /usr/lib/$3/wine/$1-windows
     /usr/lib/wine/$1-windows /usr/lib64/wine/$1-windows /usr/lib32/wine/$1-windows
     /usr/local/lib/wine/$1-windows /usr/local/lib64/wine/$1-windows
     /opt/wine-stable/lib/wine/$1-windows /opt/wine-devel/lib/wine/$1-windows])
  AS_IF([test -z "$$1_LIBS"],[QUTIL_FAIL([Wine's $1 import libraries were not found],
    [Install Wine's development files (Debian: libwine-dev; for i386 run tools/fetch-wine-libs, which
  unpacks that package here without installing it), name their folder with --with-wine-libs=DIR,
  or leave $1 out of --enable-archs.])])
  AS_VAR_APPEND([ARCHS],[" $1"]) ;;
esac])

@echo off
rem Runs the conformance tests and writes one report: see README.txt.
rem run.cmd /q doesn't wait for a key at the end.
rem
rem Copyright 2026 the qutil authors
rem Licensed under the GNU Lesser General Public License, version 2.1 or later.
setlocal
pushd "%~dp0"
set failed=
set "report=%~dp0report.txt"
del "%report%" 2>nul
if exist "%report%" goto elsewhere
call :begin >"%report%"
if exist "%report%" goto begun
:elsewhere
set "report=%TEMP%\qutil-report.txt"
call :begin >"%report%"
:begun

set programs=
for %%p in (@PROGRAMS@) do call :try_both %%p
for %%p in (%programs%) do call :program %%p

>>"%report%" echo.
>>"%report%" echo == end
echo.
if defined failed echo Not everything went as expected. The report says what.
echo The report is in "%report%"
popd
if not "%1"=="/q" pause
if defined failed exit /b 1
exit /b 0

:begin
echo Conformance tests of qutil @VERSION@
echo Commit @COMMIT@
ver
echo Processor %PROCESSOR_ARCHITECTURE% %PROCESSOR_ARCHITEW6432%
goto :eof

:try_both
call :try %132.exe
if /i "%PROCESSOR_ARCHITECTURE%"=="AMD64" call :try %164.exe
if /i "%PROCESSOR_ARCHITEW6432%"=="AMD64" call :try %164.exe
goto :eof

rem A 64-bit Windows may lack what runs 32-bit programs.
:try
if not exist %1 goto missing
set runs=
for /f "skip=1" %%t in ('.\%1 --list') do set runs=yes
if not defined runs goto dead
set programs=%programs% %1
goto :eof

:missing
set failed=yes
echo %1 is missing: unpack the whole archive.
>>"%report%" echo %1 is missing
goto :eof

:dead
echo %1 can't run here.
>>"%report%" echo %1 can't run here
goto :eof

:program
rem Each is told of the other one of its module: the proxies are tested between the two.
set program=%1
set QUTIL_TEST_PEER=
for %%p in (%programs%) do if not %%p==%1 if %%p==%program:32.=64.% set "QUTIL_TEST_PEER=%CD%\%%p"
for %%p in (%programs%) do if not %%p==%1 if %%p==%program:64.=32.% set "QUTIL_TEST_PEER=%CD%\%%p"
rem This one tells the versions.
for /f "skip=1" %%t in ('.\%1 --list') do if %%t==main call :test %1 main
for /f "skip=1" %%t in ('.\%1 --list') do if not %%t==main call :test %1 %%t
goto :eof

:test
echo %1 %2
>>"%report%" echo.
>>"%report%" echo == %1 %2
.\%1 %2 >>"%report%" 2>&1
set status=%ERRORLEVEL%
>>"%report%" echo == %1 %2: exit status %status%
if not %status%==0 set failed=yes
goto :eof

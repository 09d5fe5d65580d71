/*
 * What the benchmarks share
 *
 * Copyright 2026 the qutil authors
 *
 * This library is free software; you can redistribute it and/or
 * modify it under the terms of the GNU Lesser General Public
 * License as published by the Free Software Foundation; either
 * version 2.1 of the License, or (at your option) any later version.
 *
 * This library is distributed in the hope that it will be useful,
 * but WITHOUT ANY WARRANTY; without even the implied warranty of
 * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the GNU
 * Lesser General Public License for more details.
 *
 * You should have received a copy of the GNU Lesser General Public
 * License along with this library; if not, write to the Free Software
 * Foundation, Inc., 51 Franklin St, Fifth Floor, Boston, MA 02110-1301, USA
 */


#ifndef __TESTS_BENCH_BENCH_H
#define __TESTS_BENCH_BENCH_H

/* bench.c */
extern const char *program_name;
extern void DECLSPEC_NORETURN fail(const char *what, HRESULT hr);
extern void check(HRESULT hr, const char *what);
extern LONGLONG get_time(void);
extern double get_nanoseconds(LONGLONG start);
extern double median(double *numbers, unsigned int count); /* sorts them */

/* message.c */
extern void bench_messages(void);

/* exchange.c */
extern void bench_exchanges(void);
extern void run_shas(DWORD owner); /* for them, in another process */

#endif /* __TESTS_BENCH_BENCH_H */

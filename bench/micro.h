/* SPDX-License-Identifier: MIT
 * Micro-benchmarks of the engine's units. micro.c measures and prints; each other file offers sets
 * of variants, of which the first is what the others are compared with: libsodium, or the plainest
 * way to do it. Nothing here is part of the programs. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct micro;

/* Does the work so many times over. */
typedef void micro_work(void *arg, unsigned times);

/* Adds a variant to the present set. operations: what doing the work once amounts to. Borrows name
 * and arg until micro_run(). */
void micro_add(struct micro *micro, const char *name, unsigned operations, micro_work *work,
	       void *arg);
/* Measures all variants of the set in turns, prints them under this title, and begins a new set. */
void micro_run(struct micro *micro, const char *title, ...) __attribute__((format(printf, 2, 3)));

/* Ends the program unless ok: what is measured must also be right. */
void micro_check(bool ok, const char *what);
/* Zeroed memory, or the end of the program. The caller frees it. */
void *micro_alloc(size_t count, size_t size);
/* Random numbers, the same in every run. *seed: anything. */
uint64_t micro_draw(uint64_t *seed);
void micro_fill(uint64_t *seed, void *bytes, size_t len);

/* The compiler must make this value, and finish all writes before. */
static inline void micro_keep(uint64_t value)
{
	__asm__ volatile("" : : "r"(value) : "memory");
}

/* The sets of each file. */
void micro_aead(struct micro *micro);
void micro_packets(struct micro *micro);
void micro_session(struct micro *micro);
void micro_tables(struct micro *micro);

/* SPDX-License-Identifier: MIT
 * What is wrong with a configuration although each of its lines can be read. Pure. */
#pragma once

struct file;
struct findings;
struct outline;

/* Adds what it finds. Both are of the same text. Running out of memory it says in the findings. */
void inspect_all(struct findings *findings, const struct file *file, const struct outline *outline);

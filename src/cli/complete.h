/* SPDX-License-Identifier: MIT
 * What may come next on a command line: the hidden command `wgctl complete -- WORD...`, which the
 * shells' completions call (completions/). The words are those in front of the cursor, the
 * program's name the first and the one being completed the last, empty or in part. The answer:
 *
 *   :file .conf              the first line, `:' and whether the shell shall offer files too, and
 *                            how these end: `:', `:file' or `:file .conf'
 *   wg0<TAB>interface        a candidate, and what it is; or the candidate alone
 *
 * Candidates are all that fit the place: which of them begin like the last word is for the shell
 * to say, which knows its quotes. Silent about what fails, and over within a second, with
 * what is known by then. Shows no secret.
 *
 * The grammar of a command (command.h) is blank-separated:
 *
 *   -q|--quiet            an option; --count=VALUE: one with a value behind it
 *   IF|all|interfaces!    an argument: the kinds (in capitals) and the words that it may be;
 *                         arguments come in this order, and after a word with a `!' nothing does
 *   remove endpoint=VALUE words that may come after the arguments, the second with a value
 *   /                     the word in front of it opens a group, again and again: the words behind
 *                         it are for there only, those before it come before the first group only
 *
 * The kinds: COMMAND, CONF (a NAME of up, or its file), FIELD (of show), FILE, IF, PEER (of the
 * interface named before, or of all), VALUE (anything: nothing is offered). */
#pragma once

#include <stddef.h>
#include "cli/command.h"

/* argv[0] is "complete". */
enum command_result complete_run(const struct command *commands, size_t count, int argc,
				 char **argv);

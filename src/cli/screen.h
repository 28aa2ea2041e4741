/* SPDX-License-Identifier: MIT
 * The terminal as a page that is drawn again and again, and left as it was found. A few sequences
 * of ECMA-48 and the "private modes" that every terminal since xterm has are all it takes: no
 * curses. */
#pragma once

#include <signal.h>
#include <stdbool.h>
#include <termios.h>

struct text;

enum screen_event {
	SCREEN_NOTHING,
	SCREEN_REDRAW, /* what is shown is lost, or has another size */
	SCREEN_END,
};

struct screen {
	int signals; /* a signalfd: poll() it for reading, */
	int keys;    /* and this one, if there are keys: else -1 */
	bool entered;
	struct termios saved; /* if there are keys */
	sigset_t old;
	int ended_by; /* a signal that asks for the end; 0: none */
};

/* Whether standard output is a terminal that can do it. */
bool screen_is_there(void);
/* For standard output, and standard input for keys if it is a terminal. The first screen_draw()
 * takes it; signals arrive by screen_read() only from now on. 0 or -errno. */
int screen_open(struct screen *screen);
/* Reads what was to be read from signals and keys, and obeys: "q" ends, SIGTSTP stops. */
enum screen_event screen_read(struct screen *screen);
void screen_size(unsigned *width, unsigned *height);
/* Shows the lines that fit; not in the background, nor while the terminal takes nothing. 0 or
 * -errno, said. */
int screen_draw(struct screen *screen, const struct text *lines);
/* Gives the terminal back. Returns only if no signal asked for the end: dies of it else, as who
 * sent it expects. */
void screen_close(struct screen *screen);

/* SPDX-License-Identifier: MIT
 * Modes, signals and keys. */
#include "cli/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "cli/output.h"
#include "conf/text.h"

/* The alternate screen, no cursor, no wrapping of lines (should a character be wider than thought).
 */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[?7l"
#define LEAVE "\x1b[0m\x1b[?7h\x1b[?1049l\x1b[?25h"
#define HOME "\x1b[H"
#define CLEAR_LINE "\x1b[K"
#define CLEAR_BELOW "\x1b[J"

static const int ending[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};

bool screen_is_there(void)
{
	const char *kind = getenv("TERM");

	return isatty(STDOUT_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

/* At the end, and before a stop, nobody is left to be told of an error. */
static void put(const char *sequence)
{
	ssize_t n = write(STDOUT_FILENO, sequence, strlen(sequence));

	(void)n;
}

/* Who touches the modes of a terminal from the background is stopped. */
static bool in_background(void)
{
	pid_t group = tcgetpgrp(STDOUT_FILENO);

	return group > 0 && group != getpgrp();
}

static void enter(struct screen *screen)
{
	struct termios modes = screen->saved;

	modes.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	modes.c_cc[VMIN] = 1;
	modes.c_cc[VTIME] = 0;
	if (screen->keys >= 0)
		tcsetattr(screen->keys, TCSANOW, &modes);
	put(ENTER);
	screen->entered = true;
}

static void leave(struct screen *screen)
{
	const bool background = in_background();

	if (!screen->entered)
		return;
	if (!background)
		tcflow(STDOUT_FILENO, TCOON); /* Ctrl-S must not keep it */
	put(LEAVE);
	if (!background && screen->keys >= 0)
		tcsetattr(screen->keys, TCSANOW, &screen->saved);
	screen->entered = false;
}

int screen_open(struct screen *screen)
{
	sigset_t set;

	*screen = (struct screen){.keys = STDIN_FILENO};
	if (tcgetattr(STDIN_FILENO, &screen->saved))
		screen->keys = -1;
	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(ending) / sizeof(*ending); i++)
		sigaddset(&set, ending[i]);
	sigaddset(&set, SIGTSTP);
	sigaddset(&set, SIGCONT);
	sigaddset(&set, SIGWINCH);
	screen->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (screen->signals < 0)
		return -errno;
	sigprocmask(SIG_BLOCK, &set, &screen->old);
	return 0;
}

/* Lets a signal that is held back do what it does without us. */
static void let_through(int number)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, number);
	raise(number);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

static enum screen_event obey(struct screen *screen, int number)
{
	if (number == SIGWINCH)
		return SCREEN_REDRAW;
	if (number == SIGTSTP) {
		leave(screen);
		let_through(SIGTSTP);
		return SCREEN_REDRAW;
	}
	if (number == SIGCONT) {
		screen->entered = false; /* whoever had the terminal meanwhile left it otherwise */
		return SCREEN_REDRAW;
	}
	screen->ended_by = number;
	return SCREEN_END;
}

/* Without a terminal there is nobody to watch. */
static bool key_ends(const struct screen *screen)
{
	struct pollfd poller = {.fd = screen->keys, .events = POLLIN};
	bool ends = false;
	char key;

	while (!ends && poll(&poller, 1, 0) > 0)
		ends = read(screen->keys, &key, 1) != 1 || key == 'q' || key == 'Q';
	return ends;
}

enum screen_event screen_read(struct screen *screen)
{
	enum screen_event event = SCREEN_NOTHING;
	struct signalfd_siginfo info;

	while (event != SCREEN_END && read(screen->signals, &info, sizeof(info)) == sizeof(info)) {
		enum screen_event is = obey(screen, (int)info.ssi_signo);

		event = is > event ? is : event;
	}
	return event != SCREEN_END && key_ends(screen) ? SCREEN_END : event;
}

void screen_size(unsigned *width, unsigned *height)
{
	struct winsize size = {0};

	(void)ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*width = size.ws_col ? size.ws_col : 80;
	*height = size.ws_row ? size.ws_row : 24;
}

int screen_draw(struct screen *screen, const struct text *lines)
{
	struct pollfd terminal = {.fd = STDOUT_FILENO, .events = POLLOUT};
	const char *line = lines->data, *end;
	struct text page = TEXT_EMPTY;
	unsigned width, height, count = 0;
	int err;

	if (in_background() || poll(&terminal, 1, 0) <= 0)
		return 0;
	if (!screen->entered)
		enter(screen);
	screen_size(&width, &height);
	text_puts(&page, HOME);
	/* Lines are cleared before they are written: behind the last column there is no place. */
	for (; line && (end = strchr(line, '\n')) && count < height; line = end + 1, count++) {
		text_puts(&page, count ? "\n" CLEAR_LINE : CLEAR_LINE);
		text_append(&page, line, (size_t)(end - line));
	}
	if (count < height)
		text_puts(&page, "\n" CLEAR_BELOW);
	page.failed |= lines->failed;
	err = output_write(&page);
	text_wipe(&page);
	return err;
}

void screen_close(struct screen *screen)
{
	leave(screen);
	close(screen->signals);
	if (screen->ended_by)
		let_through(screen->ended_by);
	sigprocmask(SIG_SETMASK, &screen->old, NULL);
}

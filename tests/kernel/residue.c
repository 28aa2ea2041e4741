/* SPDX-License-Identifier: MIT
 * A library loaded before a program's others, which looks at the program's end for what it left in
 * its memory: the 32 bytes of RESIDUE, in hexadecimal and each of them inverted, for the variable
 * is in the memory too. A half of them counts. Ends the program with status 99 then. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SIZE 32

/* Compares with the inverted bytes, so that the others are nowhere. */
static bool is_half(const volatile unsigned char *at, const unsigned char *inverted)
{
	for (int i = 0; i < SIZE / 2; i++)
		if ((at[i] ^ inverted[i]) != 0xff)
			return false;
	return true;
}

static bool is_in(const unsigned char *from, const unsigned char *end,
		  const unsigned char *inverted)
{
	for (; from + SIZE / 2 <= end; from++)
		if (is_half(from, inverted) || is_half(from, inverted + SIZE / 2))
			return true;
	return false;
}

static unsigned char digit(char c)
{
	return (unsigned char)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Whether the line of /proc/self/maps is about memory that can be written, with the bytes in it. */
static bool has_found(const char *line, const unsigned char *inverted)
{
	char *next;
	unsigned long from = strtoul(line, &next, 16);
	unsigned long end = strtoul(next + 1, &next, 16);

	return !strncmp(next, " rw", 3) &&
	       is_in((unsigned char *)from, (unsigned char *)end, inverted);
}

__attribute__((destructor)) static void search(void)
{
	const char *text = getenv("RESIDUE");
	FILE *maps = fopen("/proc/self/maps", "re");
	unsigned char inverted[SIZE];
	bool found = false;
	char line[256];

	if (!maps || !text || strlen(text) != 2 * (size_t)SIZE)
		_exit(98);
	for (size_t i = 0; i < SIZE; i++)
		inverted[i] = (unsigned char)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
	while (fgets(line, sizeof(line), maps))
		found |= has_found(line, inverted);
	fclose(maps);
	if (found)
		_exit(99);
}

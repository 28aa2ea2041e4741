/* SPDX-License-Identifier: MIT
 * Writes JSON (RFC 8259) into a text, on one line. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct text;

struct json {
	struct text *out; /* borrowed */
	bool follows;     /* the next value needs a comma in front */
};

/* In an object every value has a name; elsewhere name is NULL. */
void json_open(struct json *json, const char *name, char bracket); /* '{' or '[' */
void json_close(struct json *json, char bracket);
/* NULL is null. What is no UTF-8 becomes U+FFFD. */
void json_string(struct json *json, const char *name, const char *value);
void json_number(struct json *json, const char *name, uint64_t value);
void json_thousandths(struct json *json, const char *name, uint64_t value);
void json_bool(struct json *json, const char *name, bool value);
/* null if it is not known. */
void json_number_if(struct json *json, const char *name, bool is_known, uint64_t value);
/* The length of the UTF-8 character there; 0: it is none. */
size_t json_character(const char *at);

/* SPDX-License-Identifier: MIT
 * Test builds only (--enable-test-hooks): an engine that was taken over. */
#pragma once

/* Before the seal. From then on SIGUSR1 lets the thread that it is sent to try what an attacker
 * would, and write the outcome of each attempt to stderr: "attack TID NAME ERRNO", with "done" for
 * the errno of one that succeeded. None does harm that outlasts the network namespace. SIGUSR2 lets
 * it do what is allowed, but seldom happens: "work TID done". */
void attack_arm(void);

#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Presses keys in a real shell on a terminal of its own, TAB among them.

Usage: tab.py bash|zsh|fish KEYS [TEXT...]    (KEYS with escapes: '\\t' is TAB)
Prints the command line that the shell has then; or, with TEXT, waits until the terminal has shown all of these. The
completions are those installed below $SHARE, by each shell's own rules. Nothing waits for time to pass: the shell reads
keys in their order, and the last one has it write its command line into a file.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import tempfile
import termios
import time

PROMPT = "ready> "
SECONDS = 30
LAST_KEY = "\x14"  # Ctrl-T

BASH = """
PS1='%(prompt)s'
. /usr/share/bash-completion/bash_completion
bind -x '"\\C-t": printf "%%s\\n" "$READLINE_LINE" >"$LINE"'
bind 'set bell-style none'
bind 'set enable-bracketed-paste off'
"""
ZSH = """
PROMPT='%(prompt)s'
fpath=("$SHARE/zsh/site-functions" $fpath)
autoload -Uz compinit && compinit -u -d "$HOME/zcompdump"
write-line() { print -r -- "$BUFFER" >"$LINE" }
zle -N write-line
bindkey '^T' write-line
bindkey '^I' complete-word
"""
FISH = """
function fish_prompt; echo -n '%(prompt)s'; end
function fish_greeting; end
function fish_user_key_bindings; bind \\ct 'commandline >$LINE'; end
"""
FILES = {"bash": (".bashrc", BASH), "zsh": (".zshrc", ZSH), "fish": (".config/fish/config.fish", FISH)}
COMMANDS = {"bash": ["bash", "-i"], "zsh": ["zsh", "-i"], "fish": ["fish", "-i"]}


def fail(why, seen):
    sys.exit(f"tab.py: {why}; the terminal showed:\n{seen}")


def prepare(shell, home):
    name, text = FILES[shell]
    path = os.path.join(home, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text % {"prompt": PROMPT})
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("BASH", "BATS", "XDG_", "ZDOTDIR"))}
    environment.update(HOME=home, ZDOTDIR=home, TERM="xterm", LINE=os.path.join(home, "line"), LC_ALL="C.UTF-8",
                       XDG_DATA_DIRS=os.environ["SHARE"] + ":/usr/local/share:/usr/share")
    return environment


def read_until(terminal, is_over, seen):
    """Adds what the terminal shows to seen until is_over(seen), which it returns."""
    end = time.monotonic() + SECONDS
    while not is_over(seen):
        if select.select([terminal], [], [], 0.02)[0]:
            try:
                seen += os.read(terminal, 65536).decode(errors="replace")
            except OSError:
                fail("the shell ended", seen)
        if time.monotonic() > end:
            fail("waited in vain", seen)
    return seen


def press(terminal, keys, line, texts):
    seen = read_until(terminal, lambda text: PROMPT in text, "")
    seen = seen[seen.rindex(PROMPT):]

    def is_written(_):
        return os.path.exists(line) and os.path.getsize(line)

    def are_shown(seen):
        plain = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])|\r", "", seen)
        return all(text in plain for text in texts)

    if texts:
        os.write(terminal, keys.encode())
        read_until(terminal, are_shown, seen)
        return
    os.write(terminal, (keys + LAST_KEY).encode())
    read_until(terminal, is_written, seen)
    with open(line, encoding="utf-8") as file:
        print(file.read().rstrip("\n"))


def main():
    shell, keys = sys.argv[1], sys.argv[2].replace("\\t", "\t")
    with tempfile.TemporaryDirectory() as home:
        environment = prepare(shell, home)
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(shell, COMMANDS[shell], environment)
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 100, 160, 0, 0))
        press(terminal, keys, environment["LINE"], sys.argv[3:])
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


main()

# SPDX-License-Identifier: MIT
"""Faults for an engine that knows nothing of them: a library loaded before its others (tests/faults/faults.c), and the file
that tells it what to do.
"""
import os
import pathlib
import shutil
import subprocess
import tempfile

SOURCE = pathlib.Path(__file__).resolve().parents[1] / "faults" / "faults.c"
FIELD = 20
FIELDS = ("clock", "send", "alloc_first", "alloc_last", "allocs", "sends_failed")


class Faults:
    """environment: of the engine. The faults by name, at any time: their meaning is in faults.c."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="wgct"))
        library = self.folder / "faults.so"
        subprocess.run([os.environ.get("CC", "cc"), "-O1", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
        self.file = self.folder / "faults"
        self.file.write_text(f"{0:<{FIELD}}" * len(FIELDS))
        self.environment = {
            "LD_PRELOAD": str(library), "FAULTS": str(self.file), "FAULTS_PROGRAM": "wgengine",
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def __setitem__(self, name, number):
        with self.file.open("r+") as file:
            file.seek(FIELDS.index(name) * FIELD)
            file.write(f"{number:<{FIELD}}")

    def __getitem__(self, name):
        at = FIELDS.index(name) * FIELD
        return int(self.file.read_text()[at:at + FIELD])

    def remove(self):
        shutil.rmtree(self.folder)

# SPDX-License-Identifier: Apache-2.0
"""An application: serves what a typical one does, and, asked for it, what an intruder would try through it."""

import ctypes
import errno
import hashlib
import http.server
import json
import multiprocessing
import os
import shutil
import signal
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import zlib

import parts.words  # a module of its own, compiled when it is first read


def square(number, sender):
    sender.send(number * number)


def squares(numbers):
    """Each in a process of its own, and no threads beside that a fork could find with a lock in their hands."""
    answers = []
    for number in numbers:
        receiver, sender = multiprocessing.Pipe(duplex=False)
        process = multiprocessing.Process(target=square, args=(number, sender))
        process.start()
        answers.append(receiver.recv())
        process.join()
    return answers


def work():
    database = sqlite3.connect("/data/app.db")
    database.execute("PRAGMA journal_mode = WAL")
    database.execute("CREATE TABLE IF NOT EXISTS visit (n INTEGER)")
    with database:
        database.execute("INSERT INTO visit VALUES (1)")
    with tempfile.TemporaryDirectory() as directory, tempfile.NamedTemporaryFile(dir=directory) as file:
        file.write(zlib.compress(b"x" * 100000))
        file.flush()
        os.rename(file.name, file.name + ".moved")
        open(file.name, "w").close()
    compare = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_int), ctypes.POINTER(ctypes.c_int))
    numbers = (ctypes.c_int * 3)(3, 1, 2)
    ctypes.CDLL(None).qsort(numbers, 3, 4, compare(lambda a, b: a[0] - b[0]))  # C calls Python back: code made at run time
    done = []
    thread = threading.Thread(target=lambda: done.append(hashlib.sha256(b"x").hexdigest()))
    thread.start()
    thread.join()
    ssl.create_default_context()
    assert socket.gethostbyname("localhost") == "127.0.0.1"
    return {"visits": database.execute("SELECT count(*) FROM visit").fetchone()[0], "sorted": list(numbers),
            "squares": squares(range(4)), "threads": len(done), "words": parts.words.WORDS}


def outcome(act):
    """Returns 'done', or the name of the error."""
    try:
        act()
    except OSError as error:
        return errno.errorcode[error.errno]
    return "done"


def write(path):
    os.close(os.open(path, os.O_WRONLY))


def dropped():
    shutil.copy("/usr/bin/curl", "/tmp/python3")
    os.chmod("/tmp/python3", 0o755)
    subprocess.run(["/tmp/python3", "--version"])


def library():
    shutil.copy("/usr/lib/x86_64-linux-gnu/libz.so.1", "/tmp/libevil.so")
    with open("/tmp/libevil.so", "rb") as file:
        import mmap
        mmap.mmap(file.fileno(), 4096, prot=mmap.PROT_READ | mmap.PROT_EXEC, flags=mmap.MAP_PRIVATE)


def intrude():
    acts = [
        lambda: os.execv("/usr/bin/dash", ["sh"]),
        lambda: subprocess.run(["/usr/bin/curl", "--version"]),
        dropped,
        library,
        lambda: write("/app/app.py"),
        lambda: write("/usr/bin/perl"),
        lambda: open("/etc/shadow"),
    ]
    return [outcome(act) for act in acts]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = json.dumps(intrude() if self.path == "/intrude" else work()).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.ThreadingHTTPServer(("127.0.0.1", 8081), Handler).serve_forever()

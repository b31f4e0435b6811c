"""The real AWS CLI, loaded once: each command is a fork of this process, so that it does not take a second to start.

`.venv-cicd/bin/python tests/cicd/quick/server.py SOCKET` serves `tests/cicd/quick/aws`, which hands over its words,
environment, folder and standard streams, and ends with the exit code that comes back.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import NoReturn

from awscli import clidriver


def main(path: str) -> NoReturn:
    """Fork for each connection, for ever."""
    clidriver.create_clidriver()  # what is imported late is imported now
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen(32)
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            _command(connection)
        connection.close()


def _command(connection: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    said, streams, _, _ = socket.recv_fds(connection, 1 << 20, 3)
    asked = json.loads(said)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    sys.stdin = os.fdopen(0, closefd=False)
    sys.stdout = os.fdopen(1, "w", closefd=False)
    sys.stderr = os.fdopen(2, "w", closefd=False)
    own = os.environ["AWS_DATA_PATH"]  # awscli's, said when it was imported
    os.environ.clear()
    os.environ.update(asked["environment"], AWS_DATA_PATH=own)
    os.chdir(asked["folder"])
    sys.argv = asked["words"]
    try:
        code = clidriver.main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    sys.stdout.flush()
    sys.stderr.flush()
    connection.sendall(bytes([code % 256]))
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])

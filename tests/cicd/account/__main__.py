"""Serve the account: `python -m tests.cicd.account PORT FILE`."""

import sys
import warnings
from pathlib import Path

from moto.server import main

from tests.cicd.account import functions, stacks, stand_ins

warnings.simplefilter("ignore")
port, record = sys.argv[1:]
functions.install()
stand_ins.install(Path(record))
stacks.install()
main(["-H", "127.0.0.1", "-p", port])

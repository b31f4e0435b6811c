"""The memory that master and workers share."""

from __future__ import annotations

import os
from threading import Thread

from src.vault import Vault

ONE, TWO = {"OPENAI_API_KEY": "k"}, {"OPENAI_API_KEY": "k" * 100_000}


def test_a_thread_sees_all_that_was_kept_or_what_was_before_while_another_keeps():
    vault = Vault(ONE)
    over = []

    def keep_and_keep():
        for number in range(400):
            vault.keep(TWO if number % 2 else ONE)
        over.append(True)

    thread = Thread(target=keep_and_keep)
    thread.start()
    while not over:
        assert vault.kept in (ONE, TWO)
    thread.join()


def test_a_forked_process_sees_what_was_kept_after_it_was_born():
    vault = Vault(ONE)
    told, tell = os.pipe()
    child = os.fork()
    if not child:
        os.read(told, 1)
        os._exit(vault.values() != TWO)
    vault.keep(TWO)
    os.write(tell, b".")
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0
    os.close(told)
    os.close(tell)

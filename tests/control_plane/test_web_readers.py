"""How long a reader is waited for, and that what is written in pieces arrives whole."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from control_plane.web_readers import AnswerSocket, Patience
from patience import PATIENCE


@pytest.mark.parametrize(
    ("bytes_per_second", "cut_after"), [(0, 30), (1, 31), (2048, 60), (4096, None), (1_000_000, None)]
)
def test_patience_ends_for_whoever_takes_too_little(bytes_per_second: int, cut_after: int | None) -> None:
    patience = Patience(30, 4096)
    seconds = 0
    while patience.left > 0 and seconds < 1000:
        patience.wait(1, bytes_per_second)
        seconds += 1
    assert seconds == (cut_after or 1000)


def test_what_was_taken_earlier_is_not_saved_up() -> None:
    patience = Patience(30, 4096)
    patience.wait(1, 1_000_000_000)
    assert patience.left == 30


@pytest.mark.parametrize(("offset", "count"), [(0, None), (10, None), (70_000, 200_001)])
def test_a_file_arrives_whole(tmp_path: Path, offset: int, count: int | None) -> None:
    content = os.urandom(3_000_000)
    (tmp_path / "file").write_bytes(content)
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as reader:
        with socket.create_connection(server.getsockname()) as sender, (tmp_path / "file").open("rb") as file:
            receiver, _ = server.accept()
            got = reader.submit(lambda: receiver.makefile("rb").read())
            sending: set[AnswerSocket] = set()
            answer = AnswerSocket(sender, Patience(30, 4096), sending)
            answer.sendall(b"head\n")
            sent = answer.sendfile(file, offset, count)
            assert not sending
        expected = content[offset : None if count is None else offset + count]
        assert sent == len(expected)
        assert got.result(PATIENCE) == b"head\n" + expected
        receiver.close()

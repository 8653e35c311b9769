import hashlib
import io

import pytest

from control_plane.blobs import Blobs
from control_plane.domain.errors import ChunkCorrupt, DiskFull, NotFound


def test_what_is_put_is_found_by_its_hash(tmp_path):
    blobs = Blobs(tmp_path)
    sha256, size = blobs.put(io.BytesIO(b"abc"))
    assert (sha256, size) == (hashlib.sha256(b"abc").hexdigest(), 3)
    assert blobs.open(sha256).read() == b"abc"
    assert blobs.size(sha256) == 3


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "g" * 64, "A" * 64])
def test_no_path_is_reached_through_a_name_that_is_no_hash(tmp_path, name):
    with pytest.raises(NotFound):
        Blobs(tmp_path).path(name)


def test_a_full_disk_leaves_nothing_behind(tmp_path):
    blobs = Blobs(tmp_path, min_free=100, free=lambda _: 102)
    with pytest.raises(DiskFull):
        blobs.put(io.BytesIO(b"abc"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_file_whose_hash_differs_is_not_adopted(tmp_path):
    blobs = Blobs(tmp_path)
    file = blobs.staging("x") / "part"
    file.write_bytes(b"abc")
    wrong = hashlib.sha256(b"abd").hexdigest()
    with pytest.raises(ChunkCorrupt):
        blobs.adopt(file, wrong)
    assert not blobs.has(wrong)

"""Writes arrays with zarr-python, and reads with it what this library wrote.

    python tests/interop/zarr_arrays.py write crates/nemos-io/tests/data/zarr
    python tests/interop/zarr_arrays.py read /tmp/rewritten/zarr

The arrays are fixtures of crates/nemos-io/tests/io/zarr.rs, which knows the numbers that they hold.
"""

import sys
from pathlib import Path

import numpy as np
import zarr
from zarr.codecs import BloscCodec, BytesCodec, GzipCodec, ZstdCodec

# What fixtures hold: 23 rows and 5 columns.
NUMBERS = (np.arange(23)[:, None] * 7 + np.arange(5) * 3) % 120


def write(folder):
    def array(name, dtype, chunks=(10, 5), values=NUMBERS, filled=True, **options):
        made = zarr.create_array(
            store=str(folder / name), shape=values.shape, chunks=chunks, dtype=dtype, overwrite=True, **options
        )
        if filled:
            made[...] = values.astype(dtype)

    array("bytes", "uint8")
    array("shorts", "uint16", compressors=GzipCodec(level=5))
    array("integers", "int32", compressors=None, serializer=BytesCodec(endian="big"))
    array("long", "int64", chunks=(10, 2))
    array("singles", "float32", compressors=ZstdCodec(level=0, checksum=True))
    array("doubles", "float64", chunks=(30, 5), attributes={"unit": "spikes"})
    array("flags", "bool", values=NUMBERS % 2 == 1)
    array("column", "float64", chunks=(10,), values=NUMBERS[:, 0])
    array("shards", "uint8", chunks=(5, 5), shards=(10, 5))
    array("older", "float64", zarr_format=2, order="F", compressors=None)
    # Only the first and the last chunk are there.
    sparse = zarr.create_array(
        store=str(folder / "sparse"), shape=(23, 5), chunks=(10, 5), dtype="float64", fill_value=3.5, overwrite=True
    )
    sparse[:10], sparse[20:] = NUMBERS[:10], NUMBERS[20:]
    # What is not read.
    array("blosc", "float64", compressors=BloscCodec(), filled=False)
    array("complex", "complex64", filled=False)
    array("cube", "uint8", chunks=(10, 5, 1), values=NUMBERS[:, :, None], filled=False)
    group = zarr.create_group(store=str(folder / "group"), overwrite=True)
    group.create_array("inside", shape=(23, 5), chunks=(10, 5), dtype="uint8")[...] = NUMBERS


def read(folder):
    for name, dtype, expected in [
        ("bytes", "uint8", NUMBERS),
        ("shorts", "uint16", NUMBERS * 300),
        ("doubles", "float64", NUMBERS - 0.5),
        ("singles", "float32", NUMBERS - 0.5),
    ]:
        found = zarr.open_array(str(folder / name), mode="r")
        assert found.dtype == dtype, (name, found.dtype)
        assert found.metadata.zarr_format == 3
        np.testing.assert_array_equal(found[...], expected)
        print(f"{name}: {found.shape} of {found.dtype}, chunks {found.chunks}")


if __name__ == "__main__":
    {"write": write, "read": read}[sys.argv[1]](Path(sys.argv[2]))

"""Writes an NWB file in which every row of a column refers to the same long text: 1.2 GB of text out of 116 kB. Another column
has long texts that were never written, and a group has forty links to itself.

    python hostile_nwb.py FILE

makes the fixture hostile.nwb of crates/nemos-io/tests/data. Needs h5py.
"""

import sys
import zlib

import h5py
import numpy as np

ROWS, LETTERS = 20_000, 60_000


def main(path):
    text = h5py.string_dtype()
    with h5py.File(path, "w", libver="latest") as file:
        single = file.create_dataset("a", (1,), dtype=text)
        single[0] = "x" * LETTERS
        file.flush()
        offset = single.id.get_offset()
    with open(path, "rb") as file:
        file.seek(offset)
        reference = file.read(16)
    with h5py.File(path, "a", libver="latest") as file:
        trials, labelled = file.create_group("intervals/trials"), file.create_group("intervals/labelled")
        start = np.arange(ROWS, dtype="f8")
        trials.create_dataset("id", data=start.astype("i4"), compression="gzip")
        trials.create_dataset("start_time", data=start, compression="gzip", shuffle=True)
        trials.create_dataset("stop_time", data=start + 0.5, compression="gzip", shuffle=True)
        for table in (trials, labelled):
            table.attrs["neurodata_type"] = "TimeIntervals"
        for column in ("id", "start_time", "stop_time"):
            labelled[column] = trials[column]
        labelled.create_dataset("label", (ROWS,), dtype="S5000", chunks=(ROWS,))
        group = file.create_group("acquisition")
        for link in range(40):
            group[f"link{link}"] = group
        choice = trials.create_dataset("choice", (ROWS,), dtype=text, chunks=(ROWS,), compression="gzip")
        choice.id.write_direct_chunk((0,), zlib.compress(reference * ROWS, 9))


if __name__ == "__main__":
    main(sys.argv[1])

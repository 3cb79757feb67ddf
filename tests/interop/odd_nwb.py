"""Writes an NWB file of odd but possible things, some of them wrong.

    python odd_nwb.py FILE

makes the fixture odd.nwb of crates/nemos-io/tests/data. Needs h5py.
"""

import sys

import h5py
import numpy as np


def series(file, path, data, **attributes):
    group = file.create_group(path)
    group.attrs["neurodata_type"] = "TimeSeries"
    values = group.create_dataset("data", data=data)
    for name, value in attributes.items():
        values.attrs[name] = value
    start = group.create_dataset("starting_time", data=0.0)
    start.attrs["rate"] = 10.0
    return group


def main(path):
    with h5py.File(path, "w", libver="latest") as file:
        # Two of five trials are no intervals: one was broken off, one has no length.
        trials = file.create_group("intervals/trials")
        trials.attrs["neurodata_type"] = "TimeIntervals"
        trials.create_dataset("id", data=np.arange(5, dtype="i4"))
        trials.create_dataset("start_time", data=[6.0, 0.0, 2.0, 4.0, 5.0])
        trials.create_dataset("stop_time", data=[7.0, 1.0, np.nan, 4.0, 5.5])
        trials.create_dataset("contrast", data=[0.6, 0.0, 0.2, 0.4, 0.5])
        # A second sorter's units beside those of the file.
        for place, shift in (("units", 0.0), ("processing/ecephys/second_sorter", 0.5)):
            units = file.create_group(place)
            units.attrs["neurodata_type"] = "Units"
            units.create_dataset("id", data=np.arange(2, dtype="i4"))
            units.create_dataset("spike_times", data=np.array([1.0, 2.0, 3.0]) + shift)
            units.create_dataset("spike_times_index", data=np.array([2, 3], dtype="u1"))
        values = np.arange(12, dtype="i2").reshape(6, 2)
        series(file, "acquisition/in_volts", values, conversion=0.5, offset=1.0)
        series(file, "acquisition/conversion_in_words", values, conversion="one half")
        few = series(file, "acquisition/few_factors", values)
        few.create_dataset("channel_conversion", data=[1.0, 2.0, 3.0])


if __name__ == "__main__":
    main(sys.argv[1])

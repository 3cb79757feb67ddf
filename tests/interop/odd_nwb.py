"""Writes an NWB file of unusual content: trials that are no intervals, units outside the table of the session and with
times of observation, conversion factors that do not fit, annotations, electrodes, names that are there twice.

    python odd_nwb.py FILE

makes the fixture odd.nwb of crates/nemos-io/tests/data. Needs pynwb.
"""

import datetime
import sys

import h5py
import numpy as np
import pynwb


def units(name):
    """Three units of different times of observation; a spike at 9 s is outside all of them."""
    table = pynwb.misc.Units(name=name, description="made for tests")
    table.add_unit(spike_times=[0.5, 1.0, 4.5, 9.0], obs_intervals=[[0.0, 2.0], [4.0, 5.0]])
    table.add_unit(spike_times=[0.25], obs_intervals=[[0.0, 2.0]])
    table.add_unit(spike_times=[], obs_intervals=[[1.0, 3.0], [np.nan, 8.0]])
    return table


def main(path):
    file = pynwb.NWBFile("odd", "odd", datetime.datetime(2026, 1, 2, tzinfo=datetime.timezone.utc))
    file.add_trial_column("choice", "a text")
    file.add_trial_column("cue", "numbers")
    file.add_trial_column("cue_index", "a plain column whose name ends as those of indices do")
    file.add_trial_column("marks", "lists of texts", index=True)
    file.add_trial_column("licks", "lists of numbers", index=True)
    times = [(6.0, 7.0), (1.0, np.nan), (0.0, 0.5), (3.0, 2.0), (np.nan, 4.5), (5.0, 5.0), (2.0, 3.0)]
    for row, (start, stop) in enumerate(times):
        file.add_trial(start, stop, choice=f"choice{row}", cue=row / 2, cue_index=float(10 * row), marks=["a", "b", "c"][: row % 3],
                       licks=[0.5] * row)
    for name, touching in (("apart", [(0, 1), (1, 2)]), ("overlapping", [(0, 2), (1, 3)])):
        intervals = pynwb.epoch.TimeIntervals(name=name, description="made for tests")
        for start, stop in touching:
            intervals.add_row(start_time=float(start), stop_time=float(stop), tags=[])
        file.add_time_intervals(intervals)
    ecephys = file.create_processing_module("ecephys", "made for tests")
    ecephys.add(units("sorted"))
    for name in ("fits", "too_few"):
        series = pynwb.TimeSeries(name=name, data=np.ones((4, 2)), unit="V", starting_time=0.0, rate=1.0, conversion=0.5, offset=1.0)
        file.add_acquisition(series)
    cues = pynwb.misc.AnnotationSeries(name="cues", data=["tone", "light", "tone"], timestamps=[0.5, 2.0, 3.25])
    file.add_acquisition(cues)
    probe = file.create_device(name="probe")
    shank = file.create_electrode_group(name="shank", description="made for tests", location="CA1", device=probe)
    for number in range(4):
        file.add_electrode(id=10 + number, location=f"layer {number}", group=shank)
    region = file.create_electrode_table_region(region=[3, 1], description="made for tests")
    file.add_acquisition(pynwb.ecephys.ElectricalSeries(name="lfp", data=np.arange(8.0).reshape(4, 2), electrodes=region,
                                                        starting_time=0.0, rate=1.0))
    for module in ("left", "right"):
        container = pynwb.behavior.Position(name="Position")
        container.create_spatial_series(name="xy", data=np.ones((4, 2)), reference_frame="made for tests", starting_time=0.0, rate=1.0)
        file.create_processing_module(module, "made for tests").add(container)
    film = pynwb.image.ImageSeries(name="film", external_file=["film.avi"], starting_frame=[0], format="external", unit="n.a.",
                                   timestamps=[0.0, 1.0])
    file.add_acquisition(film)
    with h5py.File(path, "w", libver="latest") as handle:
        with pynwb.NWBHDF5IO(file=handle, mode="w", manager=pynwb.get_manager()) as io:
            io.write(file, cache_spec=False)
    # Added afterwards, because pynwb gives such factors to recordings of electrodes only.
    with h5py.File(path, "a", libver="latest") as handle:
        handle["acquisition/fits/channel_conversion"] = [2.0, 4.0]
        handle["acquisition/too_few/channel_conversion"] = [2.0]


if __name__ == "__main__":
    main(sys.argv[1])

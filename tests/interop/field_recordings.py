"""Recordings as laboratories have them: clocks that jump, missing times, units that restart, lzf, half precision, regions of
interest, intervals as signs, trials that overlap, tables as pandas writes them. `crates/nemos-io/tests/io/field.rs` knows what
they hold.

    python tests/interop/field_recordings.py FOLDER
"""

import datetime
import sys
from pathlib import Path

import h5py
import numpy as np
import pandas as pd
from hdmf.backends.hdf5.h5_utils import H5DataIO
from pynwb import NWBFile, NWBHDF5IO, TimeSeries
from pynwb.behavior import BehavioralEpochs
from pynwb.misc import IntervalSeries
from pynwb.ophys import DfOverF, Fluorescence, ImageSegmentation, OpticalChannel, RoiResponseSeries

folder = Path(sys.argv[1])
folder.mkdir(parents=True, exist_ok=True)


def session():
    start = datetime.datetime(2020, 1, 1, tzinfo=datetime.timezone.utc)
    return NWBFile(session_description="written for a test", identifier="field", session_start_time=start)


def save(file, name):
    with NWBHDF5IO(str(folder / name), "w") as io:
        io.write(file, cache_spec=False)


def series(name, data, timestamps, **how):
    pack = dict(compression="gzip", chunks=True)
    data, timestamps = H5DataIO(data, **(how or pack)), H5DataIO(timestamps, **pack)
    return TimeSeries(name=name, data=data, unit="m", timestamps=timestamps)


# Times that are no clock's: 1,000 samples, ten a second.
file = session()
n, t = 1000, np.arange(1000) / 10.0
values = np.arange(n) * 1.0
for name, rows, change in [
    ("good", slice(0, 0), 0.0),
    ("nan_mid", slice(500, 501), np.nan),
    ("nan_last", slice(999, 1000), np.nan),
    ("nan_first", slice(0, 3), np.nan),
    ("clock_back", slice(500, 600), -20.0),
    ("clock_reset", slice(600, None), -60.0),
]:
    times = t.copy()
    times[rows] += change
    file.add_acquisition(series(name, values, times))
file.add_acquisition(series("half", np.array([0.5, 1.0, -2.0], dtype="f2"), np.arange(3.0), chunks=(3,)))
file.add_acquisition(series("lzf", np.sin(np.arange(2000) / 50.0), np.arange(2000) / 100.0, compression="lzf", chunks=(256,)))
file.add_acquisition(series("transposed", values[:6], t[:6], chunks=(6,)))
file.add_acquisition(series("short", values[:6], t[:6], chunks=(6,)))
file.add_acquisition(series("complex", values[:3], t[:3], chunks=(3,)))
file.add_unit_column("quality", "how well it is isolated")
file.add_unit(spike_times=t, quality="good", id=3)
file.add_unit(spike_times=np.r_[t[:500], t[500:600] - 20.0, t[600:]], quality="mua", id=5)
file.add_unit(spike_times=np.r_[t[500:], t[:500]], quality="good", id=8)
save(file, "times.nwb")
with h5py.File(folder / "times.nwb", "a") as f:

    def replace(name, data):
        attributes = dict(f[f"acquisition/{name}/data"].attrs)
        del f[f"acquisition/{name}/data"]
        made = f[f"acquisition/{name}"].create_dataset("data", data=data)
        for key, value in attributes.items():
            made.attrs[key] = value

    replace("transposed", np.arange(12.0).reshape(2, 6))
    replace("short", np.arange(5.0))
    replace("complex", np.array([1 + 2j, 3.0, 4.0]))

# Units: one with a missing spike, numbers that are there twice, groups of electrodes.
file = session()
device = file.create_device("probe")
for name, location in [("upper", "CA1"), ("lower", "CA3")]:
    group = file.create_electrode_group(name, description="a shank", location=location, device=device)
    file.add_electrode(x=0.0, y=0.0, z=0.0, location=location, group=group)
upper, lower = file.electrode_groups["upper"], file.electrode_groups["lower"]
file.add_unit(id=5, spike_times=[np.nan, 1.0, 2.0], electrode_group=lower, obs_intervals=[[0, 4]])
file.add_unit(id=5, spike_times=[1.0, 2.0, 9.0], electrode_group=upper, obs_intervals=[[0, 2], [3, 4]])
save(file, "units.nwb")
file = session()
file.add_unit_column("quality", "how well it is isolated")
file.add_unit(id=5, quality="good")
file.add_unit(id=7, quality="mua")
save(file, "silent.nwb")

# Regions of interest, intervals as signs, trials that touch and trials that overlap.
file = session()
channel = OpticalChannel(name="green", description="a channel", emission_lambda=500.0)
microscope = file.create_device("microscope")
plane = file.create_imaging_plane(
    name="plane",
    optical_channel=channel,
    description="a plane",
    device=microscope,
    excitation_lambda=600.0,
    indicator="GFP",
    location="V1",
)
module = file.create_processing_module("ophys", "imaging")
segmentation = ImageSegmentation()
table = segmentation.create_plane_segmentation(name="PlaneSegmentation", description="regions", imaging_plane=plane)
table.add_column("iscell", "whether it is a cell")
for k in range(4):
    table.add_roi(id=10 + k, pixel_mask=[(1, 1, 1.0)], iscell=bool(k % 2))
module.add(segmentation)
rois = table.create_roi_table_region("those that were followed", region=[3, 1, 0])
for container, factor in [(Fluorescence, 1.0), (DfOverF, 2.0)]:
    data = np.arange(12.0).reshape(4, 3) * factor
    traces = RoiResponseSeries(name="RoiResponseSeries", data=data, rois=rois, unit="l", rate=30.0, starting_time=1.0)
    module.add(container(roi_response_series=traces))
behavior = file.create_processing_module("behavior", "what it did")
signs = np.array([1, -1, 1, -1, 2, 1, -2, -1, 1], dtype="i1")
running = IntervalSeries(name="run", data=signs[:4], timestamps=[0.0, 1.0, 2.0, 5.0])
kinds = IntervalSeries(name="kinds", data=signs, timestamps=[0.0, 1.0, 2.0, 5.0, 6.0, 7.0, 8.0, 9.0, 10.0])
behavior.add(BehavioralEpochs(interval_series=[running, kinds]))
file.add_trial_column("k", "its number")
for k in range(100):
    file.add_trial(start_time=k * 0.3, stop_time=k * 0.3 + 0.3, k=k)
overlapping = file.create_time_intervals(name="overlapping", description="two of five overlap")
overlapping.add_column("k", "its number")
overlapping.add_column("choice", "what it chose")
for k, stop in enumerate([1.0, 2.5, 3.0, 4.0, 5.0]):
    overlapping.add_row(start_time=float(k), stop_time=stop, k=k, choice=["left", "right"][k % 2])
save(file, "sessions.nwb")

# Tables as pandas writes them, and arrays.
frame = pd.DataFrame({"time": [0.0, 0.1], "x": [5, 6]})
frame.to_csv(folder / "index.csv")
frame.assign(label=["a", "b, c"]).to_csv(folder / "texts.csv", index=False)
pd.DataFrame({"unit": [12, 7, 12], "time": [0.5, 0.1, 0.2]}).to_csv(folder / "units.csv", index=False)
trials = pd.DataFrame({"start": [0.0, 2.0], "stop": [1.0, 3.0], "choice": ["left", "right"]})
trials.to_csv(folder / "trials.csv", index=False)
np.save(folder / "half.npy", np.array([[0.5, -2.0], [6e-8, np.inf]], dtype="f2"))
np.save(folder / "fortran.npy", np.asfortranarray(np.arange(6.0).reshape(2, 3)))

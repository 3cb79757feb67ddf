"""Writes a small NWB file and one pynapple file of each kind, and beside them what they hold as JSON.

    python tests/interop/recordings.py crates/nemos-io/tests/data
"""

import datetime
import json
import pathlib
import sys
import zipfile

import numpy as np
import pynapple as nap
import pynwb
from hdmf.backends.hdf5 import H5DataIO
from pynwb.behavior import Position, SpatialSeries
from pynwb.file import Subject


def nwb_file(rng):
    """A session with everything that the reader knows, and what it holds."""
    nwb = pynwb.NWBFile(
        session_description="made for tests",
        identifier="nemos",
        session_start_time=datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc),
    )
    nwb.subject = Subject(subject_id="none", species="Mus musculus")
    device = nwb.create_device(name="probe")
    group = nwb.create_electrode_group(name="shank0", description="", location="CA1", device=device)
    regions = ["CA1", "CA3", "CA1", "größer"]
    for region in regions:
        nwb.add_electrode(location=region, group=group)

    # Ragged: the second unit is silent, and there are more than 255 spikes.
    spikes = [np.sort(rng.uniform(0, 20, n)) for n in (70, 0, 200, 7)]
    nwb.add_unit_column(name="quality", description="a text column")
    nwb.add_unit_column(name="good", description="a column of booleans")
    nwb.add_unit_column(name="depth", description="a column of numbers")
    for unit, times in enumerate(spikes):
        nwb.add_unit(
            spike_times=times,
            electrodes=[unit],
            quality=["good", "mua", "µ", ""][unit],
            good=[True, False, True, True][unit],
            depth=10.5 * unit,
        )

    timestamps = np.arange(60) / 4
    position = rng.normal(size=(60, 2)).astype(np.float32)
    spatial = SpatialSeries(
        name="SpatialSeries",
        data=H5DataIO(position, compression="gzip", shuffle=True, fletcher32=True, chunks=(16, 2)),
        timestamps=timestamps,
        reference_frame="corner",
        conversion=0.01,
        unit="meters",
    )
    behavior = nwb.create_processing_module(name="behavior", description="")
    behavior.add(Position(spatial_series=spatial))
    # A series that borrows the timestamps of another.
    behavior.add(pynwb.TimeSeries(name="speed", data=np.abs(position[:, 0]), timestamps=spatial, unit="m/s"))

    lfp = rng.integers(-2000, 2000, size=(80,)).astype(np.int16)
    nwb.add_acquisition(
        pynwb.TimeSeries(name="lfp", data=lfp, unit="V", starting_time=1.5, rate=25.0, conversion=1e-6, offset=0.5)
    )
    movie = rng.integers(0, 255, size=(10, 3, 4)).astype(np.uint8)
    nwb.add_stimulus(pynwb.TimeSeries(name="movie", data=movie, unit="n.a.", starting_time=0.0, rate=1.0))

    nwb.add_epoch(0.0, 5.0, tags=["sleep"])
    nwb.add_epoch(5.0, 15.5, tags=["wake", "track"])
    nwb.add_trial_column(name="correct", description="")
    nwb.add_trial_column(name="choice", description="")
    for trial in range(6):
        nwb.add_trial(start_time=trial * 2.0, stop_time=trial * 2.0 + 1.0, correct=trial % 2 == 0, choice="LR"[trial % 2])

    expected = {
        "units": [
            {"spike_times": times.tolist(), "quality": ["good", "mua", "µ", ""][unit], "good": [1.0, 0.0, 1.0, 1.0][unit],
             "depth": 10.5 * unit, "location": regions[unit]}
            for unit, times in enumerate(spikes)
        ],
        "position": {"times": timestamps.tolist(), "values": (position.astype(float) * 0.01).tolist()},
        "speed": {"times": timestamps.tolist(), "values": np.abs(position[:, 0]).astype(float).tolist()},
        "lfp": {"times": (1.5 + np.arange(80) / 25.0).tolist(), "values": (lfp.astype(float) * 1e-6 + 0.5).tolist()},
        "movie": {"shape": list(movie.shape), "sum": float(movie.sum())},
        "epochs": {"start": [0.0, 5.0], "end": [5.0, 15.5]},
        "trials": {
            "start": [trial * 2.0 for trial in range(6)],
            "end": [trial * 2.0 + 1.0 for trial in range(6)],
            "correct": [1.0, 0.0] * 3,
            "choice": ["L", "R"] * 3,
        },
    }
    return nwb, expected


def pynapple_files(folder, rng):
    """One `.npz` of each kind, and what they hold."""
    times = np.sort(rng.uniform(0, 10, 30))
    support = nap.IntervalSet(start=[0.0, 6.0], end=[5.0, 10.0])
    tsd = nap.Tsd(t=times, d=rng.normal(size=30), time_support=support)
    frame = nap.TsdFrame(t=times, d=rng.normal(size=(30, 2)), columns=["x", "y"], time_support=support)
    tensor = nap.TsdTensor(t=times, d=rng.normal(size=(30, 2, 3)), time_support=support)
    group = nap.TsGroup({2: nap.Ts(times[::2]), 5: nap.Ts(times[1::3])}, time_support=support)
    tsd.save(str(folder / "pynapple_tsd.npz"))
    frame.save(str(folder / "pynapple_frame.npz"))
    tensor.save(str(folder / "pynapple_tensor.npz"))
    nap.Ts(times, time_support=support).save(str(folder / "pynapple_ts.npz"))
    group.save(str(folder / "pynapple_group.npz"))
    support.save(str(folder / "pynapple_intervals.npz"))
    ends = {"start": support.start.tolist(), "end": support.end.tolist()}
    return {
        "intervals": ends,
        "ts": {"times": tsd.t.tolist()},
        "tsd": {"times": tsd.t.tolist(), "values": tsd.d.tolist()},
        "frame": {"times": frame.t.tolist(), "values": frame.d.tolist()},
        "tensor": {"times": tensor.t.tolist(), "values": tensor.d.tolist()},
        "group": {str(key): group[key].t.tolist() for key in group.keys()},
    }


def main(folder):
    folder = pathlib.Path(folder)
    nwb, expected = nwb_file(np.random.default_rng(0))
    session = folder / "session.nwb"
    with pynwb.NWBHDF5IO(str(session), "w") as io:
        io.write(nwb, cache_spec=False)
    # Most of so small a file is empty space.
    with zipfile.ZipFile(folder / "session.nwb.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        archive.write(session, "session.nwb")
    session.unlink()
    expected["pynapple"] = pynapple_files(folder, np.random.default_rng(1))
    (folder / "expected.json").write_text(json.dumps(expected, ensure_ascii=False, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(sys.argv[1])

"""Writes a small NWB file with pynwb, and beside it a JSON of what went in.

    python write_nwb.py FOLDER [--seed SEED]

makes FOLDER/small.nwb (the layout that h5py writes by default), FOLDER/latest.nwb (the newest one) and FOLDER/small.json.
With seed 0 these are the fixtures of crates/nemos-io/tests/data. Needs pynwb.
"""

import argparse
import datetime
import json
import pathlib

import h5py
import numpy as np
import pynwb
from hdmf.backends.hdf5 import H5DataIO


def record(rng):
    """What the file holds: plain lists, as JSON takes them."""
    stamps = (np.arange(400) / 50 + 0.002 * rng.random(400)).round(5)
    stamps[[50, 100]] = 1.0, 2.0
    units = {3: 40, 5: 300, 8: 0, 9: 7}
    return {
        "units": {str(unit): np.sort(8 * rng.random(n)).round(4).tolist() for unit, n in units.items()},
        "quality": ["good", "multi", "", "gut – größer"],
        "is_good": [True, False, False, True],
        "depth": [0.5, 1.25, 2.125, 3.0],
        "electrode": [2, 0, 3, 1],
        "location": ["CA1", "CA1", "CA3", "DG"],
        "position": {"times": stamps.tolist(), "stored": rng.integers(0, 1000, (400, 2)).tolist(), "conversion": 0.01},
        "speed": rng.random(400).round(3).tolist(),
        "lfp": {"rate": 100.0, "start": 0.5, "stored": rng.integers(-500, 500, (300, 4)).tolist(),
                "conversion": 2e-6, "offset": 1e-5, "channels": [1.0, 1.5, 2.0, 0.5]},
        "light": {"rate": 20.0, "start": 0.0, "stored": rng.integers(0, 2, 160).tolist()},
        "running": (rng.random(160) < 0.5).tolist(),
        "movie": {"rate": 5.0, "start": 1.0, "stored": rng.integers(0, 65536, (10, 3, 4)).tolist()},
        "epochs": {"start": [0.0, 4.0], "stop": [4.0, 8.0], "tags": [["dark", "first"], ["light"]]},
        "trials": {"start": [2.5, 0.5, 5.0], "stop": [3.5, 1.5, 6.5], "choice": ["left", "right", "left"],
                   "correct": [True, False, True], "contrast": [0.1, 0.2, 0.4]},
        "notes": {"times": [0.25, 3.0], "texts": ["start", "licked"]},
    }


def build(truth):
    """The same as a pynwb object."""
    file = pynwb.NWBFile("a small recording", "small", datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc))
    device = file.create_device("probe")
    groups = [file.create_electrode_group(f"shank{k}", "a shank", "hippocampus", device) for k in range(2)]
    file.add_electrode_column("label", "name of the channel")
    for k, location in enumerate(truth["location"]):
        file.add_electrode(id=10 + k, x=float(k), y=0.0, z=0.0, location=location, group=groups[k // 2], label=f"ch{k}")

    for name in ("quality", "is_good", "depth"):
        file.add_unit_column(name, name)
    for row, (unit, times) in enumerate(truth["units"].items()):
        electrode = truth["electrode"][row]
        file.add_unit(id=int(unit), spike_times=times, quality=truth["quality"][row], is_good=truth["is_good"][row],
                      depth=truth["depth"][row], obs_intervals=[[0.0, 8.0]], electrodes=[electrode],
                      electrode_group=groups[electrode // 2], waveform_mean=np.zeros(5))

    behavior = file.create_processing_module("behavior", "what the animal did")
    position = pynwb.behavior.SpatialSeries(
        name="position", reference_frame="corner", unit="meters", conversion=truth["position"]["conversion"],
        data=H5DataIO(np.array(truth["position"]["stored"], dtype="int32"), compression="gzip", shuffle=True, chunks=(64, 2)),
        timestamps=H5DataIO(np.array(truth["position"]["times"]), compression="gzip", fletcher32=True, chunks=(100,)))
    behavior.add(pynwb.behavior.Position(spatial_series=position))
    # Shares its time stamps with the position: a link in the file.
    behavior.add(pynwb.TimeSeries("speed", np.array(truth["speed"], dtype="float32"), "m/s", timestamps=position))
    file.add_acquisition(pynwb.TimeSeries("speed", np.array(truth["speed"]), "m/s", starting_time=0.0, rate=50.0))

    lfp = truth["lfp"]
    region = file.create_electrode_table_region([3, 2, 1, 0], "all, from the top")
    file.add_acquisition(pynwb.ecephys.ElectricalSeries(
        "lfp", np.array(lfp["stored"], dtype="int16"), region, channel_conversion=lfp["channels"], conversion=lfp["conversion"],
        offset=lfp["offset"], starting_time=lfp["start"], rate=lfp["rate"]))
    series = lambda name, values, of, unit: pynwb.TimeSeries(name, values, unit, starting_time=of["start"], rate=of["rate"])
    file.add_stimulus(series("light", np.array(truth["light"]["stored"], dtype="uint8"), truth["light"], "n.a."))
    file.add_acquisition(series("running", np.array(truth["running"]), truth["light"], "n.a."))
    file.add_acquisition(series("movie", np.array(truth["movie"]["stored"], dtype="uint16"), truth["movie"], "n.a."))
    notes = pynwb.misc.AnnotationSeries("notes", truth["notes"]["texts"], timestamps=truth["notes"]["times"])
    file.add_acquisition(notes)

    epochs = truth["epochs"]
    for start, stop, tags in zip(epochs["start"], epochs["stop"], epochs["tags"]):
        file.add_epoch(start, stop, tags)
    trials = truth["trials"]
    for name in ("choice", "correct", "contrast"):
        file.add_trial_column(name, name)
    for row, (start, stop) in enumerate(zip(trials["start"], trials["stop"])):
        file.add_trial(start, stop, choice=trials["choice"][row], correct=trials["correct"][row], contrast=trials["contrast"][row])
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    truth = record(np.random.default_rng(arguments.seed))
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for name, libver in (("small", "earliest"), ("latest", "latest")):
        with h5py.File(arguments.folder / f"{name}.nwb", "w", libver=libver) as file:
            with pynwb.NWBHDF5IO(file=file, mode="w", manager=pynwb.get_manager()) as io:
                io.write(build(truth), cache_spec=False)
    (arguments.folder / "small.json").write_text(json.dumps(truth) + "\n")


if __name__ == "__main__":
    main()

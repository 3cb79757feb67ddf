"""What `timeseries.rs full` does, by pynapple: run it with a Python that has pynapple and numba.

The first run of each is left out, since numba compiles then.
"""

import time

import numpy as np
import pynapple as nap

nap.nap_config.suppress_conversion_warnings = True


def events(n, step, unit=0):
    k = np.arange(n, dtype=float)
    return (k + (0.618034 * k + 0.7548777 * unit) % 1.0) * step


def report(name, work, repeats=5):
    rows = len(work())
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        rows = len(work())
        times.append(time.perf_counter() - start)
    print(f"{name}: {np.median(times):.4f} s, {rows} rows", flush=True)


hour = nap.IntervalSet(0, 3600)
group = nap.TsGroup({unit: nap.Ts(events(18_000, 0.2, unit)) for unit in range(500)}, time_support=hour)
report("count", lambda: group.count(0.005, hour), repeats=3)
place = nap.Tsd(np.arange(1_080_000) / 300, np.sin(1e-4 * np.arange(1_080_000)), time_support=hour)
report("tuning_curves", lambda: nap.compute_tuning_curves(group, place, bins=60, range=(-1, 1)), repeats=3)
del group

many = events(10_000_000, 1e-3)
ends = nap.IntervalSet(0, 10_000)
starts = np.arange(10_000, dtype=float)
epochs = nap.IntervalSet(starts, starts + 0.5)
spikes = nap.Ts(many, time_support=ends)
report("restrict", lambda: spikes.restrict(epochs))
signal = nap.Tsd(many, np.sin(np.arange(10_000_000) * 1e-4), time_support=ends)
report("restrict/signal", lambda: signal.restrict(epochs))
report("bin_average", lambda: signal.bin_average(0.01))
slow = nap.Tsd(np.arange(1_000_000) * 0.01, np.sin(np.arange(1_000_000) * 1e-4), time_support=ends)
report("interpolate", lambda: slow.interpolate(spikes))

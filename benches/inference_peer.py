"""What `cargo bench --bench inference -- 100 60 100000 FOLDER` times, by statsmodels: `python inference_peer.py FOLDER`.

One neuron is fitted and its tables made, model, HC0 and by clusters of 500 rows; the time of 100 is 100 times that. statsmodels needs a
new fit for each covariance, as its users do. pip install numpy statsmodels
"""
import json
import pathlib
import sys
import time

import numpy as np
import statsmodels.api as sm

folder = pathlib.Path(sys.argv[1])
X, y = np.load(folder / "X.npy"), np.load(folder / "y.npy")
exog = np.column_stack([X, np.ones(len(X))])
groups = np.arange(len(X)) // 500
out = {}
for name, options in (("model", {}), ("hc0", dict(cov_type="HC0")), ("cluster", dict(cov_type="cluster", cov_kwds=dict(groups=groups)))):
    start, before = time.perf_counter(), time.process_time()
    fitted = sm.GLM(y[:, 0], exog, family=sm.families.Poisson()).fit(**options)
    middle = time.perf_counter()
    text = fitted.summary().as_text()
    seconds = time.perf_counter() - start
    out[f"{name}_s_per_neuron"], out[f"{name}_table_s_per_neuron"] = seconds, time.perf_counter() - middle
    processors = time.process_time() - before
    out[f"{name}_processors_s_per_neuron"] = processors
    print(f"{name:8} {seconds:8.3f} s for one fit with its table, {100 * seconds:.0f} s for 100, processors {100 * processors:.0f} s; standard error {fitted.bse[0]:.9e}")
print(json.dumps(out))

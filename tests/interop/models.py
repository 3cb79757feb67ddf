"""Loads in NeMoS what this library wrote, and compares predictions.

    NEMOS_REWRITTEN_DIR=/tmp/rewritten cargo test -p nemos-io --test io written_again
    python tests/interop/models.py /tmp/rewritten
"""

import json
import pathlib
import sys

import jax
import numpy as np

jax.config.update("jax_enable_x64", True)

import nemos as nmo  # noqa: E402

CASES = pathlib.Path(__file__).parents[1] / "golden" / "cases" / "saved_models.json"


def prediction(model, design):
    """What the golden case holds: the rate, or the log-probabilities of a classifier."""
    if hasattr(model, "predict_proba"):
        return model.predict_proba(design, return_type="log-proba")
    return model.predict(design)


def main(folder):
    for case in json.loads(CASES.read_text())["cases"]:
        path = pathlib.Path(folder) / pathlib.Path(case["file"]).name
        model = nmo.load_model(path)
        got = np.asarray(prediction(model, np.asarray(case["X"])))
        expected = np.asarray(case["prediction"])
        np.testing.assert_array_equal(np.asarray(model.coef_), np.asarray(case["coef"]))
        error = np.max(np.abs(got - expected) / np.abs(expected))
        assert error < 1e-10, (path.name, error)
        print(f"{path.name}: {type(model).__name__}, {model.regularizer}, largest relative difference {error:.1e}")


if __name__ == "__main__":
    main(sys.argv[1])

"""Loads in pynapple what this library wrote, and compares it with what was saved at first.

    NEMOS_REWRITTEN_DIR=/tmp/rewritten cargo test -p nemos-io --test io pynapple
    python tests/interop/pynapple_files.py /tmp/rewritten
"""

import json
import pathlib
import sys

import numpy as np
import pynapple as nap

EXPECTED = pathlib.Path(__file__).parents[2] / "crates" / "nemos-io" / "tests" / "data" / "expected.json"


def main(folder):
    expected = json.loads(EXPECTED.read_text())["pynapple"]
    for name, part in expected.items():
        loaded = nap.load_file(str(pathlib.Path(folder) / f"pynapple_{name}.npz"))
        if name == "intervals":
            np.testing.assert_array_equal(loaded.start, part["start"])
            np.testing.assert_array_equal(loaded.end, part["end"])
        elif name == "group":
            assert [str(key) for key in loaded.keys()] == list(part)
            for key, times in part.items():
                np.testing.assert_array_equal(loaded[int(key)].t, times)
        else:
            np.testing.assert_array_equal(loaded.t, part["times"])
            if "values" in part:
                np.testing.assert_array_equal(loaded.d, part["values"])
        print(f"{name}: {type(loaded).__name__}")


if __name__ == "__main__":
    main(sys.argv[1])

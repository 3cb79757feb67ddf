"""The networks of simulate.rs in NeMoS: simulate_peer.py [steps]. Double precision; times of the first call and of five more."""
import sys, time
import jax
jax.config.update("jax_enable_x64", True)
import jax.numpy as jnp
import numpy as np
import nemos as nmo

T, W, B = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, 100, 8
_, basis = nmo.basis.RaisedCosineLogEval(B).evaluate_on_grid(W)
basis = np.asarray(basis)
for N in (20, 100):
    at = np.arange(N * N * B, dtype=np.uint64)
    uniform = (at * np.uint64(2654435761) % np.uint64(2**32)) / 2.0**32
    coef = (0.04 * np.sqrt(3 * 20 / N) * (2 * uniform - 1)).reshape(N, N, B)
    coef[np.arange(N), np.arange(N), 0] -= 1.5
    times = []
    for seed in range(6):
        start = time.perf_counter()
        counts, rates = nmo.simulation.simulate_recurrent(
            coef, np.zeros((N, 1)), np.full(N, np.log(0.04)), jax.random.key(seed), np.zeros((T, N, 1)), basis,
            np.zeros((W, N)), inverse_link_function=jnp.exp)
        jax.block_until_ready((counts, rates))
        times.append(time.perf_counter() - start)
    print(f"{N} neurons, {T} steps: first {times[0]:.4f} s, then {np.median(times[1:]):.4f} s (mean rate {np.mean(counts):.4f})", flush=True)

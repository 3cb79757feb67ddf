"""The searches of select.rs by its peers: select_peer.py [grid] [path] [rows=N] [strengths=N] (N of the 20, time as if of all). Double precision; `grid` is GridSearchCV over NeMoS's
PopulationGLM, `path` are skglm, celer (where it has the family) and, of data written beside it, glmnet (select_peer.R)."""
import sys, time, warnings, subprocess, tempfile, os, resource
import numpy as np

warnings.filterwarnings("ignore")
rows = int(next((a[5:] for a in sys.argv if a.startswith("rows=")), 50_000))

n_strengths = int(next((a[10:] for a in sys.argv if a.startswith("strengths=")), 20))


def hashed(n, seed):
    with np.errstate(over="ignore"):
        x = np.arange(n, dtype=np.uint64) + (np.uint64(seed) << np.uint64(40))
        x = (x ^ (x >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        x = (x ^ (x >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        return ((x ^ (x >> np.uint64(33))) >> np.uint64(11)) / 2.0**53


def uniform(n, m, seed):
    return hashed(n * m, seed).reshape(n, m) - 0.5


def draw(log_rates, seed):
    rate, u = np.exp(log_rates), hashed(log_rates.size, seed).reshape(log_rates.shape)
    p, below, count, going = np.exp(-rate), np.zeros_like(rate), np.zeros_like(rate), np.ones_like(rate, bool)
    for _ in range(30):
        going &= u >= below + p
        below = np.where(going, below + p, below)
        count = np.where(going, count + 1, count)
        p = np.where(going, p * rate / np.maximum(count, 1), p)
    return count


def grid():
    import jax
    jax.config.update("jax_enable_x64", True)
    import nemos as nmo
    from sklearn.model_selection import GridSearchCV
    X = uniform(rows, 100, 1) * np.sqrt(12)
    y = draw(X @ (uniform(100, 50, 2) * 0.2) - 1.5, 3)
    # As NeMoS comes, and with a tolerance that leaves scores right to 1e-6.
    for name, kwargs in (("default", {}), ("tolerance 1e-6", dict(solver_name="LBFGS", solver_kwargs=dict(tol=1e-6, maxiter=10000)))):
        model = nmo.glm.PopulationGLM(regularizer="Ridge", regularizer_strength=0.01, **kwargs)
        start = time.perf_counter()
        some = np.logspace(-4, 0, 20)[np.linspace(0, 19, n_strengths).round().astype(int)].tolist()
        found = GridSearchCV(model, dict(regularizer_strength=some), cv=5, refit=False).fit(X, y)
        seconds = time.perf_counter() - start
        user = resource.getrusage(resource.RUSAGE_SELF).ru_utime
        print(f"GridSearchCV over NeMoS, {name}: {seconds:.2f} s for {n_strengths} strengths, {seconds * 20 / n_strengths:.1f} s as if for 20 ({user:.0f} s of processor time so far), best {found.best_params_}, {found.best_score_:.8f}", flush=True)


def path():
    X = uniform(rows, 500, 4) * np.sqrt(12)
    feature = np.arange(500)
    w = np.where(feature % 25 == 0, 0.25 - 0.02 * (feature // 25), 0.0)
    y = draw((X @ w - 1.9)[:, None], 5)[:, 0]
    highest = np.abs(X.T @ (y - y.mean())).max() / len(y)
    strengths = np.logspace(np.log10(highest), np.log10(highest * 0.01), 100)
    try:
        from skglm import GeneralizedLinearEstimator
        from skglm.datafits import Poisson
        from skglm.penalties import L1
        from skglm.solvers import ProxNewton
        for run in ("cold", "warm"):
            start, coef = time.perf_counter(), None
            solver = ProxNewton(tol=1e-6, fit_intercept=True, warm_start=True)
            model = GeneralizedLinearEstimator(Poisson(), L1(strengths[0]), solver)
            for strength in strengths:
                model.penalty.alpha = strength
                model.fit(np.asfortranarray(X), y)
            print(f"skglm, {run}: {time.perf_counter() - start:.2f} s, {np.count_nonzero(model.coef_)} active at the last", flush=True)
    except ImportError as error:
        print("skglm:", error)
    print("celer has no Poisson lasso")
    with tempfile.TemporaryDirectory() as folder:
        X.T.tofile(os.path.join(folder, "x")), y.tofile(os.path.join(folder, "y"))
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "select_peer.R")
        subprocess.run(["Rscript", script, folder, str(rows), "500"], check=False)


if "grid" in sys.argv or "path" not in sys.argv:
    grid()
if "path" in sys.argv or "grid" not in sys.argv:
    path()
print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1000} MB")

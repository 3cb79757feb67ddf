"""What `hmm.rs` reads, and a plain compiled loop to compare it with: run it with a Python that has NumPy, SciPy and Numba.

    python benches/hmm_peer.py data DIRECTORY              writes choice.npz, long_choice.npz and neural.npz
    python benches/hmm_peer.py numba DIRECTORY WORKLOAD    choice, long_choice, neural or neural_glm, with one thread

The loop is scaled recursions in Numba and Newton steps in NumPy, from the same start, until the log-likelihood rises by less than 1e-4
nats. Seconds per iteration are the difference of a long and a short run; compilation is not counted.
"""
import os, sys, time
for v in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"): os.environ.setdefault(v, "1")
import numpy as np

def choice(seed=11):
    """Ashwood-like: engaged, biased left, biased right; 20 sessions of 500 trials; stimulus, previous choice, win-stay-lose-switch."""
    r = np.random.default_rng(seed); S, L, K = 20, 500, 3; T = S * L
    W = np.array([[5.5, 0.3, 0.1], [1.3, 0.5, 0.4], [1.3, 0.5, 0.4]]); b = np.array([-0.1, -1.8, 1.8])
    A = np.array([[.98, .01, .01], [.03, .95, .02], [.03, .02, .95]]); pi = np.array([.6, .2, .2])
    stim = r.choice([-1, -.25, -.125, -.0625, 0, .0625, .125, .25, 1], T)
    X, y, z = np.zeros((T, 3)), np.zeros(T), np.zeros(T, int)
    for t in range(T):
        new = t % L == 0
        z[t] = r.choice(K, p=pi if new else A[z[t - 1]])
        if not new:
            c = 2 * y[t - 1] - 1
            right = np.sign(stim[t - 1]) if stim[t - 1] else r.choice([-1, 1])
            X[t, 1], X[t, 2] = c, c if c == right else -c
        X[t, 0] = stim[t]
        y[t] = r.random() < 1 / (1 + np.exp(-(X[t] @ W[z[t]] + b[z[t]])))
    # start: the single GLM, plus noise of sd 0.2 as in that paper
    D = np.hstack([X, np.ones((T, 1))]); w = np.zeros(4)
    for _ in range(30):
        p = 1 / (1 + np.exp(-D @ w)); w -= np.linalg.solve((D * (p * (1 - p))[:, None]).T @ D, D.T @ (p - y))
    s = w + 0.2 * np.random.default_rng(3).standard_normal((K, 4))
    return dict(X=X, y=y, starts=np.arange(0, T, L), coef=s[:, :3], intercept=s[:, 3], A=0.95 * np.eye(K) + .05 * np.ones((K, K)) / K, pi=np.full(K, 1 / K), z=z)

def long_choice(seed=11):
    """20 sessions of 1000 choices, 4 features, 3 states; from the start that all packages were timed from."""
    r = np.random.default_rng(seed); S, L, K, F = 20, 1000, 3, 4; T = S * L
    X = r.standard_normal((T, F)); b = np.array([0.0, 1.0, -1.5])
    W = np.array([[4.0, 0, 0, 1.0], [0.5, 2.5, 0, -1.0], [0.3, 0, -2.0, 0.0]])
    A = np.full((K, K), 0.015); np.fill_diagonal(A, 0.97)
    z = np.empty(T, int)
    for t in range(T): z[t] = r.integers(K) if t % L == 0 else r.choice(K, p=A[z[t - 1]])
    y = (r.random(T) < 1 / (1 + np.exp(-(np.einsum("tf,tf->t", X, W[z]) + b[z])))).astype(float)
    coef = 0.5 * W + 0.5 * r.standard_normal((K, F)); intercept = 0.3 * r.standard_normal(K)
    start = np.full((K, K), 0.05); np.fill_diagonal(start, 0.9)
    return dict(X=X, y=y, starts=np.arange(0, T, L), coef=coef, intercept=intercept, A=start, pi=np.full(K, 1 / K), z=z)

def neural(seed=12, T=100_000, N=20, K=3, p=3):
    r = np.random.default_rng(seed)
    b = r.uniform(-2.5, -0.5, (K, N)); W = 0.4 * r.standard_normal((K, p, N))
    X = r.standard_normal((T, p)); A = np.full((K, K), .01); np.fill_diagonal(A, .98)
    z = np.zeros(T, int); u = r.random(T); cA = A.cumsum(1)
    for t in range(1, T): z[t] = min(np.searchsorted(cA[z[t - 1]], u[t]), K - 1)
    plain = r.poisson(np.exp(b[z])).astype(float)
    glm = r.poisson(np.exp(np.einsum("tp,tpn->tn", X, W[z]) + b[z])).astype(float)
    return dict(X=X, y=plain, y_glm=glm, intercept=b + 0.3 * r.standard_normal((K, N)), coef=0.5 * W, A=0.95 * np.eye(K) + .05 / K, pi=np.full(K, 1 / K), z=z)

def is_choice(w): return w.endswith("choice")

def load(directory, w):
    return dict(np.load(os.path.join(directory, (w if is_choice(w) else "neural") + ".npz")))

def timed(f):
    w, c = time.perf_counter(), time.process_time(); out = f(); return out, time.perf_counter() - w, time.process_time() - c

def report(w, run, few=2, many=12):
    (ll, it), wf, cf = timed(lambda: run(300, 1e-4))
    _, w0, c0 = timed(lambda: run(few, 0)); _, w1, c1 = timed(lambda: run(many, 0))
    print(f"{w}: {1e3*(w1-w0)/(many-few):.2f} ms per iteration ({1e3*(c1-c0)/(many-few):.2f} CPU); full fit {wf:.3f} s ({cf:.3f} CPU), {it} iterations, log-likelihood {ll:.4f}", flush=True)

def loop(directory, w):
    import numba
    from scipy.special import gammaln
    @numba.njit(cache=False)
    def estep(L, A, pi, start, g, xi):
        T, K = L.shape; f = np.empty((T, K)); c = np.empty(T); ll = 0.0
        for t in range(T):
            m = L[t, 0]
            for k in range(1, K): m = max(m, L[t, k])
            s = 0.0
            for k in range(K):
                if start[t]: q = pi[k]
                else:
                    q = 0.0
                    for i in range(K): q += f[t - 1, i] * A[i, k]
                L[t, k] = np.exp(L[t, k] - m); f[t, k] = q * L[t, k]; s += f[t, k]
            for k in range(K): f[t, k] /= s
            c[t] = s; ll += np.log(s) + m
        b = np.ones(K); nb = np.empty(K); xi[:] = 0
        for t in range(T - 1, -1, -1):
            for k in range(K): g[t, k] = f[t, k] * b[k]
            if start[t]: b[:] = 1
            else:
                for i in range(K):
                    a = 0.0
                    for k in range(K):
                        v = A[i, k] * L[t, k] * b[k] / c[t]; a += v; xi[i, k] += f[t - 1, i] * v
                    nb[i] = a
                b[:] = nb
        return ll
    d = load(directory, w); K = 3; T = len(d["y"])
    start = np.zeros(T, bool); start[d["starts"] if is_choice(w) else [0]] = True
    D = np.hstack([d["X"], np.ones((T, 1))])
    y = d["y"] if w != "neural_glm" else d["y_glm"]
    const = -gammaln(y + 1).sum(1) if not is_choice(w) else 0
    def run(n, tol):
        A, pi = d["A"].copy(), d["pi"].copy(); g, xi = np.empty((T, K)), np.empty((K, K)); old = -np.inf
        if is_choice(w): B = np.concatenate([d["coef"], d["intercept"][:, None]], 1)
        elif w == "neural": B = d["intercept"].copy()
        else: B = np.concatenate([d["coef"], d["intercept"][:, None]], 1)        # K, p+1, N
        for it in range(n):
            if is_choice(w): e = D @ B.T; L = y[:, None] * e - np.logaddexp(0, e)
            elif w == "neural": L = y @ B.T - np.exp(B).sum(1) + const[:, None]
            else:
                L = np.empty((T, K)); E = []
                for k in range(K): e = D @ B[k]; m = np.exp(e); L[:, k] = (y * e - m).sum(1) + const; E.append(m)
            ll = estep(L, A, pi, start, g, xi)
            pi = g[start].sum(0); pi /= pi.sum(); A = xi / xi.sum(1, keepdims=True)
            for k in range(K):
                if is_choice(w):
                    for _ in range(6):
                        p = 1 / (1 + np.exp(-D @ B[k])); G = D.T @ (g[:, k] * (p - y)); H = (D * (g[:, k] * p * (1 - p))[:, None]).T @ D
                        s = np.linalg.solve(H, G); B[k] -= s
                        if G @ s < 1e-10: break
                elif w == "neural": B[k] = np.log(g[:, k] @ y / g[:, k].sum())
                else:
                    for j in range(6):
                        m = np.exp(D @ B[k]) if j else E[k]
                        Gd = D.T @ (g[:, [k]] * (m - y)); dec = 0
                        for q in range(y.shape[1]):
                            H = (D * (g[:, k] * m[:, q])[:, None]).T @ D; s = np.linalg.solve(H, Gd[:, q]); B[k][:, q] -= s; dec = max(dec, Gd[:, q] @ s)
                        if dec < 1e-10: break
            if tol and ll - old < tol: break
            old = ll
        return ll, it + 1
    run(1, 0)
    report(w, run)

if sys.argv[1] == "data":
    for f in (choice, long_choice, neural): np.savez(os.path.join(sys.argv[2], f.__name__ + ".npz"), **f())
else:
    loop(sys.argv[2], sys.argv[3])

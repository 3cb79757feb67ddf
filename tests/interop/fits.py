"""Draws problems of many kinds, has them fitted, and judges how each fit says that it ended.

    cargo test --release --test golden --no-run        # prints the path of the program
    python tests/interop/fits.py target/release/deps/golden-… --seconds 600 --seed 7 --keep /tmp/faults

A fit is right if `Converged` means that the objective, computed anew in extended precision, is within
1e-8 max(|minimum|, 1/n) of the minimum and a hundredth of a nat in all; if `NoMaximum` stands only where a linear program
finds a direction of recession; and if the value is the one of the coefficients. Problems that fail are cut down for as long as
they still do, and kept in the form of the golden suite `field`. Needs NumPy and SciPy, and 80-bit long doubles.
"""

import argparse
import collections
import json
import pathlib
import subprocess
import time

import numpy as np
from scipy.optimize import linprog
from scipy.special import log_ndtr

L = np.longdouble
PAIRS = [("Poisson", "exp"), ("Poisson", "softplus"), ("Gaussian", "identity"), ("Bernoulli", "logistic"), ("Bernoulli", "probit"),
         ("Gamma", "exp"), ("Gamma", "reciprocal"), ("NB", "exp")]
COUNTED = [pair for pair in PAIRS if pair[0] in ("Poisson", "NB", "Bernoulli")]
np.seterr(all="ignore")


# ---------------------------------------------------------------- the program that fits


class Fitter:
    def __init__(self, program):
        command = [program, "--ignored", "--exact", "serve", "--nocapture"]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def fit(self, problem):
        keys = ("family", "link", "penalty", "strength", "share", "groups", "solver", "backend", "nb_scale")
        question = {key: problem[key] for key in keys if problem.get(key) is not None}
        design, counts = problem["X"], problem["y"].reshape(len(problem["X"]), -1)
        question.update(n=design.shape[0], p=design.shape[1], m=counts.shape[1])
        arrays = [design, counts]
        for key, width in (("weights", "wcols"), ("offset", "ocols")):
            if problem.get(key) is not None:
                question[width] = 1
                arrays.append(problem[key])
        numbers = b"".join(np.ascontiguousarray(array, dtype="<f8").tobytes() for array in arrays)
        self.process.stdin.write(json.dumps(question).encode() + b"\n" + numbers)
        self.process.stdin.flush()
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the program that fits has ended")
            if line.startswith(b"{"):
                return json.loads(line)


# ---------------------------------------------------------------- the judge


def softplus(x):
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


def sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x > 0, 1, e) / (1 + e)


def terms(problem, y, eta):
    """Loss, slope and a curvature of every row, in extended precision."""
    family, link = problem["family"], problem["link"]
    zero = lambda value: np.where(y == 0, 0, value)
    if family == "Bernoulli":
        sign = np.where(y == 1, 1, -1).astype(L)
        if link == "logistic":
            return softplus(-sign * eta), -sign * sigmoid(-sign * eta), sigmoid(eta) * sigmoid(-eta)
        log = log_ndtr((sign * eta).astype(float)).astype(L)
        hazard = np.exp(-eta * eta / 2 - np.log(2 * L(np.pi)) / 2 - log)
        return -log, -sign * hazard, hazard * (hazard + sign * eta)
    rate, log_rate, steep, relative = {
        "exp": lambda: (np.exp(eta), eta, np.exp(eta), np.ones_like(eta)),
        "softplus": lambda: (softplus(eta), np.where(eta < -40, eta, np.log(softplus(eta))), sigmoid(eta),
                             np.where(eta < -40, 1, sigmoid(eta) / softplus(eta))),
        "identity": lambda: (eta, np.log(eta), np.ones_like(eta), 1 / eta),
        "reciprocal": lambda: (1 / eta, -np.log(eta), -1 / eta**2, -1 / eta),
    }[link]()
    if family == "Poisson":
        bend = steep * (1 - steep) if link == "softplus" else np.where(link == "exp", rate, 0)
        in_log = relative**2 - (relative * (1 - steep) if link == "softplus" else 0)
        return rate - zero(y * log_rate), steep - zero(y * relative), bend + (0 if link == "exp" else zero(y * in_log))
    if family == "Gaussian":
        return (y - rate) ** 2, 2 * (rate - y), 2 * np.ones_like(eta)
    if family == "Gamma":
        return y / rate + log_rate, relative * (1 - y / rate), y / rate if link == "exp" else relative**2
    scale = L(problem["nb_scale"])
    z = log_rate + np.log(scale)
    loss = softplus(z) / scale + zero(y * softplus(-z))
    return loss, sigmoid(z) / scale - zero(y * sigmoid(-z)), (y + 1 / scale) * sigmoid(z) * sigmoid(-z)


class Judge:
    """One problem, with its objective in extended precision."""

    def __init__(self, problem):
        n, self.p = problem["X"].shape
        weights = problem.get("weights")
        weights = np.ones(n) if weights is None else weights
        offset = problem.get("offset")
        keep = weights > 0
        self.problem, self.n = problem, int(keep.sum())
        self.x, self.y = problem["X"][keep].astype(L), problem["y"][keep].astype(L)
        self.w = weights[keep].astype(L) / weights[keep].astype(L).sum()
        self.o = np.zeros(self.n, L) if offset is None else offset[keep].astype(L)
        strength, share = L(problem.get("strength") or 0), L(problem.get("share", 1))
        penalty = problem.get("penalty", "none")
        self.ridge = strength * {"ridge": L(1), "net": 1 - share}.get(penalty, L(0))
        self.lasso = strength * {"lasso": L(1), "net": share}.get(penalty, L(0))
        groups = problem.get("groups") or []
        self.groups = [(np.array(g), strength * np.sqrt(L(len(g)))) for g in groups if g] if penalty == "group" else []

    def penalty(self, coef):
        return self.lasso * np.abs(coef).sum() + sum(s * np.sqrt((coef[g] ** 2).sum()) for g, s in self.groups)

    def look(self, at):
        """Value, its size, gradient of the smooth part, and weighted curvatures of the rows."""
        coef = at[:-1]
        loss, slope, curvature = terms(self.problem, self.y, self.x @ coef + at[-1] + self.o)
        ridge = self.ridge * (coef**2).sum() / 2
        size = (self.w * np.abs(loss)).sum() + ridge + self.penalty(coef)
        slopes = self.w * slope
        gradient = np.append(self.x.T @ slopes + self.ridge * coef, slopes.sum())
        return (self.w * loss).sum() + ridge + self.penalty(coef), size, gradient, self.w * np.maximum(curvature, 0)

    def start(self):
        mean = float((self.w * self.y).sum())
        link = {"exp": np.log, "softplus": lambda m: np.log(np.expm1(m)) if m < 30 else m, "identity": lambda m: m,
                "reciprocal": lambda m: 1 / m, "logistic": lambda m: np.log(m / (1 - m)), "probit": lambda m: 0.0}
        at = np.zeros(self.p + 1, L)
        at[-1] = link[self.problem["link"]](mean) - float((self.w * self.o).sum())
        return at

    def minimum(self, starts):
        """The lowest value that proximal Newton steps reach, and where."""
        best, where = L(np.inf), starts[0]
        for at in starts:
            value, _, gradient, h = self.look(at)
            for _ in range(60):
                if not np.isfinite(value) or not np.all(np.isfinite(gradient)):
                    break
                step = self.step(at, gradient, h)
                length, moved = L(1), None
                while length > 1e-15:
                    there = at + length * step
                    seen = self.look(there)
                    if seen[0] < value:
                        moved = (there, seen)
                        break
                    length /= 2
                if moved is None:
                    break
                fall = value - moved[1][0]
                at, (value, _, gradient, h) = moved
                if fall <= 1e-17 * abs(value):
                    break
            if value < best:
                best, where = value, at
        return best, where

    def distance(self, at):
        """By how much the quadratic model at a point falls to its minimum: cheap, and enough where it is little."""
        _, _, gradient, h = self.look(at)
        if not np.all(np.isfinite(gradient)) or h.sum() <= 0:
            return L(np.inf)
        step = self.step(at, gradient, h)
        of_rows = self.x @ step[:-1] + step[-1]
        bend = (h * of_rows**2).sum() + self.ridge * (step[:-1] ** 2).sum()
        return -(gradient @ step + bend / 2 + self.penalty(at[:-1] + step[:-1]) - self.penalty(at[:-1]))

    def step(self, at, gradient, h):
        mean = (h @ self.x) / h.sum() if h.sum() > 0 else self.w @ self.x
        z = (self.x - mean).astype(float)
        # A constant has no variance but that of rounding.
        z[:, np.abs(z).max(0) <= 1e-14 * np.abs(mean).astype(float)] = 0
        rows = z * np.sqrt(h.astype(float))[:, None]
        along = (gradient[:-1] - mean * gradient[-1]).astype(float)
        if self.lasso == 0 and not self.groups:
            rows = np.vstack([rows, np.sqrt(float(self.ridge)) * np.eye(self.p)])
            scale = np.sqrt((rows**2).sum(0))
            scale[scale == 0] = 1
            u, s, vt = np.linalg.svd(rows / scale, full_matrices=False)
            inverse = np.where(s > 1e-13 * max(s.max(initial=0), 1e-300), 1 / np.where(s > 0, s, 1), 0)
            move = -(vt.T @ (inverse**2 * (vt @ (along / scale)))) / scale
        else:
            move = self.coordinates(rows.T @ rows + float(self.ridge) * np.eye(self.p), along, at[:-1].astype(float)) - at[:-1].astype(float)
        move = move.astype(L)
        intercept = -gradient[-1] / h.sum() if h.sum() > 0 else L(0)
        return np.append(move, intercept - mean @ move)

    def coordinates(self, hessian, gradient, start):
        x, slope = start.copy(), gradient.copy()
        grouped = {i for g, _ in self.groups for i in g}
        for _ in range(500):
            largest = 0.0
            for i in range(self.p):
                if i in grouped or hessian[i, i] <= 0:
                    continue
                to = x[i] - slope[i] / hessian[i, i]
                to = np.sign(to) * max(abs(to) - float(self.lasso) / hessian[i, i], 0)
                largest = max(largest, hessian[i, i] * (to - x[i]) ** 2)
                slope += hessian[:, i] * (to - x[i])
                x[i] = to
            for g, strength in self.groups:
                lipschitz = np.linalg.norm(hessian[np.ix_(g, g)], 2)
                for _ in range(10 if lipschitz > 0 else 0):
                    to = x[g] - slope[g] / lipschitz
                    norm = np.sqrt(to @ to)
                    to = to * max(0.0, 1 - float(strength) / lipschitz / norm) if norm > 0 else to
                    largest = max(largest, lipschitz * ((to - x[g]) ** 2).sum())
                    slope += hessian[:, g] @ (to - x[g])
                    x[g] = to
            if largest < 1e-24:
                break
        return x

    def recedes(self):
        """Whether a direction exists along which no row loses, by a linear program; nothing where it cannot tell."""
        pair = (self.problem["family"], self.problem["link"])
        if pair not in COUNTED or self.ridge > 0 or self.lasso > 0 or self.groups:
            return False
        z = (self.x - self.x.mean(0)).astype(float)
        scale = np.sqrt((z**2).mean(0))
        varies = scale > 1e-14 * np.abs(self.x.mean(0)).astype(float)
        z = np.column_stack([z[:, varies] / scale[varies], np.ones(self.n)])
        y = self.y.astype(float)
        if pair[0] == "Bernoulli":
            falls, pinned = -z * (2 * y - 1)[:, None], z[:0]
        else:
            falls, pinned = z[y == 0], z[y > 0]
        if len(falls) == 0:
            return False
        pins = dict(A_eq=pinned, b_eq=np.zeros(len(pinned))) if len(pinned) else {}
        found = linprog(falls.sum(0), A_ub=falls, b_ub=np.zeros(len(falls)), bounds=[(-1, 1)] * z.shape[1], **pins)
        if found.status != 0:
            return None
        return True if -found.fun > 1e-5 else False if -found.fun < 1e-9 else None


def faults(problem, answer):
    """What is wrong with how a fit says that it ended."""
    if "panic" in answer:
        return "panic"
    if "error" in answer:
        return None
    judge, status = Judge(problem), answer["status"][0]
    at = np.array([float(value) for value in answer["coef"][0] + [answer["intercept"][0]]], L)
    value, size, _, _ = judge.look(at)
    edge = np.all(judge.y == 0) or (problem["family"] == "Bernoulli" and np.all(judge.y == judge.y[0]))
    if edge and problem["family"] in ("Poisson", "NB", "Bernoulli"):
        return None if status == "NoMaximum" else "edge said to be " + status
    # Of an exact fit nothing but the rounding of the counts is left.
    if not abs(float(answer["value"][0]) - value) <= 1e-10 * size + 1e-24 * (judge.w * judge.y**2).sum():
        return "another value"
    recedes = judge.recedes()
    if status == "NoMaximum":
        return "false NoMaximum" if recedes is False else None
    if recedes:
        return "separable said to be " + status
    if status == "Converged" and judge.distance(at) <= 1e-9 * max(abs(value), 1 / judge.n) and judge.distance(at) * judge.n <= 0.001:
        return None
    best, where = judge.minimum([at, judge.start()] if np.isfinite(value) else [judge.start()])
    best = min(best, value) if np.isfinite(value) else best

    def close(value):
        gap = value - best
        return gap <= 1e-8 * max(abs(best), 1 / judge.n) + 1e-15 * size and gap * judge.n <= 0.01 + 1e-15 * size * judge.n

    if status == "Converged":
        return None if close(value) else "false Converged"
    if close(value):
        return f"{status} at the minimum"
    # Where features hardly differ, coefficients are so large that the digits of a double end before the minimum is met.
    written, *_ = judge.look(where.astype(float).astype(L))
    return f"{status} short of the minimum" if close(written) else f"{status}: no doubles are at the minimum"


# ---------------------------------------------------------------- the problems


def respond(rng, family, link, eta):
    mu = {"exp": lambda: np.exp(np.clip(eta, -50, 25)), "softplus": lambda: np.logaddexp(0, eta), "identity": lambda: eta,
          "reciprocal": lambda: 1 / np.maximum(np.abs(eta), 1e-3), "logistic": lambda: 1 / (1 + np.exp(-eta)),
          "probit": lambda: np.exp(log_ndtr(eta))}[link]()
    return {
        "Poisson": lambda: rng.poisson(np.clip(mu, 0, 1e15)).astype(float),
        "Gaussian": lambda: mu + rng.standard_normal(len(eta)),
        "Bernoulli": lambda: (rng.random(len(eta)) < mu).astype(float),
        "Gamma": lambda: np.maximum(rng.gamma(2.0, size=len(eta)) * mu / 2, 1e-300),
        "NB": lambda: rng.poisson(np.clip(rng.gamma(2.0, size=len(eta)) * mu / 2, 0, 1e12)).astype(float),
    }[family]()


def problem(rng, x, pair=None, spread=0.7, intercept=None, penalty=None):
    family, link = PAIRS[rng.integers(len(PAIRS))] if pair is None else pair
    p = x.shape[1]
    z = x - x.mean(0)
    deviation = z.std(0)
    z = z / np.where(deviation > 0, deviation, 1)
    base = 2.5 if link == "reciprocal" else rng.normal() * 0.7 if intercept is None else intercept
    y = respond(rng, family, link, z @ rng.standard_normal(p) * spread / np.sqrt(p) + base)
    made = dict(X=x, y=y, family=family, link=link, penalty=str(penalty or rng.choice(["none", "none", "ridge", "lasso", "net", "group"])))
    if family == "NB":
        made["nb_scale"] = float(10 ** rng.uniform(-2, 1))
    if made["penalty"] != "none":
        made["strength"] = float(10 ** rng.uniform(-6, 0.5))
        made["share"] = float(rng.choice([1.0, 0.5, 0.01]))
        if made["penalty"] == "group":
            order = rng.permutation(p)
            made["groups"] = [group.tolist() for group in np.array_split(order, max(1, p // 2))]
    return made


def normal(rng, n, p):
    return rng.standard_normal((n, p))


def size(rng, n=(30, 300), p=(1, 10)):
    return int(rng.integers(*n)), int(rng.integers(*p))


def twins(rng):
    n, p = size(rng, p=(2, 7))
    x = normal(rng, n, p)
    i, j = rng.permutation(p)[:2]
    x[:, i] = x[:, j] + 10 ** rng.uniform(-11, -5) * rng.standard_normal(n)
    return problem(rng, x)


def constants(rng):
    n, p = size(rng, p=(2, 7))
    x = normal(rng, n, p)
    x[:, rng.integers(p)] = 10 ** rng.uniform(-6, 6)
    x[:, rng.integers(p)] = x[:, rng.integers(p)]
    return problem(rng, x, penalty=rng.choice(["none", "ridge"]))


def separable(rng):
    n, p = size(rng)
    x, pair = normal(rng, n, p), COUNTED[rng.integers(len(COUNTED))]
    side = x @ rng.standard_normal(p) + rng.normal()
    made = problem(rng, x, pair, penalty=rng.choice(["none", "none", "ridge", "lasso"]))
    made["y"] = (side > 0) * (1.0 if pair[0] == "Bernoulli" else rng.poisson(2, n) + 1.0)
    if rng.random() < 0.4:
        nearest = np.argmin(np.abs(side))
        made["y"][nearest] = 0.0 if made["y"][nearest] > 0 else 1.0
    return made


def one_spike(rng):
    n, p = size(rng, n=(5, 400))
    made = problem(rng, normal(rng, n, p), COUNTED[rng.integers(len(COUNTED))])
    made["y"] = np.zeros(n)
    made["y"][rng.integers(n)] = 1.0 if made["family"] == "Bernoulli" else float(rng.choice([1, 3, 1000]))
    return made


def with_weights(rng):
    made = problem(rng, normal(rng, *size(rng)))
    weights = 10 ** rng.uniform(-8, 8, len(made["y"])) * (rng.random(len(made["y"])) > rng.choice([0, 0.3]))
    weights[0] = 1.0
    return dict(made, weights=weights)


def with_offset(rng):
    made = problem(rng, normal(rng, *size(rng)), [pair for pair in PAIRS if pair[1] != "reciprocal"][rng.integers(7)])
    return dict(made, offset=rng.standard_normal(len(made["y"])) * rng.choice([0.5, 3, 10]) + rng.choice([0, 5, 100]))


def single(rng):
    n, p = size(rng, p=(1, 5))
    x = normal(rng, n, p) + rng.choice([0, 1, -1], p) * 10 ** rng.uniform(0, 2.5, p)
    return dict(problem(rng, x.astype(np.float32).astype(float)), backend="f32")


KINDS = {
    "ordinary": lambda rng: problem(rng, normal(rng, *size(rng, n=(30, 400), p=(1, 12))), spread=rng.uniform(0.1, 2)),
    "wide": lambda rng: problem(rng, normal(rng, *size(rng, n=(60, 500), p=(9, 40)))),
    "tiny": lambda rng: problem(rng, normal(rng, *size(rng, n=(2, 6), p=(1, 4)))),
    "more features than rows": lambda rng: problem(rng, normal(rng, *size(rng, n=(3, 15), p=(15, 30))), penalty="ridge"),
    "nearly collinear": twins,
    "constants and copies": constants,
    "mixed scales": lambda rng: problem(rng, (x := normal(rng, *size(rng))) * 10 ** rng.uniform(-12, 12, x.shape[1])),
    "large means": lambda rng: problem(rng, (x := normal(rng, *size(rng))) + 10 ** rng.uniform(1, 6.5, x.shape[1])),
    "low rates": lambda rng: problem(rng, normal(rng, *size(rng, n=(200, 2000))), COUNTED[rng.integers(3)], intercept=rng.uniform(-7, -2)),
    "high rates": lambda rng: problem(rng, normal(rng, *size(rng)), [PAIRS[0], PAIRS[1], PAIRS[5], PAIRS[7]][rng.integers(4)], intercept=rng.uniform(3, 19)),
    "one spike": one_spike,
    "heavy tails": lambda rng: problem(rng, rng.standard_t(1.0, size=size(rng))),
    "sparse features": lambda rng: problem(rng, (rng.random(size(rng)) < rng.choice([0.02, 0.2])).astype(float), spread=2),
    "separable or nearly": separable,
    "negative binomial": lambda rng: dict(problem(rng, normal(rng, *size(rng)), ("NB", "exp")), nb_scale=float(10 ** rng.uniform(-9, 8))),
    "weights over 16 orders": with_weights,
    "offsets": with_offset,
    "collinear under a lasso": lambda rng: problem(rng, (r := rng.choice([0.9, 0.999, 0.999999])) * normal(rng, (s := size(rng, p=(3, 20)))[0], 1)
                                                   + np.sqrt(1 - r * r) * normal(rng, *s), penalty=rng.choice(["lasso", "net", "group"])),
}


def smaller(made):
    """The same problem with half of the rows, or without a feature."""
    n, p = made["X"].shape
    rows = [np.arange(n) < n // 2, np.arange(n) >= n // 2] if n > 4 else []
    for keep in rows:
        yield {key: value[keep] if key in ("X", "y", "weights", "offset") and value is not None else value for key, value in made.items()}
    if made["penalty"] != "group":
        for feature in range(p if p > 1 else 0):
            yield dict(made, X=np.delete(made["X"], feature, axis=1))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=pathlib.Path)
    options = parser.parse_args()
    fitter, verdicts, kept = Fitter(options.program), collections.defaultdict(collections.Counter), 0
    end, number = time.monotonic() + options.seconds, 0
    while time.monotonic() < end:
        for kind, draw in KINDS.items():
            made = draw(np.random.default_rng([options.seed, number, len(kind)]))
            fault = faults(made, fitter.fit(made))
            verdicts[kind][fault or "right"] += 1
            if fault and options.keep and kept < 200:
                for _ in range(20):
                    less = next((less for less in smaller(made) if faults(less, fitter.fit(less)) == fault), None)
                    if less is None:
                        break
                    made = less
                options.keep.mkdir(parents=True, exist_ok=True)
                plain = {key: value.tolist() if isinstance(value, np.ndarray) else value for key, value in made.items() if key != "backend"}
                case = dict(name=f"{kind} {number}", backend=made.get("backend", "f64"), solver="Auto", problem=plain, minimum=None,
                            separable=Judge(made).recedes(), coef=None, seen={"status": fault})
                (options.keep / f"{kept:03}.json").write_text(json.dumps(case))
                kept += 1
        number += 1
    for kind, counts in verdicts.items():
        print(f"{kind:26}", ", ".join(f"{count} {what}" for what, count in counts.most_common()))
    print(sum(sum(counts.values()) for counts in verdicts.values()), "problems")


if __name__ == "__main__":
    main()

//! Coverage of intervals and level of tests, by simulation with fixed seeds. Slow: `cargo test -p nemos-inference --test inference -- --ignored coverage
//! --nocapture`.

use ndarray::Array2;
use nemos_basis::BSpline;
use nemos_core::{Cpu, Design, Features, Matrix, Segments};
use nemos_glm::{ClassifierPopulationGlm, Gaussian, NegativeBinomial, Poisson, PopulationGlm, Regularizer};
use nemos_inference::{
    Against, Bootstrap, Clusters, Covariance, Dispersion, Infer, InferClasses, Inference, Lag, Settings, Spiking, TimeRescaling,
};
use rand::RngExt;
use rand_distr::{Distribution, Gamma, Normal};

use crate::cases::{features, poisson, rng};

/// Experiments of each kind: neurons of one population, which share the design.
const N: usize = 1000;
const COEF: [f64; 2] = [0.4, 0.0];

/// How an experiment draws its counts, given the predictors of a neuron.
type Draw = fn(&mut rand_chacha::ChaCha8Rng, &[f64], usize) -> Vec<f64>;

struct Experiment {
    n_trials: usize,
    length: usize,
    /// Whether a feature stays the same within a trial.
    per_trial: bool,
    draw: Draw,
}

impl Experiment {
    fn data(&self, seed: u64) -> (Design<'static, Cpu>, Matrix<Cpu>) {
        let mut rng = rng(seed);
        let n = self.n_trials * self.length;
        let mut x = features(&mut rng, n, 2);
        if self.per_trial {
            for row in 0..n {
                for column in 0..2 {
                    x[2 * row + column] = x[2 * (row - row % self.length) + column];
                }
            }
        }
        let eta: Vec<f64> = x.chunks(2).map(|x| 0.3 + COEF[0] * x[0] + COEF[1] * x[1]).collect();
        let mut counts = Array2::zeros((n, N));
        for neuron in 0..N {
            let drawn = (self.draw)(&mut rng, &eta, self.length);
            counts.column_mut(neuron).iter_mut().zip(drawn).for_each(|(to, from)| *to = from);
        }
        let design = Design::from(Matrix::from_vec(x, [n, 2]).unwrap());
        let segments = Segments::from_lengths(vec![self.length; self.n_trials]);
        (design.with_segments(segments).unwrap(), Matrix::from_array(counts.view()))
    }
}

/// The share of 95 % intervals that hold the true coefficient, of both features, and the share of Wald tests of the second that reject.
fn covered(inference: &Inference<'_, Cpu>, kind: &Covariance) -> (f64, f64) {
    let estimates = inference.estimates(kind).unwrap();
    let ends = estimates.confidence(0.95).unwrap();
    let holds = |feature: usize, neuron: usize| ends[(feature, neuron, 0)] <= COEF[feature] && COEF[feature] <= ends[(feature, neuron, 1)];
    let held: usize = (0..2).map(|feature| (0..N).filter(|&neuron| holds(feature, neuron)).count()).sum();
    let p = estimates.wald(1).unwrap().p_values();
    (
        held as f64 / (2 * N) as f64,
        p.iter().filter(|p| **p < 0.05).count() as f64 / N as f64,
    )
}

fn report(what: &str, (coverage, level): (f64, f64)) {
    println!(
        "{what:60} covers {:5.1} %, Wald test rejects {:4.1} %",
        100.0 * coverage,
        100.0 * level
    );
}

fn holds(what: &str, (coverage, level): (f64, f64)) {
    report(what, (coverage, level));
    assert!((0.93..=0.97).contains(&coverage), "{what} covers {coverage}");
    assert!((0.03..=0.07).contains(&level), "{what} rejects {level}");
}

fn of_poisson(rng: &mut rand_chacha::ChaCha8Rng, eta: &[f64], _: usize) -> Vec<f64> {
    eta.iter().map(|eta| poisson(rng, eta.exp())).collect()
}

/// A gain for each bin.
fn scattered(rng: &mut rand_chacha::ChaCha8Rng, eta: &[f64], _: usize) -> Vec<f64> {
    let gain = Gamma::new(1.0, 1.0).unwrap();
    let draw = |eta: &f64| {
        let rate = eta.exp() * gain.sample(rng);
        poisson(rng, rate)
    };
    eta.iter().map(draw).collect()
}

/// A gain for each trial.
fn by_trial(rng: &mut rand_chacha::ChaCha8Rng, eta: &[f64], length: usize) -> Vec<f64> {
    let gain = Gamma::new(3.0, 1.0 / 3.0).unwrap();
    let mut of_trial = 1.0;
    let draw = |(row, eta): (usize, &f64)| {
        if row % length == 0 {
            of_trial = gain.sample(rng);
        }
        poisson(rng, eta.exp() * of_trial)
    };
    eta.iter().enumerate().map(draw).collect()
}

fn of_gaussian(rng: &mut rand_chacha::ChaCha8Rng, eta: &[f64], _: usize) -> Vec<f64> {
    let noise = Normal::new(0.0, 0.7).unwrap();
    eta.iter().map(|eta| eta + noise.sample(rng)).collect()
}

#[test]
#[ignore = "simulates thousands of experiments"]
fn coverage_of_intervals_and_level_of_tests() {
    let plain = Experiment {
        n_trials: 60,
        length: 10,
        per_trial: false,
        draw: of_poisson,
    };
    let (design, counts) = plain.data(1);
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    holds("Poisson counts: model", covered(&inference, &Covariance::Model));
    holds("Poisson counts: HC0", covered(&inference, &Covariance::Hc0));
    holds("Poisson counts: HC3", covered(&inference, &Covariance::Hc3));
    holds(
        "Poisson counts: by 60 trials",
        covered(&inference, &Covariance::Cluster(Clusters::segments())),
    );
    holds("Poisson counts: HAC, 4 rows", covered(&inference, &Covariance::Hac(Lag::Rows(4))));
    let rejects = |p: Vec<f64>| p.iter().filter(|p| **p < 0.05).count() as f64 / N as f64;
    for (what, p) in [
        ("likelihood-ratio", inference.likelihood_ratio(1)),
        ("score", inference.score_test(1)),
    ] {
        let level = rejects(p.unwrap().p_values());
        println!("Poisson counts: {what} test rejects {:.1} %", 100.0 * level);
        assert!((0.035..=0.065).contains(&level), "{what}: {level}");
    }
    let rescaled = inference
        .time_rescaling(&TimeRescaling::new().spiking(Spiking::Poisson), &mut rng(5))
        .unwrap();
    let level = rejects(rescaled.iter().map(|rescaled| rescaled.ks().p).collect());
    println!("Poisson counts: KS test after time rescaling rejects {:.1} %", 100.0 * level);
    assert!(level <= 0.065);

    let (design, counts) = Experiment {
        draw: of_gaussian,
        ..plain
    }
    .data(2);
    let fitted = PopulationGlm::new(Gaussian).fit(&design, &counts).unwrap();
    holds(
        "Gaussian signals: model",
        covered(&fitted.inference(&design, &counts).unwrap(), &Covariance::Model),
    );

    let (design, counts) = Experiment {
        n_trials: 60,
        length: 10,
        per_trial: false,
        draw: scattered,
    }
    .data(3);
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    report(
        "gain of every bin, Poisson model: model (should fail)",
        covered(&inference, &Covariance::Model),
    );
    assert!(covered(&inference, &Covariance::Model).0 < 0.9);
    holds("gain of every bin, Poisson model: HC0", covered(&inference, &Covariance::Hc0));
    holds("gain of every bin, Poisson model: HC3", covered(&inference, &Covariance::Hc3));
    let quasi = fitted
        .inference_with(Settings::new().dispersion(Dispersion::Pearson), &design, &counts)
        .unwrap();
    report(
        "gain of every bin, Poisson model: quasi-Poisson",
        covered(&quasi, &Covariance::Model),
    );
    let fitted = PopulationGlm::new(NegativeBinomial::estimated()).fit(&design, &counts).unwrap();
    holds(
        "gain of every bin, negative binomial: model",
        covered(&fitted.inference(&design, &counts).unwrap(), &Covariance::Model),
    );

    let (design, counts) = Experiment {
        n_trials: 200,
        length: 10,
        per_trial: true,
        draw: by_trial,
    }
    .data(4);
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    let inference = fitted.inference(&design, &counts).unwrap();
    for (what, kind) in [("model", Covariance::Model), ("HC0", Covariance::Hc0)] {
        let got = covered(&inference, &kind);
        report(&format!("gain of every trial: {what} (should fail)"), got);
        assert!(got.0 < 0.9);
    }
    holds(
        "gain of every trial: by 200 trials",
        covered(&inference, &Covariance::Cluster(Clusters::segments())),
    );
    report(
        "gain of every trial: HAC, 20 rows",
        covered(&inference, &Covariance::Hac(Lag::Rows(20))),
    );
    let bootstrapped = inference
        .bootstrap(&Bootstrap::new().replicates(400).one_step(), &mut rng(6))
        .unwrap();
    let ends = bootstrapped.normal(0.95).unwrap();
    let held = (0..2)
        .map(|j| (0..N).filter(|&n| ends[(j, n, 0)] <= COEF[j] && COEF[j] <= ends[(j, n, 1)]).count())
        .sum::<usize>();
    println!(
        "gain of every trial: one-step bootstrap by trials covers {:.1} %",
        100.0 * held as f64 / (2 * N) as f64
    );
}

/// Three classes: against the first one, coefficients of the second are 0.4 and zero, of the third -0.4 and zero.
#[test]
#[ignore = "simulates thousands of experiments"]
fn coverage_of_classes() {
    let mut rng = rng(7);
    let n = 600;
    let x = features(&mut rng, n, 2);
    let mut labels = Array2::zeros((n, N));
    for ((row, _), label) in labels.indexed_iter_mut() {
        let mass = [1.0, (COEF[0] * x[2 * row]).exp(), (0.5 - COEF[0] * x[2 * row]).exp()];
        let share = rng.random::<f64>() * mass.iter().sum::<f64>();
        *label = f64::from(u8::from(share > mass[0]) + u8::from(share > mass[0] + mass[1]));
    }
    let (design, labels) = (Matrix::<Cpu>::from_vec(x, [n, 2]).unwrap(), Matrix::from_array(labels.view()));
    let model = ClassifierPopulationGlm::new(3).regularizer(Regularizer::Unregularized);
    let fitted = model.fit(&design, &labels).unwrap();
    let inference = fitted.inference(&design, &labels).unwrap();
    let rejects = |p: &[f64]| p.iter().filter(|p| **p < 0.05).count() as f64 / N as f64;
    for kind in [Covariance::Model, Covariance::Hc0] {
        let estimates = inference.estimates(&kind).unwrap();
        let mut held = 0;
        for (class, sign) in [(1, 1.0), (2, -1.0)] {
            let ends = estimates.of(class, Against::Class(0)).unwrap().confidence(0.95).unwrap();
            let holds = |j: usize, i: usize| ends[(j, i, 0)] <= sign * COEF[j] && sign * COEF[j] <= ends[(j, i, 1)];
            held += (0..2 * N).filter(|place| holds(place / N, place % N)).count();
        }
        let level = rejects(&estimates.wald(1).unwrap().p_values());
        holds(&format!("three classes: {kind:?}"), (held as f64 / (4 * N) as f64, level));
    }
    for (what, tests) in [
        ("likelihood-ratio", inference.likelihood_ratio(1)),
        ("score", inference.score_test(1)),
    ] {
        let level = rejects(&tests.unwrap().p_values());
        println!("three classes: {what} test rejects {:.1} %", 100.0 * level);
        assert!((0.035..=0.065).contains(&level), "{what}: {level}");
    }
    let at = Matrix::<Cpu>::from_vec(vec![1.5, 0.3], [1, 2]).unwrap();
    let bands = inference.estimates(&Covariance::Model).unwrap().probabilities(&at, 0.95).unwrap();
    let mass = [1.0, (1.5 * COEF[0]).exp(), (0.5 - 1.5 * COEF[0]).exp()];
    let held = bands.iter().zip(mass).map(|(band, mass)| {
        let truth = mass / (1.0 + (1.5 * COEF[0]).exp() + (0.5 - 1.5 * COEF[0]).exp());
        (0..N)
            .filter(|&i| band.lower[(0, i)] <= truth && truth <= band.upper[(0, i)])
            .count()
    });
    let coverage = held.sum::<usize>() as f64 / (3 * N) as f64;
    println!("three classes: bands of probabilities cover {:.1} %", 100.0 * coverage);
    assert!((0.93..=0.97).contains(&coverage));
}

/// A map of four by four splines: the band that shall hold at all of its 225 points at once.
#[test]
#[ignore = "simulates hundreds of experiments"]
fn coverage_of_maps() {
    const MAPS: usize = 500;
    let mut rng = rng(8);
    let n = 2000;
    let x = features(&mut rng, n, 2);
    let [across, along] = [0, 1].map(|side| Matrix::<Cpu>::from_column(x.iter().skip(side).step_by(2).copied().collect()));
    let end = 12.0_f64.sqrt() / 2.0;
    let basis = BSpline::new(4).bounds(-end, end) * BSpline::new(4).bounds(-end, end);
    let place = basis.compute_features([&across, &along]).unwrap();
    let design = Features::new().with("place", place).unwrap();
    // A saddle is a product of splines.
    let truth = |x: f64, y: f64| -0.5 + 0.3 * x + 0.4 * x * y;
    let rates: Vec<f64> = x.chunks(2).map(|x| truth(x[0], x[1]).exp()).collect();
    let counts = (0..n * MAPS).map(|place| poisson(&mut rng, rates[place / MAPS])).collect();
    let counts = Matrix::from_vec(counts, [n, MAPS]).unwrap();
    let fitted = PopulationGlm::new(Poisson).fit(&design, &counts).unwrap();
    let estimates = fitted.inference(&design, &counts).unwrap().estimates(&Covariance::Model).unwrap();
    let grid = basis.on_grid([15, 15]).unwrap();
    let curve = estimates.curve(&estimates.tuning_curve("place", &grid.values).unwrap()).unwrap();
    for (what, band) in [
        ("simultaneous", curve.simultaneous(0.95, &mut rng).unwrap()),
        ("pointwise", curve.pointwise(0.95).unwrap()),
    ] {
        let holds = |point: usize, map: usize| {
            let truth = truth(grid.points[(point, 0)], grid.points[(point, 1)]);
            band.lower[(point, map)] <= truth && truth <= band.upper[(point, map)]
        };
        let whole = (0..MAPS).filter(|&map| (0..225).all(|point| holds(point, map))).count() as f64 / MAPS as f64;
        let points = (0..MAPS * 225).filter(|at| holds(at % 225, at / 225)).count() as f64 / (MAPS * 225) as f64;
        println!(
            "maps, {what} bands cover {:.1} % of maps, {:.1} % of points",
            100.0 * whole,
            100.0 * points
        );
        let covered = if what == "pointwise" { points } else { whole };
        assert!((0.93..=0.97).contains(&covered));
    }
}

//! The objective of a fit, computed anew: one neuron, row by row, in sums that do not round.

use nemos::glm::{Groups, Regularizer, Strength};

use crate::fits::Problem;

/// The problem of one neuron.
pub(crate) struct Recomputed<'a> {
    problem: &'a Problem,
    neuron: usize,
    dispersion: f64,
    /// The rows that count, and their weights, which add up to one.
    rows: Vec<(usize, f64)>,
}

/// A value, and the sum of the absolute values of what it was summed from.
pub(crate) struct Sum {
    pub(crate) value: f64,
    pub(crate) magnitude: f64,
}

impl<'a> Recomputed<'a> {
    pub(crate) fn new(problem: &'a Problem, neuron: usize, dispersion: f64) -> Self {
        let of = |values: &ndarray::Array2<f64>, row: usize| values[(row, neuron.min(values.ncols() - 1))];
        let weight = |row: usize| problem.weights.as_ref().map_or(1.0, |weights| of(weights, row));
        let is_whole = |row: &usize| {
            // A row that has no offset for one neuron is left out for all.
            let offset: f64 = problem.offset.as_ref().map_or(0.0, |offset| offset.row(*row).sum());
            let features = problem.design.row(*row).iter().all(|value| !value.is_nan());
            features && !problem.counts[(*row, neuron)].is_nan() && !offset.is_nan() && weight(*row) > 0.0
        };
        let kept: Vec<usize> = (0..problem.design.nrows()).filter(is_whole).collect();
        let total: f64 = kept.iter().map(|&row| weight(row)).sum();
        let rows = kept.into_iter().map(|row| (row, weight(row) / total)).collect();
        Recomputed {
            problem,
            neuron,
            dispersion,
            rows,
        }
    }

    pub(crate) fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// Whether all counts lie on the edge of what the model can give.
    pub(crate) fn on_edge(&self) -> bool {
        let counts = || self.rows.iter().map(|(row, _)| self.problem.counts[(*row, self.neuron)]);
        match self.problem.family.as_str() {
            "Poisson" | "NB" => counts().all(|count| count == 0.0),
            "Bernoulli" => counts().all(|count| count == 0.0) || counts().all(|count| count == 1.0),
            _ => false,
        }
    }

    /// Whether the penalty grows with every coefficient that may move.
    pub(crate) fn is_bounded(&self) -> bool {
        let above_zero = |strength: &Strength| matches!(strength, Strength::Shared(strength) if *strength > 0.0);
        match &self.problem.regularizer {
            Regularizer::Ridge(strength) | Regularizer::Lasso(strength) => above_zero(strength),
            Regularizer::ElasticNet { strength, .. } => above_zero(strength),
            _ => false,
        }
    }

    /// The objective at these parameters.
    pub(crate) fn at(&self, coef: &[f64], intercept: f64) -> Sum {
        let mut sum = Neumaier::default();
        for &(row, weight) in &self.rows {
            let mut predictor = Neumaier::default();
            for (x, w) in self.problem.design.row(row).iter().zip(coef) {
                let product = x * w;
                predictor.add(product);
                predictor.add(x.mul_add(*w, -product));
            }
            predictor.add(intercept);
            if let Some(offset) = &self.problem.offset {
                predictor.add(offset[(row, self.neuron.min(offset.ncols() - 1))]);
            }
            let count = self.problem.counts[(row, self.neuron)];
            for term in self.terms(count, predictor.value()) {
                sum.add(weight * term);
            }
        }
        self.penalty(coef).into_iter().for_each(|term| sum.add(term));
        Sum {
            value: sum.value(),
            magnitude: sum.magnitude,
        }
    }

    /// The loss of one count, in parts.
    fn terms(&self, count: f64, predictor: f64) -> [f64; 2] {
        let (rate, log_rate) = self.rate(predictor);
        let scaled = |count: f64, log: f64| if count == 0.0 { 0.0 } else { count * log };
        match self.problem.family.as_str() {
            "Poisson" => [rate, -scaled(count, log_rate)],
            "Gaussian" => [(count - rate).powi(2), 0.0],
            "Gamma" => [count * (-log_rate).exp(), log_rate],
            "Bernoulli" => {
                let log_complement = match self.problem.link.as_str() {
                    "logistic" => -softplus(predictor),
                    "probit" => ln_normal_cdf(-predictor),
                    _ => (-rate).ln_1p(),
                };
                [-scaled(count, log_rate), -scaled(1.0 - count, log_complement)]
            }
            "NB" => {
                // (y + 1/s) ln(1 + s r) − y ln(s r) = ln(1 + s r) / s + y ln(1 + 1 / (s r))
                let log = log_rate + self.dispersion.ln();
                [softplus(log) / self.dispersion, scaled(count, softplus(-log))]
            }
            other => panic!("the family {other} is not understood"),
        }
    }

    fn rate(&self, predictor: f64) -> (f64, f64) {
        match self.problem.link.as_str() {
            "exp" => (predictor.exp(), predictor),
            "softplus" => {
                let rate = softplus(predictor);
                (rate, if predictor < -40.0 { predictor } else { rate.ln() })
            }
            "identity" => (predictor, predictor.ln()),
            "reciprocal" => (1.0 / predictor, -predictor.ln()),
            "logistic" => ((-softplus(-predictor)).exp(), -softplus(-predictor)),
            "probit" => {
                let log = ln_normal_cdf(predictor);
                (log.exp(), log)
            }
            other => panic!("the link {other} is not understood"),
        }
    }

    fn penalty(&self, coef: &[f64]) -> Vec<f64> {
        let shared = |strength: &Strength| match strength {
            Strength::Shared(strength) => *strength,
            other => panic!("the strength {other:?} is not understood"),
        };
        let each = |of: &dyn Fn(f64) -> f64| coef.iter().map(|coef| of(*coef)).collect();
        match &self.problem.regularizer {
            Regularizer::Unregularized => Vec::new(),
            Regularizer::Ridge(strength) => each(&|coef| shared(strength) * coef * coef / 2.0),
            Regularizer::Lasso(strength) => each(&|coef| shared(strength) * coef.abs()),
            Regularizer::ElasticNet { strength, lasso_share } => {
                each(&|coef| shared(strength) * (lasso_share * coef.abs() + (1.0 - lasso_share) * coef * coef / 2.0))
            }
            Regularizer::GroupLasso { strength, groups } => {
                let all = vec![(0..coef.len()).collect()];
                let groups = match groups {
                    Groups::Features(groups) => groups,
                    Groups::All => &all,
                    other => panic!("the groups {other:?} are not understood"),
                };
                let norm = |group: &Vec<usize>| group.iter().map(|&place| coef[place] * coef[place]).sum::<f64>().sqrt();
                groups
                    .iter()
                    .map(|group| shared(strength) * (group.len() as f64).sqrt() * norm(group))
                    .collect()
            }
            other => panic!("the penalty {other:?} is not understood"),
        }
    }
}

/// ln(1 + eˣ)
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// ln Φ(x)
fn ln_normal_cdf(x: f64) -> f64 {
    if x > 0.0 {
        return (-0.5 * libm::erfc(x * std::f64::consts::FRAC_1_SQRT_2)).ln_1p();
    }
    if x > -5.0 {
        return (0.5 * libm::erfc(-x * std::f64::consts::FRAC_1_SQRT_2)).ln();
    }
    // Φ(−x) = φ(x) / (x + 1/(x + 2/(x + 3/(x + …))))
    let x = -x;
    let fraction = (1..200).rev().fold(x, |below, k| x + f64::from(k) / below);
    -0.5 * x * x - 0.5 * std::f64::consts::TAU.ln() - fraction.ln()
}

/// A sum in twice the precision.
#[derive(Default)]
struct Neumaier {
    sum: f64,
    rest: f64,
    magnitude: f64,
}

impl Neumaier {
    fn add(&mut self, term: f64) {
        let sum = self.sum + term;
        self.rest += if self.sum.abs() >= term.abs() {
            (self.sum - sum) + term
        } else {
            (term - sum) + self.sum
        };
        self.sum = sum;
        self.magnitude += term.abs();
    }

    fn value(&self) -> f64 {
        if self.sum.is_finite() { self.sum + self.rest } else { self.sum }
    }
}

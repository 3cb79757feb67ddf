//! Longer steps of EM: where two steps in a row say how it slows down, the parameters are taken further along their way.
//!
//! ```text
//! r = θ₁ − θ₀,   v = (θ₂ − θ₁) − r,   a = ‖r‖ / ‖v‖,   θ = θ₀ + 2 a r + a² v            θ₁, θ₂: after one step and two
//! ```
//!
//! θ are coefficients, logarithms of scales, and of probabilities. With `a = 1` that is θ₂. The objective must not fall: where it does,
//! θ₂ is taken.
//!
//! # References
//! Varadhan & Roland (2008), *Scandinavian Journal of Statistics* 35(2), scheme S3. doi:10.1111/j.1467-9469.2007.00585.x

use crate::HmmParameters;
use crate::chain::steps::log_sum_exp;

/// The first bound of `a`, and its factor: it rises where it held a step back that was a gain, and falls after a loss.
const BOUND: f64 = 4.0;
/// Below this EM is fast by itself.
const WORTH: f64 = 1.5;
/// Logarithms of probabilities are let fall to this.
const LEAST: f64 = -200.0;

/// Where steps led since parameters were last taken further.
#[derive(Clone, Debug)]
pub(crate) struct Trail {
    points: Vec<HmmParameters>,
    bound: f64,
    is_bound: bool,
    /// How much shorter than the one before steps were, the last two times that it was looked at.
    ratios: [Option<f64>; 2],
}

impl Default for Trail {
    fn default() -> Self {
        Trail {
            points: Vec::new(),
            bound: BOUND,
            is_bound: false,
            ratios: [None; 2],
        }
    }
}

impl Trail {
    /// Takes in where a step began and ended, and gives a point further on after every second. `units` are of the numbers of a model, `floors` of
    /// scales.
    pub(crate) fn further(&mut self, from: &HmmParameters, to: &HmmParameters, (units, floors): (&[f64], &[f64])) -> Option<HmmParameters> {
        self.points.push(from.clone());
        let [first, second] = self.points.as_slice() else { return None };
        let (x0, x1, x2) = (coordinates(first), coordinates(second), coordinates(to));
        let units = units_of(to, units);
        let (mut r_square, mut v_square, mut last_square) = (0.0, 0.0, 0.0);
        for (((x0, x1), x2), unit) in x0.iter().zip(&x1).zip(&x2).zip(units) {
            let (r, last) = (unit * (x1 - x0), unit * (x2 - x1));
            if r.is_finite() && last.is_finite() {
                r_square += r * r;
                v_square += (last - r) * (last - r);
                last_square += last * last;
            }
        }
        self.points.clear();
        self.ratios = [self.ratios[1], Some((last_square / r_square).sqrt())];
        let a = (r_square / v_square).sqrt();
        // NaN where nothing moves any more.
        if a.is_nan() || a < WORTH {
            self.ratios = [None; 2];
            return None;
        }
        self.is_bound = a > self.bound;
        let a = a.min(self.bound);
        let beyond = x0.iter().zip(&x1).zip(&x2).map(|((x0, x1), x2)| {
            let (r, v) = (x1 - x0, x2 - 2.0 * x1 + x0);
            if v.is_finite() && (r, v) != (0.0, 0.0) {
                x0 + 2.0 * a * r + a * a * v
            } else {
                *x2
            }
        });
        Some(from_coordinates(to, &beyond.collect::<Vec<f64>>(), floors))
    }

    /// How much shorter than the one before a step is: the larger of what was seen twice.
    pub(crate) fn ratio(&self) -> Option<f64> {
        self.ratios.iter().flatten().copied().reduce(f64::max)
    }

    /// Whether taking the parameters further was a gain.
    pub(crate) fn judge(&mut self, is_gain: bool) {
        if !is_gain {
            self.bound = (self.bound / BOUND).max(1.0 + 1e-3);
        } else if self.is_bound {
            self.bound *= BOUND;
        }
    }
}

/// Coefficients and intercepts, logarithms of scales, of transitions (or what drives them), and of initial probabilities.
fn coordinates(parameters: &HmmParameters) -> Vec<f64> {
    let transitions = &parameters.transitions;
    let mut all = parameters.glms.as_slice().to_vec();
    all.extend(parameters.scales.iter().map(|scale| scale.ln()));
    match transitions.drive {
        None => all.extend(transitions.baseline.iter().map(|p| p.ln())),
        Some(_) => all.extend(transitions.baseline.iter().chain(&transitions.weights)),
    }
    all.extend(parameters.initial.iter().map(|p| p.ln()));
    all
}

/// Units of coordinates: those of models, one, and probabilities for their logarithms, so that one that vanishes counts for nothing.
fn units_of(parameters: &HmmParameters, of_model: &[f64]) -> Vec<f64> {
    let transitions = &parameters.transitions;
    let (n_models, n_scales) = (parameters.glms.n_problems(), parameters.scales.len());
    let mut units = of_model.repeat(n_models);
    units.resize(units.len() + n_scales, 1.0);
    match transitions.drive {
        None => units.extend(&transitions.baseline),
        Some(_) => units.resize(units.len() + transitions.baseline.len() + transitions.weights.len(), 1.0),
    }
    units.extend(&parameters.initial);
    units
}

fn from_coordinates(like: &HmmParameters, coordinates: &[f64], floors: &[f64]) -> HmmParameters {
    let mut parameters = like.clone();
    let mut rest = coordinates.iter().copied();
    let mut fill = |to: &mut [f64]| to.iter_mut().zip(rest.by_ref()).for_each(|(to, value)| *to = value);
    fill(parameters.glms.as_mut_slice());
    fill(&mut parameters.scales);
    fill(&mut parameters.transitions.baseline);
    fill(&mut parameters.transitions.weights);
    fill(&mut parameters.initial);
    let n_states = parameters.initial.len();
    for (scale, floor) in parameters.scales.iter_mut().zip(floors.iter().cycle()) {
        *scale = scale.exp().max(*floor);
    }
    to_law(&mut parameters.initial, &like.initial);
    if parameters.transitions.drive.is_some() {
        parameters.transitions.set_gauge();
    } else {
        let rows = parameters.transitions.baseline.chunks_exact_mut(n_states);
        rows.zip(like.transitions.baseline.chunks_exact(n_states))
            .for_each(|(row, like)| to_law(row, like));
    }
    parameters
}

/// Probabilities from their logarithms; zeros stay zeros, and what did not move stays to the last bit.
fn to_law(logs: &mut [f64], like: &[f64]) {
    if logs.iter().zip(like).all(|(log, like)| *log == like.ln()) {
        logs.copy_from_slice(like);
        return;
    }
    let total = log_sum_exp(logs.iter().copied());
    for value in logs {
        let log = *value - total;
        *value = if log == f64::NEG_INFINITY { 0.0 } else { log.max(LEAST).exp() };
    }
}

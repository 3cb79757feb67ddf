//! Standard errors from the curvature of an objective by second differences, in coordinates of its own.

use ndarray::{Array1, Array2, array};
use nemos_core::inverse_positive_definite;
use nemos_hmm::{HmmParameters, StandardErrors, StateGlm, StateModel, Transitions};

/// Two states of one neuron or several, with coefficients, intercepts, perhaps scales, log-odds of staying, and of the first state.
pub(crate) struct Plain {
    pub(crate) n_features: usize,
    pub(crate) n_neurons: usize,
    pub(crate) has_scales: bool,
    pub(crate) has_initial: bool,
}

impl Plain {
    pub(crate) fn coordinates(&self, parameters: &HmmParameters) -> Vec<f64> {
        let mut of = Vec::new();
        for state in [parameters.state(0), parameters.state(1)] {
            of.extend(state.coef.iter());
            of.extend(&state.intercept);
            of.extend(state.scale.iter().filter(|_| self.has_scales).map(|scale| scale.ln()));
        }
        let steps = parameters.transitions().matrix(&[]).unwrap();
        of.extend([(steps[(0, 0)] / steps[(0, 1)]).ln(), (steps[(1, 1)] / steps[(1, 0)]).ln()]);
        if self.has_initial {
            of.push((parameters.initial()[0] / parameters.initial()[1]).ln());
        }
        of
    }

    pub(crate) fn parameters(&self, of: &[f64], at: &HmmParameters) -> HmmParameters {
        let mut of = of.iter().copied();
        let mut take = |n: usize| -> Vec<f64> { of.by_ref().take(n).collect() };
        let states: Vec<StateGlm> = (0..2)
            .map(|k| StateGlm {
                coef: Array2::from_shape_vec((self.n_features, self.n_neurons), take(self.n_features * self.n_neurons)).unwrap(),
                intercept: take(self.n_neurons),
                scale: if self.has_scales {
                    take(self.n_neurons).into_iter().map(f64::exp).collect()
                } else {
                    at.state(k).scale
                },
            })
            .collect();
        let stay: Vec<f64> = take(2).into_iter().map(logistic).collect();
        let steps = array![[stay[0], 1.0 - stay[0]], [1.0 - stay[1], stay[1]]];
        let initial = if self.has_initial {
            let first = logistic(take(1)[0]);
            vec![first, 1.0 - first]
        } else {
            at.initial().to_vec()
        };
        HmmParameters::new(initial, Transitions::fixed(&steps).unwrap(), &states).unwrap()
    }
}

pub(crate) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// Covariance of coordinates: the inverse of the negative curvature.
fn covariance(objective: &dyn Fn(&[f64]) -> f64, at: &[f64]) -> Array2<f64> {
    let (n, h) = (at.len(), 1e-3);
    let moved = |i: usize, a: f64, j: usize, b: f64| {
        let mut to = at.to_vec();
        to[i] += a * h;
        to[j] += b * h;
        objective(&to)
    };
    let information = Array2::from_shape_fn((n, n), |(i, j)| {
        -(moved(i, 1.0, j, 1.0) - moved(i, 1.0, j, -1.0) - moved(i, -1.0, j, 1.0) + moved(i, -1.0, j, -1.0)) / (4.0 * h * h)
    });
    inverse_positive_definite(information.view()).expect("a maximum")
}

pub(crate) type Number = Box<dyn Fn(&HmmParameters) -> f64>;

/// Parameters from coordinates.
type Build<'a> = dyn Fn(&[f64]) -> HmmParameters + 'a;
type Objective<'a> = dyn Fn(&HmmParameters) -> f64 + 'a;

/// Checks standard errors of numbers against those by the curvature in other coordinates.
pub(crate) fn assert_errors<S: StateModel>(
    errors: &StandardErrors<S>,
    (build, objective, at): (&Build<'_>, &Objective<'_>, &[f64]),
    numbers: &[Number],
) {
    let covariance = covariance(&|of| objective(&build(of)), at);
    for (place, number) in numbers.iter().enumerate() {
        let slopes: Array1<f64> = (0..at.len())
            .map(|i| {
                let moved = |by: f64| {
                    let mut to = at.to_vec();
                    to[i] += by;
                    number(&build(&to))
                };
                (moved(1e-4) - moved(-1e-4)) / 2e-4
            })
            .collect();
        let expected = slopes.dot(&covariance.dot(&slopes)).sqrt();
        let got = errors.standard_error(number);
        assert!((got - expected).abs() <= 2e-4 * expected, "number {place}: {got} {expected}");
    }
}

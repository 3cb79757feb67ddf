//! Whether a network that feeds back upon itself keeps its activity.

use std::fmt;

use ndarray::{Array2, Axis};

use crate::ring::Ring;
use crate::{Coupling, ScalarLink};

/// How activity spreads through a network, linearised about rates that stay as they are.
///
/// There one more spike of neuron `j` changes the rate of neuron `i`, `l + 1` steps later, by `link'(predictor[i]) ·
/// filter[l, i, j]`, and a deviation `x` from those rates follows
///
/// ```text
/// (1)  x[t, i]    = link'(predictor[i]) · Σₗ Σⱼ filter[l, i, j] · x[t − 1 − l, j]
/// (2)  gain[i, j] = link'(predictor[i]) · Σₗ filter[l, i, j]
/// ```
///
/// | field | below one | one and above |
/// |---|---|---|
/// | `spectral_radius` | deviations die out | they grow, until the link saturates or without end |
/// | `gain` | a lasting push comes back smaller | nothing follows where there is inhibition; under excitation alone it grows |
/// | `upper_bound` | deviations die out, whatever the signs of the filters | nothing follows where there is inhibition |
///
/// Under excitation alone `gain` is also the mean number of spikes that each spike leads to, `upper_bound` is the same
/// number, and all three are below one together.
///
/// The predictors are the intercepts, for a network at rest, or what the caller says. Under an exponential link the
/// slope rises with the rate, so that a strong drive can upset a network that is stable at rest.
///
/// # References
/// Hawkes & Oakes (1974), *Journal of Applied Probability* 11(3), for spikes as descendants of spikes. doi:10.2307/3212693
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stability {
    /// By which factor a deviation grows in a step, in the long run: the largest absolute eigenvalue of the recurrence (1).
    /// To better than one percent where neurons times window exceed 64, and nearly exact below.
    pub spectral_radius: f64,
    /// The largest absolute eigenvalue of the gains (2).
    pub gain: f64,
    /// The same for the absolute values of filters and slopes.
    pub upper_bound: f64,
}

impl Stability {
    pub(crate) fn new(coupling: &Coupling, predictor: &[f64], link: &impl ScalarLink) -> Self {
        let slopes: Vec<f64> = predictor.iter().map(|&predictor| link.slope_of(predictor)).collect();
        let radius = |value: fn(f64) -> f64| {
            let mut gains = coupling.integrals(value);
            for (mut row, &slope) in gains.axis_iter_mut(Axis(0)).zip(&slopes) {
                row *= value(slope);
            }
            spectral_radius(gains)
        };
        let upper_bound = radius(f64::abs);
        let settled = upper_bound < 1.0;
        Stability {
            spectral_radius: match coupling.window() * coupling.n_neurons() {
                0..=LARGEST_COMPANION => spectral_radius(companion(coupling, &slopes)),
                _ => growth(coupling, &slopes, settled),
            },
            gain: radius(std::convert::identity),
            upper_bound,
        }
    }

    /// Whether deviations from these rates die out.
    pub fn is_stable(&self) -> bool {
        self.spectral_radius < 1.0
    }
}

/// In one line: `stable: spectral radius 0.604, gain 0.169, upper bound 0.169`.
impl fmt::Display for Stability {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.is_stable() { "stable" } else { "unstable" };
        let [radius, gain, bound] = [self.spectral_radius, self.gain, self.upper_bound];
        write!(to, "{verdict}: spectral radius {radius:.3}, gain {gain:.3}, upper bound {bound:.3}")
    }
}

/// With more neurons times steps than this the matrix of the recurrence is not written down.
const LARGEST_COMPANION: usize = 64;

/// The matrix that takes the deviations of one window of steps, latest first, to those of the next.
fn companion(coupling: &Coupling, slopes: &[f64]) -> Array2<f64> {
    let (n_neurons, filters) = (slopes.len(), coupling.filters());
    let size = n_neurons * coupling.window();
    Array2::from_shape_fn((size, size), |(to, from)| {
        if to < n_neurons {
            slopes[to] * filters[(from / n_neurons, to, from % n_neurons)]
        } else {
            f64::from(u8::from(to == from + n_neurons))
        }
    })
}

/// By which factor a deviation grows in a step, from watching one grow.
///
/// Watching goes on, for twice as long each time, until the growth of the later half agrees with that of the half before, or
/// leaves no doubt whether it is below one; where that is known, a few windows do.
fn growth(coupling: &Coupling, slopes: &[f64], settled: bool) -> f64 {
    let (n_neurons, window) = (slopes.len(), coupling.window());
    let longest = if settled { 4 } else { 16 } * window.max(50);
    // Numbers spread evenly over −0.4..0.6: no mode of a network is likely to be orthogonal to them.
    let spread = (0..window * n_neurons).map(|k| (k as f64 * 0.618_033_988_749_895).fract() - 0.4);
    let mut ring = Ring::of(spread.collect(), n_neurons);
    let (mut size, mut sizes, mut estimate) = (0.0, Vec::new(), f64::INFINITY);
    while sizes.len() < longest {
        for _ in 0..sizes.len().max(2 * window.max(50)) {
            let now: Vec<f64> = ring.now().iter().zip(slopes).map(|(felt, slope)| felt * slope).collect();
            ring.advance(coupling, &now);
            let norm = norm(ring.values_mut().iter());
            if norm == 0.0 || !norm.is_finite() {
                return norm;
            }
            ring.values_mut().iter_mut().for_each(|value| *value /= norm);
            size += libm::log(norm);
            sizes.push(size);
        }
        let before = estimate;
        estimate = slope_of(&sizes[sizes.len() / 2..]);
        if (estimate - before).abs() < (estimate.abs() / 3.0).max(1e-3) {
            break;
        }
    }
    libm::exp(estimate)
}

/// The Euclidean norm, without overflow.
fn norm<'a>(values: impl Iterator<Item = &'a f64> + Clone) -> f64 {
    let keep_nan = |largest: f64, value: &f64| if value.abs() <= largest { largest } else { value.abs() };
    let largest = values.clone().fold(0.0, keep_nan);
    if largest == 0.0 || !largest.is_finite() {
        return largest;
    }
    largest * values.map(|value| (value / largest).powi(2)).sum::<f64>().sqrt()
}

/// The slope of a straight line through values one step apart.
fn slope_of(values: &[f64]) -> f64 {
    let middle = (values.len() as f64 - 1.0) / 2.0;
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let deviations = values.iter().enumerate().map(|(step, value)| (step as f64 - middle, value - mean));
    let (products, squares) = deviations.fold((0.0, 0.0), |(products, squares), (step, value)| {
        (products + step * value, squares + step * step)
    });
    products / squares
}

/// The largest absolute eigenvalue, by Gelfand's formula `ρ = lim ‖A^m‖^(1/m)` with `m = 2, 4, 8, …`: unlike power iteration it
/// does not mind pairs of complex eigenvalues. NaN where an entry is not finite.
fn spectral_radius(mut matrix: Array2<f64>) -> f64 {
    if matrix.iter().any(|value| !value.is_finite()) {
        return f64::NAN;
    }
    // Logarithm of the radius: Σ ln ‖Aₛ‖ / 2ˢ over squarings s, each of the matrix divided by its norm.
    let (mut logarithm, mut share, mut previous) = (0.0, 1.0, f64::NAN);
    for _ in 0..40 {
        let norm = norm(matrix.iter());
        if norm == 0.0 {
            return 0.0;
        }
        logarithm += share * libm::log(norm);
        // Once one eigenvalue leads, all further norms are the same, and their shares add up to the last.
        if share < 0.01 && (norm - previous).abs() < 1e-12 * norm {
            logarithm += share * libm::log(norm);
            break;
        }
        previous = norm;
        matrix /= norm;
        matrix = matrix.dot(&matrix);
        share *= 0.5;
    }
    libm::exp(logarithm)
}

#[cfg(test)]
mod tests {
    use super::*;

    use ndarray::{Array3, array};
    use nemos_glm::{Exp, Identity};

    #[test]
    fn radii_of_matrices_with_known_eigenvalues() {
        // Eigenvalues: 3 and 1; ±2i; 0 twice; 0.5 ± 0.5i; 1 twice with one eigenvector.
        for (matrix, radius) in [
            (array![[2.0, 1.0], [1.0, 2.0]], 3.0),
            (array![[0.0, -4.0], [1.0, 0.0]], 2.0),
            (array![[0.0, 7.0], [0.0, 0.0]], 0.0),
            (array![[0.5, -0.5], [0.5, 0.5]], 0.5_f64.sqrt()),
            (array![[1.0, 1.0], [0.0, 1.0]], 1.0),
        ] {
            assert!((spectral_radius(matrix.clone()) - radius).abs() < 1e-8, "{matrix}");
        }
        assert_eq!(spectral_radius(Array2::zeros((0, 0))), 0.0);
        assert!(spectral_radius(array![[f64::NAN]]).is_nan());
    }

    #[test]
    fn stability_prints_in_a_line() {
        let coupling = Coupling::from_filters(array![[[0.5]]].view()).unwrap();
        let stability = Stability::new(&coupling, &[0.0], &Exp);
        assert_eq!(
            stability.to_string(),
            "stable: spectral radius 0.500, gain 0.500, upper bound 0.500"
        );
    }

    #[test]
    fn gains_are_slopes_times_integrals() {
        // Neuron 0 hears neuron 1 and the other way: eigenvalues ±√(gain₀₁ · gain₁₀).
        let filters = array![[[0.0, 1.0], [3.0, 0.0]], [[0.0, 1.0], [-1.0, 0.0]]];
        let coupling = Coupling::from_filters(filters.view()).unwrap();
        let stability = Stability::new(&coupling, &[0.0, 0.0], &Identity);
        assert!((stability.gain - 2.0).abs() < 1e-8);
        assert!((stability.upper_bound - 8.0_f64.sqrt()).abs() < 1e-8);
        let quiet = Stability::new(&coupling, &[-2.0, -2.0], &Exp);
        assert!((quiet.gain - 2.0 * (-2.0_f64).exp()).abs() < 1e-8);
    }

    fn of_one_neuron(filter: &[f64]) -> Stability {
        let filters = Array3::from_shape_vec((filter.len(), 1, 1), filter.to_vec()).unwrap();
        Stability::new(&Coupling::from_filters(filters.view()).unwrap(), &[0.0], &Exp)
    }

    #[test]
    fn filters_that_cancel_out_can_still_explode() {
        // λ² = 2λ − 2 has the roots 1 ± i.
        let stability = of_one_neuron(&[2.0, -2.0]);
        assert!((stability.spectral_radius - 2.0_f64.sqrt()).abs() < 1e-8 && !stability.is_stable());
        assert_eq!(stability.gain, 0.0);
    }

    #[test]
    fn inhibition_alone_may_be_strong() {
        // NumPy: largest absolute root of λ²⁰ + 0.2 (λ¹⁹ + … + 1).
        let stability = of_one_neuron(&[-0.2; 20]);
        assert!((stability.spectral_radius - 0.980_965_370_6).abs() < 1e-6 && stability.is_stable());
        assert!((stability.gain - 4.0).abs() < 1e-12);
    }

    #[test]
    fn watching_growth_agrees_with_the_matrix() {
        let mut seed = 7_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(seed >> 8) / f64::from(1 << 24) - 0.5
        };
        for (window, n_neurons, strength) in [(1, 8, 1.0), (5, 5, 0.4), (20, 3, 0.3), (30, 2, 1.5), (60, 1, 0.5)] {
            let filters = Array3::from_shape_simple_fn((window, n_neurons, n_neurons), || strength * random());
            let coupling = Coupling::from_filters(filters.view()).unwrap();
            let slopes: Vec<f64> = (0..n_neurons).map(|_| 1.0 + random()).collect();
            let (exact, watched) = (spectral_radius(companion(&coupling, &slopes)), growth(&coupling, &slopes, false));
            assert!((watched / exact - 1.0).abs() < 5e-3, "{window} {n_neurons}: {exact} {watched}");
        }
    }

    #[test]
    fn numbers_at_the_limits_are_not_lost() {
        assert!((of_one_neuron(&[1e200]).spectral_radius / 1e200 - 1.0).abs() < 1e-8);
        assert!((of_one_neuron(&[1e-200]).spectral_radius / 1e-200 - 1.0).abs() < 1e-8);
        assert_eq!(of_one_neuron(&[0.0; 100]).spectral_radius, 0.0);
        let huge = of_one_neuron(&[f64::MAX; 100]);
        assert!(!huge.is_stable(), "{huge:?}");
    }
}

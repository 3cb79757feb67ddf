//! Whether a network that feeds back upon itself keeps its activity.

use ndarray::{Array2, Axis};

use crate::{Coupling, ScalarLink};

/// How activity spreads through a network, linearised where nobody has fired and nothing drives it.
///
/// There the rate of neuron `i` is `link(intercept[i])`, and one more spike of neuron `j` makes neuron `i` fire
///
/// ```text
/// gain[i, j] = link'(intercept[i]) · Σₗ filter[l, i, j]
/// ```
///
/// spikes more, in all. A spectral radius of the gains above one says that spikes have more than one descendant each:
/// activity grows until the link saturates, or without end. It says nothing of a drive, and under an exponential link the
/// slope rises with the rate, so that a strong drive can upset a network that is stable at rest.
///
/// | field | below one | above one |
/// |---|---|---|
/// | `spectral_radius` | excitation and inhibition, over the whole window, leave less than one descendant | activity grows, if the leading eigenvalue is positive |
/// | `upper_bound` | the linearised network is stable | nothing follows, unless all filters are positive |
///
/// # References
/// Hawkes & Oakes (1974), *Journal of Applied Probability* 11(3), for spikes as descendants of spikes. doi:10.2307/3212693
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Stability {
    /// The largest absolute eigenvalue of the gains.
    pub spectral_radius: f64,
    /// The same for the absolute values of filters and slopes.
    pub upper_bound: f64,
}

impl Stability {
    pub(crate) fn new(coupling: &Coupling, intercept: &[f64], link: &impl ScalarLink) -> Self {
        let slopes: Vec<f64> = intercept.iter().map(|&intercept| link.slope_of(intercept)).collect();
        let radius = |value: fn(f64) -> f64| {
            let mut gains = coupling.integrals(value);
            for (mut row, &slope) in gains.axis_iter_mut(Axis(0)).zip(&slopes) {
                row *= value(slope);
            }
            spectral_radius(gains)
        };
        Stability {
            spectral_radius: radius(std::convert::identity),
            upper_bound: radius(f64::abs),
        }
    }
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
        let norm = matrix.iter().map(|value| value * value).sum::<f64>().sqrt();
        if norm == 0.0 {
            return 0.0;
        }
        logarithm += share * norm.ln();
        // Once one eigenvalue leads, all further norms are the same, and their shares add up to the last.
        if share < 0.01 && (norm - previous).abs() < 1e-12 * norm {
            logarithm += share * norm.ln();
            break;
        }
        previous = norm;
        matrix /= norm;
        matrix = matrix.dot(&matrix);
        share *= 0.5;
    }
    logarithm.exp()
}

#[cfg(test)]
mod tests {
    use super::*;

    use ndarray::array;
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
    fn gains_are_slopes_times_integrals() {
        // Neuron 0 hears neuron 1 and the other way: eigenvalues ±√(gain₀₁ · gain₁₀).
        let filters = array![[[0.0, 1.0], [3.0, 0.0]], [[0.0, 1.0], [-1.0, 0.0]]];
        let coupling = Coupling::from_filters(filters.view()).unwrap();
        let stability = Stability::new(&coupling, &[0.0, 0.0], &Identity);
        assert!((stability.spectral_radius - 2.0).abs() < 1e-8);
        assert!((stability.upper_bound - 8.0_f64.sqrt()).abs() < 1e-8);
        let quiet = Stability::new(&coupling, &[-2.0, -2.0], &Exp);
        assert!((quiet.spectral_radius - 2.0 * (-2.0_f64).exp()).abs() < 1e-8);
    }
}

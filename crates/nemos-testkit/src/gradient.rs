//! Gradients against central finite differences.

use crate::Tolerance;

/// Compares `gradient`, claimed at `point`, with central differences of `function`.
///
/// ```text
/// ∂f/∂xᵢ ≈ (f(x + h eᵢ) − f(x − h eᵢ)) / 2h,   h = ε^(1/3) max(1, |xᵢ|)
/// ```
///
/// The error of that is about ε^(2/3) ≈ 4e-11 of the function's size and curvature, so that a right gradient agrees to
/// 1e-6 of its largest entry unless the function is much larger than its slope.
///
/// # Errors
/// A sentence that names the entry that is furthest off.
///
/// # Example
/// ```
/// use nemos_testkit::check_gradient;
/// let square = |x: &[f64]| x.iter().map(|x| x * x).sum();
/// assert!(check_gradient(square, &[1.0, -2.0], &[2.0, -4.0]).is_ok());
/// assert!(check_gradient(square, &[1.0, -2.0], &[2.0, -4.1]).is_err());
/// ```
pub fn check_gradient(function: impl Fn(&[f64]) -> f64, point: &[f64], gradient: &[f64]) -> Result<(), String> {
    let difference = |index: usize| {
        let step = f64::EPSILON.cbrt() * point[index].abs().max(1.0);
        let at = |value: f64| {
            let mut moved = point.to_vec();
            moved[index] = value;
            function(&moved)
        };
        let (high, low) = (point[index] + step, point[index] - step);
        (at(high) - at(low)) / (high - low)
    };
    let expected: Vec<f64> = (0..point.len()).map(difference).collect();
    Tolerance::SMOOTH_FIT.check("gradient", gradient, &expected)
}

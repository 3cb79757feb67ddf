//! Where a column goes next: what tells one method from another.

use ndarray::Array2;

use crate::problem::objective::Order;

/// A method of descent on one column: from where it is to where it tries next. What to write for a solver of one's own.
///
/// [`Descent`](crate::Descent) does everything else: it evaluates all columns in one pass, searches along the direction,
/// measures how far the minimum is, restarts and stops. Points, gradients and curvatures are in a space in which
/// the expected curvature is one in every direction, so that minus the gradient is a Newton step as long as the
/// curvature is the expected one. (Where an objective knows no
/// [expected curvature](crate::Objective::expected_curvature), they are the parameters themselves.)
///
/// *Implementor must* return a direction of descent where it can; one that leads uphill ends in a
/// [`reset`](Direction::reset), and then in [`Stalled`](crate::Status::Stalled).
/// *Implementor must* scale it so that its end is where the method expects the minimum: a step of length one is tried
/// first, and the fall that it promises is the estimate of the distance to the minimum.
///
/// # Example
/// Barzilai and Borwein's step, by the curvature along the last one:
/// ```
/// use nemos_solvers::Direction;
/// #[derive(Clone, Debug)]
/// struct BarzilaiBorwein(f64);
/// impl Direction for BarzilaiBorwein {
///     fn direction(&mut self, _: &[f64], gradient: &[f64], _: Option<&ndarray::Array2<f64>>) -> Vec<f64> {
///         gradient.iter().map(|g| -g / self.0).collect()
///     }
///     fn update(&mut self, step: &[f64], change: &[f64]) {
///         let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
///         self.0 = (dot(step, change) / dot(step, step)).max(1e-3);
///     }
/// }
/// let mut method = BarzilaiBorwein(1.0);
/// method.update(&[1.0, 0.0], &[2.0, 0.5]);
/// assert_eq!(method.direction(&[0.0; 2], &[1.0, -1.0], None), [-0.5, 0.5]);
/// ```
pub trait Direction: Clone + std::fmt::Debug + Send {
    /// The step to try from a point with this gradient, and with this curvature where [`order`](Direction::order) asked
    /// for it and the objective has it.
    fn direction(&mut self, point: &[f64], gradient: &[f64], curvature: Option<&Array2<f64>>) -> Vec<f64>;

    /// Learns from a step taken and the change of the gradient over it.
    fn update(&mut self, _step: &[f64], _change: &[f64]) {}

    /// Forgets all that was learnt; returns whether there was anything. Also called where the space changes, as it does for
    /// a column that takes long: what is kept then would be in the old coordinates.
    fn reset(&mut self) -> bool {
        false
    }

    /// What each evaluation should bring.
    fn order(&self) -> Order<'static> {
        Order::Gradient
    }

    /// Estimated distance of the objective to its minimum, where the slope along the direction is this. Half the slope is
    /// right where the direction ends at the minimum; a method that looks along one direction of many knows better.
    fn decrement(&self, _gradient: &[f64], slope: f64) -> f64 {
        -0.5 * slope
    }
}

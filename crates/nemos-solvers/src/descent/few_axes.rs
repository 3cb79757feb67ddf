//! Axes of a column's own from its curvature among a few features, where that of all would be dear.
//!
//! In the whitened space the expected curvature is one. Let `V` be the directions there of moves of a few coefficients and the
//! intercept, `V = Q R` with orthonormal `Q`, and `H` the curvature among those moves. Elsewhere, and between the two, the features
//! go together as is expected; so the curvature is
//!
//! ```text
//! 1 − Q Qᵀ + Q (R⁻ᵀ H R⁻¹) Qᵀ = L Lᵀ,     L = 1 − Q Qᵀ + Q K Qᵀ,     K Kᵀ = R⁻ᵀ H R⁻¹
//! ```
//!
//! A refractory cell, which hardly fires right after a spike, is known by its own history: a dozen of hundreds of features.

use ndarray::{Array2, Axis, s};

use crate::descent::own_axes::OwnAxes;
use crate::linear::vector::{add, dot, norm};
use crate::problem::parameters::Parameters;

// A move that the others make but for this share says nothing new.
const DEPENDENT: f64 = 1e-3;

/// A linear change of variables along a few directions of the space.
#[derive(Clone, Debug)]
pub(crate) struct FewAxes {
    /// Orthonormal directions, one after the other.
    along: Vec<Vec<f64>>,
    inner: OwnAxes,
}

impl FewAxes {
    /// From moves in the space, a column for each, and the curvature among them, `[n_moves, n_moves]`; nothing where that is not
    /// positive.
    pub(crate) fn new(moves: &Parameters, curvature: &Array2<f64>) -> Option<Self> {
        let Factors { along, upper, kept } = factors(moves);
        let lower = OwnAxes::of_lower(upper.t());
        let mut inner = curvature.select(Axis(0), &kept).select(Axis(1), &kept);
        // R⁻ᵀ H, and the same of its transpose.
        for _ in 0..2 {
            for mut column in inner.columns_mut() {
                let solved = lower.gradient(&column.to_vec());
                column.iter_mut().zip(solved).for_each(|(to, from)| *to = from);
            }
            inner.swap_axes(0, 1);
        }
        OwnAxes::new(&inner).map(|inner| FewAxes { along, inner })
    }

    /// `v + Q (change − 1) Qᵀ v`, for a change between the space and own coordinates.
    pub(crate) fn changed(&self, v: &[f64], change: impl Fn(&OwnAxes, &[f64]) -> Vec<f64>) -> Vec<f64> {
        let parts: Vec<f64> = self.along.iter().map(|direction| dot(direction, v)).collect();
        let mut out = v.to_vec();
        for ((direction, before), after) in self.along.iter().zip(&parts).zip(change(&self.inner, &parts)) {
            add(&mut out, after - before, direction);
        }
        out
    }
}

/// `V = Q R`, without the moves that depend on those before them.
struct Factors {
    /// The columns of `Q`.
    along: Vec<Vec<f64>>,
    /// `R`, `[n_kept, n_kept]`
    upper: Array2<f64>,
    /// The moves that are left.
    kept: Vec<usize>,
}

/// By Gram and Schmidt, each move twice: the first time leaves rounding of what it takes away, and twice is enough (Giraud,
/// Langou, Rozložník & van den Eshof 2005, *Numerische Mathematik* 101).
fn factors(moves: &Parameters) -> Factors {
    let (mut along, mut kept): (Vec<Vec<f64>>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut upper = Array2::zeros((moves.n_problems(), moves.n_problems()));
    for (number, moved) in moves.columns().enumerate() {
        let mut rest = moved.to_vec();
        let mut parts = vec![0.0; along.len()];
        for _ in 0..2 {
            for (direction, part) in along.iter().zip(&mut parts) {
                let share = dot(direction, &rest);
                add(&mut rest, -share, direction);
                *part += share;
            }
        }
        let length = norm(&rest);
        if length > DEPENDENT * norm(moved) {
            let place = along.len();
            parts.iter().enumerate().for_each(|(row, part)| upper[(row, place)] = *part);
            upper[(place, place)] = length;
            along.push(rest.iter().map(|x| x / length).collect());
            kept.push(number);
        }
    }
    let upper = upper.slice(s![..kept.len(), ..kept.len()]).to_owned();
    Factors { along, upper, kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn the_curvature_among_the_moves_is_the_one_given_and_elsewhere_one() {
        // Two moves of three dimensions, and a third that is their sum.
        let moves = Parameters::from_columns(3, [&[2.0, 0.0, 0.0][..], &[1.0, 0.5, 0.0], &[3.0, 0.5, 0.0]]);
        let given = array![[0.04, 0.01, 0.05], [0.01, 0.5, 0.51], [0.05, 0.51, 0.56]];
        let axes = FewAxes::new(&moves, &given).unwrap();
        let form = |v: &[f64]| axes.changed(v, OwnAxes::own).iter().map(|x| x * x).sum::<f64>();
        for weights in [
            array![1.0, 0.0, 0.0],
            array![0.0, 1.0, 0.0],
            array![0.3, -2.0, 0.0],
            array![0.0, 0.0, 1.0],
        ] {
            let moved: Array1<f64> = (0..3)
                .map(|row| (0..3).map(|column| moves.column(column)[row] * weights[column]).sum())
                .collect();
            let expected = weights.dot(&given.dot(&weights));
            assert!((form(moved.as_slice().unwrap()) - expected).abs() < 1e-5 * expected, "{weights}");
        }
        assert!((form(&[0.0, 0.0, 3.0]) - 9.0).abs() < 1e-12);
        let close = |a: Vec<f64>| a.iter().zip([1.0, -2.0, 3.0]).all(|(a, b): (&f64, f64)| (a - b).abs() < 1e-12);
        assert!(close(axes.changed(&axes.changed(&[1.0, -2.0, 3.0], OwnAxes::own), OwnAxes::point)));
        assert!(close(
            axes.changed(&axes.changed(&[1.0, -2.0, 3.0], OwnAxes::gradient), OwnAxes::gradient_back)
        ));
        // Slopes along a move are the same in both.
        let (slope, step) = ([0.3, 0.7, -0.2], [1.0, 2.0, -1.0]);
        assert!((dot(&axes.changed(&slope, OwnAxes::gradient), &axes.changed(&step, OwnAxes::own)) - dot(&slope, &step)).abs() < 1e-12);
        assert!(FewAxes::new(&moves, &Array2::zeros((3, 3))).is_none());
    }
}

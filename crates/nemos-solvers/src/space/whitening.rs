//! The second layer: centred features scaled and rotated so that the expected curvature is one along every axis.
//!
//! ```text
//! coef = rotation · (v / √curvature)        rotationᵀ (covariance + ridge/weight) rotation = 1
//! curvature = weight · variance + ridge     along each axis, of the problem itself
//! ```
//!
//! However collinear or badly scaled the features are, gradient descent is Newton's method there, as long as the
//! curvature is the expected one. Directions in which no feature varies are left out: what they carry cannot be told from
//! the data. Problems with the same moments and mask share their axes, and differ in the scales along them.

use std::sync::Arc;

use ndarray::{Array1, Array2, ArrayView1, s};
use rayon::prelude::*;

use crate::error::Error;
use crate::linear::axes::Axes;
use crate::problem::expected_curvature::ExpectedCurvature;
use crate::problem::parameters::Parameters;
use crate::space::feature_sets::{FeatureSet, feature_sets, members};

/// A change of variables, predictor by predictor of a problem: from `v` `[width]` to centred parameters
/// `[n_features + 1]`. Values of `v` between the rank and the last act on nothing; the last is the intercept.
#[derive(Clone, Debug)]
pub(crate) struct Whitening {
    axes: Vec<Arc<Axes>>,
    /// Which axes each predictor of each problem has: `problem · n_predictors + predictor`.
    of: Vec<usize>,
    n_predictors: usize,
    /// Parameters per predictor.
    stride: usize,
    /// Dimensions per predictor.
    width: usize,
    /// `[n_predictors · width, n_problems]`: one over the root of the expected curvature along each dimension.
    scale: Array2<f64>,
}

impl Whitening {
    pub(crate) fn new(expected: &ExpectedCurvature) -> Result<Self, Error> {
        let n_predictors = expected.n_predictors();
        let (sets, of) = feature_sets(expected);
        let members = members(&of, sets.len(), n_predictors);
        let axes: Vec<Arc<Axes>> = sets
            .into_par_iter()
            .zip(&members)
            .map(|(set, members)| axes_of(expected, set, members))
            .collect::<Result<_, _>>()?;
        // One width for all, so that points are a rectangle: where the rank is less, what is left idles at zero.
        let width = axes.iter().map(|axes| axes.rank()).max().unwrap_or(0) + 1;
        let mut whitening = Whitening {
            scale: Array2::ones((n_predictors * width, expected.weight.ncols())),
            axes,
            of,
            n_predictors,
            stride: expected.n_features() + 1,
            width,
        };
        for (set, members) in members.iter().enumerate() {
            whitening.set_scales(expected, set, members);
        }
        Ok(whitening)
    }

    /// Scales that make the expected curvature of each of these problems one along its axes.
    fn set_scales(&mut self, expected: &ExpectedCurvature, set: usize, members: &[(usize, usize)]) {
        let (axes, width, n_features) = (self.axes[set].clone(), self.width, expected.n_features());
        // diag(rotationᵀ diag(ridge) rotation) = (rotation ∘ rotation)ᵀ ridge
        let squares = expected.ridge.as_ref().map(|_| axes.rotation.mapv(|x| x * x));
        for &(problem, predictor) in members {
            let weight = expected.weight[(predictor, problem)];
            let mut curvature = &axes.variance * weight;
            if let Some(squares) = &squares {
                let ridge: Array1<f64> = axes
                    .free
                    .iter()
                    .map(|i| expected.ridge_at(predictor * n_features + i, problem))
                    .collect();
                curvature += &squares.t().dot(&ridge);
            }
            let first = predictor * width;
            let scale = curvature.mapv(|curvature| curvature.max(f64::MIN_POSITIVE).sqrt().recip());
            self.scale.slice_mut(s![first..first + axes.rank(), problem]).assign(&scale);
            self.scale[(first + width - 1, problem)] = weight.sqrt().recip();
        }
    }

    /// Dimensions of the space.
    pub(crate) fn dimension(&self) -> usize {
        self.n_predictors * self.width
    }

    /// Directions that the free features of a problem span, over its predictors.
    pub(crate) fn rank(&self, problem: usize) -> usize {
        (0..self.n_predictors).map(|predictor| self.axes(problem, predictor).rank()).sum()
    }

    fn axes(&self, problem: usize, predictor: usize) -> &Axes {
        &self.axes[self.of[problem * self.n_predictors + predictor]]
    }

    fn scale(&self, problem: usize) -> ArrayView1<'_, f64> {
        self.scale.column(problem)
    }

    /// From points of the space to centred parameters, a column for each of `problems`.
    pub(crate) fn parameters_at(&self, points: &Parameters, problems: &[usize]) -> Parameters {
        let mut parameters = Parameters::zeros(self.stride * self.n_predictors, points.n_problems());
        // A row per place: [n_places, rank] · [rank, n_free]
        let turned = self.by_axes(problems, |axes, places| {
            let mut scaled = Array2::zeros((places.len(), axes.rank()));
            for (mut row, &(index, predictor)) in scaled.rows_mut().into_iter().zip(places) {
                let first = predictor * self.width;
                let (from, scale) = (&points.column(index)[first..], self.scale(problems[index]));
                for (axis, to) in row.iter_mut().enumerate() {
                    *to = from[axis] * scale[first + axis];
                }
            }
            scaled.dot(&axes.rotation.t())
        });
        for Turned { axes, places, rows } in turned {
            for (&(index, predictor), coef) in places.iter().zip(rows.rows()) {
                let last = (predictor + 1) * self.width - 1;
                let to = &mut parameters.column_mut(index)[predictor * self.stride..(predictor + 1) * self.stride];
                axes.free.iter().zip(&coef).for_each(|(&feature, &value)| to[feature] = value);
                to[self.stride - 1] = points.column(index)[last] * self.scale(problems[index])[last];
            }
        }
        parameters
    }

    /// From centred parameters to points of the space. What lies in directions that change no predictor is lost.
    pub(crate) fn point_of(&self, centred: &Parameters, problems: &[usize]) -> Parameters {
        let inverse = |axes: &Axes, rows: Array2<f64>| rows.dot(&axes.inverse.t());
        self.turned(centred, problems, inverse, |value, scale| value / scale)
    }

    /// From gradients in centred parameters to gradients in the space.
    pub(crate) fn gradient(&self, centred: &Parameters, problems: &[usize]) -> Parameters {
        let rotate = |axes: &Axes, rows: Array2<f64>| rows.dot(&axes.rotation);
        self.turned(centred, problems, rotate, |value, scale| value * scale)
    }

    /// Free coefficients `[n_places, n_free]` along the axes, by `turn`, and then at the scales of the problem, by `fit`.
    fn turned(
        &self,
        from: &Parameters,
        problems: &[usize],
        turn: impl Fn(&Axes, Array2<f64>) -> Array2<f64> + Sync,
        fit: impl Fn(f64, f64) -> f64,
    ) -> Parameters {
        let mut out = Parameters::zeros(self.dimension(), from.n_problems());
        let turned = self.by_axes(problems, |axes, places| {
            let mut free = Array2::zeros((places.len(), axes.free.len()));
            for (mut row, &(index, predictor)) in free.rows_mut().into_iter().zip(places) {
                let column = &from.column(index)[predictor * self.stride..];
                row.iter_mut().zip(&axes.free).for_each(|(to, &feature)| *to = column[feature]);
            }
            turn(axes, free)
        });
        for Turned { places, rows, .. } in turned {
            for (row, &(index, predictor)) in rows.rows().into_iter().zip(&places) {
                let (first, last) = (predictor * self.width, (predictor + 1) * self.width - 1);
                let scale = self.scale(problems[index]);
                let intercept = from.column(index)[(predictor + 1) * self.stride - 1];
                let to = out.column_mut(index);
                for (axis, &value) in row.iter().enumerate() {
                    to[first + axis] = fit(value, scale[first + axis]);
                }
                to[last] = fit(intercept, scale[last]);
            }
        }
        out
    }

    /// From a curvature in centred parameters of a problem to one in the space.
    pub(crate) fn curvature(&self, centred: &Array2<f64>, problem: usize) -> Array2<f64> {
        // Columns of the Jacobian: a move along an axis changes coefficients by the rotation, at its scale.
        let mut jacobian = Array2::zeros((self.stride * self.n_predictors, self.dimension()));
        for predictor in 0..self.n_predictors {
            let axes = self.axes(problem, predictor);
            let (row, column) = (predictor * self.stride, predictor * self.width);
            for (&feature, values) in axes.free.iter().zip(axes.rotation.rows()) {
                jacobian.slice_mut(s![row + feature, column..column + axes.rank()]).assign(&values);
            }
            jacobian[(row + self.stride - 1, column + self.width - 1)] = 1.0;
        }
        jacobian *= &self.scale(problem);
        let mut out = jacobian.t().dot(centred).dot(&jacobian);
        for predictor in 0..self.n_predictors {
            // Nothing moves along these; one on the diagonal keeps the matrix regular.
            for idle in self.axes(problem, predictor).rank()..self.width - 1 {
                out[(predictor * self.width + idle, predictor * self.width + idle)] = 1.0;
            }
        }
        out
    }

    /// Among the centred parameters that give the same predictors, those of least norm.
    pub(crate) fn least_norm(&self, centred: &mut Parameters) {
        for problem in 0..centred.n_problems() {
            for predictor in 0..self.n_predictors {
                let axes = self.axes(problem, predictor);
                let Some(null) = &axes.null else { continue };
                let column = &mut centred.column_mut(problem)[predictor * self.stride..(predictor + 1) * self.stride];
                let before: Array1<f64> = axes.free.iter().map(|&feature| column[feature]).collect();
                let excess = null.dot(&null.t().dot(&before));
                for (&feature, &value) in axes.free.iter().zip(&excess) {
                    column[feature] -= value;
                }
            }
        }
    }

    /// Calls `act` for each set of axes, in parallel, with the places that have it: index among `problems` and predictor.
    fn by_axes(&self, problems: &[usize], act: impl Fn(&Axes, &[(usize, usize)]) -> Array2<f64> + Sync) -> Vec<Turned<'_>> {
        let of: Vec<usize> = problems
            .iter()
            .flat_map(|problem| &self.of[problem * self.n_predictors..(problem + 1) * self.n_predictors])
            .copied()
            .collect();
        let jobs: Vec<(&Axes, Vec<(usize, usize)>)> = self
            .axes
            .iter()
            .map(|axes| &**axes)
            .zip(members(&of, self.axes.len(), self.n_predictors))
            .filter(|(_, places)| !places.is_empty())
            .collect();
        let turned = jobs.into_par_iter().map(|(axes, places)| Turned {
            rows: act(axes, &places),
            axes,
            places,
        });
        turned.collect()
    }
}

/// What became of the places that share their axes, a row for each.
struct Turned<'a> {
    axes: &'a Axes,
    places: Vec<(usize, usize)>,
    rows: Array2<f64>,
}

/// The axes of a set of features: those that the moments keep, where no mask or penalty changes them.
fn axes_of(expected: &ExpectedCurvature, set: FeatureSet, members: &[(usize, usize)]) -> Result<Arc<Axes>, Error> {
    let moments = &expected.moments[set.moments];
    // Nothing of the problems enters: all that share moments and mask share these, in every solve.
    if expected.ridge.is_none() {
        return if set.free.len() == moments.mean.len() {
            moments.axes()
        } else {
            Axes::new(set.free, &moments.covariance, None, moments.precision).map(Arc::new)
        };
    }
    // The mean penalty of the problems that share the axes: where they differ in its strength alone, it has the shape of
    // each, and the axes are exact for all of them.
    let share = 1.0 / members.len().max(1) as f64;
    let weight: f64 = members
        .iter()
        .map(|&(problem, predictor)| expected.weight[(predictor, problem)] * share)
        .sum();
    let n_features = moments.mean.len();
    let mut ridge = vec![0.0; n_features];
    for &(problem, predictor) in members {
        for (feature, sum) in ridge.iter_mut().enumerate() {
            *sum += expected.ridge_at(predictor * n_features + feature, problem) * share / weight.max(f64::MIN_POSITIVE);
        }
    }
    let axes = Axes::new(set.free, &moments.covariance, Some(&ridge), moments.precision)?;
    let alone = members.len() == 1 || axes.rank() == 0;
    Ok(Arc::new(if alone { axes } else { axes.aligned(&moments.covariance)? }))
}

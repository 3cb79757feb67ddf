//! The space that solvers of smooth problems step in: features centred, scaled and rotated so that they are
//! uncorrelated.
//!
//! In it the curvature of every column is close to a diagonal that is known in advance, however collinear or badly
//! scaled the features are. Directions in which no feature varies are left out: what they carry cannot be told from
//! the data. Columns whose free features are the same share their axes.

use std::collections::HashMap;

use ndarray::{Array2, ArrayView2, Axis, s};
use rayon::prelude::*;

use crate::axes::Axes;
use crate::{Error, Gram, Parameters};

/// A change of variables, block by block of a column: from `v` `[width]` to parameters `[n_features + 1]` by
/// `coef = rotation · v[..rank]`, `intercept = v[width − 1] − mean · coef`. Values of `v` between the two act on nothing.
#[derive(Clone, Debug)]
pub(crate) struct Space {
    whitening: Option<Whitening>,
    n_parameters: usize,
}

#[derive(Clone, Debug)]
struct Whitening {
    axes: Vec<Axes>,
    /// Which axes each block of each problem has: `problem · n_blocks + block`.
    of: Vec<usize>,
    n_blocks: usize,
    /// Dimensions per block.
    width: usize,
    /// `[n_blocks · width, n_problems]`: expected curvature along each dimension.
    curvature: Array2<f64>,
}

/// The features of each block of each problem that may move, each set once, and which set each has.
pub(crate) fn free_sets(gram: &Gram) -> (Vec<Vec<usize>>, Vec<usize>) {
    let n_features = gram.mean.len();
    let (n_blocks, n_problems) = gram.weight.dim();
    let Some(free) = &gram.free else {
        return (vec![(0..n_features).collect()], vec![0; n_blocks * n_problems]);
    };
    let mut known: HashMap<Vec<usize>, usize> = HashMap::new();
    let mut sets = Vec::new();
    let of = (0..n_problems).flat_map(|problem| (0..n_blocks).map(move |block| (problem, block)));
    let of = of
        .map(|(problem, block)| {
            let set: Vec<usize> = (0..n_features).filter(|i| free[(block * n_features + i, problem)]).collect();
            *known.entry(set).or_insert_with_key(|set| {
                sets.push(set.clone());
                sets.len() - 1
            })
        })
        .collect();
    (sets, of)
}

impl Space {
    /// The space of an objective that knows its features, or else the space of the parameters themselves.
    pub(crate) fn new(gram: Option<&Gram>, n_parameters: usize) -> Result<Self, Error> {
        let whitening = gram.map(Whitening::new).transpose()?;
        Ok(Space { whitening, n_parameters })
    }

    /// Dimensions of the space.
    pub(crate) fn dimension(&self) -> usize {
        self.whitening
            .as_ref()
            .map_or(self.n_parameters, |space| space.n_blocks * space.width)
    }

    /// Directions that the free features of a problem span, over its blocks.
    pub(crate) fn rank(&self, problem: usize) -> usize {
        match &self.whitening {
            None => self.n_parameters.saturating_sub(1),
            Some(space) => (0..space.n_blocks).map(|block| space.axes(problem, block).rank()).sum(),
        }
    }

    /// Expected curvature of a problem along each dimension.
    pub(crate) fn curvature(&self, problem: usize) -> Vec<f64> {
        match &self.whitening {
            None => vec![1.0; self.n_parameters],
            Some(space) => space.curvature.column(problem).to_vec(),
        }
    }

    /// From points of the space to parameters, a column for each of `problems`.
    pub(crate) fn parameters_at(&self, points: &Parameters, problems: &[usize]) -> Parameters {
        let Some(space) = &self.whitening else { return points.clone() };
        let stride = self.n_parameters / space.n_blocks;
        let mut parameters = Parameters::zeros(self.n_parameters, points.n_problems());
        space.by_axes(problems, |axes, places| {
            // A row per problem and block: [n_rows, rank] · [rank, n_free]
            let coef = space.gather(points, places, space.width, axes.rank()).dot(&axes.rotation.t());
            for (&(index, block), coef) in places.iter().zip(coef.axis_iter(Axis(0))) {
                let to = &mut parameters.column_mut(index)[block * stride..(block + 1) * stride];
                axes.free.iter().zip(&coef).for_each(|(&feature, &value)| to[feature] = value);
                to[stride - 1] = points.column(index)[(block + 1) * space.width - 1] - axes.mean.dot(&coef);
            }
        });
        parameters
    }

    /// From parameters to points of the space. What lies in directions that change no predictor is lost.
    pub(crate) fn point_of(&self, parameters: &Parameters, problems: &[usize]) -> Parameters {
        let Some(space) = &self.whitening else { return parameters.clone() };
        let stride = self.n_parameters / space.n_blocks;
        let mut points = Parameters::zeros(self.dimension(), parameters.n_problems());
        space.by_axes(problems, |axes, places| {
            for &(index, block) in places {
                let from = &parameters.column(index)[block * stride..(block + 1) * stride];
                let coef: ndarray::Array1<f64> = axes.free.iter().map(|&feature| from[feature]).collect();
                let to = &mut points.column_mut(index)[block * space.width..(block + 1) * space.width];
                to.iter_mut().zip(axes.inverse.dot(&coef)).for_each(|(to, value)| *to = value);
                to[space.width - 1] = from[stride - 1] + axes.mean.dot(&coef);
            }
        });
        points
    }

    /// From gradients in the parameters to gradients in the space.
    pub(crate) fn gradient(&self, gradient: Parameters, problems: &[usize]) -> Parameters {
        let Some(space) = &self.whitening else { return gradient };
        let stride = self.n_parameters / space.n_blocks;
        let mut out = Parameters::zeros(self.dimension(), gradient.n_problems());
        space.by_axes(problems, |axes, places| {
            let mut centred = Array2::zeros((places.len(), axes.free.len()));
            for (mut row, &(index, block)) in centred.axis_iter_mut(Axis(0)).zip(places) {
                let from = &gradient.column(index)[block * stride..(block + 1) * stride];
                for ((to, &feature), mean) in row.iter_mut().zip(&axes.free).zip(&axes.mean) {
                    *to = from[feature] - from[stride - 1] * mean;
                }
            }
            let rotated = centred.dot(&axes.rotation);
            for (row, &(index, block)) in rotated.axis_iter(Axis(0)).zip(places) {
                let to = &mut out.column_mut(index)[block * space.width..(block + 1) * space.width];
                to.iter_mut().zip(&row).for_each(|(to, &value)| *to = value);
                to[space.width - 1] = gradient.column(index)[(block + 1) * stride - 1];
            }
        });
        out
    }

    /// From a curvature in the parameters of a problem to one in the space.
    pub(crate) fn hessian(&self, hessian: &Array2<f64>, problem: usize) -> Array2<f64> {
        let Some(space) = &self.whitening else { return hessian.clone() };
        let stride = self.n_parameters / space.n_blocks;
        // Columns of the Jacobian: a move along an axis changes coefficients by `rotation` and the intercept by −mean·rotation.
        let mut jacobian = Array2::zeros((self.n_parameters, self.dimension()));
        for block in 0..space.n_blocks {
            let axes = space.axes(problem, block);
            let (row, column) = (block * stride, block * space.width);
            for (&feature, values) in axes.free.iter().zip(axes.rotation.rows()) {
                jacobian.slice_mut(s![row + feature, column..column + axes.rank()]).assign(&values);
            }
            let back = -axes.mean.dot(&axes.rotation);
            jacobian.slice_mut(s![row + stride - 1, column..column + axes.rank()]).assign(&back);
            jacobian[(row + stride - 1, column + space.width - 1)] = 1.0;
        }
        let mut out = jacobian.t().dot(hessian).dot(&jacobian);
        for block in 0..space.n_blocks {
            for idle in space.axes(problem, block).rank()..space.width - 1 {
                out[(block * space.width + idle, block * space.width + idle)] = 1.0;
            }
        }
        out
    }

    /// Among the parameters that give the same predictors, those of least norm.
    pub(crate) fn least_norm(&self, parameters: &mut Parameters) {
        let Some(space) = &self.whitening else { return };
        let stride = self.n_parameters / space.n_blocks;
        let problems: Vec<usize> = (0..parameters.n_problems()).collect();
        space.by_axes(&problems, |axes, places| {
            let Some(null) = &axes.null else { return };
            for &(index, block) in places {
                let column = &mut parameters.column_mut(index)[block * stride..(block + 1) * stride];
                let before: ndarray::Array1<f64> = axes.free.iter().map(|&feature| column[feature]).collect();
                let excess = null.dot(&null.t().dot(&before));
                axes.free
                    .iter()
                    .zip(&excess)
                    .for_each(|(&feature, &value)| column[feature] -= value);
                column[stride - 1] += axes.mean.dot(&excess);
            }
        });
    }
}

impl Whitening {
    fn new(gram: &Gram) -> Result<Self, Error> {
        let n_features = gram.mean.len();
        let (n_blocks, n_problems) = gram.weight.dim();
        let (sets, of) = free_sets(gram);
        let members = members(&of, sets.len(), n_blocks);
        let axes: Vec<Axes> = sets
            .into_par_iter()
            .zip(&members)
            .map(|(free, members)| {
                let share = 1.0 / members.len().max(1) as f64;
                let weight: f64 = members.iter().map(|&(problem, block)| gram.weight[(block, problem)] * share).sum();
                let mut ridge = vec![0.0; n_features];
                if let Some(strengths) = &gram.ridge {
                    for &(problem, block) in members {
                        for (feature, sum) in ridge.iter_mut().enumerate() {
                            *sum += strengths[(block * n_features + feature, problem)] * share / weight.max(f64::MIN_POSITIVE);
                        }
                    }
                }
                Axes::new(free, &gram.mean, &gram.covariance, &ridge, gram.precision)
            })
            .collect::<Result<_, _>>()?;
        let width = axes.iter().map(Axes::rank).max().unwrap_or(0) + 1;
        let mut curvature = Array2::ones((n_blocks * width, n_problems));
        for (axes, members) in axes.iter().zip(&members) {
            let squares = axes.rotation.mapv(|x| x * x);
            for &(problem, block) in members {
                let mut column = &axes.variance * gram.weight[(block, problem)];
                if let Some(ridge) = &gram.ridge {
                    let ridge: ndarray::Array1<f64> = axes.free.iter().map(|&i| ridge[(block * n_features + i, problem)]).collect();
                    column += &squares.t().dot(&ridge);
                }
                curvature
                    .slice_mut(s![block * width..block * width + axes.rank(), problem])
                    .assign(&column);
                curvature[((block + 1) * width - 1, problem)] = gram.weight[(block, problem)];
            }
        }
        Ok(Whitening {
            axes,
            of,
            n_blocks,
            width,
            curvature,
        })
    }

    fn axes(&self, problem: usize, block: usize) -> &Axes {
        &self.axes[self.of[problem * self.n_blocks + block]]
    }

    /// Calls `act` for each set of axes with the places, index among `problems` and block, that have it.
    fn by_axes(&self, problems: &[usize], mut act: impl FnMut(&Axes, &[(usize, usize)])) {
        let of: Vec<usize> = problems
            .iter()
            .flat_map(|problem| &self.of[problem * self.n_blocks..(problem + 1) * self.n_blocks])
            .copied()
            .collect();
        for (axes, places) in self.axes.iter().zip(members(&of, self.axes.len(), self.n_blocks)) {
            if !places.is_empty() {
                act(axes, &places);
            }
        }
    }

    /// The first `rank` values of the blocks at these places, in rows.
    fn gather(&self, points: &Parameters, places: &[(usize, usize)], width: usize, rank: usize) -> Array2<f64> {
        let mut values = Vec::with_capacity(places.len() * rank);
        for &(index, block) in places {
            values.extend_from_slice(&points.column(index)[block * width..block * width + rank]);
        }
        ArrayView2::from_shape((places.len(), rank), &values)
            .expect("each place gives rank values")
            .to_owned()
    }
}

/// For each set, the problems and blocks that have it.
fn members(of: &[usize], n_sets: usize, n_blocks: usize) -> Vec<Vec<(usize, usize)>> {
    let mut members = vec![Vec::new(); n_sets];
    for (place, &set) in of.iter().enumerate() {
        members[set].push((place / n_blocks, place % n_blocks));
    }
    members
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    fn gram(covariance: Array2<f64>) -> Gram {
        Gram {
            mean: vec![5.0; covariance.nrows()],
            covariance,
            precision: 2e-15,
            weight: array![[0.5, 2.0]],
            ridge: None,
            free: None,
        }
    }

    fn assert_close(a: &[f64], b: &[f64]) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + b.abs())), "{a:?} {b:?}");
    }

    #[test]
    fn parameters_survive_the_way_there_and_back() {
        let space = Space::new(Some(&gram(array![[4.0, 1e-3], [1e-3, 1e-6]])), 3).unwrap();
        let parameters = Parameters::from_columns(3, [&[0.3, -20.0, 1.0][..], &[0.0, 7.0, -1.0]]);
        let back = space.parameters_at(&space.point_of(&parameters, &[0, 1]), &[0, 1]);
        assert_close(back.as_slice(), parameters.as_slice());
    }

    #[test]
    fn blocks_and_masks_have_axes_of_their_own() {
        let mut gram = gram(array![[4.0, 1.0], [1.0, 2.0]]);
        gram.weight = array![[0.5, 2.0], [1.0, 1.0]];
        gram.free = Some(array![[true, true], [true, false], [true, true], [true, true]]);
        let space = Space::new(Some(&gram), 6).unwrap();
        assert_eq!((space.rank(0), space.rank(1), space.dimension()), (4, 3, 6));
        let parameters = Parameters::from_columns(6, [&[0.3, 0.0, 1.0, 2.0, 3.0, 4.0][..]]);
        let back = space.parameters_at(&space.point_of(&parameters, &[1]), &[1]);
        assert_close(back.as_slice(), parameters.as_slice());
        // A gradient in the space times a move equals the gradient in the parameters times what the move changes.
        let gradient = Parameters::from_columns(6, [&[1.0, 0.0, -2.0, 0.5, 0.25, 3.0][..]]);
        let move_ = Parameters::from_columns(6, [&[0.1, 0.7, -0.2, 0.3, 0.4, 0.5][..]]);
        let changed = space.parameters_at(&move_, &[1]);
        let inner = |a: &Parameters, b: &Parameters| crate::descent::dot(a.as_slice(), b.as_slice());
        assert!((inner(&space.gradient(gradient.clone(), &[1]), &move_) - inner(&gradient, &changed)).abs() < 1e-12);
    }

    #[test]
    fn collinear_features_share_the_coefficient() {
        // Two equal features: only their sum is told by the data, and least norm splits it evenly.
        let space = Space::new(Some(&gram(array![[1.0, 1.0], [1.0, 1.0]])), 3).unwrap();
        assert_eq!(space.rank(0), 1);
        let mut parameters = Parameters::from_columns(3, [&[3.0, 1.0, 0.0][..]]);
        space.least_norm(&mut parameters);
        assert_close(parameters.column(0), &[2.0, 2.0, 0.0]);
    }
}

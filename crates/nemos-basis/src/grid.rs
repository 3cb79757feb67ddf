//! A basis on an even grid: what to draw, and what tuning curves are read from.

use ndarray::Array2;
use nemos_core::Segments;

use crate::plan::{Data, Plan, View};
use crate::source::{Columns, Source, Visitor};
use crate::spec::{Mode, Spec};
use crate::{Basis, Error};

/// A basis on an even grid of its inputs.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Grid {
    /// Points along each input.
    pub shape: Vec<usize>,
    /// `[n_points, n_inputs]`: the last input goes fastest.
    pub points: Array2<f64>,
    /// `[n_points, n_functions]`: the basis at each point.
    pub values: Array2<f64>,
}

impl Basis {
    /// The functions on an even grid from bound to bound, or from 0 to 1 without bounds; a filter spans its window from 0 to 1.
    ///
    /// `n_points` has one entry for each input: `[100]`, or `[20, 30]`. Along categories the grid is the categories themselves.
    ///
    /// # Errors
    /// Anything wrong with the basis; [`Error::Inputs`] unless there is one number for each input; [`Error::EmptyGrid`] if one of
    /// them is zero; [`Error::CategoryGrid`] unless there is one point for each category.
    #[doc(alias = "evaluate_on_grid")]
    #[expect(clippy::missing_panics_doc, reason = "the plan fills every row of its layout")]
    pub fn on_grid(&self, n_points: impl AsRef<[usize]>) -> Result<Grid, Error> {
        let shape = n_points.as_ref().to_vec();
        let layout = self.layout(&vec![1; shape.len()])?;
        if let Some(input) = shape.iter().position(|&n_points| n_points == 0) {
            return Err(Error::EmptyGrid { input });
        }
        let labels = self.labels()?;
        let mut axes = Vec::new();
        for (part, label) in self.parts().into_iter().zip(labels) {
            if let Some(functions) = part.as_functions() {
                for input in 0..functions.spec().n_inputs() {
                    axes.push(axis(functions.spec(), input, &label, shape[axes.len()])?);
                }
            }
        }
        let columns = mesh(&axes, &shape);
        let n_points = columns.first().map_or(0, Vec::len);
        let source = Lines { columns: &columns };
        let plan = Plan::new(self, &layout, &source, Mode::Functions)?;
        let segments = Segments::single(n_points);
        let data = Data {
            views: columns
                .iter()
                .map(|column| View {
                    values: column,
                    first_row: 0,
                    n_columns: 1,
                })
                .collect(),
            segments: segments.ranges(),
        };
        let values = plan.host_rows(&data, 0..n_points);
        let points = Array2::from_shape_fn((n_points, columns.len()), |(point, input)| columns[input][point]);
        Ok(Grid {
            shape,
            points,
            values: Array2::from_shape_vec((n_points, layout.n_features()), values).expect("one row per point, one column per feature"),
        })
    }
}

/// The points along one input.
fn axis(spec: &dyn Spec, input: usize, label: &str, n_points: usize) -> Result<Vec<f64>, Error> {
    if let Some(points) = spec.grid() {
        return if n_points == points.len() {
            Ok(points.to_vec())
        } else {
            Err(Error::CategoryGrid {
                label: label.into(),
                got: n_points,
                expected: points.len(),
            })
        };
    }
    let (low, high) = spec.bounds().map_or((0.0, 1.0), |bounds| bounds.of_input(input));
    let last = n_points.saturating_sub(1).max(1);
    // The ends are the bounds exactly: a rounded one could lie outside.
    let point = |index: usize| {
        if index == last {
            high
        } else {
            low + (high - low) * (index as f64 / last as f64)
        }
    };
    Ok((0..n_points).map(point).collect())
}

/// Every combination of the points along each input, the last input fastest.
fn mesh(axes: &[Vec<f64>], shape: &[usize]) -> Vec<Vec<f64>> {
    let n_points = shape.iter().product();
    let mut columns = Vec::with_capacity(axes.len());
    let mut repeats = n_points;
    for (axis, &n) in axes.iter().zip(shape) {
        repeats /= n;
        columns.push((0..n_points).map(|point| axis[(point / repeats) % n]).collect());
    }
    columns
}

/// Columns in host memory, as a plan reads them.
struct Lines<'a> {
    columns: &'a [Vec<f64>],
}

impl Source for Lines<'_> {
    fn columns(&self) -> Vec<Columns> {
        vec![Columns::unnamed(1); self.columns.len()]
    }

    fn n_samples(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    fn visit(&self, input: usize, visitor: Visitor<'_>) -> Result<(), Error> {
        visitor(0, &self.columns[input])
    }
}

#[cfg(test)]
mod tests {
    use crate::{BSpline, Category, Error, Family, Identity, MSpline};

    #[test]
    fn the_last_input_goes_fastest_and_ends_are_the_bounds() {
        let grid = (Identity::new().bounds(-1.0, 1.0) * Identity::new()).on_grid([2, 3]).unwrap();
        assert_eq!(grid.points.column(0).to_vec(), [-1.0, -1.0, -1.0, 1.0, 1.0, 1.0]);
        assert_eq!(grid.points.column(1).to_vec(), [0.0, 0.5, 1.0, 0.0, 0.5, 1.0]);
        assert_eq!(grid.values.column(0).to_vec(), [0.0, -0.5, -1.0, 0.0, 0.5, 1.0]);
    }

    #[test]
    fn categories_are_their_own_grid() {
        let grid = Category::new(2).on_grid([2]).unwrap();
        assert_eq!(grid.values.iter().copied().collect::<Vec<_>>(), [1.0, 0.0, 0.0, 1.0]);
        assert!(matches!(
            Category::new(2).on_grid([3]),
            Err(Error::CategoryGrid { got: 3, expected: 2, .. })
        ));
    }

    #[test]
    fn empty_grids_and_wrong_counts_are_refused() {
        assert!(matches!(BSpline::new(4).on_grid([0]), Err(Error::EmptyGrid { input: 0 })));
        assert!(matches!(
            BSpline::new(4).on_grid([2, 2]),
            Err(Error::Inputs { got: 2, expected: 1, .. })
        ));
        assert!((MSpline::new(5).on_grid([1]).unwrap().values[(0, 0)] - 8.0).abs() < 1e-14);
    }
}

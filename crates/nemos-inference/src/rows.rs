//! Rows seen in other ways: standardised, or in another order.

use std::ops::Range;

use ndarray::Array1;
use nemos_core::{Backend, Design, Error, Matrix, Rows, row_chunks};

/// Means and standard deviations of the features, over the complete rows.
///
/// Sums of products of features keep their digits where the features are centred and of one size.
#[derive(Clone, Debug)]
pub(crate) struct Columns {
    pub(crate) mean: Vec<f64>,
    /// One for a column that does not vary.
    pub(crate) deviation: Vec<f64>,
    /// `[n_rows]`: whether no feature is missing.
    pub(crate) complete: Vec<bool>,
}

impl Columns {
    /// Two passes over the features: means, and then deviations from them.
    pub(crate) fn of<B: Backend>(design: &Design<'_, B>) -> Result<Self, Error> {
        let n_columns = design.n_columns();
        let mut complete = Vec::with_capacity(design.n_rows());
        for range in row_chunks(design.n_rows(), 1024) {
            let chunk = design.chunk(range)?.to_array();
            complete.extend(chunk.rows().into_iter().map(|row| row.iter().all(|x| x.is_finite())));
        }
        let mean = sums(design, &complete, &|sum, x| sum.zip_mut_with(&x, |sum, x| *sum += x))?;
        let shift = mean.clone();
        let variance = sums(design, &complete, &|sum, x| {
            ndarray::Zip::from(sum)
                .and(&x)
                .and(&shift)
                .for_each(|sum, x, shift| *sum += (x - shift).powi(2));
        })?;
        let deviation = variance.iter().zip(&mean).map(|(variance, mean)| {
            let deviation = variance.sqrt();
            if deviation > B::epsilon() * 8.0 * mean.abs() && deviation.is_finite() {
                deviation
            } else {
                1.0
            }
        });
        let deviation: Vec<f64> = deviation.collect();
        debug_assert_eq!(deviation.len(), n_columns);
        Ok(Columns {
            mean: mean.to_vec(),
            deviation,
            complete,
        })
    }
}

/// Adds something of a row to a sum.
type Add<'a> = &'a dyn Fn(&mut Array1<f64>, ndarray::ArrayView1<'_, f64>);

/// The mean over complete rows of something of each.
fn sums<B: Backend>(design: &Design<'_, B>, complete: &[bool], add: Add<'_>) -> Result<Array1<f64>, Error> {
    let mut sum = Array1::zeros(design.n_columns());
    for range in row_chunks(design.n_rows(), 1024) {
        let chunk = design.chunk(range.clone())?.to_array();
        let rows = chunk.rows().into_iter().zip(&complete[range]);
        rows.filter(|(_, complete)| **complete).for_each(|(row, _)| add(&mut sum, row));
    }
    let n = complete.iter().filter(|complete| **complete).count();
    Ok(sum / n.max(1) as f64)
}

/// The features of a design, less their means, over their standard deviations.
pub(crate) struct Standardised<'a, B: Backend> {
    rows: Design<'a, B>,
    mean: Matrix<B>,
    inverse: Matrix<B>,
}

impl<'a, B: Backend> Standardised<'a, B> {
    /// The design with such features, and the same weights and offset.
    pub(crate) fn design(of: &Design<'a, B>, columns: &Columns) -> Result<Design<'a, B>, Error> {
        let row = |values: Vec<f64>| {
            let n = values.len();
            Matrix::from_vec(values, [1, n])
        };
        let rows = Standardised {
            rows: of.clone(),
            mean: row(columns.mean.clone())?,
            inverse: row(columns.deviation.iter().map(|deviation| 1.0 / deviation).collect())?,
        };
        with_extras(Design::from_rows(rows), of.weights().cloned(), of.offset().cloned())
    }

    fn change(&self, rows: Matrix<B>) -> Matrix<B> {
        if rows.dims().contains(&0) {
            return rows;
        }
        let centred = rows.into_tensor() - self.mean.clone().into_tensor();
        Matrix::from_tensor(centred * self.inverse.clone().into_tensor())
    }
}

impl<B: Backend> Rows<B> for Standardised<'_, B> {
    fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    fn n_columns(&self) -> usize {
        self.rows.n_columns()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        Ok(self.change(self.rows.chunk(rows)?))
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        Ok(self.change(self.rows.rows().gather(rows)?))
    }
}

/// Rows in another order.
pub(crate) struct Reordered<'a, B: Backend> {
    rows: Design<'a, B>,
    order: std::sync::Arc<[usize]>,
}

impl<'a, B: Backend> Reordered<'a, B> {
    /// The design in this order, with weights and offset.
    pub(crate) fn design(of: &Design<'a, B>, order: &std::sync::Arc<[usize]>) -> Result<Design<'a, B>, Error> {
        let extra = |values: Option<&Matrix<B>>| values.map(|values| values.select_rows(order)).transpose();
        let (weights, offset) = (extra(of.weights())?, extra(of.offset())?);
        let rows = Reordered {
            rows: of.clone(),
            order: order.clone(),
        };
        with_extras(Design::from_rows(rows), weights, offset)
    }
}

impl<B: Backend> Rows<B> for Reordered<'_, B> {
    fn n_rows(&self) -> usize {
        self.order.len()
    }

    fn n_columns(&self) -> usize {
        self.rows.n_columns()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        self.rows.rows().gather(&self.order[rows])
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        let rows: Vec<usize> = rows.iter().map(|&row| self.order[row]).collect();
        self.rows.rows().gather(&rows)
    }
}

/// A design with weights and an offset, where there are some.
pub(crate) fn with_extras<'a, B: Backend>(
    mut design: Design<'a, B>,
    weights: Option<Matrix<B>>,
    offset: Option<Matrix<B>>,
) -> Result<Design<'a, B>, Error> {
    if let Some(weights) = weights {
        design = design.with_weights(weights)?;
    }
    match offset {
        Some(offset) => design.with_offset(offset),
        None => Ok(design),
    }
}

//! Rows seen in other ways: standardised, or in another order.

use std::ops::Range;

use nemos_core::{Backend, Design, Error, Matrix, Rows};

use crate::columns::Columns;

/// The features of a design, less their means, over their standard deviations.
pub(crate) struct Standardised<'a, B: Backend> {
    rows: Design<'a, B>,
    mean: Vec<f64>,
    inverse: Vec<f64>,
    /// Both as rows of the backend.
    on_device: [Matrix<B>; 2],
}

impl<'a, B: Backend> Standardised<'a, B> {
    /// The design with such features, and the same weights and offset.
    pub(crate) fn design(of: &Design<'a, B>, columns: &Columns) -> Result<Design<'a, B>, Error> {
        let inverse: Vec<f64> = columns.deviation.iter().map(|deviation| 1.0 / deviation).collect();
        let row = |values: &[f64]| Matrix::from_vec(values.to_vec(), [1, values.len()]);
        let rows = Standardised {
            rows: of.clone(),
            on_device: [row(&columns.mean)?, row(&inverse)?],
            mean: columns.mean.clone(),
            inverse,
        };
        let design = with_extras(Design::from_rows(rows), of.weights().cloned(), of.offset().cloned())?;
        match of.share() {
            Some(share) => share.design(design),
            None => Ok(design),
        }
    }

    fn change(&self, rows: Matrix<B>) -> Result<Matrix<B>, Error> {
        if rows.dims().contains(&0) {
            return Ok(rows);
        }
        if let Some(values) = rows.host().as_slice::<f64>() {
            return Matrix::from_vec(self.change_host(values), rows.dims());
        }
        let [mean, inverse] = self.on_device.clone().map(Matrix::into_tensor);
        Ok(Matrix::from_tensor((rows.into_tensor() - mean) * inverse))
    }

    /// The same in one loop.
    #[inline(never)]
    fn change_host(&self, rows: &[f64]) -> Vec<f64> {
        let mut changed = Vec::with_capacity(rows.len());
        for row in rows.chunks_exact(self.mean.len()) {
            let columns = row.iter().zip(&self.mean).zip(&self.inverse);
            changed.extend(columns.map(|((x, mean), inverse)| (x - mean) * inverse));
        }
        changed
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
        self.change(self.rows.chunk(rows)?)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        self.change(self.rows.rows().gather(rows)?)
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
        of.check_whole("a covariance by clusters that do not follow each other")?;
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

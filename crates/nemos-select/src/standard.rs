//! Features of mean zero and standard deviation one, as the training rows have them.

use std::ops::Range;

use ndarray::{Array1, Array2, Axis};
use nemos_core::{Backend, Design, Matrix, Rows, row_chunks};
use nemos_glm::{FittedPopulationGlm, InverseLink, ObservationModel};

use crate::Error;

/// Whether features are standardized.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Standard {
    AsTheyAre,
    Standardized,
}

/// Means and standard deviations of training rows; nothing where features stay as they are.
#[derive(Clone, Debug)]
pub(crate) struct Standardized(Option<(Array1<f64>, Array1<f64>)>);

const CHUNK: usize = 1 << 14;

impl Standard {
    /// From the complete rows of a design; a feature that does not vary keeps its scale.
    pub(crate) fn learn<B: Backend>(self, design: &Design<'_, B>) -> Result<Standardized, Error> {
        if self == Standard::AsTheyAre {
            return Ok(Standardized(None));
        }
        let n_features = design.n_columns();
        let (mut n, mut mean, mut squares) = (0.0, Array1::<f64>::zeros(n_features), Array1::<f64>::zeros(n_features));
        for rows in row_chunks(design.n_rows(), CHUNK) {
            for row in design.chunk(rows)?.to_array().rows() {
                if row.iter().any(|x| x.is_nan()) {
                    continue;
                }
                // Welford's running mean and sum of squares.
                n += 1.0;
                let before = &row - &mean;
                mean += &(&before / n);
                squares += &(&before * &(&row - &mean));
            }
        }
        let deviation = squares.mapv(|squares| match (squares / n).sqrt() {
            deviation if deviation > 0.0 => deviation,
            _ => 1.0,
        });
        Ok(Standardized(Some((mean, deviation))))
    }
}

impl Standardized {
    /// The features, less their means, over their standard deviations.
    pub(crate) fn apply<'a, B: Backend>(&self, design: &Design<'a, B>) -> Result<Design<'a, B>, Error> {
        let Some((mean, deviation)) = self.0.clone() else {
            return Ok(design.clone());
        };
        let rows = Scaled {
            rows: design.clone(),
            mean,
            deviation,
        };
        let mut made = Design::from_rows(rows)
            .with_names(design.names().clone())?
            .with_segments(design.segments())?;
        if let Some(times) = design.times() {
            made = made.with_times(times.to_vec())?;
        }
        if let Some(weights) = design.weights() {
            made = made.with_weights(weights.clone())?;
        }
        if let Some(offset) = design.offset() {
            made = made.with_offset(offset.clone())?;
        }
        Ok(made)
    }

    /// The same model of the features as they were: `coef / deviation`, and an intercept that is less by what the means add.
    pub(crate) fn undo<O: ObservationModel, L: InverseLink>(
        &self,
        fitted: FittedPopulationGlm<O, L>,
    ) -> Result<FittedPopulationGlm<O, L>, Error> {
        let Some((mean, deviation)) = &self.0 else { return Ok(fitted) };
        let coef: Array2<f64> = &fitted.coef() / &deviation.view().insert_axis(Axis(1));
        let intercept = &fitted.intercept() - &mean.dot(&coef);
        let names = (fitted.features().clone(), fitted.neurons().to_vec());
        let made = fitted
            .specification()
            .with_parameters(&coef, &intercept.to_vec())?
            .with_scale(fitted.scale().to_vec(), fitted.dof_resid().to_vec())?
            .with_outcome(fitted.outcome().clone())?
            .with_names(names.0, names.1)?;
        Ok(if fitted.has_offset() { made.needing_offset() } else { made })
    }
}

struct Scaled<'a, B: Backend> {
    rows: Design<'a, B>,
    mean: Array1<f64>,
    deviation: Array1<f64>,
}

impl<B: Backend> Scaled<'_, B> {
    fn scale(&self, rows: &Matrix<B>) -> Matrix<B> {
        let mut values = rows.to_array();
        values -= &self.mean;
        values /= &self.deviation;
        Matrix::from(values)
    }
}

impl<B: Backend> Rows<B> for Scaled<'_, B> {
    fn n_rows(&self) -> usize {
        self.rows.n_rows()
    }

    fn n_columns(&self) -> usize {
        self.rows.n_columns()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, nemos_core::Error> {
        Ok(self.scale(&self.rows.chunk(rows)?))
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, nemos_core::Error> {
        Ok(self.scale(&self.rows.rows().gather(rows)?))
    }
}

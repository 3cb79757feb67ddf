//! Means and standard deviations of the features, and coordinates in which features are standardised.

use ndarray::{Array1, Array2, Axis};
use nemos_core::{Backend, Design, Error, row_chunks};
use nemos_solvers::Parameters;

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
    /// Three passes over the features: which rows are complete, means, and deviations from them.
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

    /// Parameters of one predictor: the coefficients and the intercept.
    pub(crate) fn width(&self) -> usize {
        self.mean.len() + 1
    }

    /// The parameters that give the same predictors where features are standardised.
    pub(crate) fn standardised(&self, parameters: &Parameters) -> Parameters {
        let mut changed = parameters.clone();
        for neuron in 0..changed.n_problems() {
            for column in changed.column_mut(neuron).chunks_exact_mut(self.width()) {
                let last = column.len() - 1;
                let shift: f64 = column[..last].iter().zip(&self.mean).map(|(coef, mean)| coef * mean).sum();
                column[last] += shift;
                column
                    .iter_mut()
                    .zip(&self.deviation)
                    .for_each(|(coef, deviation)| *coef *= deviation);
            }
        }
        changed
    }

    /// A matrix of pairs of parameters, from coordinates of standardised features to those of the features as they are.
    pub(crate) fn unstandardise(&self, of_standardised: &Array2<f64>) -> Array2<f64> {
        let half = self.unstandardise_rows(of_standardised);
        self.unstandardise_rows(&half.reversed_axes()).reversed_axes()
    }

    /// The same for rows of parameters alone: predictor after predictor, the intercept of each last.
    pub(crate) fn unstandardise_rows(&self, of_standardised: &Array2<f64>) -> Array2<f64> {
        let last = self.mean.len();
        let mut changed = of_standardised.clone();
        for mut rows in changed.axis_chunks_iter_mut(Axis(0), self.width()) {
            let mut intercept = rows.row(last).to_owned();
            for feature in 0..last {
                let (mean, deviation) = (self.mean[feature], self.deviation[feature]);
                rows.row_mut(feature).mapv_inplace(|x| x / deviation);
                intercept.scaled_add(-mean, &rows.row(feature));
            }
            rows.row_mut(last).assign(&intercept);
        }
        changed
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
    let mut all = design.summed(sum.into_iter().chain([n as f64]).collect())?;
    let n = all.pop().unwrap_or_default();
    Ok(Array1::from(all) / n.max(1.0))
}

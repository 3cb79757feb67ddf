//! What arrays of files become: matrices, without a copy where there need be none, and numbers of units.

use ndarray::ArrayD;
use nemos_core::{Backend, Matrix};
use nemos_timeseries::TsGroup;

use crate::Error;

/// `[n_samples, n_columns]`; axes after the first are flattened.
pub(crate) fn matrix<B: Backend>(values: ArrayD<f64>) -> Result<Matrix<B>, Error> {
    let n_samples = values.shape().first().copied().unwrap_or(1);
    let n_columns = values.shape().iter().skip(1).product();
    let matrix = Matrix::from_vec(in_rows(values), [n_samples, n_columns]);
    matrix.map_err(|error| Error::TimeSeries(error.into()))
}

/// Units under the numbers of a file. Where one is below zero, or missing, they stay 0, 1, … with a warning.
pub(crate) fn numbered(group: TsGroup, numbers: &[f64]) -> Result<TsGroup, Error> {
    if !numbers.iter().all(|&number| number >= 0.0) {
        tracing::warn!("numbers of units below zero were replaced by 0, 1, … in their order");
        return Ok(group);
    }
    Ok(group.with_ids(numbers.iter().map(|&number| number as u64).collect::<Vec<_>>())?)
}

/// The values, the last axis fastest.
pub(crate) fn in_rows<T: Copy>(values: ArrayD<T>) -> Vec<T> {
    if !values.is_standard_layout() {
        return values.iter().copied().collect();
    }
    let n_values = values.len();
    let (mut all, offset) = values.into_raw_vec_and_offset();
    all.drain(..offset.unwrap_or(0));
    all.truncate(n_values);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    use ndarray::{ArrayD, Axis, IxDyn, Slice};

    #[test]
    fn values_come_in_rows_whatever_the_layout() {
        let all = ArrayD::from_shape_fn(IxDyn(&[4, 3]), |at| (3 * at[0] + at[1]) as f64);
        assert_eq!(in_rows(all.clone()), (0..12).map(f64::from).collect::<Vec<_>>());
        assert_eq!(
            in_rows(all.clone().reversed_axes()),
            [0.0, 3.0, 6.0, 9.0, 1.0, 4.0, 7.0, 10.0, 2.0, 5.0, 8.0, 11.0]
        );
        let mut some = all;
        some.slice_axis_inplace(Axis(0), Slice::from(1..3));
        assert_eq!(in_rows(some), (3..9).map(f64::from).collect::<Vec<_>>());
    }
}

//! Values in host memory, and matrices made of them.

use std::ops::Range;

use nemos_core::{Backend, HostFloat, Matrix};

use crate::times::gather;

/// Lends the values in double precision.
pub(crate) fn with_host<B: Backend, R>(values: &Matrix<B>, work: impl FnOnce(&[f64]) -> R) -> R {
    let host = values.host();
    match host.as_slice::<f64>() {
        Some(values) => work(values),
        None => work(&values.to_vec()),
    }
}

/// A matrix of values that fill it by construction.
pub(crate) fn matrix<B: Backend, E: HostFloat>(values: Vec<E>, dims: [usize; 2]) -> Matrix<B> {
    Matrix::from_host(values, dims).expect("invariant: as many values as rows × columns")
}

/// These rows of a matrix, all of which exist.
pub(super) fn select<B: Backend>(values: &Matrix<B>, rows: &[Range<usize>]) -> Matrix<B> {
    let [n_rows, width] = values.dims();
    if let [all] = rows
        && all.len() == n_rows
    {
        return values.clone();
    }
    let selected = [rows.iter().map(ExactSizeIterator::len).sum(), width];
    let host = values.host();
    // In the precision that they have: a long recording is not held twice in double.
    match (host.as_slice::<f64>(), host.as_slice::<f32>()) {
        (Some(values), _) => matrix(gather(values, rows, width), selected),
        (_, Some(values)) => matrix(gather(values, rows, width), selected),
        _ => matrix(gather(&values.to_vec(), rows, width), selected),
    }
}

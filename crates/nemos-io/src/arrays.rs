//! What arrays of files become: matrices, without a copy where there need be none, and numbers of units.

use std::path::Path;

use ndarray::ArrayD;
use nemos_core::{Backend, Matrix};
use nemos_timeseries::TsGroup;

use crate::Error;
use crate::report::{Log, Reason};

/// `[n_samples, n_columns]`; axes after the first are flattened.
pub(crate) fn matrix<B: Backend>(values: ArrayD<f64>) -> Result<Matrix<B>, Error> {
    let n_samples = values.shape().first().copied().unwrap_or(1);
    let n_columns = values.shape().iter().skip(1).product();
    let matrix = Matrix::from_vec(in_rows(values), [n_samples, n_columns]);
    matrix.map_err(|error| Error::TimeSeries(error.into()))
}

/// Units under the numbers of a file. Where some are below zero, missing or there twice, they are 0, 1, … if the file is
/// read leniently.
pub(crate) fn numbered(group: TsGroup, numbers: &[f64], path: &Path, object: &str, log: &Log) -> Result<TsGroup, Error> {
    let ids: Option<Vec<u64>> = numbers
        .iter()
        .map(|&number| (number >= 0.0 && number.fract() == 0.0).then_some(number as u64))
        .collect();
    let Some(ids) = ids else {
        log.note(object, Vec::new(), Reason::Renumbered);
        return Ok(group);
    };
    match group.clone().with_ids(ids) {
        Err(nemos_timeseries::Error::DuplicateUnit { .. }) if log.is_lenient() => {
            log.note(object, Vec::new(), Reason::Renumbered);
            Ok(group)
        }
        numbered => numbered.map_err(|error| Error::recording(path, object, error)),
    }
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

/// Integers of so many bytes each, with or without a sign; nothing for sizes that no computer has.
pub(crate) fn integers(bytes: &[u8], (size, is_signed): (usize, bool), is_big: bool) -> Option<Vec<f64>> {
    Some(match (size, is_signed) {
        (1, false) => decoded(bytes, is_big, |[byte]| f64::from(byte)),
        (2, false) => decoded(bytes, is_big, |bytes| f64::from(u16::from_le_bytes(bytes))),
        (4, false) => decoded(bytes, is_big, |bytes| f64::from(u32::from_le_bytes(bytes))),
        (8, false) => decoded(bytes, is_big, |bytes| u64::from_le_bytes(bytes) as f64),
        (1, true) => decoded(bytes, is_big, |bytes| f64::from(i8::from_le_bytes(bytes))),
        (2, true) => decoded(bytes, is_big, |bytes| f64::from(i16::from_le_bytes(bytes))),
        (4, true) => decoded(bytes, is_big, |bytes| f64::from(i32::from_le_bytes(bytes))),
        (8, true) => decoded(bytes, is_big, |bytes| i64::from_le_bytes(bytes) as f64),
        _ => return None,
    })
}

/// Floats of so many bytes each; nothing for other sizes than two, four and eight.
pub(crate) fn floats(bytes: &[u8], size: usize, is_big: bool) -> Option<Vec<f64>> {
    Some(match size {
        2 => decoded(bytes, is_big, |bytes| half(u16::from_le_bytes(bytes))),
        4 => decoded(bytes, is_big, |bytes| f64::from(f32::from_le_bytes(bytes))),
        8 => decoded(bytes, is_big, f64::from_le_bytes),
        _ => return None,
    })
}

/// Numbers of so many bytes each; `of` takes the lowest byte first.
fn decoded<const N: usize>(bytes: &[u8], is_big: bool, of: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    let (numbers, _) = bytes.as_chunks::<N>();
    let turned = |mut bytes: [u8; N]| {
        bytes.reverse();
        bytes
    };
    match is_big {
        false => numbers.iter().map(|bytes| of(*bytes)).collect(),
        true => numbers.iter().map(|bytes| of(turned(*bytes))).collect(),
    }
}

/// A float of 16 bits: one of sign, five of exponent, ten of fraction (IEEE 754).
pub(crate) fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2.0_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2.0_f64.powi(exponent - 15),
    };
    if bits >> 15 == 1 { -size } else { size }
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

//! Between the host and a tensor: conversion of precision, in parallel, with one copy.

use burn_tensor::{DType, TensorData};
use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::{Backend, HostFloat, with_room};

/// Fewer values than this are converted before other threads have woken up.
const FEW: usize = 1 << 17;
/// Values that one thread converts at a time.
const PIECE: usize = 1 << 15;

/// The values as a list in the precision of `B`: themselves where they are in it.
pub(crate) fn in_precision<B: Backend, E: HostFloat>(values: Vec<E>) -> TensorData {
    let n = values.len();
    if E::DTYPE == B::DTYPE {
        TensorData::new(values, [n])
    } else if B::DTYPE == DType::F32 {
        TensorData::new(converted(&values, |value: E| value.into_f64() as f32), [n])
    } else {
        TensorData::new(converted(&values, E::into_f64), [n])
    }
}

/// The values of an array, row after row, in the precision of `B`.
pub(crate) fn array_in_precision<B: Backend>(array: ArrayView2<'_, f64>) -> TensorData {
    let n = array.len();
    match (array.as_slice(), B::DTYPE) {
        (Some(values), DType::F32) => TensorData::new(converted(values, |value| value as f32), [n]),
        (Some(values), _) => TensorData::new(values.to_vec(), [n]),
        (None, DType::F32) => TensorData::new(array.iter().map(|&value| value as f32).collect::<Vec<_>>(), [n]),
        (None, _) => TensorData::new(array.iter().copied().collect::<Vec<_>>(), [n]),
    }
}

/// The values of a tensor that was read back.
pub(crate) fn into_f64(data: TensorData) -> Vec<f64> {
    const CONVERTED: &str = "a list of the type that was just tested, or converted to";
    match data.dtype {
        DType::F64 => data.into_vec().expect(CONVERTED),
        DType::F32 => match data.as_slice::<f32>() {
            Ok(values) => converted(values, f64::from),
            Err(_) => data.convert_dtype(DType::F64).into_vec().expect(CONVERTED),
        },
        _ => data.convert_dtype(DType::F64).into_vec().expect(CONVERTED),
    }
}

fn converted<E: Copy + Sync, F: Copy + Send + Sync>(values: &[E], convert: impl Fn(E) -> F + Sync) -> Vec<F> {
    if values.len() < FEW {
        return values.iter().map(|&value| convert(value)).collect();
    }
    let mut list = with_room(values.len());
    values
        .par_iter()
        .with_min_len(PIECE)
        .map(|&value| convert(value))
        .collect_into_vec(&mut list);
    list
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use ndarray::Array2;

    use crate::{Cpu, Matrix};

    #[test]
    fn many_values_survive_the_way_there_and_back() {
        // Enough for several threads; integers and quarters are exact in f32.
        let dims = [1 << 10, 300];
        let values: Vec<f64> = (0..dims[0] * dims[1]).map(|at| at as f64 * 0.25).collect();
        let single = Matrix::<Cpu<f32>>::from_vec(values.clone(), dims).unwrap();
        assert_eq!(single.to_vec(), values);
        let narrow: Vec<f32> = values.iter().map(|&value| value as f32).collect();
        assert_eq!(Matrix::<Cpu>::from_host(narrow, dims).unwrap().to_vec(), values);
        let array = Array2::from_shape_vec(dims, values.clone()).unwrap();
        assert_eq!(Matrix::<Cpu<f32>>::from_array(array.view()).to_array(), array);
        assert_eq!(Matrix::<Cpu<f32>>::from_array(array.t()).to_array(), array.t());
        assert_eq!(Matrix::<Cpu>::from_array(array.t()).to_array(), array.t());
    }
}

//! The processor in the role of a graphics card.

use std::marker::PhantomData;

use nemos_core::tensor::ops::FloatTensor;
use nemos_core::tensor::{DType, Device, Tensor, TensorPrimitive};
use nemos_core::{Backend, Cpu, Matrix, Precision, Products};

/// The processor in the role of a graphics card: nothing lends its values to loops, so that every pass takes the way of tensors, whatever the
/// model, and an operation on nothing is caught on the way. In `f32` as a card, or in `f64`, where faults stand out from rounding. Chunks are
/// short, so that data of a test have several.
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub struct Card<F = f32>(PhantomData<F>);

impl<F: Precision> Backend for Card<F> {
    type Burn = <Cpu<F> as Backend>::Burn;
    const NAME: &'static str = "a processor as a card";
    const DTYPE: DType = F::DTYPE;
    const PRODUCTS: Products = Products::Own;

    fn device() -> Device<Self::Burn> {
        Default::default()
    }

    fn chunk_rows(_n_columns: usize) -> usize {
        700
    }

    /// In double precision, as exact as the compensated sums of a card.
    fn own_sums(values: FloatTensor<Self::Burn>, rows_of_part: usize) -> Option<FloatTensor<Self::Burn>> {
        let values = Matrix::<Self>::from_tensor(Tensor::from_primitive(TensorPrimitive::Float(values)));
        let [n_rows, n_columns] = values.dims();
        let n_parts = n_rows.div_ceil(rows_of_part);
        let mut sums = vec![0.0; n_parts * n_columns];
        for (row, values) in values.to_vec().chunks_exact(n_columns).enumerate() {
            let part = &mut sums[row / rows_of_part * n_columns..][..n_columns];
            part.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        match Matrix::<Self>::from_vec(sums, [n_parts, n_columns])
            .ok()?
            .into_tensor()
            .into_primitive()
        {
            TensorPrimitive::Float(sums) => Some(sums),
            TensorPrimitive::QFloat(_) => None,
        }
    }
}

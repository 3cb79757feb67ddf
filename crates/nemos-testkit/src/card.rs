//! The processor in the role of a graphics card.

use std::marker::PhantomData;

use nemos_core::tensor::{DType, Device};
use nemos_core::{Backend, Cpu, Precision, Products};

/// The processor in the role of a graphics card: nothing lends its values to loops, so that every pass takes the way of tensors, whatever the
/// model, and an operation on nothing is caught on the way. In `f32` as a card, or in `f64`, where faults stand out from rounding. Chunks are
/// short, so that data of a test have several.
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub struct Card<F = f32>(PhantomData<F>);

impl<F: Precision> Backend for Card<F> {
    type Burn = <Cpu<F> as Backend>::Burn;
    const NAME: &'static str = "a processor as a card";
    const DTYPE: DType = F::DTYPE;
    const PRODUCTS: Products = Products::InParts;

    fn device() -> Device<Self::Burn> {
        Default::default()
    }

    fn chunk_rows(_n_columns: usize) -> usize {
        700
    }
}

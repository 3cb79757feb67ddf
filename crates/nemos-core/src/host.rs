//! Host memory: reading the values of a matrix in place, where its backend keeps them there.

use std::fmt::Debug;

use burn_tensor::ops::FloatTensor;
use burn_tensor::{DType, Element};

use crate::Backend;

mod sealed {
    pub trait Sealed {}
    impl Sealed for f32 {}
    impl Sealed for f64 {}
}

/// `f32` or `f64` in host memory.
pub trait HostFloat:
    sealed::Sealed
    + Element
    + bytemuck::Pod
    + faer::traits::ComplexField
    + ndarray::LinalgScalar
    + Copy
    + Default
    + Debug
    + Send
    + Sync
    + 'static
{
    /// The same type as burn names it.
    const DTYPE: DType;

    /// Rounds to this precision.
    fn from_f64(value: f64) -> Self;

    /// Widens to double precision.
    fn into_f64(self) -> f64;
}

impl HostFloat for f64 {
    const DTYPE: DType = DType::F64;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value
    }

    #[inline(always)]
    fn into_f64(self) -> f64 {
        self
    }
}

impl HostFloat for f32 {
    const DTYPE: DType = DType::F32;

    #[inline(always)]
    fn from_f64(value: f64) -> Self {
        value as f32
    }

    #[inline(always)]
    fn into_f64(self) -> f64 {
        f64::from(self)
    }
}

/// The rows of a matrix in host memory: a handle that shares them, and lends them as a slice.
#[derive(Clone, Debug)]
pub struct HostRows<B: Backend> {
    values: FloatTensor<B::Burn>,
}

impl<B: Backend> HostRows<B> {
    pub(crate) fn new(values: FloatTensor<B::Burn>) -> Self {
        HostRows { values }
    }

    /// The values, row after row, or nothing where they are not in host memory, not contiguous or not of type `E`.
    pub fn as_slice<E: HostFloat>(&self) -> Option<&[E]> {
        B::host_values(&self.values)
    }
}

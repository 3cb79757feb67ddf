//! A backend whose chunks are short, so that the data of a test have several.

use std::marker::PhantomData;

use nemos::core::tensor::ops::FloatTensor;
use nemos::core::tensor::{DType, Device};
use nemos::core::{Backend, Curve, Error, HostFloat, Products, Scatter, TermSums, Terms};

/// `B`, with chunks of 704 rows at most.
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub(crate) struct Short<B>(PhantomData<B>);

impl<B: Backend> Backend for Short<B> {
    type Burn = B::Burn;
    const NAME: &'static str = B::NAME;
    const DTYPE: DType = B::DTYPE;
    const HOST: bool = B::HOST;
    const PRODUCTS: Products = B::PRODUCTS;

    fn device() -> Device<B::Burn> {
        B::device()
    }

    fn host_values<E: HostFloat>(tensor: &FloatTensor<B::Burn>) -> Option<&[E]> {
        B::host_values(tensor)
    }

    fn chunk_rows(n_columns: usize) -> usize {
        B::chunk_rows(n_columns).min(704)
    }

    fn largest_tensor() -> Option<usize> {
        B::largest_tensor()
    }

    fn check() -> Result<(), Error> {
        B::check()
    }

    fn own_product(left: FloatTensor<B::Burn>, right: FloatTensor<B::Burn>, terms_of_part: usize) -> Option<FloatTensor<B::Burn>> {
        B::own_product(left, right, terms_of_part)
    }

    fn own_transposed_product(
        left: FloatTensor<B::Burn>,
        right: FloatTensor<B::Burn>,
        terms_of_part: usize,
    ) -> Option<FloatTensor<B::Burn>> {
        B::own_transposed_product(left, right, terms_of_part)
    }

    fn own_sums(values: FloatTensor<B::Burn>, rows_of_part: usize) -> Option<FloatTensor<B::Burn>> {
        B::own_sums(values, rows_of_part)
    }

    fn own_terms(terms: Terms<FloatTensor<B::Burn>>, scatter: Scatter, curve: Curve) -> Option<TermSums<FloatTensor<B::Burn>>> {
        B::own_terms(terms, scatter, curve)
    }
}

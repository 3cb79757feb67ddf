//! How much a device holds.

use std::marker::PhantomData;

use burn_cubecl::{BoolElement, CubeBackend, CubeRuntime, FloatElement, IntElement};

/// Bytes of the largest buffer on this device of a burn backend.
pub(crate) fn largest_buffer<R, F, I, T>(device: &R::CubeDevice, _backend: PhantomData<CubeBackend<R, F, I, T>>) -> usize
where
    R: CubeRuntime,
    F: FloatElement,
    I: IntElement,
    T: BoolElement,
{
    let bytes = R::client(device).properties().memory.max_page_size;
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

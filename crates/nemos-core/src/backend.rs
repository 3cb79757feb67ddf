//! Backends: which device computes, and in which precision, as a type parameter.

use std::fmt::Debug;
#[cfg(any(feature = "cpu", feature = "ndarray", feature = "card"))]
use std::marker::PhantomData;

use burn_tensor::backend::Backend as BurnBackend;
use burn_tensor::ops::FloatTensor;
use burn_tensor::{DType, Device};

#[cfg(feature = "card")]
use crate::device::{
    check,
    kernels::{self, Left},
    limits, terms,
};
use crate::host::HostFloat;
use crate::{Curve, Error, Scatter, TermSums, Terms};

/// A compute device together with its floating-point precision, chosen at compile time.
///
/// Every [`Matrix<B>`](crate::Matrix) is on `B::device()` and in `B::DTYPE` by construction, so that two backends
/// or two precisions never meet in one call: it does not compile.
///
/// ```compile_fail
/// use nemos_core::{Cpu, Matrix};
/// let double = Matrix::<Cpu<f64>>::from_column(vec![1.0]);
/// let single = Matrix::<Cpu<f32>>::from_column(vec![1.0]);
/// let _ = double.matmul(&single);
/// ```
///
/// *Implementor must* return the same device on every call.
/// *Implementor may* give access to host memory ([`Backend::host_values`]); loops then run on slices, in place of
/// tensor operations.
pub trait Backend: Copy + Default + Debug + PartialEq + Send + Sync + 'static {
    /// The burn backend that computes.
    type Burn: BurnBackend;
    /// Name of the Cargo feature that brings this backend.
    const NAME: &'static str;
    /// Precision of every tensor.
    const DTYPE: DType;
    /// Whether [`host_values`](Backend::host_values) lends contiguous values.
    const HOST: bool = false;

    /// How products and sums over many rows are taken.
    const PRODUCTS: Products = Products::InParts;

    /// The device that tensors live on.
    fn device() -> Device<Self::Burn>;

    /// The values of a row-major tensor, without a copy, where the backend keeps them in host memory.
    fn host_values<E: HostFloat>(_tensor: &FloatTensor<Self::Burn>) -> Option<&[E]> {
        None
    }

    /// Rows of a chunk in a pass over data whose rows hold `n_columns` numbers.
    ///
    /// The default suits a device: chunks of about a gibibyte, which begin where a tensor may begin without a copy. On a processor a
    /// chunk should stay in its cache.
    fn chunk_rows(n_columns: usize) -> usize {
        // Some twelve arrays of a chunk exist at a time, and the largest buffer of a card is a quarter of its memory.
        let bytes = Self::largest_tensor().map_or(1 << 30, |largest| (largest / 4).min(1 << 30));
        let rows = (bytes / (Self::DTYPE.size() * n_columns.max(1))).clamp(1024, 1 << 20);
        rows / ALIGNED * ALIGNED
    }

    /// Bytes of the largest tensor that the device holds, where it says so.
    fn largest_tensor() -> Option<usize> {
        None
    }

    /// Whether the device can be used. It is tried once; later calls give the same answer.
    ///
    /// # Errors
    /// [`Error::Device`] where there is no such device or no driver for it.
    fn check() -> Result<(), Error> {
        Ok(())
    }

    /// `left · right` in parts of so many terms, by a kernel of the backend's own, for [`Products::Own`].
    ///
    /// # Shapes
    /// `left`: `[n_rows, n_terms]`; `right`: `[n_terms, n_columns]`; the result: `[n_parts, n_rows, n_columns]`. None is empty.
    fn own_product(
        _left: FloatTensor<Self::Burn>,
        _right: FloatTensor<Self::Burn>,
        _terms_of_part: usize,
    ) -> Option<FloatTensor<Self::Burn>> {
        None
    }

    /// `leftᵀ · right` in parts of so many terms, by a kernel of the backend's own, for [`Products::Own`].
    ///
    /// # Shapes
    /// `left`: `[n_terms, n_rows]`; `right`: `[n_terms, n_columns]`; the result: `[n_parts, n_rows, n_columns]`. None is empty.
    fn own_transposed_product(
        _left: FloatTensor<Self::Burn>,
        _right: FloatTensor<Self::Burn>,
        _terms_of_part: usize,
    ) -> Option<FloatTensor<Self::Burn>> {
        None
    }

    /// Sums over rows in parts of so many, by a kernel of the backend's own, for [`Products::Own`].
    ///
    /// # Shapes
    /// `values`: `[n_rows, n_columns]`; the result: `[n_parts, n_columns]`. None is empty.
    fn own_sums(_values: FloatTensor<Self::Burn>, _rows_of_part: usize) -> Option<FloatTensor<Self::Burn>> {
        None
    }

    /// Losses and slopes of all counts, and sums of them in parts, by a kernel of the backend's own, for [`Products::Own`].
    ///
    /// # Shapes
    /// Those of [`Terms`] and [`TermSums`].
    fn own_terms(_terms: Terms<FloatTensor<Self::Burn>>, _scatter: Scatter, _curve: Curve) -> Option<TermSums<FloatTensor<Self::Burn>>> {
        None
    }

    /// Relative rounding error of one number.
    fn epsilon() -> f64 {
        if Self::DTYPE == DType::F64 {
            f64::EPSILON
        } else {
            f64::from(f32::EPSILON)
        }
    }
}

/// Rows of any width that begin at a multiple of this begin at an address at which a device reads: of 256 bytes.
const ALIGNED: usize = 64;

/// How a backend takes products and sums over many rows.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Products {
    /// By the backend's own product, over all rows of a chunk; sums in `f64` on the host. For processors, whose chunks are short.
    Plain,
    /// Over some hundred rows at a time, side by side, for a device whose product rounds as `f32` does.
    InParts,
    /// As [`InParts`](Products::InParts), with each factor in two halves: for tensor cores, which multiply eleven bits.
    Split,
    /// By kernels that the backend brings ([`Backend::own_product`]).
    Own,
}

/// `f32` or `f64`: the precisions of the backends that have a choice.
#[cfg(any(feature = "cpu", feature = "ndarray"))]
pub trait Precision: HostFloat + PartialEq {}
#[cfg(any(feature = "cpu", feature = "ndarray"))]
impl Precision for f64 {}
#[cfg(any(feature = "cpu", feature = "ndarray"))]
impl Precision for f32 {}

/// The processor, through burn-flex: the default backend, in `f64` unless `Cpu<f32>` is asked for.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// let counts: Matrix<Cpu> = Matrix::from_column(vec![0.0, 1.0, 3.0]);
/// assert_eq!(counts.dims(), [3, 1]);
/// ```
#[cfg(feature = "cpu")]
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub struct Cpu<F = f64>(PhantomData<F>);

#[cfg(feature = "cpu")]
impl<F: Precision> Backend for Cpu<F> {
    type Burn = burn_flex::Flex;
    const NAME: &'static str = "cpu";
    const DTYPE: DType = F::DTYPE;
    const HOST: bool = true;
    const PRODUCTS: Products = Products::Plain;

    fn device() -> Device<Self::Burn> {
        Default::default()
    }

    fn host_values<E: HostFloat>(tensor: &FloatTensor<Self::Burn>) -> Option<&[E]> {
        if tensor.dtype() != E::DTYPE || !tensor.is_contiguous() {
            return None;
        }
        let start = tensor.layout().start_offset();
        tensor.storage::<E>().get(start..start + tensor.layout().num_elements())
    }

    fn chunk_rows(n_columns: usize) -> usize {
        // Less than a mebibyte: what is multiplied twice in a pass is read from memory once.
        ((768 << 10) / (Self::DTYPE.size() * n_columns.max(1))).clamp(256, 4096)
    }
}

/// The processor, through burn-ndarray: slower than [`Cpu`], and an independent implementation to check it against.
#[cfg(feature = "ndarray")]
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub struct NdArray<F = f64>(PhantomData<F>);

#[cfg(feature = "ndarray")]
impl Backend for NdArray<f64> {
    type Burn = burn_ndarray::NdArray<f64>;
    const NAME: &'static str = "ndarray";
    const DTYPE: DType = DType::F64;
    const PRODUCTS: Products = Products::Plain;

    fn device() -> Device<Self::Burn> {
        Default::default()
    }

    fn chunk_rows(n_columns: usize) -> usize {
        ((512 << 10) / (8 * n_columns.max(1))).clamp(256, 4096)
    }
}

#[cfg(feature = "ndarray")]
impl Backend for NdArray<f32> {
    type Burn = burn_ndarray::NdArray<f32>;
    const NAME: &'static str = "ndarray";
    const DTYPE: DType = DType::F32;
    const PRODUCTS: Products = Products::Plain;

    fn device() -> Device<Self::Burn> {
        Default::default()
    }

    fn chunk_rows(n_columns: usize) -> usize {
        ((512 << 10) / (4 * n_columns.max(1))).clamp(256, 4096)
    }
}

/// A graphics card through WebGPU (Vulkan, Metal or Direct3D 12), in `f32`.
///
/// Double precision does not exist there, and does not compile:
///
/// ```compile_fail
/// let _: nemos_core::Matrix<nemos_core::Wgpu<f64>>;
/// ```
#[cfg(feature = "wgpu")]
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub struct Wgpu(());

#[cfg(feature = "wgpu")]
impl Backend for Wgpu {
    type Burn = burn_wgpu::Wgpu;
    const NAME: &'static str = "wgpu";
    const DTYPE: DType = DType::F32;
    const PRODUCTS: Products = Products::Own;

    fn device() -> Device<Self::Burn> {
        Default::default()
    }

    fn check() -> Result<(), Error> {
        check::once::<Self>(
            0,
            "install a driver for Vulkan and its loader (Debian: libvulkan1, and mesa-vulkan-drivers for other cards than NVIDIA's), \
             or use the processor: Cpu<f32>",
        )
    }

    fn largest_tensor() -> Option<usize> {
        Self::check().ok()?;
        Some(limits::largest_buffer(&Self::device(), PhantomData::<Self::Burn>))
    }

    fn own_product(left: FloatTensor<Self::Burn>, right: FloatTensor<Self::Burn>, terms_of_part: usize) -> Option<FloatTensor<Self::Burn>> {
        Some(kernels::product(left, right, Left::AsIs, terms_of_part))
    }

    fn own_transposed_product(
        left: FloatTensor<Self::Burn>,
        right: FloatTensor<Self::Burn>,
        terms_of_part: usize,
    ) -> Option<FloatTensor<Self::Burn>> {
        Some(kernels::product(left, right, Left::Transposed, terms_of_part))
    }

    fn own_sums(values: FloatTensor<Self::Burn>, rows_of_part: usize) -> Option<FloatTensor<Self::Burn>> {
        Some(kernels::sums(values, rows_of_part))
    }

    fn own_terms(terms: Terms<FloatTensor<Self::Burn>>, scatter: Scatter, curve: Curve) -> Option<TermSums<FloatTensor<Self::Burn>>> {
        Some(terms::terms(terms, scatter, curve))
    }
}

/// An NVIDIA card through CUDA, in `f32`; `DEVICE` is its index.
///
/// The matrix product of this version has no double precision, and asking for one does not compile:
///
/// ```compile_fail
/// let _: nemos_core::Matrix<nemos_core::Cuda<f64>>;
/// ```
#[cfg(feature = "cuda")]
#[derive(Copy, Clone, Default, Debug, PartialEq)]
pub struct Cuda<const DEVICE: usize = 0>(());

#[cfg(feature = "cuda")]
impl<const DEVICE: usize> Backend for Cuda<DEVICE> {
    type Burn = burn_cuda::Cuda;
    const NAME: &'static str = "cuda";
    const DTYPE: DType = DType::F32;
    const PRODUCTS: Products = Products::Own;

    fn device() -> Device<Self::Burn> {
        burn_cuda::CudaDevice::new(DEVICE)
    }

    fn check() -> Result<(), Error> {
        check::once::<Self>(
            DEVICE,
            "install NVIDIA's driver, and of the CUDA toolkit NVRTC (libnvrtc, where the linker finds it) and the headers (cuda_runtime.h in \
             the folder include of the one that CUDA_PATH names, or of /usr/local/cuda); nvidia-smi lists the cards; or use another \
             backend: Wgpu, or Cpu<f32>",
        )
    }

    fn largest_tensor() -> Option<usize> {
        Self::check().ok()?;
        Some(limits::largest_buffer(&Self::device(), PhantomData::<Self::Burn>))
    }

    fn own_product(left: FloatTensor<Self::Burn>, right: FloatTensor<Self::Burn>, terms_of_part: usize) -> Option<FloatTensor<Self::Burn>> {
        Some(kernels::product(left, right, Left::AsIs, terms_of_part))
    }

    fn own_transposed_product(
        left: FloatTensor<Self::Burn>,
        right: FloatTensor<Self::Burn>,
        terms_of_part: usize,
    ) -> Option<FloatTensor<Self::Burn>> {
        Some(kernels::product(left, right, Left::Transposed, terms_of_part))
    }

    fn own_sums(values: FloatTensor<Self::Burn>, rows_of_part: usize) -> Option<FloatTensor<Self::Burn>> {
        Some(kernels::sums(values, rows_of_part))
    }

    fn own_terms(terms: Terms<FloatTensor<Self::Burn>>, scatter: Scatter, curve: Curve) -> Option<TermSums<FloatTensor<Self::Burn>>> {
        Some(terms::terms(terms, scatter, curve))
    }
}

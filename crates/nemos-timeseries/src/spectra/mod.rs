//! Which frequencies a signal holds, and when.

mod taper;
mod wavelet;
mod windows;

pub use taper::Taper;
pub use wavelet::{Morlet, Wavelets};
pub use windows::{PowerSpectrum, SpectralWindow};

//! What is made of a signal, sample by sample or bin by bin.
//!
//! Each file adds its operation to [`Signal`](crate::Signal), of all kinds or of one, and nothing else knows of it.

mod average;
mod band;
mod butterworth;
mod derivative;
mod filter;
mod hilbert;
mod interpolate;
mod lookup;
mod missing;
mod smooth;
mod threshold;

pub use band::Band;
pub use derivative::DiffTime;
pub use filter::Filter;
pub use interpolate::Outside;
pub use lookup::Nearest;
pub(crate) use lookup::{advance, is_near, nearest};
pub use smooth::Edges;
pub use threshold::Threshold;

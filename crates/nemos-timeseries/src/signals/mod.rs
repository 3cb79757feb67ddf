//! What: values at the times of an axis, and what names their columns.

mod arithmetic;
mod columns;
mod design;
mod frame;
mod kind;
mod names;
mod signal;
mod tensor;
mod tsd;
mod values;

pub use frame::{Frame, TsdFrame};
pub use kind::Kind;
pub use signal::Signal;
pub use tensor::{Tensor, TsdTensor};
pub use tsd::{Scalar, Tsd};
pub(crate) use values::{matrix, with_host};

//! Kinds of samples.

use std::fmt::Debug;

use nemos_core::Names;

/// What the samples of a [`Signal`](crate::Signal) are, and what is known of their columns: one value
/// ([`Scalar`](crate::Scalar)), several with names ([`Frame`](crate::Frame)), or an array ([`Tensor`](crate::Tensor)).
pub trait Kind: Clone + Debug + Send + Sync {
    /// The names of the columns and of the blocks that they fall into, where they have some.
    fn names(&self) -> Names;
}

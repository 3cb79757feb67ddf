//! Who: the events of many units, their counts, and surrogates of them.

mod binned;
mod count;
mod group;
mod merge;
mod observed;
mod surrogate;

pub use binned::Binned;
pub(crate) use count::count_into;
pub use group::TsGroup;

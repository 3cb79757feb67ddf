//! Time series of recordings: epochs, events and signals, and what counts and aligns them.
//!
//! Times are in seconds everywhere, finite and in order by construction. Every object carries its time support, the
//! epochs in which anything could have been seen; what is cut out of it, counted or aligned keeps to them.
//!
//! | item | what it is |
//! |---|---|
//! | [`IntervalSet`] | epochs, with their algebra |
//! | [`Ts`] | events; and the time axis of a signal |
//! | [`TsGroup`] | the events of many units |
//! | [`Tsd`], [`TsdFrame`], [`TsdTensor`] | signals of one value, of columns, of arrays per sample |
//! | [`Signal`] | what works on all signals |
//! | [`Table`] | metadata of units, columns and intervals |

mod algebra;
mod error;
mod events;
mod frame;
mod group;
mod intervals;
mod signal;
mod table;
mod tensor;
mod tsd;

pub use error::Error;
pub use events::Ts;
pub use frame::TsdFrame;
pub use group::TsGroup;
pub use intervals::{Interval, IntervalSet};
pub use signal::Signal;
pub use table::{Column, Table};
pub use tensor::TsdTensor;
pub use tsd::Tsd;

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
//! | [`Nearest`], [`Outside`] | which samples stand for a time between them |
//! | [`Reach`], [`Edges`] | how kernels lie over samples |
//! | [`Filter`], [`Band`] | which frequencies are kept |
//! | [`Threshold`] | which values are kept |
//! | [`DiffTime`] | where a difference between two times stands |
//! | [`TuningCurves`], [`Binning`], [`Information`] | what units prefer, and how much they say of it |
//! | [`Decoded`], [`Prior`], [`Metric`] | what a population says |
//! | [`Around`], [`TrialEdge`] | how signals and events align to events and trials |
//! | [`Correlograms`], [`Scale`] | how often units fire around each other |
//! | [`Table`] | metadata of units, columns and intervals |

mod algebra;
mod average;
mod bins;
mod butterworth;
mod columns;
mod convolve;
mod correlogram;
mod count;
mod decode;
mod derivative;
mod error;
mod even;
mod events;
mod filter;
mod frame;
mod group;
mod hilbert;
mod information;
mod intervals;
mod lookup;
mod missing;
mod perievent;
mod signal;
mod smooth;
mod surrogate;
mod table;
mod tensor;
mod threshold;
mod trials;
mod triggered;
mod tsd;
mod tuning;

pub use convolve::Reach;
pub use correlogram::{Correlograms, Scale};
pub use decode::{Decoded, Metric, Prior};
pub use derivative::DiffTime;
pub use error::Error;
pub use events::Ts;
pub use filter::{Band, Filter};
pub use frame::TsdFrame;
pub use group::TsGroup;
pub use information::Information;
pub use intervals::{Interval, IntervalSet};
pub use lookup::{Nearest, Outside};
pub use perievent::Around;
pub use signal::Signal;
pub use smooth::Edges;
pub use table::{Column, Table};
pub use tensor::TsdTensor;
pub use threshold::Threshold;
pub use trials::TrialEdge;
pub use tsd::Tsd;
pub use tuning::{Binning, TuningCurves};

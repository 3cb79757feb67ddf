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
//! | [`Signal`] | what works on all of them; [`Scalar`], [`Frame`] and [`Tensor`] are their [`Kind`]s |
//! | [`Nearest`], [`Outside`] | which samples stand for a time between them |
//! | [`Causality`], [`Edges`] | how kernels lie over samples |
//! | [`Filter`], [`Band`] | which frequencies are kept |
//! | [`SpectralWindow`], [`Taper`], [`PowerSpectrum`] | power by frequency, and along time |
//! | [`Morlet`], [`Wavelets`] | amplitude and phase of oscillations at every sample |
//! | [`Threshold`] | which values are kept |
//! | [`DiffTime`] | where a difference between two times stands |
//! | [`TuningCurves`], [`Binning`], [`Information`] | what units prefer, and how much they say of it |
//! | [`Decoded`], [`Prior`], [`Metric`] | what a population says |
//! | [`Around`], [`TrialEdge`] | how signals and events align to events and trials |
//! | [`Correlograms`], [`Normalization`] | how often units fire around each other |
//! | [`IntervalDistributions`] | how long units wait from spike to spike |
//! | [`Table`] | metadata of units, columns and intervals |

mod analysis;
mod convolve;
mod error;
mod print;
mod signals;
mod spectra;
mod table;
mod times;
mod transforms;
mod units;

pub use analysis::{
    Around, Binning, Correlograms, Decoded, Information, IntervalDistributions, Metric, Normalization, Prior, TrialEdge, TuningCurves,
};
pub use error::Error;
pub use nemos_core::convolution::{Causality, Shift};
pub use signals::{Frame, Kind, Scalar, Signal, Tensor, Tsd, TsdFrame, TsdTensor};
pub use spectra::{Morlet, PowerSpectrum, SpectralWindow, Taper, Wavelets};
pub use table::{Column, Table};
pub use times::{Interval, IntervalSet, Ts};
pub use transforms::{Band, DiffTime, Edges, Filter, Nearest, Outside, Threshold};
pub use units::{Binned, TsGroup};

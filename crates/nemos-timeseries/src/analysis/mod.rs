//! What it says: signals and events around each other, tuning, decoding.

mod around;
mod average;
mod binning;
mod correlogram;
mod decode;
mod information;
mod intervals;
mod perievent;
mod trials;
mod triggered;
mod tuning;

pub use around::Around;
pub use binning::Binning;
pub use correlogram::{Correlograms, Normalization};
pub use decode::{Decoded, Metric, Prior};
pub use information::Information;
pub use intervals::IntervalDistributions;
pub use trials::TrialEdge;
pub use tuning::TuningCurves;

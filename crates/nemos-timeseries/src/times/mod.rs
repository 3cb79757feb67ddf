//! When: epochs, events, and the bins and steps that they are cut into.

mod algebra;
mod bins;
mod even;
mod events;
mod intervals;
mod rows;

pub(crate) use algebra::merge;
pub(crate) use bins::{Bins, Stretch};
pub(crate) use even::{mean_step, no_rate};
pub use events::Ts;
pub use intervals::{Interval, IntervalSet};
pub(crate) use rows::{gather, partition_near, runs};

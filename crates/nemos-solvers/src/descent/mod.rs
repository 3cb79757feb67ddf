//! Descent by columns: the one engine under every method whose direction tells how far it goes.

pub(crate) mod column;
#[allow(clippy::module_inception)]
pub(crate) mod descent;
pub(crate) mod direction;
pub(crate) mod few_axes;
pub(crate) mod line_search;
pub(crate) mod own_axes;
pub(crate) mod pairs;
pub(crate) mod sample;

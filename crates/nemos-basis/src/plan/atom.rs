//! Atoms: one family with everything that its samples decide.

use std::ops::Range;
use std::sync::Arc;

use crate::bounds::Scale;
use crate::convolve::Kernel;
use crate::kind::Kind;
use crate::strided::Pointwise;

/// Bounds, per input and column.
pub(crate) type Pairs = Vec<Vec<(f64, f64)>>;

/// One family, its inputs, and how its values are made.
pub(crate) struct Atom {
    pub(crate) kind: Kind,
    pub(crate) inputs: Range<usize>,
    /// Columns of each input.
    pub(crate) columns: usize,
    pub(crate) functions: usize,
    pub(crate) work: Work,
    /// Bounds per input and column with the value that replaces rows outside.
    pub(crate) outside: Option<(Pairs, f64)>,
}

/// How the values of an atom are made.
pub(crate) enum Work {
    /// From each sample on its own.
    Pointwise {
        /// Per input and column.
        scales: Vec<Vec<Scale>>,
        /// One for all columns, or one for each.
        functions: Vec<Box<dyn Pointwise>>,
    },
    /// From a window of samples.
    Filter { kernel: Arc<Kernel>, lead: isize },
    /// Already made from all samples at once: `[n_samples, n_columns · n_functions]`.
    Stored(Vec<f64>),
}

impl Atom {
    pub(crate) fn channels(&self) -> usize {
        self.columns * self.kind.n_values()
    }

    /// Samples before and after a row that it needs.
    pub(crate) fn halo(&self) -> (usize, usize) {
        match &self.work {
            Work::Filter { kernel, lead } => {
                let before = kernel.window() as isize - 1 - lead;
                (before.max(0) as usize, (*lead).max(0) as usize)
            }
            _ => (0, 0),
        }
    }
}

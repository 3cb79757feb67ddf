//! Where a fit is kept while it runs, as its caller says it.

use std::path::{Path, PathBuf};

/// Where a fit is kept while it runs, so that one that is stopped goes on where it was.
///
/// After an evaluation of the data, when so many seconds have gone by since the last time, what the fit has seen is written to the file:
/// whole, under another name first, so that a stop at any moment leaves the last one. The same fit of the same data with the same file goes on
/// from there, and ends with the same numbers to the last bit. What the evaluations brought is kept: as much as the parameters, for each; up to
/// 64 MB of it wait in memory, beside what a fit announces.
///
/// The file stays when the fit ends; the same fit then ends after it has read the data once. It is refused for another fit: another model, other
/// shapes, penalty, mask, solver, tolerance or memory limit, another count, feature, weight or offset in any row; and, under a memory limit, for
/// another number of threads, which the room of a fit follows from. The limit of steps and the options of the solver may change. Two fits that
/// run at the same time need a file each; where they have the same one, the later one to write ends with an error.
///
/// Where processes [share](nemos_core::World::share) the rows, the first of them has the file, and the others need not see it. The fit may go on in
/// another number of processes: with the same bits where the numbers of both times divide the shards (powers of two), and the same but for
/// rounding elsewhere.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `every` | 60 | seconds between one writing and the next; zero for every evaluation |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Checkpoint, Poisson, PopulationGlm, Stopping};
/// # let path = std::env::temp_dir().join(format!("nemos_checkpoint_example_{}", std::process::id()));
/// let stimulus = Matrix::<Cpu>::from_vec((0..600).map(|at| f64::from(at * at % 7)).collect(), [60, 10])?;
/// let counts = Matrix::from_column((0..60).map(|bin| f64::from(bin * 3 % 4)).collect());
/// let model = PopulationGlm::new(Poisson);
/// let kept = model.clone().checkpoint(Checkpoint::new(&path).every(0.0));
///
/// let stopped = kept.clone().stopping(Stopping::new().max_steps(2)).fit(&stimulus, &counts)?;
/// assert!(!stopped.outcome().all_converged());
/// assert_eq!(kept.fit(&stimulus, &counts)?.coef(), model.fit(&stimulus, &counts)?.coef());
/// # std::fs::remove_file(path)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Checkpoint {
    pub(super) path: PathBuf,
    pub(super) every: f64,
}

impl Checkpoint {
    /// In this file, which need not exist yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Checkpoint {
            path: path.into(),
            every: 60.0,
        }
    }

    /// Seconds between one writing and the next; zero for every evaluation.
    pub fn every(mut self, seconds: f64) -> Self {
        self.every = seconds;
        self
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

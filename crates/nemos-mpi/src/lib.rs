//! Many processes on one machine or many, through MPI (the Message Passing Interface).
//!
//! A program calls `start` first. Run alone it is one process; under `mpirun -n 8` it is eight, which
//! [share](nemos_core::World::share) the rows of a recording. Nothing else in it changes.
//!
//! ```no_run
//! use nemos_core::{Cpu, Matrix};
//! # fn main() -> Result<(), nemos_core::Error> {
//! # #[cfg(feature = "mpi")]
//! # {
//! let world = nemos_mpi::start()?;
//! let mine = world.share(7_200_000);
//! let stimulus = Matrix::<Cpu>::from_column(mine.rows().map(|row| row as f64).collect());
//! let design = mine.design(&stimulus)?;
//! # }
//! # Ok(())
//! # }
//! ```
//!
//! Built with the feature `mpi`, it takes the MPI of the machine (Debian: `libopenmpi-dev`, `openmpi-bin`, and `libclang-dev` to
//! read its headers). Without the feature the crate is empty.

#[cfg(feature = "mpi")]
mod start;

#[cfg(feature = "mpi")]
pub use start::start;

//! Processes that hold other rows of the same data.

use std::fmt::Debug;

use crate::Error;

/// The processes that share the rows of one recording: what a library of messages has to offer.
///
/// *Implementor must* deliver numbers bit by bit, in the order in which one process sends them to another.
/// *Implementor may* wait: both sides of a message come to it sooner or later.
pub trait Peers: Debug + Send + Sync {
    /// The number of this process, counted from zero.
    fn rank(&self) -> usize;

    /// How many processes there are.
    fn n_ranks(&self) -> usize;

    /// Sends numbers to another process.
    ///
    /// # Errors
    /// [`Error::Process`] where that one is gone.
    fn send(&self, to: usize, numbers: &[f64]) -> Result<(), Error>;

    /// What another process sends.
    ///
    /// # Errors
    /// [`Error::Process`] where that one is gone.
    fn receive(&self, from: usize) -> Result<Vec<f64>, Error>;

    /// Sends numbers to a process that sends some in turn.
    ///
    /// # Errors
    /// [`Error::Process`] where that one is gone.
    fn swap(&self, with: usize, numbers: &[f64]) -> Result<Vec<f64>, Error>;
}

/// One process, which meets no other.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Alone;

impl Peers for Alone {
    fn rank(&self) -> usize {
        0
    }

    fn n_ranks(&self) -> usize {
        1
    }

    fn send(&self, to: usize, _numbers: &[f64]) -> Result<(), Error> {
        Err(Error::no_process(to))
    }

    fn receive(&self, from: usize) -> Result<Vec<f64>, Error> {
        Err(Error::no_process(from))
    }

    fn swap(&self, with: usize, _numbers: &[f64]) -> Result<Vec<f64>, Error> {
        Err(Error::no_process(with))
    }
}

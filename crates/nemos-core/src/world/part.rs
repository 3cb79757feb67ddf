//! Some of the processes, among themselves.

use std::ops::Range;

use super::peers::Peers;
use super::processes::{World, deal};
use crate::Error;

/// Neighbours among the processes of a [`World`], which share rows while other such parts share theirs: what [`World::part`] gives.
///
/// With neurons dealt out to parts, and rows shared within each, processes are laid out in two dimensions.
///
/// # Example
/// ```
/// use nemos_core::World;
/// let world = World::alone();                          // under mpirun with 8 processes: nemos::mpi::start()?
/// let part = world.part(1)?;                           // or two parts, of four processes each
/// let neurons = part.deal(100);                        // half of them, then
/// let rows = part.world().share(7_200_000).rows();     // and a quarter of the rows
/// assert_eq!((neurons.len(), rows.len()), (100, 7_200_000));
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Part {
    world: World,
    number: usize,
    n_parts: usize,
}

impl Part {
    /// The processes of this part.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Which of the parts it is, counted from zero.
    pub fn number(&self) -> usize {
        self.number
    }

    /// How many parts there are.
    pub fn n_parts(&self) -> usize {
        self.n_parts
    }

    /// What this part does of `n_items` that need nothing of each other.
    pub fn deal(&self, n_items: usize) -> Range<usize> {
        deal(n_items, self.number, self.n_parts)
    }
}

impl World {
    /// Cuts the processes into so many parts of as many neighbours each; the one that this process is in.
    ///
    /// Each has a power of two of processes: then the first meetings of all processes are those of the parts, and one that ends is noticed in
    /// whatever the others of its part wait for.
    ///
    /// # Errors
    /// [`Error::Process`] unless the processes can be cut so.
    pub fn part(&self, n_parts: usize) -> Result<Part, Error> {
        let n_ranks = self.n_ranks();
        let size = n_ranks / n_parts.max(1);
        if size * n_parts != n_ranks || !size.is_power_of_two() {
            let reason = format!("{n_ranks} processes cannot be cut into {n_parts} parts that have one, two, four, … processes each");
            return Err(Error::Process {
                rank: self.number(),
                reason,
            });
        }
        let number = self.rank() / size;
        let peers = Neighbours {
            whole: self.clone(),
            first: number * size,
            n_ranks: size,
        };
        Ok(Part {
            world: World::within(self, peers, number * size),
            number,
            n_parts,
        })
    }
}

/// Messages among some processes of a world.
#[derive(Debug)]
struct Neighbours {
    whole: World,
    first: usize,
    n_ranks: usize,
}

impl Peers for Neighbours {
    fn rank(&self) -> usize {
        self.whole.rank() - self.first
    }

    fn n_ranks(&self) -> usize {
        self.n_ranks
    }

    fn send(&self, to: usize, numbers: &[f64]) -> Result<(), Error> {
        self.whole.peers().send(self.first + to, numbers)
    }

    fn receive(&self, from: usize) -> Result<Vec<f64>, Error> {
        self.whole.peers().receive(self.first + from)
    }

    fn swap(&self, with: usize, numbers: &[f64]) -> Result<Vec<f64>, Error> {
        self.whole.peers().swap(self.first + with, numbers)
    }
}

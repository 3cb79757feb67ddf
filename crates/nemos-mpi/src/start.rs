//! The processes that `mpirun` started.

use mpi::Threading;
use mpi::environment::Universe;
use mpi::request::{WaitGuard, scope};
use mpi::topology::{Communicator, Process, SimpleCommunicator};
use mpi::traits::{Destination, Source};
use nemos_core::{Error, Peers, World};

/// Starts MPI: all processes of this program, or this one where nothing else was started.
///
/// MPI ends when the last handle of the world is dropped, designs that are shares of it included; keep one in `main` until the end.
///
/// # Errors
/// [`Error::Process`] if MPI runs already, or lets only the main thread send messages.
pub fn start() -> Result<World, Error> {
    // Messages are sent one at a time, but a proof may ask for rows from any thread.
    let Some((universe, threading)) = mpi::initialize_with_threading(Threading::Serialized) else {
        let reason = "MPI was started before; start it once, and clone the world".into();
        return Err(Error::Process { rank: 0, reason });
    };
    let rank = of(universe.world().rank());
    if threading < Threading::Serialized {
        let reason = format!("this MPI gives threads no more than {threading:?}; Threading::Serialized is needed");
        return Err(Error::Process { rank, reason });
    }
    let n_ranks = of(universe.world().size());
    Ok(World::of(Mpi { universe, rank, n_ranks }))
}

/// Messages through MPI.
struct Mpi {
    universe: Universe,
    rank: usize,
    n_ranks: usize,
}

/// MPI counts in `int`, never below zero here.
fn of(count: i32) -> usize {
    usize::try_from(count).unwrap_or(0)
}

impl std::fmt::Debug for Mpi {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "MPI, process {} of {}", self.rank, self.n_ranks)
    }
}

impl Mpi {
    /// Lets `act` talk to another process.
    fn with<R>(&self, other: usize, act: impl FnOnce(Process<'_>) -> R) -> Result<R, Error> {
        let world: SimpleCommunicator = self.universe.world();
        match i32::try_from(other) {
            Ok(number) if other < self.n_ranks => Ok(act(world.process_at_rank(number))),
            _ => Err(Error::Process {
                rank: other,
                reason: format!("there are {} processes", self.n_ranks),
            }),
        }
    }
}

impl Peers for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn n_ranks(&self) -> usize {
        self.n_ranks
    }

    fn send(&self, to: usize, numbers: &[f64]) -> Result<(), Error> {
        self.with(to, |process| process.send(numbers))
    }

    fn receive(&self, from: usize) -> Result<Vec<f64>, Error> {
        self.with(from, |process| process.receive_vec::<f64>().0)
    }

    fn swap(&self, with: usize, numbers: &[f64]) -> Result<Vec<f64>, Error> {
        self.with(with, |process| {
            scope(|scope| {
                let _sent = WaitGuard::from(process.immediate_send(scope, numbers));
                process.receive_vec::<f64>().0
            })
        })
    }
}

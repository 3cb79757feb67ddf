//! Messages that take as long as they would over a network.

use std::time::Duration;

use super::peers::Peers;
use super::processes::World;
use crate::Error;

impl World {
    /// The same processes, whose messages take a delay each, in seconds, and the time in which a network carries their bytes: what a fit would cost
    /// on a cluster, before one goes there.
    ///
    /// # Example
    /// ```
    /// use nemos_core::World;
    /// let world = World::alone();                                  // under mpirun: nemos::mpi::start()?
    /// let far = world.over_network(1e-3, 1e10);                    // a millisecond, and ten gigabytes in a second
    /// assert_eq!(far.n_ranks(), world.n_ranks());
    /// ```
    pub fn over_network(&self, delay: f64, bytes_per_second: f64) -> World {
        let peers = OverNetwork {
            whole: self.clone(),
            delay,
            bytes_per_second,
        };
        World::within(self, peers, 0)
    }
}

/// Messages that wait before they are sent.
#[derive(Debug)]
struct OverNetwork {
    whole: World,
    delay: f64,
    bytes_per_second: f64,
}

impl OverNetwork {
    fn wait(&self, numbers: &[f64]) {
        let seconds = self.delay + 8.0 * numbers.len() as f64 / self.bytes_per_second;
        if let Ok(time) = Duration::try_from_secs_f64(seconds) {
            std::thread::sleep(time);
        }
    }
}

impl Peers for OverNetwork {
    fn rank(&self) -> usize {
        self.whole.rank()
    }

    fn n_ranks(&self) -> usize {
        self.whole.n_ranks()
    }

    fn send(&self, to: usize, numbers: &[f64]) -> Result<(), Error> {
        self.wait(numbers);
        self.whole.peers().send(to, numbers)
    }

    fn receive(&self, from: usize) -> Result<Vec<f64>, Error> {
        self.whole.peers().receive(from)
    }

    fn swap(&self, with: usize, numbers: &[f64]) -> Result<Vec<f64>, Error> {
        self.wait(numbers);
        self.whole.peers().swap(with, numbers)
    }
}

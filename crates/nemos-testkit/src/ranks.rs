//! Threads in the place of processes: what a program does under `mpirun`, in one process and without MPI.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use nemos_core::{Error, Peers, World};

/// One thread, with a channel to and from each other one.
#[derive(Debug)]
struct Thread {
    rank: usize,
    to: Vec<Sender<Vec<f64>>>,
    from: Vec<Mutex<Receiver<Vec<f64>>>>,
}

fn gone(rank: usize) -> Error {
    let reason = "is gone".into();
    Error::Process { rank, reason }
}

impl Peers for Thread {
    fn rank(&self) -> usize {
        self.rank
    }

    fn n_ranks(&self) -> usize {
        self.to.len()
    }

    fn send(&self, to: usize, numbers: &[f64]) -> Result<(), Error> {
        self.to[to].send(numbers.to_vec()).map_err(|_| gone(to))
    }

    fn receive(&self, from: usize) -> Result<Vec<f64>, Error> {
        let receiver = self.from[from].lock().map_err(|_| gone(from))?;
        receiver.recv().map_err(|_| gone(from))
    }

    fn swap(&self, with: usize, numbers: &[f64]) -> Result<Vec<f64>, Error> {
        self.send(with, numbers)?;
        self.receive(with)
    }
}

/// What `act` gives in each of `n` processes, in order. Each has two threads to compute with.
///
/// # Panics
/// If a process panics.
pub fn in_ranks<R: Send>(n: usize, act: impl Fn(World) -> R + Send + Sync) -> Vec<R> {
    let mut to: Vec<Vec<Sender<Vec<f64>>>> = (0..n).map(|_| Vec::new()).collect();
    let mut from: Vec<Vec<Mutex<Receiver<Vec<f64>>>>> = (0..n).map(|_| Vec::new()).collect();
    for to in &mut to {
        for from in &mut from {
            let (sender, receiver) = channel();
            to.push(sender);
            from.push(Mutex::new(receiver));
        }
    }
    std::thread::scope(|scope| {
        let threads = to.into_iter().zip(from).enumerate().map(|(rank, (to, from))| {
            let act = &act;
            scope.spawn(move || {
                // Pools of their own: a process that waits must not keep another one from computing.
                let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().expect("two threads");
                pool.install(|| act(World::of(Thread { rank, to, from })))
            })
        });
        let threads: Vec<_> = threads.collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("no process panics"))
            .collect()
    })
}

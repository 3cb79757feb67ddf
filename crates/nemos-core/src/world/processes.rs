//! The processes of a program, and what they agree on.

use std::fmt::Display;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use super::message::{END, Message, Reduction};
use super::peers::{Alone, Peers};
use super::share::Share;
use super::tree::{Meeting, meetings};
use crate::{Digest, Error, Segments};

/// The processes that one program runs in: one unless a library of messages started more (`nemos::mpi::start`).
///
/// Every process makes the same calls. What each knows of its own rows is summed over all of them where a fit or a score adds
/// up, by a fixed tree, so that every process gets the same sums to the last bit and ends with the same model.
///
/// Whoever drops the last handle waits until all others have; a process that ends before the others, by an error or a
/// panic, ends what the others wait for with [`Error::Process`].
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix, World};
/// let world = World::alone();
/// let mine = world.share(1000);
/// let stimulus = Matrix::<Cpu>::from_column(mine.rows().map(|row| row as f64).collect());
/// let design = mine.design(&stimulus)?;
/// assert_eq!(design.n_rows(), 1000);
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct World(Arc<Processes>);

/// The items of one of `n`: as many as those of the others, but for one.
pub(super) fn deal(n_items: usize, number: usize, n: usize) -> Range<usize> {
    number * n_items / n..(number + 1) * n_items / n
}

#[derive(Debug)]
struct Processes {
    peers: Box<dyn Peers>,
    /// One meeting at a time, of these processes and of any parts of them.
    meeting: Arc<Mutex<()>>,
    /// Number of the first of these processes among those of the program.
    first: usize,
    /// Whether they are those of another world, whose end is the end of all.
    is_within: bool,
}

// Steps of a program, beside those of passes, whose keys say what they sum.
const AGREE: u64 = Digest::of_text("agree");
const GATHER: u64 = Digest::of_text("gather");
const BROADCAST: u64 = Digest::of_text("broadcast");

impl World {
    /// One process.
    pub fn alone() -> Self {
        World::of(Alone)
    }

    /// These processes.
    pub fn of(peers: impl Peers + 'static) -> Self {
        World(Arc::new(Processes {
            peers: Box::new(peers),
            meeting: Arc::default(),
            first: 0,
            is_within: false,
        }))
    }

    /// Processes of another world, the first of which has this number there.
    pub(super) fn within(whole: &World, peers: impl Peers + 'static, first: usize) -> Self {
        World(Arc::new(Processes {
            peers: Box::new(peers),
            meeting: whole.0.meeting.clone(),
            first: whole.0.first + first,
            is_within: true,
        }))
    }

    pub(super) fn peers(&self) -> &dyn Peers {
        &*self.0.peers
    }

    /// The number of this process among all of the program.
    pub(super) fn number(&self) -> usize {
        self.0.first + self.rank()
    }

    /// The number of this process, counted from zero.
    pub fn rank(&self) -> usize {
        self.0.peers.rank()
    }

    /// How many processes there are.
    pub fn n_ranks(&self) -> usize {
        self.0.peers.n_ranks()
    }

    /// The rows of a recording of `n_rows` that are this process's: about as many as anyone else's.
    pub fn share(&self, n_rows: usize) -> Share {
        Share::of_rows(self.clone(), n_rows)
    }

    /// The same in whole segments: no process has rows of a segment of which another has rows.
    pub fn share_segments(&self, segments: &Segments) -> Share {
        Share::of_segments(self.clone(), segments)
    }

    /// What this process does of `n_items` that need nothing of each other: neurons, folds, replicates.
    pub fn deal(&self, n_items: usize) -> Range<usize> {
        deal(n_items, self.rank(), self.n_ranks())
    }

    /// Passes a result on if all processes have one.
    ///
    /// # Errors
    /// This process's own error; [`Error::Process`] with that of another one.
    pub fn agree<T, E: Display + From<Error>>(&self, mine: Result<T, E>) -> Result<T, E> {
        let nothing = Reduction {
            key: AGREE,
            pack: &|(), _| {},
            unpack: &|from| from.is_empty().then_some(()),
            merge: &|(), ()| (),
        };
        match mine {
            Ok(value) => self
                .meet(Message::Sums(()), &nothing)
                .and_then(Message::sums)
                .map(|()| value)
                .map_err(E::from),
            Err(error) => self.fail(error, &nothing),
        }
    }

    /// What every process gives, in the order of their numbers, to all of them.
    ///
    /// # Errors
    /// [`Error::Process`] where another one fails.
    pub fn gather(&self, mine: &[f64]) -> Result<Vec<Vec<f64>>, Error> {
        let reduction = Reduction::<Vec<Vec<f64>>> {
            key: GATHER,
            pack: &|parts, to| {
                for part in parts {
                    to.push(part.len() as f64);
                    to.extend_from_slice(part);
                }
            },
            unpack: &|mut from| {
                let mut parts = Vec::new();
                while let Some((&length, rest)) = from.split_first() {
                    let (part, others) = rest.split_at_checked(length as usize)?;
                    parts.push(part.to_vec());
                    from = others;
                }
                Some(parts)
            },
            merge: &|mut before, after| {
                before.extend(after);
                before
            },
        };
        self.meet(Message::Sums(vec![mine.to_vec()]), &reduction)?.sums()
    }

    /// What the first process has, to all of them: of a file that it alone reads, say. What the others give does not matter, unless it is an
    /// error.
    ///
    /// # Errors
    /// This process's own error; [`Error::Process`] with that of another one.
    pub fn broadcast<E: Display + From<Error>>(&self, mine: Result<Vec<f64>, E>) -> Result<Vec<f64>, E> {
        let is_first = self.rank() == 0;
        let mine = mine.map(|numbers| if is_first { numbers } else { Vec::new() });
        let pack = |numbers: &Vec<f64>, to: &mut Vec<f64>| to.extend_from_slice(numbers);
        self.reduce((BROADCAST, mine), &pack, &|from| Some(from.to_vec()), &|first, _| first)
    }

    /// What [`gather`](World::gather) does, for bytes such as `serde_json` makes of a result.
    ///
    /// # Errors
    /// As [`gather`](World::gather).
    pub fn gather_bytes(&self, mine: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
        // Eight in a number, and before them how many.
        let packed = mine.chunks(8).map(|bytes| {
            let mut eight = [0; 8];
            eight[..bytes.len()].copy_from_slice(bytes);
            f64::from_bits(u64::from_le_bytes(eight))
        });
        let numbers: Vec<f64> = std::iter::once(mine.len() as f64).chain(packed).collect();
        let unpacked = self.gather(&numbers)?.into_iter().map(|numbers| {
            let (n, numbers) = numbers.split_first().map_or((0, &[][..]), |(n, rest)| (*n as usize, rest));
            let mut bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_bits().to_le_bytes()).collect();
            bytes.truncate(n);
            bytes
        });
        Ok(unpacked.collect())
    }

    /// Sums over the rows of all processes, from those over one's own: the one place where processes meet within a pass.
    ///
    /// `key` is what has to be the same in all processes: a [`Digest`] of what is asked, say. `pack` writes sums as numbers, `unpack` makes sums of them (nothing
    /// where they are of another shape), and `merge` adds the sums over later rows.
    ///
    /// # Errors
    /// This process's own error; [`Error::Process`] with that of another one.
    pub fn reduce<T, E: Display + From<Error>>(
        &self,
        (key, mine): (u64, Result<T, E>),
        pack: &dyn Fn(&T, &mut Vec<f64>),
        unpack: &dyn Fn(&[f64]) -> Option<T>,
        merge: &dyn Fn(T, T) -> T,
    ) -> Result<T, E> {
        let reduction = Reduction { key, pack, unpack, merge };
        match mine {
            Ok(sums) => self.meet(Message::Sums(sums), &reduction).and_then(Message::sums).map_err(E::from),
            Err(error) => self.fail(error, &reduction),
        }
    }

    fn meet<T>(&self, mine: Message<T>, reduction: &Reduction<'_, T>) -> Result<Message<T>, Error> {
        self.0.meet(mine, reduction)
    }

    /// Tells the others of an error.
    fn fail<T, R, E: Display>(&self, error: E, reduction: &Reduction<'_, T>) -> Result<R, E> {
        // This process has an error already, whatever it hears.
        drop(self.meet(Message::Failed(self.number(), error.to_string()), reduction));
        Err(error)
    }
}

impl Processes {
    /// Whatever a process brings, it comes to all its meetings: so no other one waits for ever.
    fn meet<T>(&self, mine: Message<T>, reduction: &Reduction<'_, T>) -> Result<Message<T>, Error> {
        let _one_at_a_time = self.meeting.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut held, mut message) = (mine, Vec::new());
        for meeting in meetings(self.peers.rank(), self.peers.n_ranks()) {
            held = match meeting {
                Meeting::Give { to } => {
                    self.peers.send(to, &message)?;
                    held
                }
                Meeting::Take { from } => held.and(Message::unpack(&self.peers.receive(from)?, self.first + from, reduction), reduction),
                Meeting::Swap { with, earlier } => {
                    message = held.pack(reduction);
                    let theirs = Message::unpack(&self.peers.swap(with, &message)?, self.first + with, reduction);
                    if earlier {
                        held.and(theirs, reduction)
                    } else {
                        theirs.and(held, reduction)
                    }
                }
            };
        }
        Ok(held)
    }
}

impl Drop for Processes {
    /// Comes to all meetings until the others have ended too.
    fn drop(&mut self) {
        let reduction = Reduction {
            key: END,
            pack: &|(), _| {},
            unpack: &|_| Some(()),
            merge: &|(), ()| (),
        };
        if self.is_within {
            return;
        }
        while self.peers.n_ranks() > 1 && matches!(self.meet(Message::Ended(self.peers.rank()), &reduction), Ok(Message::Failed(..))) {}
    }
}

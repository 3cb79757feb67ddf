//! Fits that can be stopped, and go on from a file.
//!
//! A solver is a function of what its evaluations bring. So the file holds these, one after the other, and no state of any solver: a fit
//! that goes on runs its solver from the start, and takes from the file what it holds in place of passes over the data. Every solver
//! goes on to the last bit so, also one of the caller's own.
//!
//! ```text
//! file     = mark, fingerprint, finished groups, evaluations of the group under way, end
//! record   = its length in words, its words, their sum
//! ```
//!
//! It is written whole, under another name, and takes its own when it is on the disk.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nemos_core::Digest;
use nemos_solvers::{ColumnOutcome, Outcome, Parameters, Status};

use crate::Error;

/// Where a fit is kept while it runs, so that one that is stopped goes on where it was.
///
/// After an evaluation of the data, when so many seconds have gone by since the last time, what the fit has seen is written to the file:
/// whole, under another name first, so that a stop at any moment leaves the last one. The same fit of the same data with the same file goes on
/// from there, and ends with the same numbers to the last bit. What the evaluations brought is kept: as much as the parameters, for each; up to
/// 64 MB of it wait in memory.
///
/// The file stays when the fit ends; the same fit then ends at once. It is refused for another fit: other shapes, penalty, mask, solver,
/// tolerance or memory limit, other sums of counts or of features. The limit of steps may change.
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
    path: PathBuf,
    every: f64,
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

const MARK: u64 = u64::from_le_bytes(*b"nemosfit");
const END: u64 = u64::from_le_bytes(*b"thatsall");
// Bytes that wait in memory at most until they are written.
const MOST_PENDING: usize = 64 << 20;
const FINISHED: u64 = 1;
const SEEN: u64 = 2;

/// The file of a fit that is under way.
#[derive(Debug)]
pub(crate) struct Saved {
    checkpoint: Checkpoint,
    fingerprint: u64,
    /// What is left to take from the file, and where that begins.
    replay: Option<BufReader<File>>,
    at: u64,
    /// Where the records of finished groups end in the file, and where all do; zero where there is no file yet.
    finished_end: u64,
    end: u64,
    /// Records that are not in the file yet.
    pending: Vec<u8>,
    written: Instant,
}

impl Saved {
    /// Opens the file of this fit, if there is one.
    pub(crate) fn open(checkpoint: &Checkpoint, fingerprint: u64) -> Result<Self, Error> {
        if !(checkpoint.every >= 0.0 && checkpoint.every < 1e9) {
            return Err(Error::Option(nemos_solvers::Error::Option {
                option: "seconds between checkpoints",
                got: checkpoint.every,
                expected: "zero or more, and below a thousand million",
            }));
        }
        let mut saved = Saved {
            checkpoint: checkpoint.clone(),
            fingerprint,
            replay: None,
            at: 16,
            finished_end: 0,
            end: 0,
            pending: Vec::new(),
            written: Instant::now(),
        };
        match File::open(&checkpoint.path) {
            Ok(file) => {
                let mut reader = BufReader::new(file);
                saved.end = saved.check(&mut reader)?;
                saved.replay = Some(reader);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(saved.unreadable(&error)),
        }
        Ok(saved)
    }

    fn refused(&self, why: impl Into<String>) -> Error {
        refused(&self.checkpoint.path, why)
    }

    /// The error that a record is not what it should be.
    pub(crate) fn damaged(&self) -> Error {
        self.refused("it is damaged, or cut short")
    }

    fn unreadable(&self, error: &io::Error) -> Error {
        self.refused(match error.kind() {
            io::ErrorKind::UnexpectedEof => "it is damaged, or cut short".into(),
            _ => error.to_string(),
        })
    }

    /// Reads all of the file once; where the last record ends. The reader is left at the first.
    fn check(&self, reader: &mut BufReader<File>) -> Result<u64, Error> {
        let unreadable = |error: io::Error| self.unreadable(&error);
        if read_word(reader).map_err(unreadable)? != MARK {
            return Err(self.refused("it is no checkpoint of a fit"));
        }
        let fingerprint = read_word(reader).map_err(unreadable)?;
        let length = reader.get_ref().metadata().map_err(unreadable)?.len();
        let (mut end, mut all) = (16, Digest::new());
        loop {
            let n_words = read_word(reader).map_err(unreadable)?;
            if n_words == END {
                break;
            }
            // Before memory is taken for it.
            if n_words.saturating_mul(8) > length {
                return Err(self.damaged());
            }
            let words = read_words(reader, n_words).map_err(unreadable)?;
            let sum = read_word(reader).map_err(unreadable)?;
            if sum != sum_of(&words) {
                return Err(self.damaged());
            }
            all.add(sum);
            end += 8 * (n_words + 2);
        }
        let whole = read_word(reader).map_err(unreadable)?;
        if whole != all.word() || length != end + 16 {
            return Err(self.damaged());
        }
        if fingerprint != self.fingerprint {
            return Err(self.refused(
                "it is of another fit: shapes, model, penalty, mask, start, solver, tolerance and memory limit must be the same; remove it to \
                 start anew",
            ));
        }
        reader.seek(SeekFrom::Start(16)).map_err(unreadable)?;
        Ok(end)
    }

    /// The next record of the file, if there is one of this kind.
    fn next(&mut self, kind: u64) -> Result<Option<Vec<u64>>, Error> {
        let path = self.checkpoint.path.clone();
        let unreadable = |error: io::Error| refused(&path, error.to_string());
        let Some(reader) = &mut self.replay else { return Ok(None) };
        let n_words = read_word(reader).map_err(unreadable)?;
        if n_words == END {
            self.replay = None;
            return Ok(None);
        }
        let words = read_words(reader, n_words).map_err(unreadable)?;
        if words.first() != Some(&kind) {
            reader.seek_relative(-8 * (n_words as i64 + 1)).map_err(unreadable)?;
            return Ok(None);
        }
        read_word(reader).map_err(unreadable)?;
        self.at += 8 * (n_words + 2);
        Ok(Some(words))
    }

    /// Takes an evaluation from the file, if it is there. Where the file goes on with another one than that of this key, the fit was
    /// stopped there by its limit of steps, and what it looked at then is left out.
    pub(crate) fn replayed(&mut self, key: u64) -> Result<Option<Vec<f64>>, Error> {
        let begin = self.at;
        let Some(words) = self.next(SEEN)? else { return Ok(None) };
        if words.get(1) != Some(&key) {
            (self.replay, self.end) = (None, begin);
            return Ok(None);
        }
        Ok(Some(words[2..].iter().map(|&word| f64::from_bits(word)).collect()))
    }

    /// Checks that the evaluations of a group are of these data, or writes down of which the first will be.
    pub(crate) fn expect_data(&mut self, digest: u64) -> Result<(), Error> {
        let was_open = self.replay.is_some();
        match self.replayed(digest)? {
            Some(_) => Ok(()),
            None if was_open && self.at > self.end => Err(self.refused("it is of other data; remove it to start anew")),
            None => self.seen(digest, std::iter::empty()),
        }
    }

    /// Remembers what an evaluation brought, and writes it down when it is time.
    pub(crate) fn seen(&mut self, key: u64, numbers: impl Iterator<Item = f64>) -> Result<(), Error> {
        let words = [SEEN, key].into_iter().chain(numbers.map(f64::to_bits));
        self.keep(words.collect());
        let is_time = self.written.elapsed() >= Duration::from_secs_f64(self.checkpoint.every);
        if is_time || self.pending.len() > MOST_PENDING {
            self.write()?;
        }
        Ok(())
    }

    fn keep(&mut self, words: Vec<u64>) {
        let sum = sum_of(&words);
        for word in [words.len() as u64].into_iter().chain(words).chain([sum]) {
            self.pending.extend(word.to_le_bytes());
        }
    }

    /// A group that was finished before.
    pub(crate) fn finished(&mut self) -> Result<Option<Vec<u64>>, Error> {
        let Some(words) = self.next(FINISHED)? else { return Ok(None) };
        self.finished_end = self.finished_end.max(16) + 8 * (words.len() as u64 + 2);
        Ok(Some(words[1..].to_vec()))
    }

    /// Takes a finished group in the place of all that was seen of it.
    pub(crate) fn finish(&mut self, group: Vec<u64>) -> Result<(), Error> {
        self.replay = None;
        self.end = self.finished_end;
        self.pending.clear();
        self.keep([FINISHED].into_iter().chain(group).collect());
        self.write()?;
        self.finished_end = self.end;
        Ok(())
    }

    /// Ends a group that is not finished: of the last one what was seen stays, so that it may go on.
    pub(crate) fn leave(&mut self, is_last: bool) -> Result<(), Error> {
        if is_last {
            return if self.pending.is_empty() { Ok(()) } else { self.write() };
        }
        self.replay = None;
        self.end = self.finished_end;
        self.pending.clear();
        Ok(())
    }

    /// Writes what is not in the file yet.
    pub(crate) fn write(&mut self) -> Result<(), Error> {
        self.written = Instant::now();
        self.written_to_disk().map_err(|error| self.unreadable(&error))
    }

    fn written_to_disk(&mut self) -> io::Result<()> {
        let path = &self.checkpoint.path;
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let mut writer = BufWriter::new(File::create(&part)?);
        let mut all = Digest::new();
        if self.end > 0 {
            // What the file holds already, record by record, so that their sums are known.
            let mut old = BufReader::new(File::open(path)?);
            old.seek(SeekFrom::Start(16))?;
            writer.write_all(&MARK.to_le_bytes())?;
            writer.write_all(&self.fingerprint.to_le_bytes())?;
            let mut at = 16;
            while at < self.end {
                let n_words = read_word(&mut old)?;
                let words = read_words(&mut old, n_words)?;
                let sum = read_word(&mut old)?;
                all.add(sum);
                for word in [n_words].into_iter().chain(words).chain([sum]) {
                    writer.write_all(&word.to_le_bytes())?;
                }
                at += 8 * (n_words + 2);
            }
        } else {
            writer.write_all(&MARK.to_le_bytes())?;
            writer.write_all(&self.fingerprint.to_le_bytes())?;
            self.end = 16;
        }
        let mut pending = self.pending.as_slice();
        while !pending.is_empty() {
            let n_words = read_word(&mut pending)?;
            let (record, rest) = pending.split_at(8 * n_words as usize);
            all.add(read_word(&mut { rest })?);
            writer.write_all(&n_words.to_le_bytes())?;
            writer.write_all(record)?;
            writer.write_all(&rest[..8])?;
            pending = &rest[8..];
        }
        writer.write_all(&END.to_le_bytes())?;
        writer.write_all(&all.word().to_le_bytes())?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        std::fs::rename(&part, path)?;
        self.end += self.pending.len() as u64;
        self.pending.clear();
        Ok(())
    }
}

fn refused(path: &Path, why: impl Into<String>) -> Error {
    Error::Data(nemos_core::Error::Checkpoint {
        path: path.into(),
        why: why.into(),
    })
}

fn sum_of(words: &[u64]) -> u64 {
    let mut sum = Digest::new();
    words.iter().for_each(|&word| sum.add(word));
    sum.word()
}

fn read_word(reader: &mut impl Read) -> io::Result<u64> {
    let mut bytes = [0; 8];
    reader.read_exact(&mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn read_words(reader: &mut impl Read, n_words: u64) -> io::Result<Vec<u64>> {
    let mut bytes = vec![0; 8 * n_words as usize];
    reader.read_exact(&mut bytes)?;
    let (words, _) = bytes.as_chunks::<8>();
    Ok(words.iter().map(|word| u64::from_le_bytes(*word)).collect())
}

/// What a finished group is kept as.
pub(crate) struct Kept {
    pub(crate) parameters: Parameters,
    pub(crate) outcome: Outcome,
    pub(crate) scale: Vec<f64>,
    pub(crate) dof_resid: Vec<f64>,
}

// In the order in which they are numbered in a file.
const STATUSES: [Status; 6] = [
    Status::Converged,
    Status::NoMaximum,
    Status::StepLimit,
    Status::Stalled,
    Status::Given,
    Status::NonFinite,
];

impl Kept {
    pub(crate) fn words(&self) -> Vec<u64> {
        let solver = self.outcome.solver.as_bytes();
        let mut words = vec![solver.len() as u64];
        words.extend(solver.iter().map(|&byte| u64::from(byte)));
        words.extend([self.parameters.n_parameters() as u64, self.parameters.n_problems() as u64]);
        words.extend(self.parameters.as_slice().iter().map(|number| number.to_bits()));
        words.extend(self.scale.iter().chain(&self.dof_resid).map(|number| number.to_bits()));
        for column in &self.outcome.columns {
            let status = STATUSES.iter().position(|status| *status == column.status);
            let numbers = [
                column.value,
                column.gradient_norm,
                column.decrement,
                column.condition.unwrap_or(f64::NAN),
            ];
            words.extend([status.unwrap_or(STATUSES.len()), column.steps, column.evaluations, column.rank].map(|n| n as u64));
            words.push(u64::from(column.is_proven));
            words.extend(numbers.map(f64::to_bits));
        }
        words
    }

    /// Nothing where words are not what a group of this shape is kept as.
    pub(crate) fn from_words(words: &[u64], shape: [usize; 2]) -> Option<Self> {
        let mut words = words.iter().copied();
        let n_bytes = words.next()?;
        let solver = (0..n_bytes)
            .map(|_| words.next().and_then(|word| u8::try_from(word).ok()))
            .collect::<Option<_>>()?;
        let solver = String::from_utf8(solver).ok()?;
        let [n_parameters, n_problems] = shape;
        if [words.next()?, words.next()?] != [n_parameters as u64, n_problems as u64] {
            return None;
        }
        let mut numbers = |n: usize| (0..n).map(|_| words.next().map(f64::from_bits)).collect::<Option<Vec<f64>>>();
        let parameters = numbers(n_parameters * n_problems)?;
        let (scale, dof_resid) = (numbers(n_problems)?, numbers(n_problems)?);
        let mut columns = Vec::with_capacity(n_problems);
        for _ in 0..n_problems {
            let status = *STATUSES.get(usize::try_from(words.next()?).ok()?)?;
            let mut column = ColumnOutcome::new(status, 0);
            [column.steps, column.evaluations, column.rank] = [words.next()?, words.next()?, words.next()?].map(|n| n as usize);
            column.is_proven = words.next()? == 1;
            [column.value, column.gradient_norm, column.decrement] = [words.next()?, words.next()?, words.next()?].map(f64::from_bits);
            column.condition = Some(f64::from_bits(words.next()?)).filter(|condition| !condition.is_nan());
            columns.push(column);
        }
        Some(Kept {
            parameters: Parameters::from_columns(n_parameters, parameters.chunks_exact(n_parameters.max(1))),
            outcome: Outcome::new(solver, columns),
            scale,
            dof_resid,
        })
    }
}

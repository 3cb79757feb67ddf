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
//! It is written whole, under another name, and takes its own when it is on the disk. Of several processes the first reads and writes it, and
//! tells the others what it holds: they go on together, as many as there are.

use std::fs::{File, TryLockError};
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nemos_core::{Digest, World};

use crate::Error;
use crate::fit::checkpoint::Checkpoint;

const MARK: u64 = u64::from_le_bytes(*b"nemosfit");
const END: u64 = u64::from_le_bytes(*b"thatsall");
// Bytes that wait in memory at most until they are written.
const MOST_PENDING: usize = 64 << 20;
// Bytes before the first record.
const HEADER: u64 = 16;
const FINISHED: u64 = 1;
const SEEN: u64 = 2;
// The key of what the survey of the first group found; the next ones have those that follow.
const SURVEY: u64 = 1;
const OF_TWO: &str = "another fit writes it at the same time; give each a file of its own";

/// The file of a fit that is under way.
#[derive(Debug)]
pub(crate) struct Saved {
    checkpoint: Checkpoint,
    fingerprint: u64,
    /// The processes, where there are several.
    world: Option<World>,
    /// Whether something is left to take from the file.
    is_open: bool,
    /// What that is, in the process that has the file, and where it begins.
    replay: Option<BufReader<File>>,
    at: u64,
    /// Where the records of finished groups end in the file, and where all do; zero where there is no file yet.
    finished_end: u64,
    end: u64,
    /// Bytes of the file as this fit found or left it; zero where there was none.
    length: u64,
    /// Records that are not in the file yet.
    pending: Vec<u8>,
    written: Instant,
}

/// What a file goes on with.
enum Record {
    Words(Vec<u64>),
    /// What is not looked for.
    Other,
    Nothing,
}

impl Saved {
    /// Opens the file of this fit, if there is one.
    pub(crate) fn open(checkpoint: &Checkpoint, fingerprint: u64, world: Option<&World>) -> Result<Self, Error> {
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
            world: world.filter(|world| world.n_ranks() > 1).cloned(),
            is_open: false,
            replay: None,
            at: HEADER,
            finished_end: 0,
            end: 0,
            length: 0,
            pending: Vec::new(),
            written: Instant::now(),
        };
        let opened = if saved.has_file() { saved.open_here() } else { Ok(()) };
        let is_open = opened.map(|()| vec![f64::from(u8::from(saved.replay.is_some()))]);
        saved.is_open = saved.broadcast(is_open)?.first() == Some(&1.0);
        Ok(saved)
    }

    fn open_here(&mut self) -> Result<(), Error> {
        match File::open(&self.checkpoint.path) {
            Ok(file) => {
                let mut reader = BufReader::new(file);
                self.end = self.check(&mut reader)?;
                self.length = self.end + HEADER;
                self.replay = Some(reader);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Said now, and not when a fit of hours is to be written.
                let folder = self.checkpoint.path.parent().filter(|folder| !folder.as_os_str().is_empty());
                match folder.is_none_or(Path::is_dir) {
                    true => Ok(()),
                    false => Err(self.refused("its folder does not exist")),
                }
            }
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// Whether this is the process that reads and writes.
    fn has_file(&self) -> bool {
        self.world.as_ref().is_none_or(|world| world.rank() == 0)
    }

    /// What the process that has the file knows, to all of them.
    fn broadcast(&self, mine: Result<Vec<f64>, Error>) -> Result<Vec<f64>, Error> {
        match &self.world {
            Some(world) => world.broadcast(mine),
            None => mine,
        }
    }

    /// Ends what the process that has the file did, for all of them.
    fn agree(&self, mine: Result<(), Error>) -> Result<(), Error> {
        match &self.world {
            Some(world) => world.agree(mine),
            None => mine,
        }
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
        let (mut end, mut all) = (HEADER, Digest::new());
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
        if whole != all.word() || length != end + HEADER {
            return Err(self.damaged());
        }
        if fingerprint != self.fingerprint {
            return Err(self.refused(
                "it is of another fit: data, model, penalty, mask, start, solver, tolerance and memory limit must be the same, and under a limit \
                 the number of threads; remove it to start anew",
            ));
        }
        reader.seek(SeekFrom::Start(HEADER)).map_err(unreadable)?;
        Ok(end)
    }

    /// The next record of the file, if it is of this kind and key. One of another kind is left where it is; where another key comes, the file is
    /// no more followed from there on.
    fn next(&mut self, kind: u64, key: u64) -> Result<Record, Error> {
        if !self.is_open {
            return Ok(Record::Nothing);
        }
        let here = if self.has_file() {
            self.next_here(kind, key)
        } else {
            Ok(Record::Nothing)
        };
        if self.world.is_none() {
            self.is_open = self.replay.is_some();
            return here;
        }
        let mine = here.map(|record| {
            let (tag, words) = match record {
                Record::Words(words) => (2.0, words),
                Record::Other => (1.0, Vec::new()),
                Record::Nothing => (0.0, Vec::new()),
            };
            let is_open = f64::from(u8::from(self.replay.is_some()));
            [is_open, tag].into_iter().chain(words.into_iter().map(f64::from_bits)).collect()
        });
        let told = self.broadcast(mine)?;
        let [is_open, tag, words @ ..] = told.as_slice() else {
            return Err(self.damaged());
        };
        self.is_open = *is_open == 1.0;
        Ok(match *tag as u8 {
            2 => Record::Words(words.iter().map(|word| word.to_bits()).collect()),
            1 => Record::Other,
            _ => Record::Nothing,
        })
    }

    fn next_here(&mut self, kind: u64, key: u64) -> Result<Record, Error> {
        let path = self.checkpoint.path.clone();
        let unreadable = |error: io::Error| refused(&path, error.to_string());
        let Some(reader) = &mut self.replay else {
            return Ok(Record::Nothing);
        };
        let n_words = read_word(reader).map_err(unreadable)?;
        if n_words == END {
            self.replay = None;
            return Ok(Record::Nothing);
        }
        let words = read_words(reader, n_words).map_err(unreadable)?;
        if words.first() != Some(&kind) {
            reader.seek_relative(-8 * (n_words as i64 + 1)).map_err(unreadable)?;
            return Ok(Record::Nothing);
        }
        if words.get(1) != Some(&key) {
            (self.replay, self.end) = (None, self.at);
            return Ok(Record::Other);
        }
        read_word(reader).map_err(unreadable)?;
        self.at += 8 * (n_words + 2);
        Ok(Record::Words(words))
    }

    /// Takes an evaluation from the file, if it is there. Where the file goes on with another one than that of this key, the fit was
    /// stopped there by its limit of steps, and what it looked at then is left out.
    pub(crate) fn replayed(&mut self, key: u64) -> Result<Option<Vec<f64>>, Error> {
        match self.next(SEEN, key)? {
            Record::Words(words) => Ok(Some(numbers(&words[2..]))),
            _ => Ok(None),
        }
    }

    /// What a survey of the data of a group found when the fit began; what it finds now is written down where there is nothing yet.
    pub(crate) fn survey(&mut self, group: usize, now: &[f64]) -> Result<Option<Vec<f64>>, Error> {
        let key = SURVEY + group as u64;
        match self.next(SEEN, key)? {
            Record::Words(words) => Ok(Some(numbers(&words[2..]))),
            // What another group saw that was stopped, while this one was left out.
            Record::Other | Record::Nothing => self.seen(key, now.iter().copied()).map(|()| None),
        }
    }

    /// The error that a survey found other data.
    pub(crate) fn of_other_data(&self) -> Error {
        self.refused("it is of other data; remove it to start anew")
    }

    /// Remembers what an evaluation brought, and writes it down when it is time.
    pub(crate) fn seen(&mut self, key: u64, numbers: impl Iterator<Item = f64>) -> Result<(), Error> {
        if !self.has_file() {
            return Ok(());
        }
        let words = [SEEN, key].into_iter().chain(numbers.map(f64::to_bits));
        self.keep(words.collect());
        let is_time = self.written.elapsed() >= Duration::from_secs_f64(self.checkpoint.every);
        if is_time || self.pending.len() > MOST_PENDING {
            // The others hear of an error when they next wait for this process.
            return self.write().or_else(|error| self.agree(Err(error)));
        }
        Ok(())
    }

    fn keep(&mut self, words: Vec<u64>) {
        let sum = sum_of(&words);
        for word in [words.len() as u64].into_iter().chain(words).chain([sum]) {
            self.pending.extend(word.to_le_bytes());
        }
    }

    /// The group of this number, if it was finished before. Where a group was stopped, those after it that were finished are left out.
    pub(crate) fn finished(&mut self, group: usize) -> Result<Option<Vec<u64>>, Error> {
        let Record::Words(words) = self.next(FINISHED, group as u64)? else {
            return Ok(None);
        };
        self.finished_end = self.finished_end.max(HEADER) + 8 * (words.len() as u64 + 2);
        Ok(Some(words[2..].to_vec()))
    }

    /// Takes a finished group in the place of all that was seen of it.
    pub(crate) fn finish(&mut self, group: usize, words: Vec<u64>) -> Result<(), Error> {
        self.forget();
        let mut written = Ok(());
        if self.has_file() {
            self.keep([FINISHED, group as u64].into_iter().chain(words).collect());
            written = self.write();
            self.finished_end = self.end;
        }
        self.agree(written)
    }

    /// Ends a group that is not finished: of the last one what was seen stays, so that it may go on.
    pub(crate) fn leave(&mut self, is_last: bool) -> Result<(), Error> {
        if !is_last {
            self.forget();
            return Ok(());
        }
        let written = if self.pending.is_empty() { Ok(()) } else { self.write() };
        self.agree(written)
    }

    /// Leaves out what was seen of the group under way.
    fn forget(&mut self) {
        (self.replay, self.is_open) = (None, false);
        self.end = self.finished_end;
        self.pending.clear();
    }

    /// Writes what is not in the file yet.
    fn write(&mut self) -> Result<(), Error> {
        self.written = Instant::now();
        self.written_to_disk().map_err(|error| self.unreadable(&error))
    }

    fn written_to_disk(&mut self) -> io::Result<()> {
        let path = &self.checkpoint.path;
        let mut part = path.clone().into_os_string();
        part.push(".part");
        let part = PathBuf::from(part);
        let file = File::options().create(true).truncate(false).write(true).open(&part)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => return Err(io::Error::other(OF_TWO)),
            // Not every file system has locks.
            Ok(()) | Err(TryLockError::Error(_)) => file.set_len(0)?,
        }
        let done = self.replace_with(file, &part);
        if done.is_err() {
            // Whether or not it exists, the first error is the one to report.
            let _ = std::fs::remove_file(&part);
        }
        done
    }

    fn replace_with(&mut self, file: File, part: &Path) -> io::Result<()> {
        let mut old = self.as_it_was_left()?;
        let mut writer = BufWriter::new(file);
        writer.write_all(&MARK.to_le_bytes())?;
        writer.write_all(&self.fingerprint.to_le_bytes())?;
        let mut all = Digest::new();
        if self.end > 0 {
            // What the file holds already, record by record, so that their sums are known.
            let old = old.as_mut().ok_or(io::ErrorKind::NotFound)?;
            let mut at = HEADER;
            while at < self.end {
                let n_words = read_word(old)?;
                if n_words > self.length / 8 {
                    return Err(io::Error::other(OF_TWO));
                }
                let words = read_words(old, n_words)?;
                let sum = read_word(old)?;
                all.add(sum);
                for word in [n_words].into_iter().chain(words).chain([sum]) {
                    writer.write_all(&word.to_le_bytes())?;
                }
                at += 8 * (n_words + 2);
            }
        } else {
            self.end = HEADER;
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
        std::fs::rename(part, &self.checkpoint.path)?;
        self.end += self.pending.len() as u64;
        self.length = self.end + HEADER;
        self.pending.clear();
        Ok(())
    }

    /// The file, behind its fingerprint, if there is one: as this fit found or left it, and not as another one did that runs meanwhile.
    fn as_it_was_left(&self) -> io::Result<Option<BufReader<File>>> {
        let file = match File::open(&self.checkpoint.path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let length = file.metadata()?.len();
        let mut reader = BufReader::new(file);
        let is_same = length > 0 && length == self.length && read_word(&mut reader)? == MARK && read_word(&mut reader)? == self.fingerprint;
        if is_same { Ok(Some(reader)) } else { Err(io::Error::other(OF_TWO)) }
    }
}

fn refused(path: &Path, why: impl Into<String>) -> Error {
    Error::Data(nemos_core::Error::Checkpoint {
        path: path.into(),
        why: why.into(),
    })
}

fn numbers(words: &[u64]) -> Vec<f64> {
    words.iter().map(|&word| f64::from_bits(word)).collect()
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

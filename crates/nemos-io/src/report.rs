//! What reading left out, for those who ask for it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// What was read, and what was left out of it.
///
/// # Example
/// ```no_run
/// use nemos_core::Cpu;
/// use nemos_io::NwbFile;
/// let session = NwbFile::open("session.nwb")?;
/// let position = session.lenient(|session| session.series("position")?.tsd::<Cpu>())?;
/// for left_out in &position.left_out {
///     println!("{left_out}");                 // /acquisition/position/timestamps: row 500: a time that is not finite
/// }
/// let position = position.value;
/// # Ok::<(), nemos_io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Lenient<T> {
    /// What could be read.
    pub value: T,
    /// What could not, or was changed, in the order in which it was met.
    pub left_out: Vec<LeftOut>,
}

/// Rows that were left out, or changed, and why. It prints as a line.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LeftOut {
    /// Of which object of the file.
    pub object: String,
    /// Which rows of it, from 0 (lines of a text, from 1); none where all of it is meant.
    pub rows: Vec<usize>,
    /// Why.
    pub reason: Reason,
}

/// Why something was left out or changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// A time is NaN or infinite.
    TimeNotFinite,
    /// A time is before one that came earlier; the fewest were left out after which times rise.
    TimeBackwards,
    /// Samples beyond the last time, or times beyond the last sample.
    Unpaired,
    /// A row has no start or no stop, or does not stop after it starts.
    NoInterval,
    /// Rows that overlap became one interval; its metadata say which.
    Merged,
    /// Events at times at which nothing was observed.
    Unobserved,
    /// Numbers of units that are missing, below zero or there twice became 0, 1, … in their order.
    Renumbered,
    /// Columns of the table that a series points to are not one for each of its channels.
    Channels,
    /// Cells that should be numbers.
    NotANumber,
    /// Names or metadata that are pickled: reading them would run a program.
    Pickled,
    /// Values of a group of signals, of which only the times are kept.
    Values,
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Reason::TimeNotFinite => "times that are not finite were left out",
            Reason::TimeBackwards => "times that run backwards were left out",
            Reason::Unpaired => "samples without a time, or times without a sample, were left out",
            Reason::NoInterval => "rows without a start or a stop, or that do not stop after they start, were left out",
            Reason::Merged => "rows that overlap were merged, with what is the same in their metadata",
            Reason::Unobserved => "events at times at which nothing was observed were left out",
            Reason::Renumbered => "numbers of units that are missing, below zero or there twice were replaced by 0, 1, … in their order",
            Reason::Channels => "rows of its table are not one for each channel, and were left out",
            Reason::NotANumber => "rows with cells that should be numbers were left out",
            Reason::Pickled => "what is pickled was left out: reading it would run a program",
            Reason::Values => "the values of a group of signals were left out: a group holds events",
        })
    }
}

impl fmt::Display for LeftOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.object)?;
        match self.rows.as_slice() {
            [] => {}
            [row] => write!(f, "row {row}: ")?,
            rows if rows.len() <= MOST_ROWS => write!(f, "rows {rows:?}: ")?,
            rows => write!(f, "{} rows, the first of them {}: ", rows.len(), rows[0])?,
        }
        write!(f, "{}", self.reason)
    }
}

/// As many rows are listed; of more only the number is told.
const MOST_ROWS: usize = 10;

/// Whether bad rows are left out, and those that were. All that was opened from one file shares it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Log {
    is_lenient: bool,
    entries: Arc<Mutex<Vec<LeftOut>>>,
}

impl Log {
    /// For what is read leniently: bad rows are left out rather than refused.
    pub(crate) fn lenient() -> Self {
        Log {
            is_lenient: true,
            ..Log::default()
        }
    }

    pub(crate) fn is_lenient(&self) -> bool {
        self.is_lenient
    }

    /// Notes what is left out. What is noted twice, as by two looks at the same times, is there once.
    pub(crate) fn note(&self, object: impl Into<String>, rows: Vec<usize>, reason: Reason) {
        let (object, entry) = (object.into(), &mut *self.entries.lock().unwrap_or_else(PoisonError::into_inner));
        let left_out = LeftOut { object, rows, reason };
        if !entry.contains(&left_out) {
            tracing::warn!("{left_out}");
            entry.push(left_out);
        }
    }

    /// What was noted.
    pub(crate) fn entries(&self) -> Vec<LeftOut> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_left_out_prints_as_a_line() {
        let log = Log::lenient();
        log.note("/units", vec![3], Reason::TimeNotFinite);
        log.note("/units", vec![3], Reason::TimeNotFinite);
        log.note("/trials", (0..40).collect(), Reason::NoInterval);
        let lines: Vec<String> = log.entries().iter().map(LeftOut::to_string).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[0], "/units: row 3: times that are not finite were left out");
        assert!(
            lines[1].starts_with("/trials: 40 rows, the first of them 0: rows without"),
            "{}",
            lines[1]
        );
    }
}

//! What can be wrong with times, epochs and signals, or with what is asked of them.

/// Recordings that cannot be used as they are, or options that do not fit them.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The data themselves cannot be used.
    #[error(transparent)]
    Data(#[from] nemos_core::Error),
    /// A time is infinite or not a number.
    #[error("time {index} is {time}; times are finite, in seconds: leave the sample out")]
    TimeNotFinite {
        /// Which time.
        index: usize,
        /// Its value.
        time: f64,
    },
    /// A design has no times.
    #[error("the {rows} rows of the design have no times, and a time series needs one for each; give them: `Design::with_times`")]
    NoTimes {
        /// Its rows.
        rows: usize,
    },
    /// Times are not in order.
    #[error(
        "time {index} is {time} s, before {before} s, the one before it; sort them together with their values (`Ts::sorted` for events)"
    )]
    Unsorted {
        /// Which time.
        index: usize,
        /// Its value.
        time: f64,
        /// The value before it.
        before: f64,
    },
    /// An interval ends before it starts, or is not finite.
    #[error("interval {index} runs from {start} to {end}; it must end after it starts, and both ends must be finite")]
    Interval {
        /// Which interval.
        index: usize,
        /// Its start.
        start: f64,
        /// Its end.
        end: f64,
    },
    /// Two intervals overlap that have metadata of their own.
    #[error(
        "intervals {first} and {second} overlap, so that they cannot keep metadata of their own; cut one, leave it out, or take `IntervalSet::merged`"
    )]
    Overlap {
        /// Number of the one that starts first.
        first: usize,
        /// Number of the other.
        second: usize,
    },
    /// A column of metadata has another number of rows.
    #[error("metadata {name:?} has {got} rows, but there are {expected}; give one for each unit, column or interval")]
    MetadataRows {
        /// The name of the column.
        name: String,
        /// Its rows.
        got: usize,
        /// The rows of the table.
        expected: usize,
    },
    /// Nothing has this name.
    #[error("nothing is named {name:?}; there are {available:?}")]
    UnknownName {
        /// The name asked for.
        name: String,
        /// The names that exist.
        available: Vec<String>,
    },
    /// A column of metadata is of another kind.
    #[error("metadata {name:?} are {got}, not {wanted}")]
    ColumnKind {
        /// The name of the column.
        name: String,
        /// What it holds.
        got: &'static str,
        /// What was asked for.
        wanted: &'static str,
    },
    /// A unit that does not exist was asked for.
    #[error("there is no unit {id}; there are {available:?}")]
    UnknownUnit {
        /// The number asked for.
        id: u64,
        /// The numbers of the units.
        available: Vec<u64>,
    },
    /// Two units have the same number.
    #[error("unit {id} is there twice; numbers of units must differ")]
    DuplicateUnit {
        /// The number.
        id: u64,
    },
    /// Something that must be positive is not.
    #[error("{name} is {got}, but must be positive and finite")]
    NotPositive {
        /// What it is.
        name: &'static str,
        /// Its value.
        got: f64,
    },
    /// A range ends before it starts, or is not finite.
    #[error("{name} runs from {low} to {high}; it must rise, and both ends must be finite")]
    Range {
        /// What runs there.
        name: &'static str,
        /// Its lower end.
        low: f64,
        /// Its upper end.
        high: f64,
    },
    /// A window around events that reaches nowhere.
    #[error(
        "the window around events reaches {before} s before them and {after} s after; both are lengths, finite and not negative, and one must be positive"
    )]
    Window {
        /// How far it reaches before an event.
        before: f64,
        /// How far after.
        after: f64,
    },
    /// More bins than memory could hold.
    #[error("{bin_size} s cut the epochs into {bins:.0} bins, more than memory can hold; times are in seconds")]
    TooManyBins {
        /// The size of a bin.
        bin_size: f64,
        /// How many there would be.
        bins: f64,
    },
    /// More of something than memory could hold.
    #[error("there would be {n:.0} {name}, more than memory can hold")]
    TooMany {
        /// Of what.
        name: &'static str,
        /// How many.
        n: f64,
    },
    /// Too few samples for what was asked.
    #[error("{name} needs at least {least} samples in an epoch, but one has {got}; drop short epochs first")]
    TooFewSamples {
        /// What was asked.
        name: &'static str,
        /// The least number.
        least: usize,
        /// How many there are.
        got: usize,
    },
    /// A signal is not sampled evenly.
    #[error("samples {row} and the next are {got} s apart, others {expected} s; interpolate the signal to even times first")]
    Irregular {
        /// The first of the two samples.
        row: usize,
        /// How far apart they are.
        got: f64,
        /// How far apart the first two are.
        expected: f64,
    },
    /// A signal holds a NaN or an infinity where none can be.
    #[error("the signal is not a finite number at row {row}, column {column}; drop or interpolate missing samples first")]
    Missing {
        /// Its row.
        row: usize,
        /// Its column.
        column: usize,
    },
    /// A frequency outside what the sampling rate can tell apart.
    #[error("{frequency} Hz is not between 0 and {limit} Hz, half of the sampling rate")]
    Frequency {
        /// The frequency.
        frequency: f64,
        /// Half of the sampling rate.
        limit: f64,
    },
    /// Windows that overlap by more than there is.
    #[error("windows overlap by {got} of their length; it is a share, from 0 to below 1")]
    Overlapping {
        /// The share.
        got: f64,
    },
    /// Edges of bins that do not rise.
    #[error("edge {index} of {name} is {edge}, not above the one before it; edges are finite and rise, and there are two or more")]
    Edges {
        /// Of what.
        name: &'static str,
        /// The first edge that does not rise.
        index: usize,
        /// Its value, NaN if it is missing.
        edge: f64,
    },
    /// A value that is no number of a unit.
    #[error("sample {row} is {value}, which is no number of a unit; these are whole and not below zero")]
    NotAUnit {
        /// Which sample.
        row: usize,
        /// Its value.
        value: f64,
    },
    /// A transition that no filter has.
    #[error("the transition of a filter is {got}; it is a share of the sampling rate, from {least} to 1")]
    Transition {
        /// The transition.
        got: f64,
        /// The least.
        least: f64,
    },
    /// An order that no filter has.
    #[error("a filter of order {got} was asked for; orders are 1 to {most}")]
    Order {
        /// The order.
        got: usize,
        /// The highest.
        most: usize,
    },
    /// Nothing to compute with.
    #[error("{name} is empty; {hint}")]
    Empty {
        /// What is empty.
        name: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A tuning curve is of a unit that the activity lacks.
    #[error("curve {index} is of {name:?}, but no column of the activity is; there are {available:?}: count the units that have curves")]
    Units {
        /// Number of the curve.
        index: usize,
        /// Its name.
        name: String,
        /// The names of the columns.
        available: Vec<String>,
    },
    /// Two things that belong together have different numbers.
    #[error("{left_name} has {left}, but {right_name} has {right}; give as many of both")]
    Differ {
        /// What the first is.
        left_name: &'static str,
        /// How many it has.
        left: usize,
        /// What the second is.
        right_name: &'static str,
        /// How many it has.
        right: usize,
    },
}

/// Refuses what is not positive and finite.
pub(crate) fn positive(name: &'static str, got: f64) -> Result<f64, Error> {
    if got.is_finite() && got > 0.0 {
        Ok(got)
    } else {
        Err(Error::NotPositive { name, got })
    }
}

/// Refuses more of something than there can be.
pub(crate) fn at_most(most: f64, name: &'static str, n: f64) -> Result<(), Error> {
    if n > most {
        return Err(Error::TooMany { name, n });
    }
    Ok(())
}

/// Refuses more values than memory could hold.
pub(crate) fn holds(name: &'static str, sizes: &[usize]) -> Result<(), Error> {
    const MOST_VALUES: f64 = 1e11;
    at_most(MOST_VALUES, name, sizes.iter().map(|&size| size as f64).product())
}

/// Refuses edges of bins that are not finite, do not rise, or are fewer than two.
pub(crate) fn rising(name: &'static str, edges: &[f64]) -> Result<(), Error> {
    let bad = (0..edges.len().max(2)).find(|&index| {
        let edge = edges.get(index).copied().unwrap_or(f64::NAN);
        !edge.is_finite() || index > 0 && edges[index - 1] >= edge
    });
    match bad {
        Some(index) => Err(Error::Edges {
            name,
            index,
            edge: edges.get(index).copied().unwrap_or(f64::NAN),
        }),
        None => Ok(()),
    }
}

/// The place of a name among others.
pub(crate) fn place_of<'a>(name: &str, names: impl Iterator<Item = &'a str> + Clone) -> Result<usize, Error> {
    let place = names.clone().position(|other| other == name);
    place.ok_or_else(|| Error::UnknownName {
        name: name.into(),
        available: names.map(String::from).collect(),
    })
}

//! The `.npz` files in which pynapple keeps its objects.

use std::path::Path;

use nemos_core::Backend;
use nemos_timeseries::{IntervalSet, Kind, Signal, Ts, TsGroup, Tsd, TsdFrame, TsdTensor};

use crate::arrays::{matrix, numbered};
use crate::format::Format;
use crate::npz_writer::NpzWriter;
use crate::report::{Log, Reason};
use crate::rising::longest_rising;
use crate::{Error, Lenient, NpzFile};

/// One object of pynapple, in or out of its `.npz` file.
///
/// What a file holds is told from the arrays that are there. Members that are pickled (metadata, names of columns) are
/// skipped: nothing is ever unpickled, and [`read_lenient`](Pynapple::read_lenient) says so. Written files keep the names of
/// columns as text, which pynapple reads; metadata are not written.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_io::Pynapple;
/// use nemos_timeseries::{IntervalSet, Ts};
///
/// let path = std::env::temp_dir().join("nemos_pynapple_example.npz");
/// let spikes = Ts::within([0.5, 1.5, 3.5], &IntervalSet::new([(0.0, 5.0)])?)?;
/// Pynapple::<Cpu>::Ts(spikes.clone()).write(&path)?;                      // nap.load_file(path)
/// match Pynapple::<Cpu>::read(&path)? {
///     Pynapple::Ts(loaded) => assert_eq!(loaded, spikes),
///     other => panic!("{other:?}"),
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[doc(alias = "NPZFile")]
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Pynapple<B: Backend> {
    /// Epochs.
    IntervalSet(IntervalSet),
    /// Events.
    Ts(Ts),
    /// The events of many units.
    TsGroup(TsGroup),
    /// A signal.
    Tsd(Tsd<B>),
    /// Signals side by side.
    TsdFrame(TsdFrame<B>),
    /// An array per time.
    TsdTensor(TsdTensor<B>),
}

impl<B: Backend> Pynapple<B> {
    /// Reads a file of pynapple's `save`.
    ///
    /// # Errors
    /// As [`NpzFile::open`] and [`NpzFile::array`]; [`Error::NotPynapple`] if arrays that every object has are missing;
    /// [`Error::Recording`] if times are not in order, or values do not fit them.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, Error> {
        Self::logged(path.as_ref(), &Log::default())
    }

    /// The same, leaving out what cannot be used: events and samples whose time is not finite, or before an earlier one (the
    /// fewest, after which times rise). It says what was left out, what
    /// is pickled included.
    ///
    /// # Errors
    /// As [`read`](Pynapple::read), but for such times.
    pub fn read_lenient(path: impl AsRef<Path>) -> Result<Lenient<Self>, Error> {
        let log = Log::lenient();
        let value = Self::logged(path.as_ref(), &log)?;
        Ok(Lenient {
            value,
            left_out: log.entries(),
        })
    }

    fn logged(path: &Path, log: &Log) -> Result<Self, Error> {
        let file = NpzFile::open(path)?;
        let has = |name: &str| file.names().iter().any(|other| other == name);
        let at = |error: nemos_timeseries::Error| Error::recording(path, "its object of pynapple", error);
        if !has("start") || !has("end") {
            return Err(Error::NotPynapple {
                path: path.into(),
                available: file.names().to_vec(),
            });
        }
        let (starts, ends) = (file.vector("start")?, file.vector("end")?);
        if file.has("_metadata") {
            log.note("_metadata", Vec::new(), Reason::Pickled);
        }
        if starts.len() != ends.len() {
            return Err(Error::PynappleLengths {
                path: path.into(),
                name: "index or end",
                got: ends.len(),
                expected: starts.len(),
            });
        }
        let support = IntervalSet::new(starts.into_iter().zip(ends)).map_err(at)?;
        if !has("t") {
            return Ok(Pynapple::IntervalSet(support));
        }
        let times = file.vector("t")?;
        if has("index") {
            return Ok(Pynapple::TsGroup(group(&file, path, times, &support, log)?));
        }
        let rows = rising(&times, finite(&times, log), log);
        let kept: Vec<f64> = rows.iter().map(|&row| times[row]).collect();
        let axis = Ts::new(kept).map_err(at)?;
        if !has("d") {
            return Ok(Pynapple::Ts(within(axis, &support)));
        }
        let mut values = file.array("d")?;
        if rows.len() < times.len() && values.shape().first() == Some(&times.len()) {
            values = values.select(ndarray::Axis(0), &rows);
        }
        Ok(match values.ndim() {
            0 | 1 => Pynapple::Tsd(cut(Tsd::new(axis, matrix(values)?).map_err(at)?, &support)),
            2 => {
                let frame = cut(TsdFrame::new(axis, matrix(values)?).map_err(at)?, &support);
                Pynapple::TsdFrame(match names(&file, log)? {
                    Some(names) => frame.with_names(names).map_err(at)?,
                    None => frame,
                })
            }
            _ => Pynapple::TsdTensor(cut(TsdTensor::from_array(axis, &values).map_err(at)?, &support)),
        })
    }

    /// Writes a file for pynapple's `load_file`, replacing one that exists whole or not at all.
    ///
    /// # Errors
    /// [`Error::Ending`] if the name ends like another format, [`Error::Write`] if the system refuses.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        Format::Npz.check_name(path.as_ref())?;
        let mut file = NpzWriter::new();
        let (name, support) = match self {
            Pynapple::IntervalSet(epochs) => ("IntervalSet", epochs),
            Pynapple::Ts(events) => {
                times(&mut file, "t", events.times());
                ("Ts", events.support())
            }
            Pynapple::TsGroup(units) => {
                write_group(&mut file, units);
                ("TsGroup", units.support())
            }
            Pynapple::Tsd(signal) => {
                write_signal(&mut file, signal, &[]);
                ("Tsd", signal.support())
            }
            Pynapple::TsdFrame(signal) => {
                write_signal(&mut file, signal, &[signal.n_columns()]);
                write_names(&mut file, &signal.column_names());
                ("TsdFrame", signal.support())
            }
            Pynapple::TsdTensor(signal) => {
                write_signal(&mut file, signal, signal.shape());
                ("TsdTensor", signal.support())
            }
        };
        file.floats("start", &[support.len()], support.starts());
        file.floats("end", &[support.len()], support.ends());
        file.texts("type", &[1], &[name]);
        file.write(path.as_ref())
    }
}

fn group(file: &NpzFile, path: &Path, times: Vec<f64>, support: &IntervalSet, log: &Log) -> Result<TsGroup, Error> {
    let index = file.vector("index")?;
    if index.len() != times.len() {
        return Err(Error::PynappleLengths {
            path: path.into(),
            name: "index or end",
            got: index.len(),
            expected: times.len(),
        });
    }
    let mut keys = match file.has("keys") {
        true => file.vector("keys")?,
        false => index.clone(),
    };
    keys.sort_by(f64::total_cmp);
    keys.dedup();
    let mut units = vec![Vec::new(); keys.len()];
    for row in finite(&times, log) {
        if let Ok(unit) = keys.binary_search_by(|other| other.total_cmp(&index[row])) {
            units[unit].push(times[row]);
        }
    }
    let units = units.into_iter().zip(&keys).map(|(times, key)| {
        let unit = Ts::sorted(times);
        unit.map_err(|error| Error::recording(path, &format!("unit {key}"), error))
    });
    let units = units.collect::<Result<Vec<Ts>, Error>>()?;
    let group = if support.is_empty() {
        TsGroup::joined(units)
    } else {
        TsGroup::new(units, support)
    };
    if file.has("d") {
        log.note("d", Vec::new(), Reason::Values);
    }
    numbered(group, &keys, path, "its keys", log)
}

/// Those of the rows whose times rise, if others are to be left out; else all.
fn rising(times: &[f64], rows: Vec<usize>, log: &Log) -> Vec<usize> {
    let own: Vec<f64> = rows.iter().map(|&row| times[row]).collect();
    if !log.is_lenient() || own.is_sorted() {
        return rows;
    }
    let kept = longest_rising(&own);
    let others: Vec<usize> = (0..rows.len()).filter(|place| kept.binary_search(place).is_err()).collect();
    log.note("t", others.into_iter().map(|place| rows[place]).collect(), Reason::TimeBackwards);
    kept.into_iter().map(|place| rows[place]).collect()
}

/// The rows whose times are finite, if others are to be left out; else all.
fn finite(times: &[f64], log: &Log) -> Vec<usize> {
    let (finite, others): (Vec<usize>, Vec<usize>) = (0..times.len()).partition(|&row| times[row].is_finite() || !log.is_lenient());
    if !others.is_empty() {
        log.note("t", others, Reason::TimeNotFinite);
    }
    finite
}

fn write_group(file: &mut NpzWriter, units: &TsGroup) {
    let pairs = units.units().iter().zip(units.ids());
    let mut events: Vec<(f64, u64)> = pairs
        .flat_map(|(unit, &id)| unit.times().iter().map(move |&time| (time, id)))
        .collect();
    events.sort_by(|left, right| left.0.total_cmp(&right.0));
    file.floats("t", &[events.len()], events.iter().map(|event| event.0));
    file.integers("index", &[events.len()], events.iter().map(|event| event.1 as i64));
    file.integers("keys", &[units.len()], units.ids().iter().map(|&id| id as i64));
}

fn write_signal<B: Backend, K: Kind>(file: &mut NpzWriter, signal: &Signal<B, K>, sample: &[usize]) {
    times(file, "t", signal.sample_times());
    let shape = [&[signal.sample_times().len()], sample].concat();
    file.floats("d", &shape, signal.values().to_vec());
}

/// Names of columns: numbers, where all are whole numbers.
fn write_names(file: &mut NpzWriter, names: &[String]) {
    let number = |name: &String| name.parse::<i64>().ok().filter(|number| number.to_string() == *name);
    match names.iter().map(number).collect::<Option<Vec<i64>>>() {
        Some(numbers) => file.integers("columns", &[numbers.len()], numbers),
        None => file.texts("columns", &[names.len()], &names.iter().map(String::as_str).collect::<Vec<_>>()),
    }
}

fn times(file: &mut NpzWriter, name: &str, times: &[f64]) {
    file.floats(name, &[times.len()], times.iter().copied());
}

/// Names of columns, where they are numbers or text.
fn names(file: &NpzFile, log: &Log) -> Result<Option<Vec<String>>, Error> {
    if file.names().iter().any(|name| name == "columns") {
        return Ok(Some(file.vector("columns")?.iter().map(f64::to_string).collect()));
    }
    if !file.has("columns") {
        return Ok(None);
    }
    match file.texts("columns") {
        Ok(names) => Ok(Some(names)),
        Err(Error::UnsupportedType { .. }) => {
            log.note("columns", Vec::new(), Reason::Pickled);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Within the support; one sample alone has a support without length there, and keeps its own here.
fn within(events: Ts, support: &IntervalSet) -> Ts {
    if support.is_empty() { events } else { events.restrict(support) }
}

fn cut<B: Backend, K: Kind>(signal: Signal<B, K>, support: &IntervalSet) -> Signal<B, K> {
    if support.is_empty() { signal } else { signal.restrict(support) }
}

#[cfg(test)]
mod tests {
    use nemos_core::Cpu;

    use super::*;

    #[test]
    fn one_bad_time_names_its_file_and_the_others_can_be_read() {
        let path = std::env::temp_dir().join(format!("nemos_pynapple_{}_bad.npz", std::process::id()));
        let mut file = NpzWriter::new();
        file.floats("t", &[6], [0.0, f64::NAN, 5.0, 1.0, 2.0, 3.0]);
        file.floats("d", &[6], [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
        file.floats("start", &[1], [0.0]);
        file.floats("end", &[1], [9.0]);
        file.texts("type", &[1], &["Tsd"]);
        file.write(&path).unwrap();
        let error = Pynapple::<Cpu>::read(&path).unwrap_err().to_string();
        let found = Pynapple::<Cpu>::read_lenient(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(error.contains("_bad.npz"), "{error}");
        let Pynapple::Tsd(signal) = found.value else { panic!("a signal") };
        assert_eq!(signal.sample_times(), [0.0, 1.0, 2.0, 3.0]);
        assert_eq!(signal.to_vec(), [10.0, 13.0, 14.0, 15.0]);
        let left_out: Vec<(Reason, Vec<usize>)> = found.left_out.into_iter().map(|left| (left.reason, left.rows)).collect();
        assert_eq!(left_out, [(Reason::TimeNotFinite, vec![1]), (Reason::TimeBackwards, vec![2])]);
    }
}

//! Columns of a table of text: of numbers, or of texts.

use super::parse::Separator;

/// A column, which is what its first cell that is not missing is.
#[derive(Clone, Debug)]
pub(super) enum Cells {
    /// Nothing but missing cells so far, this many.
    Missing(usize),
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl Cells {
    /// Takes the next cell; false if it should be a number, and is none.
    pub(super) fn push(&mut self, cell: &str, separator: Separator, n_rows: usize) -> bool {
        let number = separator.number(cell);
        let is_missing = number.is_some_and(f64::is_nan);
        match self {
            Cells::Missing(n_missing) if is_missing => *n_missing += 1,
            Cells::Missing(n_missing) => {
                let n_missing = *n_missing;
                *self = match number {
                    Some(number) => {
                        let mut numbers = Vec::with_capacity(n_rows);
                        numbers.resize(n_missing, f64::NAN);
                        numbers.push(number);
                        Cells::Numbers(numbers)
                    }
                    None => {
                        let mut texts = vec![String::new(); n_missing];
                        texts.push(cell.into());
                        Cells::Texts(texts)
                    }
                };
            }
            Cells::Numbers(numbers) => {
                numbers.push(number.unwrap_or(f64::NAN));
                return number.is_some();
            }
            Cells::Texts(texts) => texts.push(cell.into()),
        }
        true
    }

    /// Texts that are all true or false, as pandas and R write what is one or the other.
    pub(super) fn flags(texts: &[String]) -> Option<Vec<bool>> {
        let flag = |text: &String| match text.as_str() {
            "True" | "true" | "TRUE" => Some(true),
            "False" | "false" | "FALSE" => Some(false),
            _ => None,
        };
        texts.iter().map(flag).collect()
    }

    /// A column without a cell that says otherwise is of missing numbers.
    pub(super) fn finished(self) -> Self {
        match self {
            Cells::Missing(n_missing) => Cells::Numbers(vec![f64::NAN; n_missing]),
            known => known,
        }
    }
}

/// What a column may be called.
pub(super) const TIMES: &[&str] = &[
    "time",
    "times",
    "t",
    "timestamp",
    "timestamps",
    "seconds",
    "sec",
    "s",
    "time_s",
    "times_s",
    "time_sec",
    "spike_time",
    "spike_times",
];
pub(super) const UNITS: &[&str] = &[
    "unit",
    "units",
    "unit_id",
    "cluster",
    "clusters",
    "cluster_id",
    "neuron",
    "neurons",
    "neuron_id",
    "cell",
    "cells",
    "cell_id",
    "id",
];
pub(super) const STARTS: &[&str] = &["start", "starts", "start_time", "onset", "begin", "from"];
pub(super) const STOPS: &[&str] = &["stop", "stops", "stop_time", "end", "ends", "end_time", "offset", "to"];
pub(super) const LENGTHS: &[&str] = &["duration", "length", "duration_s", "length_s"];

/// Whether a column is called by one of these names, with seconds as its unit or without one.
pub(super) fn is_called(name: &str, names: &[&str]) -> bool {
    let plain = name.trim().to_lowercase();
    let plain = [" (s)", " [s]", "(s)", "[s]", " (sec)", " (seconds)"]
        .iter()
        .find_map(|unit| plain.strip_suffix(unit))
        .unwrap_or(&plain);
    names.contains(&plain.trim().replace(' ', "_").as_str())
}

/// Whether a column holds times in another unit than seconds.
pub(super) fn is_in_other_unit(name: &str) -> bool {
    let plain = name.trim().to_lowercase();
    let units = ["ms", "us", "µs", "μs", "ns", "min", "h"];
    let bare = units.iter().find_map(|unit| {
        let stem = plain
            .strip_suffix(&format!("({unit})"))
            .or(plain.strip_suffix(&format!("[{unit}]")));
        stem.or(plain.strip_suffix(&format!("_{unit}")))
    });
    bare.is_some_and(|stem| TIMES.contains(&stem.trim_end_matches(['_', ' '])))
}

/// Whether a column has no name, as the index that pandas writes.
pub(super) fn is_nameless(name: &str) -> bool {
    name.is_empty() || name.starts_with("Unnamed: ")
}

//! Times, units, intervals and signals in words: a table of the first rows, at most a screenful. `{:?}` is a line.

use std::fmt::{Debug, Display, Formatter, Result};

use nemos_core::{Backend, counted, five_digits};

use crate::signals::Kind;
use crate::table::{Column, Table};
use crate::{IntervalSet, Signal, Ts, TsGroup, TuningCurves};

const ROWS: usize = 10;
const COLUMNS: usize = 6;
const WIDTH: usize = 11;

/// A number of seconds, to a hundredth of a millisecond.
fn seconds(value: f64) -> String {
    let text = format!("{value:.5}");
    text.trim_end_matches('0').trim_end_matches('.').to_string()
}

fn headings(to: &mut Formatter<'_>, table: &Table) -> Result {
    for (name, _) in table.columns().take(COLUMNS) {
        write!(to, "  {name:>WIDTH$}")?;
    }
    writeln!(to)
}

fn cells(to: &mut Formatter<'_>, table: &Table, row: usize) -> Result {
    for (name, column) in table.columns().take(COLUMNS) {
        let width = name.chars().count().max(WIDTH);
        match column {
            Column::Numbers(values) => write!(to, "  {}", five_digits(values[row], width))?,
            Column::Texts(values) => write!(to, "  {:>width$}", values[row])?,
            Column::Flags(values) => write!(to, "  {:>width$}", values[row])?,
        }
    }
    writeln!(to)
}

fn rest(to: &mut Formatter<'_>, n: usize) -> Result {
    if n > ROWS { writeln!(to, "… {} more", n - ROWS) } else { Ok(()) }
}

impl Display for Table {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        write!(to, "{:>6}", "row")?;
        headings(to, self)?;
        for row in 0..self.n_rows().min(ROWS) {
            write!(to, "{row:>6}")?;
            cells(to, self, row)?;
        }
        rest(to, self.n_rows())
    }
}

impl Display for IntervalSet {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        writeln!(to, "{}, {} s in all", counted(self.len(), "interval"), seconds(self.total_length()))?;
        if self.is_empty() {
            return Ok(());
        }
        write!(to, "{:>6}  {:>WIDTH$}  {:>WIDTH$}", "", "start (s)", "end (s)")?;
        headings(to, self.metadata())?;
        for (row, interval) in self.intervals().iter().enumerate().take(ROWS) {
            write!(
                to,
                "{row:>6}  {:>WIDTH$}  {:>WIDTH$}",
                seconds(interval.start),
                seconds(interval.end)
            )?;
            cells(to, self.metadata(), row)?;
        }
        rest(to, self.len())
    }
}

impl Display for Ts {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let length = seconds(self.support().total_length());
        write!(to, "{} in {length} s", counted(self.len(), "event"))?;
        if self.is_empty() {
            return writeln!(to);
        }
        let first: Vec<String> = self.times().iter().take(COLUMNS).map(|time| seconds(*time)).collect();
        let more = if self.len() > COLUMNS { ", …" } else { "" };
        writeln!(to, ": {}{more} s", first.join(", "))
    }
}

impl Display for TsGroup {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        writeln!(to, "{}, {} s", counted(self.len(), "unit"), seconds(self.support().total_length()))?;
        if self.is_empty() {
            return Ok(());
        }
        write!(to, "{:>6}  {:>WIDTH$}  {:>WIDTH$}", "unit", "events", "rate (Hz)")?;
        headings(to, self.metadata())?;
        let rates = self.rates();
        for (row, unit) in self.units().iter().enumerate().take(ROWS) {
            write!(
                to,
                "{:>6}  {:>WIDTH$}  {}",
                self.ids()[row],
                unit.len(),
                five_digits(rates[row], WIDTH)
            )?;
            cells(to, self.metadata(), row)?;
        }
        rest(to, self.len())
    }
}

impl<B: Backend, K: Kind> Display for Signal<B, K> {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let (rows, columns) = (self.len(), self.n_columns());
        let length = seconds(self.support().total_length());
        writeln!(to, "{} of {} in {length} s", counted(rows, "sample"), counted(columns, "value"))?;
        if self.is_empty() {
            return Ok(());
        }
        write!(to, "{:>WIDTH$}", "time (s)")?;
        let names = self.kind().names().columns_or_numbers(columns);
        for name in names.iter().take(COLUMNS) {
            write!(to, "  {name:>WIDTH$}")?;
        }
        writeln!(to, "{}", if columns > COLUMNS { "  …" } else { "" })?;
        let values = self.values().rows(0..rows.min(ROWS)).map(|rows| rows.to_vec()).unwrap_or_default();
        for (time, row) in self.sample_times().iter().zip(values.chunks(columns.max(1))) {
            write!(to, "{:>WIDTH$}", seconds(*time))?;
            for (value, name) in row.iter().zip(&names).take(COLUMNS) {
                write!(to, "  {}", five_digits(*value, name.chars().count().max(WIDTH)))?;
            }
            writeln!(to)?;
        }
        rest(to, rows)
    }
}

/// Each curve's highest value, and the middle of the bin that has it.
impl Display for TuningCurves {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let n_bins: Vec<String> = self.occupancy().shape().iter().map(usize::to_string).collect();
        writeln!(to, "{} of {} bins", counted(self.n_units(), "tuning curve"), n_bins.join(" × "))?;
        let peak = if self.rates().is_some() { "peak (Hz)" } else { "peak" };
        write!(to, "{:>6}  {peak:>WIDTH$}", "unit")?;
        let features = self.feature_names().columns_or_numbers(n_bins.len());
        for name in &features {
            write!(to, "  {:>WIDTH$}", format!("at {name}"))?;
        }
        writeln!(to)?;
        for (name, curve) in self.names().iter().zip(self.values().outer_iter()).take(ROWS) {
            let visited = curve.indexed_iter().filter(|(_, value)| !value.is_nan());
            let highest = visited.max_by(|a, b| a.1.total_cmp(b.1));
            write!(
                to,
                "{name:>6}  {}",
                five_digits(highest.as_ref().map_or(f64::NAN, |(_, value)| **value), WIDTH)
            )?;
            for (feature, of) in features.iter().enumerate() {
                let middle = highest.as_ref().map_or(f64::NAN, |(bin, _)| self.centers(feature)[bin[feature]]);
                write!(to, "  {}", five_digits(middle, (of.chars().count() + 3).max(WIDTH)))?;
            }
            writeln!(to)?;
        }
        rest(to, self.n_units())
    }
}

impl Debug for IntervalSet {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let shown = self.intervals().iter().take(COLUMNS).map(|interval| (interval.start, interval.end));
        let shown: Vec<(f64, f64)> = shown.collect();
        write!(
            to,
            "IntervalSet [{}] {shown:?}{}",
            self.len(),
            if self.len() > COLUMNS { "…" } else { "" }
        )
    }
}

impl Debug for Ts {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let shown = &self.times()[..self.len().min(COLUMNS)];
        let more = if self.len() > COLUMNS { "…" } else { "" };
        write!(to, "Ts [{}] {shown:?}{more} within {:?}", self.len(), self.support())
    }
}

impl Debug for TsGroup {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        let events: usize = self.units().iter().map(Ts::len).sum();
        write!(
            to,
            "TsGroup of {}, {} within {:?}",
            counted(self.len(), "unit"),
            counted(events, "event"),
            self.support()
        )
    }
}

impl<B: Backend, K: Kind> Debug for Signal<B, K> {
    fn fmt(&self, to: &mut Formatter<'_>) -> Result {
        write!(to, "Signal {:?} at {:?}", self.values(), self.axis())
    }
}

#[cfg(test)]
mod tests {
    use nemos_core::Cpu;

    use super::*;
    use crate::{Binning, Tsd, TsdFrame};

    #[test]
    fn intervals_print_with_their_metadata() {
        let trials = IntervalSet::new([(0.0, 1.25), (2.0, 3.5)]).unwrap();
        let trials = trials.with_column("choice", vec!["left", "right"]).unwrap();
        let text = "\
2 intervals, 2.75 s in all
          start (s)      end (s)       choice
     0            0         1.25         left
     1            2          3.5        right
";
        assert_eq!(trials.to_string(), text);
        assert_eq!(format!("{trials:?}"), "IntervalSet [2] [(0.0, 1.25), (2.0, 3.5)]");
    }

    #[test]
    fn units_print_with_rates_in_hertz() {
        let support = IntervalSet::new([(0.0, 2.0)]).unwrap();
        let units = [vec![0.1, 0.2, 1.9], vec![]].map(|times| Ts::new(times).unwrap());
        let units = TsGroup::new(units, &support).with_ids([7, 12]).unwrap();
        let text = "\
2 units, 2 s
  unit       events    rate (Hz)
     7            3       1.5000
    12            0            0
";
        assert_eq!(units.to_string().replace("0.0000", "     0"), text);
        assert_eq!(
            format!("{units:?}"),
            "TsGroup of 2 units, 3 events within IntervalSet [1] [(0.0, 2.0)]"
        );
        assert_eq!(units.units()[0].to_string(), "3 events in 2 s: 0.1, 0.2, 1.9 s\n");
    }

    #[test]
    fn signals_print_their_first_samples_under_names() {
        let axis = Ts::regular(0.0, 0.01, 1000).unwrap();
        let values = nemos_core::Matrix::<Cpu>::zeros([1000, 2]);
        let text = TsdFrame::new(axis.clone(), values)
            .unwrap()
            .with_names(["x", "y"])
            .unwrap()
            .to_string();
        assert!(
            text.contains("1000 samples of 2 values") && text.contains("   time (s)            x            y\n"),
            "{text}"
        );
        assert!(text.ends_with("… 990 more\n") && text.lines().count() == 13, "{text}");
        let signal = Tsd::<Cpu>::new(axis, vec![1.0; 1000]).unwrap();
        assert!(format!("{signal:?}").len() < 250, "{signal:?}");
        assert_eq!(IntervalSet::default().to_string(), "0 intervals, 0 s in all\n");
    }

    #[test]
    fn tuning_curves_print_their_peaks_and_where_they_are() {
        let place = Tsd::<Cpu>::new(Ts::regular(0.0, 1.0, 4).unwrap(), vec![1.0, 2.0, 8.0, 9.0]).unwrap();
        let place = place.with_name("place");
        let units = [vec![2.1, 2.2, 2.9], vec![]].map(|times| Ts::new(times).unwrap());
        let cells = TsGroup::new(units, place.support()).with_ids([7, 12]).unwrap();
        let curves = cells.tuning_curves(&place, &[Binning::new(3).range(0.0, 12.0)]).unwrap();
        // The middle bin was never visited. Of equal values the last is shown.
        let text = "\
2 tuning curves of 3 bins
  unit    peak (Hz)     at place
     7       1.5000       10.000
    12       0.0000       10.000
";
        assert_eq!(curves.to_string(), text);
    }
}

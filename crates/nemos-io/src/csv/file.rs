//! A file of comma-separated values, and what its columns make.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nemos_core::{Backend, Matrix};
use nemos_timeseries::{Column, Interval, IntervalSet, Table, Ts, TsGroup, TsdFrame};

use super::columns::{Cells, LENGTHS, STARTS, STOPS, TIMES, UNITS, is_called, is_in_other_unit, is_nameless};
use super::parse::{Separator, lines};
use crate::report::{LeftOut, Lenient, Log, Reason};
use crate::rising::longest_rising;
use crate::{Error, nwb_table};

/// Reads signals from a file of comma-separated numbers under a line of names: [`CsvFile::frame`].
///
/// # Errors
/// As [`CsvFile::open`] and [`CsvFile::frame`].
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// let path = std::env::temp_dir().join("nemos_read_csv_example.csv");
/// std::fs::write(&path, "time,x,y\n0.0,1.5,2\n0.1,,3\n")?;
/// let position = nemos_io::read_csv::<Cpu>(&path)?;
/// assert_eq!(position.column_names(), ["x", "y"]);
/// assert_eq!(position.column("y")?.to_vec(), [2.0, 3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn read_csv<B: Backend>(path: impl AsRef<Path>) -> Result<TsdFrame<B>, Error> {
    CsvFile::open(path)?.frame()
}

/// A table of text under a line of names: cells are separated by commas, or by semicolons or tabs where the first line has
/// these.
///
/// An empty cell, `nan` and `NA` are missing. A column is of numbers if its first cell that is not missing is one, and of texts
/// otherwise. Lines that begin with `#` are comments. What the table is, the names of its columns say:
///
/// | columns | what it is |
/// |---|---|
/// | a time, and numbers | signals: [`frame`](CsvFile::frame) |
/// | a unit and a time in each row | spikes: [`units`](CsvFile::units) |
/// | a start, and a stop or a duration | trials, with all else as metadata: [`intervals`](CsvFile::intervals) |
/// | a time alone | events: [`events`](CsvFile::events) |
/// | anything | [`table`](CsvFile::table) |
///
/// The column of times is the one called `time`, `t`, `timestamps` or the like, with `(s)` or without, wherever it stands; if
/// there is none, the first. A first column without a name is an index of rows, as pandas writes it, and never a time.
///
/// # Example
/// ```
/// use nemos_io::CsvFile;
/// let path = std::env::temp_dir().join("nemos_csv_file_example.csv");
/// std::fs::write(&path, ",unit,time\n0,7,0.5\n1,3,0.2\n2,7,0.1\n")?;
/// let units = CsvFile::open(&path)?.units()?;
/// assert_eq!(units.ids(), [3, 7]);
/// assert_eq!(units.unit(7)?.times(), [0.1, 0.5]);
/// std::fs::write(&path, "start,stop,choice\n0,1,left\n2,3.5,right\n")?;
/// let trials = CsvFile::open(&path)?.intervals()?;
/// assert_eq!(trials.metadata().texts("choice")?, ["left", "right"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct CsvFile {
    path: PathBuf,
    columns: Vec<(String, Cells)>,
    /// The line of each row, from 1.
    lines: Vec<usize>,
    /// Cells that should be numbers: their rows, columns and texts. Only the first is kept of many.
    bad: Vec<(usize, usize, String)>,
    times: Option<usize>,
    log: Log,
}

/// As many cells that should be numbers are kept.
const MOST_BAD: usize = 1000;

impl CsvFile {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::Csv`], which names the line and the column, if it is no table.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|source| Error::Open {
            path: path.into(),
            source: Arc::new(source),
        })?;
        let refuse = |line: usize, column: usize, got: &str, expected| Error::Csv {
            path: path.into(),
            line,
            column,
            got: got.chars().take(40).collect(),
            expected,
        };
        let text = std::str::from_utf8(&bytes).map_err(|error| {
            let before = &bytes[..error.valid_up_to()];
            refuse(before.iter().filter(|&&byte| byte == b'\n').count() + 1, 1, "", "text in UTF-8")
        })?;
        let text = text.trim_start_matches('\u{feff}');
        // Lines as old Macintoshes ended them.
        let is_old = text.contains('\r') && !text.contains('\n');
        let text: &str = &if is_old {
            Cow::Owned(text.replace('\r', "\n"))
        } else {
            Cow::Borrowed(text)
        };
        let mut rows = lines(text);
        let (header_line, header) = rows.next().ok_or_else(|| refuse(1, 1, "", "a line of names"))?;
        let separator = Separator::of(header);
        let names: Vec<String> = separator.cells(header).map(|name| name.into_owned()).collect();
        if names.iter().all(|name| name.parse::<f64>().is_ok()) {
            return Err(refuse(header_line, 1, header, "a line of names, before the numbers"));
        }
        // Memory follows the file.
        let n_rows = lines(text).count() - 1;
        let mut columns = vec![Cells::Missing(0); names.len()];
        let (mut numbers, mut bad) = (Vec::with_capacity(n_rows), Vec::new());
        for (line, row) in rows {
            let mut n_cells = 0;
            for (column, cell) in separator.cells(row).enumerate() {
                if let Some(cells) = columns.get_mut(column)
                    && !cells.push(&cell, separator, n_rows)
                    && bad.len() < MOST_BAD
                {
                    bad.push((numbers.len(), column, cell.chars().take(40).collect()));
                }
                n_cells += 1;
            }
            if n_cells != names.len() {
                let column = n_cells.min(names.len()) + 1;
                return Err(refuse(line, column, row, "one cell for each name of the first line"));
            }
            numbers.push(line);
        }
        let columns = names.into_iter().zip(columns.into_iter().map(Cells::finished));
        let mut columns: Vec<(String, Cells)> = columns.collect();
        // A separator after the last cell makes a column of nothing.
        let is_nothing = |(name, cells): &(String, Cells)| match cells {
            Cells::Numbers(numbers) => name.is_empty() && numbers.iter().all(|number| number.is_nan()),
            _ => false,
        };
        while columns.len() > 1 && columns.last().is_some_and(is_nothing) {
            columns.pop();
        }
        Ok(CsvFile {
            path: path.into(),
            columns,
            lines: numbers,
            bad,
            times: None,
            log: Log::default(),
        })
    }

    /// The names of the columns.
    pub fn names(&self) -> Vec<&str> {
        self.columns.iter().map(|(name, _)| name.as_str()).collect()
    }

    /// Takes the column of this name for times, whatever the others are called.
    ///
    /// # Errors
    /// [`Error::NoEntry`] if there is none.
    pub fn with_times(mut self, name: &str) -> Result<Self, Error> {
        let place = self.columns.iter().position(|(other, _)| other == name);
        self.times = Some(place.ok_or_else(|| self.no_column("column", name))?);
        Ok(self)
    }

    /// Reads with the same calls, and says what was left out: `read` is given this file. Rows whose time is missing, or before
    /// an earlier one, and rows with a cell that should be a number, are left out rather than refused.
    ///
    /// # Errors
    /// Those of `read`.
    pub fn lenient<T>(&self, read: impl FnOnce(&CsvFile) -> Result<T, Error>) -> Result<Lenient<T>, Error> {
        let file = CsvFile {
            log: Log::lenient(),
            ..self.clone()
        };
        let value = read(&file)?;
        Ok(Lenient {
            value,
            left_out: file.log.entries(),
        })
    }

    /// What was left out of what was read so far.
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.log.entries()
    }

    /// All columns, as they are in the file, but for an index without a name.
    ///
    /// # Errors
    /// [`Error::Csv`] at a cell of a column of numbers that is none; [`Error::Recording`] if two columns have one name.
    pub fn table(&self) -> Result<Table, Error> {
        let rows = self.rows()?;
        self.table_of(&rows, |_| true)
    }

    /// Signals along the column of times: the other columns of numbers, which may not be missing altogether. Columns of texts
    /// have no place in a frame: [`table`](CsvFile::table) has them.
    ///
    /// # Errors
    /// [`Error::Csv`] at a time that is missing or before the one above, and at a cell that should be a number;
    /// [`Error::CsvColumns`] if no column can be the times, or none is of numbers; [`Error::Recording`] if two columns have
    /// one name.
    pub fn frame<B: Backend>(&self) -> Result<TsdFrame<B>, Error> {
        let place = self.times_place()?;
        let rows = self.rising(place, &self.rows()?)?;
        let times = self.numbers(place)?;
        let others =
            self.columns.iter().enumerate().filter(|(other, (name, cells))| {
                *other != place && !(*other == 0 && is_nameless(name)) && matches!(cells, Cells::Numbers(_))
            });
        let columns: Vec<(&String, &[f64])> = others
            .filter_map(|(_, (name, cells))| match cells {
                Cells::Numbers(numbers) => Some((name, numbers.as_slice())),
                _ => None,
            })
            .collect();
        if columns.is_empty() {
            return Err(self.wrong_columns("a column of numbers beside the times"));
        }
        let mut values = Vec::with_capacity(rows.len() * columns.len());
        for &row in &rows {
            values.extend(columns.iter().map(|(_, numbers)| numbers[row]));
        }
        let values = self.at(Matrix::from_vec(values, [rows.len(), columns.len()]))?;
        let axis = self.at(Ts::new(rows.iter().map(|&row| times[row]).collect::<Vec<_>>()))?;
        let frame = self.at(TsdFrame::new(axis, values))?;
        self.at(frame.with_names(columns.iter().map(|(name, _)| name.as_str())))
    }

    /// The column of times alone, in any order.
    ///
    /// # Errors
    /// [`Error::Csv`] at a time that is missing, [`Error::CsvColumns`] if no column can be the times.
    pub fn events(&self) -> Result<Ts, Error> {
        let place = self.times_place()?;
        let rows = self.finite(place, &self.rows()?)?;
        let times = self.numbers(place)?;
        self.at(Ts::sorted(rows.iter().map(|&row| times[row]).collect::<Vec<_>>()))
    }

    /// The events of units: each row says of which unit one is, in a column called `unit`, `cluster`, `neuron` or the like,
    /// and when, in any order. A unit whose name is no number is known by its place, and by metadata `name`. The support is from
    /// the first event of any to the last.
    ///
    /// # Errors
    /// [`Error::Csv`] at a time or a unit that is missing, [`Error::CsvColumns`] if there is no column of units or of times.
    pub fn units(&self) -> Result<TsGroup, Error> {
        let unit_place = self.place(UNITS).ok_or_else(|| self.wrong_columns("a column called `unit`"))?;
        let named = self.columns.iter().position(|(name, _)| is_called(name, TIMES));
        let place = self.times.or(named).ok_or_else(|| self.wrong_columns("a column called `time`"))?;
        let rows = self.finite(place, &self.rows()?)?;
        let times = self.numbers(place)?;
        let (ids, names, units) = match &self.columns[unit_place].1 {
            Cells::Texts(names) => {
                let mut units: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
                for row in rows {
                    units.entry(&names[row]).or_default().push(times[row]);
                }
                let names: Vec<&str> = units.keys().copied().collect();
                let ids = (0..names.len() as u64).collect::<Vec<_>>();
                (ids, Some(names), units.into_values().collect::<Vec<_>>())
            }
            _ => {
                let numbers = self.numbers(unit_place)?;
                let mut units: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
                for row in rows {
                    let unit = numbers[row];
                    // From 2⁵³ on neighbours are one number.
                    if !(unit >= 0.0 && unit.fract() == 0.0 && unit < 9_007_199_254_740_992.0) {
                        return Err(self.refuse(
                            row,
                            unit_place,
                            &unit.to_string(),
                            "the number of a unit: a whole number from 0 to 2⁵³ − 1",
                        ));
                    }
                    units.entry(unit as u64).or_default().push(times[row]);
                }
                (units.keys().copied().collect(), None, units.into_values().collect())
            }
        };
        let units: Result<Vec<Ts>, Error> = units.into_iter().map(|times| self.at(Ts::sorted(times))).collect();
        let group = self.at(TsGroup::joined(units?).with_ids(ids))?;
        match names {
            Some(names) => self.at(group.with_column("name", names)),
            None => Ok(group),
        }
    }

    /// Intervals, from a column called `start` to one called `stop` or `end`, or as long as one called `duration`; all others
    /// are metadata. Rows that are no interval are left out, rows that overlap are merged: [`left_out`](CsvFile::left_out)
    /// says which, and so does [`lenient`](CsvFile::lenient).
    ///
    /// # Errors
    /// [`Error::Csv`] at a cell that should be a number, [`Error::CsvColumns`] if there is no start, or no stop.
    pub fn intervals(&self) -> Result<IntervalSet, Error> {
        let start_place = self.place(STARTS).ok_or_else(|| self.wrong_columns("a column called `start`"))?;
        let stop_place = self.place(STOPS);
        let end_place = stop_place.or_else(|| self.place(LENGTHS));
        let end_place = end_place.ok_or_else(|| self.wrong_columns("a column called `stop`, or `duration`"))?;
        let (starts, ends) = (self.numbers(start_place)?, self.numbers(end_place)?);
        let stop = |row: usize| if stop_place.is_some() { ends[row] } else { starts[row] + ends[row] };
        let is_interval = |row: &usize| nwb_table::is_interval(starts[*row], stop(*row));
        let (rows, others): (Vec<usize>, Vec<usize>) = self.rows()?.into_iter().partition(is_interval);
        if let (true, false, Some(&row)) = (rows.is_empty(), self.log.is_lenient(), others.first()) {
            let got = ends[row].to_string();
            return Err(self.refuse(
                row,
                end_place,
                &got,
                "a stop after the start (in seconds), here or in any other row",
            ));
        }
        if !others.is_empty() {
            self.note(&others, Reason::NoInterval);
        }
        let metadata = self.table_of(&rows, |place| place != start_place && Some(place) != stop_place)?;
        let pairs = rows.iter().map(|&row| Interval {
            start: starts[row],
            end: stop(row),
        });
        let set = self.at(IntervalSet::merged(pairs.map(|pair| (pair.start, pair.end)), &metadata))?;
        if let Ok(merged) = set.metadata().texts("merged") {
            let merged = merged
                .iter()
                .flat_map(|rows| rows.split(' '))
                .filter_map(|row| row.parse::<usize>().ok());
            let merged: Vec<usize> = merged.filter_map(|row| rows.get(row).copied()).collect();
            self.note(&merged, Reason::Merged);
        }
        Ok(set)
    }

    /// The rows whose cells are what they should be.
    fn rows(&self) -> Result<Vec<usize>, Error> {
        let all = 0..self.lines.len();
        let Some((row, column, cell)) = self.bad.first() else {
            return Ok(all.collect());
        };
        if !self.log.is_lenient() || self.bad.len() == MOST_BAD {
            return Err(self.refuse(*row, *column, cell, "a number, as above in this column"));
        }
        let mut bad: Vec<usize> = self.bad.iter().map(|(row, ..)| *row).collect();
        bad.dedup();
        self.note(&bad, Reason::NotANumber);
        Ok(all.filter(|row| bad.binary_search(row).is_err()).collect())
    }

    /// Those of the rows whose time is finite.
    fn finite(&self, place: usize, rows: &[usize]) -> Result<Vec<usize>, Error> {
        let times = self.numbers(place)?;
        let (finite, others): (Vec<usize>, Vec<usize>) = rows.iter().partition(|row| times[**row].is_finite());
        if let Some(&row) = others.first() {
            if !self.log.is_lenient() {
                return Err(self.refuse(
                    row,
                    place,
                    &times[row].to_string(),
                    "a time in seconds: `CsvFile::lenient` leaves such rows out",
                ));
            }
            self.note(&others, Reason::TimeNotFinite);
        }
        Ok(finite)
    }

    /// Those of the rows whose times rise.
    fn rising(&self, place: usize, rows: &[usize]) -> Result<Vec<usize>, Error> {
        let times = self.numbers(place)?;
        let rows = self.finite(place, rows)?;
        let Some(back) = rows.windows(2).find(|pair| times[pair[1]] < times[pair[0]]) else {
            return Ok(rows);
        };
        if !self.log.is_lenient() {
            let got = times[back[1]].to_string();
            let expected = "a time that is not before the one above: sort the table, read a table of (unit, time) with `CsvFile::units`, \
                            or take `CsvFile::lenient`";
            return Err(self.refuse(back[1], place, &got, expected));
        }
        let own: Vec<f64> = rows.iter().map(|&row| times[row]).collect();
        let rising = longest_rising(&own);
        let mut is_kept = vec![false; rows.len()];
        for &kept in &rising {
            is_kept[kept] = true;
        }
        let others: Vec<usize> = rows.iter().zip(&is_kept).filter(|(_, kept)| !**kept).map(|(&row, _)| row).collect();
        self.note(&others, Reason::TimeBackwards);
        Ok(rising.into_iter().map(|kept| rows[kept]).collect())
    }

    /// The column of times.
    fn times_place(&self) -> Result<usize, Error> {
        let named = || self.columns.iter().position(|(name, _)| is_called(name, TIMES));
        if let Some(place) = self.times.or_else(named) {
            return Ok(place);
        }
        if self.columns.iter().any(|(name, _)| is_in_other_unit(name)) {
            return Err(self.wrong_columns("a column of times in seconds (or `CsvFile::with_times`, which takes numbers as they are)"));
        }
        // A start would pass for a time, and a stop for a signal.
        if self.place(STARTS).is_some() && self.place(STOPS).or(self.place(LENGTHS)).is_some() {
            return Err(self.wrong_columns("a column called `time`, since a start and a stop make trials: `CsvFile::intervals`"));
        }
        match self.columns.first() {
            Some((name, _)) if is_nameless(name) => Err(self
                .wrong_columns("a column called `time`, since the first has no name, as an index of rows has (or `CsvFile::with_times`)")),
            _ => Ok(0),
        }
    }

    fn place(&self, names: &[&str]) -> Option<usize> {
        self.columns.iter().position(|(name, _)| is_called(name, names))
    }

    fn numbers(&self, place: usize) -> Result<&[f64], Error> {
        match &self.columns[place].1 {
            Cells::Texts(texts) => {
                let row = texts.iter().position(|text| !text.is_empty()).unwrap_or(0);
                Err(self.refuse(row, place, &texts[row], "a number"))
            }
            Cells::Numbers(numbers) => Ok(numbers),
            Cells::Missing(_) => Ok(&[]),
        }
    }

    /// These rows of the columns that are wanted.
    fn table_of(&self, rows: &[usize], is_wanted: impl Fn(usize) -> bool) -> Result<Table, Error> {
        let mut table = Table::new(rows.len());
        let mut names: Vec<&str> = Vec::new();
        for (place, (name, cells)) in self.columns.iter().enumerate() {
            if !is_wanted(place) || place == 0 && is_nameless(name) {
                continue;
            }
            if names.contains(&name.as_str()) {
                return Err(Error::recording(
                    &self.path,
                    "its line of names",
                    nemos_core::Error::DuplicateName { name: name.clone() },
                ));
            }
            names.push(name);
            let column = match cells {
                Cells::Texts(texts) => match Cells::flags(texts) {
                    Some(flags) => Column::Flags(flags),
                    None => Column::Texts(texts.clone()),
                },
                Cells::Numbers(numbers) => Column::Numbers(numbers.clone()),
                Cells::Missing(_) => continue,
            };
            if let Some(column) = column.select(rows) {
                table = self.at(table.with(name, column))?;
            }
        }
        Ok(table)
    }

    /// The lines of rows that were left out.
    fn note(&self, rows: &[usize], reason: Reason) {
        let lines = rows.iter().map(|&row| self.lines[row]).collect();
        self.log.note(format!("lines of {}", self.path.display()), lines, reason);
    }

    fn at<T>(&self, made: Result<T, impl Into<nemos_timeseries::Error>>) -> Result<T, Error> {
        made.map_err(|error| Error::recording(&self.path, "its table", error))
    }

    fn refuse(&self, row: usize, column: usize, got: &str, expected: &'static str) -> Error {
        Error::Csv {
            path: self.path.clone(),
            line: self.lines.get(row).copied().unwrap_or(1),
            column: column + 1,
            got: got.chars().take(40).collect(),
            expected,
        }
    }

    fn no_column(&self, wanted: &'static str, name: &str) -> Error {
        Error::NoEntry {
            path: self.path.clone(),
            wanted,
            name: name.into(),
            available: self.columns.iter().map(|(name, _)| name.clone()).collect(),
        }
    }

    fn wrong_columns(&self, wanted: &'static str) -> Error {
        Error::CsvColumns {
            path: self.path.clone(),
            wanted,
            available: self.columns.iter().map(|(name, _)| name.clone()).collect(),
        }
    }
}

#[cfg(test)]
mod tests;

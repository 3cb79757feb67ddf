//! Tables of units in NWB files, read by the stretch of time that is asked for.

use std::ops::Range;
use std::sync::Arc;

use nemos_timeseries::{IntervalSet, Ts, TsGroup};

use crate::arrays::{in_rows, numbered};
use crate::hdf5::Hdf5;
use crate::nwb_part::Part;
use crate::nwb_table::{self, ELECTRODES};
use crate::{Error, NwbEntry};

/// A table of units in an NWB file, of which nothing is read yet.
///
/// [`between`](NwbUnits::between) narrows it down to a stretch of time, and [`group`](NwbUnits::group) reads the spikes
/// in that stretch. A unit without spikes stays a unit.
///
/// All units share one support: the time in which any of them was observed (the column `obs_intervals`), or from the
/// first spike of any to the last where the table does not say.
///
/// # Example
/// ```no_run
/// use nemos_io::NwbFile;
/// let session = NwbFile::open("session.nwb")?;
/// // The spikes of a minute of a recording of hours.
/// let units = session.units_table("units")?.between(600.0, 660.0).group()?;
/// # Ok::<(), nemos_io::Error>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct NwbUnits(Part);

impl NwbUnits {
    pub(crate) fn new(file: Arc<Hdf5>, entry: &NwbEntry) -> Self {
        NwbUnits(Part::new(file, entry))
    }

    /// The spikes from `start` to `end` in seconds, both included.
    ///
    /// They are found by bisection, for which the spikes of each unit have to lie in the file in order of time, as they
    /// commonly do. Without a stretch they may lie in any order.
    pub fn between(mut self, start: f64, end: f64) -> Self {
        self.0.between = Some((start, end));
        self
    }

    /// Reads the units with their metadata, one column per plain column of the table, and the `region` of the first
    /// electrode of each. Spikes outside the time of observation are dropped, with a warning.
    ///
    /// # Errors
    /// [`Error::Hdf5`] and [`Error::Table`] if they cannot be read, [`Error::TimeSeries`] if spike times are not finite.
    pub fn group(&self) -> Result<TsGroup, Error> {
        let rows = self.rows()?;
        let units = match self.0.between {
            None => self.all(&rows)?,
            Some((start, end)) => rows.iter().map(|rows| self.some(rows, start, end)).collect::<Result<_, _>>()?,
        };
        let n_spikes: usize = units.iter().map(Ts::len).sum();
        let group = match self.support(&rows, &units)? {
            Some(support) => TsGroup::new(units, &self.clipped(&support)?),
            None => TsGroup::joined(units),
        };
        let n_kept: usize = group.units().iter().map(Ts::len).sum();
        if n_kept < n_spikes {
            let n_dropped = n_spikes - n_kept;
            tracing::warn!(
                "{n_dropped} spikes of {} were dropped: nothing was observed at their times",
                self.0.path
            );
        }
        self.with_metadata(group)
    }

    /// The rows of the spikes of each unit.
    fn rows(&self) -> Result<Vec<Range<usize>>, Error> {
        let n_spikes = self.0.file.shape(&self.0.dataset("spike_times"))?.iter().product();
        let ends = nwb_table::ends(&self.0.file, &self.0.dataset("spike_times_index"), n_spikes)?;
        let starts = [0].into_iter().chain(ends.iter().copied());
        Ok(starts.zip(&ends).map(|(start, &end)| start..end).collect())
    }

    /// All spikes of each unit.
    fn all(&self, rows: &[Range<usize>]) -> Result<Vec<Ts>, Error> {
        let spikes = self.0.file.vector(&self.0.dataset("spike_times"))?;
        let units = rows.iter().map(|rows| Ok(Ts::sorted(&spikes[rows.clone()])?));
        units.collect()
    }

    /// The spikes of one unit within a stretch of time.
    fn some(&self, rows: &Range<usize>, start: f64, end: f64) -> Result<Ts, Error> {
        let spikes = self.0.dataset("spike_times");
        let first = self.0.file.first_row(&spikes, rows.clone(), |time| time >= start)?;
        let last = self.0.file.first_row(&spikes, first..rows.end, |time| time > end)?;
        Ok(Ts::new(in_rows(self.0.file.rows(&spikes, first..last)?))?)
    }

    /// When any unit was observed, or from the first spike in the file to the last; none if there are not two times.
    fn support(&self, rows: &[Range<usize>], units: &[Ts]) -> Result<Option<IntervalSet>, Error> {
        if let Some(observed) = self.observed()? {
            return Ok(Some(observed));
        }
        let (mut first, mut last) = (f64::INFINITY, f64::NEG_INFINITY);
        let mut extend = |time: Option<f64>| {
            first = time.map_or(first, |time| first.min(time));
            last = time.map_or(last, |time| last.max(time));
        };
        if self.0.between.is_none() {
            for unit in units {
                extend(unit.times().first().copied());
                extend(unit.times().last().copied());
            }
        } else {
            let spikes = self.0.dataset("spike_times");
            for rows in rows.iter().filter(|rows| !rows.is_empty()) {
                extend(self.0.file.rows(&spikes, rows.start..rows.start + 1)?.first().copied());
                extend(self.0.file.rows(&spikes, rows.end - 1..rows.end)?.first().copied());
            }
        }
        let has_length = nwb_table::is_interval(first, last);
        Ok(has_length.then(|| IntervalSet::new([(first, last)])).transpose()?)
    }

    /// The union of the times in which units were observed; none if the table does not say.
    fn observed(&self) -> Result<Option<IntervalSet>, Error> {
        if !self.0.has("obs_intervals")? {
            return Ok(None);
        }
        let path = self.0.dataset("obs_intervals");
        let observed = self.0.file.floats(&path)?;
        if observed.ndim() != 2 || observed.shape()[1] != 2 {
            return Err(nwb_table::damaged(&self.0.file, &path, "its rows are not a start and a stop"));
        }
        let pairs = observed.rows().into_iter().map(|pair| (pair[0], pair[1]));
        let set = IntervalSet::new(pairs.filter(|&(start, stop)| nwb_table::is_interval(start, stop)))?;
        Ok(Some(set).filter(|set| !set.is_empty()))
    }

    /// A support within the stretch that was asked for.
    fn clipped(&self, support: &IntervalSet) -> Result<IntervalSet, Error> {
        let Some((start, end)) = self.0.between else {
            return Ok(support.clone());
        };
        let parts = support.intervals().iter();
        let parts = parts.map(|interval| (interval.start.max(start), interval.end.min(end)));
        Ok(IntervalSet::new(parts.filter(|&(start, end)| nwb_table::is_interval(start, end)))?)
    }

    fn with_metadata(&self, mut group: TsGroup) -> Result<TsGroup, Error> {
        group = numbered(group, &self.0.file.vector(&self.0.dataset("id"))?)?;
        for (name, column) in nwb_table::table(&self.0.file, &self.0.path)?.columns() {
            group = group.with_column(name, column.clone())?;
        }
        match self.regions(group.len())? {
            Some(regions) => Ok(group.with_column("region", regions)?),
            None => Ok(group),
        }
    }

    /// The location of the first electrode of each unit, where units have electrodes.
    fn regions(&self, n_units: usize) -> Result<Option<Vec<String>>, Error> {
        // A file need not have a table of electrodes.
        let has_locations = self.0.file.has(ELECTRODES, "location").unwrap_or(false);
        if !self.0.has("electrodes")? || !has_locations {
            return Ok(None);
        }
        let rows = self.0.file.vector(&self.0.dataset("electrodes"))?;
        let ends = match self.0.has("electrodes_index")? {
            true => nwb_table::ends(&self.0.file, &self.0.dataset("electrodes_index"), rows.len())?,
            false => (1..=rows.len()).collect(),
        };
        if ends.len() != n_units {
            let problem = "electrodes do not belong to the units one by one";
            return Err(nwb_table::damaged(&self.0.file, &self.0.path, problem));
        }
        let locations = self.0.file.texts(&format!("{ELECTRODES}/location"))?;
        let mut start = 0;
        let of_unit = ends.iter().map(|&end| {
            let first = rows[start..end].first().filter(|&&row| row >= 0.0);
            start = end;
            let location = first.and_then(|&row| locations.get(row as usize));
            location.cloned().unwrap_or_default()
        });
        Ok(Some(of_unit.collect()))
    }
}

//! Tables of units in NWB files, read by the stretch of time that is asked for.

use std::ops::Range;
use std::sync::Arc;

use nemos_core::time_tolerance;
use nemos_timeseries::{IntervalSet, Ts, TsGroup};

use crate::arrays::{in_rows, numbered};
use crate::hdf5::{BadTime, Elements, Hdf5};
use crate::nwb_part::Part;
use crate::nwb_table::{self, ELECTRODES};
use crate::report::{Log, Reason};
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

/// The spikes of one unit in the file.
#[derive(Clone, Debug)]
struct Rows {
    id: f64,
    rows: Range<usize>,
}

impl NwbUnits {
    pub(crate) fn new(file: Arc<Hdf5>, log: Log, entry: &NwbEntry) -> Self {
        NwbUnits(Part::new(file, log, entry))
    }

    /// The spikes from `start` to `end` in seconds, both included. Of units whose spikes lie in the file in order of time, as
    /// they commonly do, only these are read; the others are read whole.
    pub fn between(mut self, start: f64, end: f64) -> Self {
        self.0.between = Some((start, end));
        self
    }

    /// Reads the units with their metadata, one column per plain column of the table, and the `region` of the first
    /// electrode of each, or of its group of electrodes. Spikes outside the time of observation are dropped.
    ///
    /// # Errors
    /// [`Error::Hdf5`] and [`Error::Table`] if they cannot be read, [`Error::Times`] if a spike time is not finite.
    pub fn group(&self) -> Result<TsGroup, Error> {
        let rows = self.rows()?;
        let spikes = self.spikes(&rows)?;
        let n_spikes: usize = spikes.units.iter().map(Ts::len).sum();
        let group = match self.support(&spikes)? {
            Some(support) => TsGroup::new(spikes.units, &self.clipped(&support)?),
            None => TsGroup::joined(spikes.units),
        };
        let n_kept: usize = group.units().iter().map(Ts::len).sum();
        if n_kept < n_spikes {
            self.0.log.note(&self.0.path, Vec::new(), Reason::Unobserved);
        }
        self.with_metadata(group, rows.iter().map(|unit| unit.id).collect())
    }

    /// When each unit was observed, in the order of the table: the column `obs_intervals`; none if there is no such column.
    /// [`TsGroup::count_observed`] takes it, where units were not all observed at the same time.
    ///
    /// # Errors
    /// [`Error::Hdf5`] and [`Error::Table`] if it cannot be read.
    pub fn observed(&self) -> Result<Option<Vec<IntervalSet>>, Error> {
        let Some(pairs) = self.observations()? else {
            return Ok(None);
        };
        let n_units = self.ids()?.len();
        let ends = match self.0.has("obs_intervals_index")? {
            true => nwb_table::ends(&self.0.file, &self.0.dataset("obs_intervals_index"), pairs.len())?,
            false => (1..=pairs.len()).collect(),
        };
        if ends.len() != n_units {
            let problem = "times of observation do not belong to the units one by one";
            return Err(nwb_table::damaged(&self.0.file, &self.0.path, problem));
        }
        let starts = [0].into_iter().chain(ends.iter().copied());
        let sets = starts.zip(&ends).map(|(start, &end)| self.observation(&pairs[start..end]));
        sets.collect::<Result<_, _>>().map(Some)
    }

    fn ids(&self) -> Result<Vec<f64>, Error> {
        self.0.file.vector(&self.0.dataset("id"))
    }

    /// The rows of the spikes of each unit; a table that says nothing of spikes has none.
    fn rows(&self) -> Result<Vec<Rows>, Error> {
        let ids = self.ids()?;
        if !self.0.has("spike_times")? {
            return Ok(ids.into_iter().map(|id| Rows { id, rows: 0..0 }).collect());
        }
        if !self.0.has("spike_times_index")? {
            let problem = "it has spike_times but no spike_times_index, so that nobody knows which unit they are of";
            return Err(nwb_table::damaged(&self.0.file, &self.0.path, problem));
        }
        let n_spikes = self.0.file.shape(&self.0.dataset("spike_times"))?.iter().product();
        let ends = nwb_table::ends(&self.0.file, &self.0.dataset("spike_times_index"), n_spikes)?;
        if ends.len() != ids.len() {
            let problem = "its lists of spikes are not as many as its units";
            return Err(nwb_table::damaged(&self.0.file, &self.0.path, problem));
        }
        let starts = [0].into_iter().chain(ends.iter().copied());
        let rows = starts.zip(&ends).map(|(start, &end)| start..end);
        Ok(rows.zip(ids).map(|(rows, id)| Rows { id, rows }).collect())
    }

    /// The spikes of all units that were asked for.
    fn spikes(&self, rows: &[Rows]) -> Result<Spikes, Error> {
        let path = self.0.dataset("spike_times");
        let mut spikes = Spikes::default();
        if !self.0.has("spike_times")? {
            spikes.units = vec![Ts::default(); rows.len()];
            return Ok(spikes);
        }
        let Some((start, end)) = self.0.between else {
            let all = self.0.file.vector(&path)?;
            for unit in rows {
                let times = self.finite(unit, &all[unit.rows.clone()])?;
                spikes.extend(times.first().copied(), times.last().copied());
                spikes.units.push(self.0.at(Ts::new(times))?);
            }
            return Ok(spikes);
        };
        let orders = self.orders(rows, &path)?;
        for (unit, is_ordered) in rows.iter().zip(orders) {
            let whole = if is_ordered {
                let first = self
                    .0
                    .file
                    .first_row(&path, unit.rows.clone(), |time| time >= start - time_tolerance(start))?;
                let last = self
                    .0
                    .file
                    .first_row(&path, first..unit.rows.end, |time| time > end + time_tolerance(end))?;
                let at = |row: usize| Ok::<_, Error>(in_rows(self.0.file.rows(&path, row..row + 1)?).first().copied());
                if !unit.rows.is_empty() {
                    spikes.extend(at(unit.rows.start)?, at(unit.rows.end - 1)?);
                }
                self.0.at(Ts::new(in_rows(self.0.file.rows(&path, first..last)?)))?
            } else {
                let times = self.finite(unit, &in_rows(self.0.file.rows(&path, unit.rows.clone())?))?;
                spikes.extend(times.first().copied(), times.last().copied());
                let all = self.0.at(Ts::new(times))?;
                let rows = all.rows_between(start, end);
                self.0.at(Ts::new(&all.times()[rows]))?
            };
            spikes.units.push(whole);
        }
        Ok(spikes)
    }

    /// Whether the spikes of each unit are finite and in order. All are looked at, once.
    fn orders(&self, rows: &[Rows], path: &str) -> Result<Vec<bool>, Error> {
        let n_spikes = rows.last().map_or(0, |unit| unit.rows.end);
        let bad = self.0.file.bad_times(path, n_spikes)?;
        let is_ordered = |unit: &Rows| {
            let from = bad.partition_point(|bad| bad.row < unit.rows.start);
            let mut own = bad[from..].iter().take_while(|bad| bad.row < unit.rows.end);
            // The first spike of a unit may well come before the last of the unit before.
            own.all(|bad| bad.row == unit.rows.start && bad.time.is_finite())
        };
        Ok(rows.iter().map(is_ordered).collect())
    }

    /// The spikes of a unit in order; an error at the first that is not finite, unless these are to be left out.
    fn finite(&self, unit: &Rows, spikes: &[f64]) -> Result<Vec<f64>, Error> {
        let object = format!("{}, unit {}", self.0.dataset("spike_times"), unit.id);
        let bad: Vec<usize> = (0..spikes.len()).filter(|&row| !spikes[row].is_finite()).collect();
        if let Some(&row) = bad.first() {
            if !self.0.log.is_lenient() {
                let bad = BadTime {
                    row: unit.rows.start + row,
                    time: spikes[row],
                    before: f64::NEG_INFINITY,
                };
                return Err(self.0.bad_time(object, bad));
            }
            let rows = bad.iter().map(|row| unit.rows.start + row).collect();
            self.0.log.note(object, rows, Reason::TimeNotFinite);
        }
        let mut finite: Vec<f64> = spikes.iter().copied().filter(|time| time.is_finite()).collect();
        finite.sort_by(f64::total_cmp);
        Ok(finite)
    }

    /// When any unit was observed, or from the first spike in the file to the last; none if there are not two times.
    fn support(&self, spikes: &Spikes) -> Result<Option<IntervalSet>, Error> {
        if let Some(pairs) = self.observations()? {
            let observed = self.observation(&pairs)?;
            if !observed.is_empty() {
                return Ok(Some(observed));
            }
        }
        let span = spikes.span.filter(|&(first, last)| nwb_table::is_interval(first, last));
        span.map(|span| self.0.at(IntervalSet::new([span]))).transpose()
    }

    /// The times in which units were observed, of all of them together; none if the table does not say.
    fn observations(&self) -> Result<Option<Vec<(f64, f64)>>, Error> {
        if !self.0.has("obs_intervals")? {
            return Ok(None);
        }
        let path = self.0.dataset("obs_intervals");
        let observed = self.0.file.floats(&path)?;
        if observed.ndim() != 2 || observed.shape()[1] != 2 {
            return Err(nwb_table::damaged(&self.0.file, &path, "its rows are not a start and a stop"));
        }
        Ok(Some(observed.rows().into_iter().map(|pair| (pair[0], pair[1])).collect()))
    }

    /// The set of some times of observation.
    fn observation(&self, pairs: &[(f64, f64)]) -> Result<IntervalSet, Error> {
        let good = pairs.iter().copied().filter(|&(start, stop)| nwb_table::is_interval(start, stop));
        self.0.at(IntervalSet::new(good))
    }

    /// A support within the stretch that was asked for.
    fn clipped(&self, support: &IntervalSet) -> Result<IntervalSet, Error> {
        let Some((start, end)) = self.0.between else {
            return Ok(support.clone());
        };
        let parts = support.intervals().iter();
        let parts = parts.map(|interval| (interval.start.max(start), interval.end.min(end)));
        self.0
            .at(IntervalSet::new(parts.filter(|&(start, end)| nwb_table::is_interval(start, end))))
    }

    fn with_metadata(&self, group: TsGroup, ids: Vec<f64>) -> Result<TsGroup, Error> {
        let mut group = numbered(group, &ids, self.0.file.path(), &self.0.path, &self.0.log)?;
        for (name, column) in nwb_table::table(&self.0.file, &self.0.path)?.columns() {
            group = self.0.at(group.with_column(name, column.clone()))?;
        }
        match self.regions(group.len())?.or(self.group_locations()?) {
            Some(regions) => self.0.at(group.with_column("region", regions)),
            None => Ok(group),
        }
    }

    /// The location of the group of electrodes of each unit, where units have one.
    fn group_locations(&self) -> Result<Option<Vec<String>>, Error> {
        let path = self.0.dataset("electrode_group");
        if !self.0.has("electrode_group")? || self.0.file.elements(&path)? != Elements::References {
            return Ok(None);
        }
        let groups = self.0.file.references(&path)?;
        let location = |group: Option<String>| {
            group
                .and_then(|group| self.0.file.group_text(&group, "location"))
                .unwrap_or_default()
        };
        Ok(Some(groups.into_iter().map(location).collect()))
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

/// Spikes of units, and the first and the last of all in the file.
#[derive(Default)]
struct Spikes {
    units: Vec<Ts>,
    span: Option<(f64, f64)>,
}

impl Spikes {
    /// Takes the first and the last spike of a unit into the span of all.
    fn extend(&mut self, first: Option<f64>, last: Option<f64>) {
        if let (Some(first), Some(last)) = (first, last) {
            let (low, high) = self.span.unwrap_or((first, last));
            self.span = Some((low.min(first), high.max(last)));
        }
    }
}

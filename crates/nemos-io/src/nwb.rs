//! NWB files: what a session holds, and how to get at it.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::path::Path;
use std::sync::Arc;

use nemos_timeseries::{IntervalSet, Table, TsGroup};

use crate::hdf5::{Elements, Hdf5};
use crate::nwb_interval_series;
use crate::nwb_part::Part;
use crate::nwb_table::{self, ELECTRODES};
use crate::report::{LeftOut, Lenient, Log};
use crate::{Error, NwbSeries, NwbUnits};

const UNITS: &str = "/units";

/// A recording in the format of Neurodata Without Borders (NWB 2), as pynwb writes it.
///
/// Opening reads the structure only. Units and intervals are read when they are asked for, and of a
/// [series](NwbFile::series) the stretch of time that is asked for. It prints as a table of its entries.
///
/// | entry | what it becomes |
/// |---|---|
/// | tables of units | [`TsGroup`], with their columns as metadata, and the `region` of the first electrode |
/// | intervals: epochs, trials, … | [`IntervalSet`], with their columns as metadata |
/// | time series in acquisition, processing, stimulus and analysis | [`NwbSeries`]: a signal, or annotations |
///
/// Columns with one number, flag or text per row become metadata; so do lists of texts, as the `tags` of epochs, which are
/// joined by commas. Columns of arrays or of other lists are left out, and so are references to other objects, but for the group
/// of electrodes that tells the region of a unit.
///
/// # Example
/// ```
/// use nemos_io::NwbFile;
/// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
/// # std::env::set_current_dir(root).unwrap();
/// let session = NwbFile::open("examples/data/phy_A8604.nwb")?;
/// let units = session.units()?;
/// assert_eq!(units.len(), 3);
/// assert_eq!(session.intervals("epochs")?.len(), 1);
/// # Ok::<(), nemos_io::Error>(())
/// ```
#[doc(alias = "NWBFile")]
#[derive(Clone)]
pub struct NwbFile {
    pub(crate) file: Arc<Hdf5>,
    entries: Vec<NwbEntry>,
    log: Log,
}

/// One thing in an NWB file that can be read.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct NwbEntry {
    /// The name to ask for it by: its own, or with those of its parents where two are the same. The path will do as well.
    pub name: String,
    /// What it is read as.
    pub kind: NwbKind,
    /// Where it is in the file: the first of its paths, where links lead to it by several.
    pub path: String,
}

/// What an entry is read as.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NwbKind {
    /// [`TsGroup`]
    Units,
    /// [`IntervalSet`]
    Intervals,
    /// A series of annotations: [`Ts`](nemos_timeseries::Ts), with a text for each.
    Ts,
    /// A series with one value per time: [`Tsd`](nemos_timeseries::Tsd).
    Tsd,
    /// A series of columns: [`TsdFrame`](nemos_timeseries::TsdFrame).
    TsdFrame,
    /// A series of arrays: [`TsdTensor`](nemos_timeseries::TsdTensor).
    TsdTensor,
    /// A series whose values are of no type that can be read; asking for it says of which.
    Unreadable,
}

impl NwbFile {
    /// Opens a file and lists what it holds.
    ///
    /// # Errors
    /// [`Error::Open`]; [`Error::CutShort`] if it ends too early; [`Error::Hdf5`]: what else is wrong with the file.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = Arc::new(Hdf5::open(path.as_ref())?);
        let mut walk = Walk {
            file: &file,
            seen: HashSet::new(),
            entries: Vec::new(),
        };
        let (groups, _) = file.members("/")?;
        for group in ["units", "intervals", "acquisition", "processing", "stimulus", "analysis"] {
            if groups.iter().any(|name| name == group) {
                walk.list(&format!("/{group}"), 0)?;
            }
        }
        let mut entries = walk.entries;
        name_apart(&mut entries);
        Ok(NwbFile {
            file,
            entries,
            log: Log::default(),
        })
    }

    /// What the file holds.
    pub fn entries(&self) -> &[NwbEntry] {
        &self.entries
    }

    /// All spikes of the units of the session, or of the only table of units that there is.
    ///
    /// # Errors
    /// [`Error::NoEntry`] if there are none, or several tables and none of the session; as [`NwbUnits::group`].
    pub fn units(&self) -> Result<TsGroup, Error> {
        let mut tables = self.entries.iter().filter(|entry| entry.kind == NwbKind::Units);
        let name = match (self.entries.iter().any(|entry| entry.path == UNITS), tables.next(), tables.next()) {
            (false, Some(only), None) => &only.path,
            _ => UNITS,
        };
        self.units_table(name)?.group()
    }

    /// A table of units, of which nothing is read yet.
    ///
    /// # Errors
    /// [`Error::NoEntry`] if there is none of this name.
    pub fn units_table(&self, name: &str) -> Result<NwbUnits, Error> {
        let entry = self.find(name, "units", |kind| kind == NwbKind::Units)?;
        Ok(NwbUnits::new(self.file.clone(), self.log.clone(), entry))
    }

    /// Epochs, trials or other intervals in order of time, with their metadata.
    ///
    /// A row that does not stop after it starts, or whose start or stop is missing, as those of trials that were broken off,
    /// is left out. Rows that overlap are merged, with what is the same in their metadata, and a column `merged` that says
    /// which: see [`IntervalSet::merged`]. [`left_out`](NwbFile::left_out) and [`lenient`](NwbFile::lenient) tell of both. A
    /// series of intervals (`IntervalSeries`) is from each start to the next stop; of several kinds, a column `kind` has the
    /// number of each.
    ///
    /// # Errors
    /// [`Error::NoEntry`] if there are none of this name; [`Error::Hdf5`] and [`Error::Table`] if they cannot be read.
    pub fn intervals(&self, name: &str) -> Result<IntervalSet, Error> {
        let entry = self.find(name, "intervals", |kind| kind == NwbKind::Intervals)?;
        if self.file.has(&entry.path, "start_time")? {
            nwb_table::intervals(&self.file, &entry.path, &self.log)
        } else {
            nwb_interval_series::intervals(&Part::new(self.file.clone(), self.log.clone(), entry))
        }
    }

    /// Reads with the same calls, and says what was left out: `read` is given this file.
    ///
    /// What would be an error otherwise is left out: samples and spikes whose time is not finite, samples whose time is before
    /// an earlier one (the fewest, after which times rise), samples without a time; numbers of units that are there twice
    /// become 0, 1, …. What is left out in any case is told, too: rows that are no interval, rows that were merged, spikes at
    /// times at which nothing was observed.
    ///
    /// # Errors
    /// Those of `read`.
    ///
    /// # Example
    /// ```
    /// use nemos_io::NwbFile;
    /// # let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    /// # std::env::set_current_dir(root).unwrap();
    /// let session = NwbFile::open("examples/data/phy_A8604.nwb")?;
    /// let units = session.lenient(|session| session.units())?;
    /// assert_eq!(units.value.len(), 3);
    /// # Ok::<(), nemos_io::Error>(())
    /// ```
    pub fn lenient<T>(&self, read: impl FnOnce(&NwbFile) -> Result<T, Error>) -> Result<Lenient<T>, Error> {
        let file = NwbFile {
            log: Log::lenient(),
            ..self.clone()
        };
        let value = read(&file)?;
        Ok(Lenient {
            value,
            left_out: file.log.entries(),
        })
    }

    /// What was left out, or merged, of all that was read from this file so far.
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.log.entries()
    }

    /// A table by its path, or by the name of an entry, as it is in the file: its rows in their order, with all columns of one
    /// number, flag or text per row. It has what an [`IntervalSet`] cannot hold, as trials that overlap.
    ///
    /// # Errors
    /// [`Error::Hdf5`] and [`Error::Table`] if it cannot be read, or is no table.
    pub fn table(&self, name: &str) -> Result<Table, Error> {
        let entry = self.entries.iter().find(|entry| entry.name == name);
        nwb_table::table(&self.file, entry.map_or(name, |entry| &entry.path))
    }

    /// The electrodes, one row each; an empty table if there are none.
    ///
    /// # Errors
    /// [`Error::Hdf5`] and [`Error::Table`] if they cannot be read.
    pub fn electrodes(&self) -> Result<Table, Error> {
        match self.file.members(ELECTRODES) {
            Ok(_) => nwb_table::table(&self.file, ELECTRODES),
            Err(_) => Ok(Table::new(0)),
        }
    }

    /// A time series, of which nothing is read yet.
    ///
    /// # Errors
    /// [`Error::NoEntry`] if there is none of this name, [`Error::SeriesType`] if its values cannot be read.
    pub fn series(&self, name: &str) -> Result<NwbSeries, Error> {
        let entry = self.find(name, "time series", |kind| !matches!(kind, NwbKind::Units | NwbKind::Intervals))?;
        if entry.kind == NwbKind::Unreadable {
            let data = format!("{}/data", entry.path);
            return Err(Error::SeriesType {
                path: self.file.path().into(),
                type_name: self.file.type_name(&data)?,
                name: entry.path.clone(),
            });
        }
        Ok(NwbSeries::new(self.file.clone(), self.log.clone(), entry))
    }

    fn find(&self, name: &str, wanted: &'static str, is_wanted: impl Fn(NwbKind) -> bool) -> Result<&NwbEntry, Error> {
        let mut all = self.entries.iter().filter(|entry| is_wanted(entry.kind));
        let found = all.clone().find(|entry| entry.name == name);
        let found = found.or_else(|| all.clone().find(|entry| entry.path == name));
        found.ok_or_else(|| Error::NoEntry {
            path: self.file.path().into(),
            wanted,
            name: name.into(),
            available: all.by_ref().map(|entry| entry.name.clone()).collect(),
        })
    }
}

/// Groups nest a few levels deep.
const DEEPEST: usize = 8;

/// A way through the groups of a file.
struct Walk<'a> {
    file: &'a Hdf5,
    /// Where the groups are that were listed. Links may lead to the same one by many paths, or round for ever.
    seen: HashSet<u64>,
    entries: Vec<NwbEntry>,
}

impl Walk<'_> {
    /// Lists what is in a group, and in the groups within.
    fn list(&mut self, group: &str, depth: usize) -> Result<(), Error> {
        if !self.seen.insert(self.file.address(group)?) {
            return Ok(());
        }
        let (groups, datasets) = self.file.members(group)?;
        if let Some(kind) = kind(self.file, group, &datasets)? {
            self.entries.push(NwbEntry {
                name: group.rsplit('/').next().unwrap_or(group).into(),
                kind,
                path: group.into(),
            });
        } else if depth < DEEPEST && !is_series(&datasets) {
            for name in groups {
                self.list(&format!("{group}/{name}"), depth + 1)?;
            }
        }
        Ok(())
    }
}

/// What a group with these datasets is read as; none if it is nothing that can be read.
fn kind(file: &Hdf5, group: &str, datasets: &[String]) -> Result<Option<NwbKind>, Error> {
    let has = |name: &str| datasets.iter().any(|other| other == name);
    let is_a = |kind: &str| file.group_text(group, "neurodata_type").as_deref() == Some(kind);
    if has("id") && (group == UNITS || is_a("Units")) {
        return Ok(Some(NwbKind::Units));
    }
    if has("data") && has("timestamps") && is_a("IntervalSeries") {
        return Ok(Some(NwbKind::Intervals));
    }
    // Extensions have intervals of their own kinds.
    if has("start_time") && has("stop_time") && (is_a("TimeIntervals") || group.starts_with("/intervals/")) {
        return Ok(Some(NwbKind::Intervals));
    }
    let data = format!("{group}/data");
    // Images in files of their own have no data here.
    if !is_series(datasets) || has("external_file") {
        return Ok(None);
    }
    Ok(match (file.elements(&data)?, file.shape(&data)?.len()) {
        (Elements::Texts, 1) if has("timestamps") => Some(NwbKind::Ts),
        (Elements::Numbers | Elements::Flags, 1) => Some(NwbKind::Tsd),
        (Elements::Numbers | Elements::Flags, 2) => Some(NwbKind::TsdFrame),
        (Elements::Numbers | Elements::Flags, 3..) => Some(NwbKind::TsdTensor),
        _ => Some(NwbKind::Unreadable),
    })
}

fn is_series(datasets: &[String]) -> bool {
    let has = |name: &str| datasets.iter().any(|other| other == name);
    has("data") && (has("timestamps") || has("starting_time"))
}

/// Puts the names of their parents before names that are there twice, as many as it takes.
fn name_apart(entries: &mut [NwbEntry]) {
    for _ in 0..DEEPEST {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for entry in entries.iter() {
            *counts.entry(entry.name.clone()).or_default() += 1;
        }
        for entry in entries.iter_mut().filter(|entry| counts[&entry.name] > 1) {
            let above = entry.path.strip_suffix(&entry.name).unwrap_or_default().trim_end_matches('/');
            if let Some(parent) = above.rsplit('/').next().filter(|parent| !parent.is_empty()) {
                entry.name = format!("{parent}/{}", entry.name);
            }
        }
    }
}

impl fmt::Display for NwbFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = self.file.path().file_stem().unwrap_or_default().to_string_lossy();
        let names = self.entries.iter().map(|entry| entry.name.chars().count());
        let width = names.max().unwrap_or(0).max("name".len());
        writeln!(f, "{title}")?;
        writeln!(f, "{:width$}  kind", "name")?;
        writeln!(f, "{}", "─".repeat(width + 2 + "IntervalSet".len()))?;
        for entry in &self.entries {
            writeln!(f, "{:width$}  {}", entry.name, entry.kind)?;
        }
        Ok(())
    }
}

impl fmt::Display for NwbKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NwbKind::Units => "TsGroup",
            NwbKind::Intervals => "IntervalSet",
            NwbKind::Ts => "Ts",
            NwbKind::Tsd => "Tsd",
            NwbKind::TsdFrame => "TsdFrame",
            NwbKind::TsdTensor => "TsdTensor",
            NwbKind::Unreadable => "(unreadable)",
        })
    }
}

impl fmt::Debug for NwbFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.file.path();
        f.debug_struct("NwbFile")
            .field("path", &path)
            .field("entries", &self.entries)
            .finish()
    }
}

//! Tables of NWB files, and intervals, which are tables with a start and a stop in each row.

use nemos_timeseries::{Column, Interval, IntervalSet, Table};

use crate::Error;
use crate::hdf5::{Elements, Hdf5};
use crate::report::{Log, Reason};

pub(crate) const ELECTRODES: &str = "/general/extracellular_ephys/electrodes";

/// The columns of a table that have one number, flag or text per row, or one list of texts, which are joined by commas.
///
/// Lists of anything else, columns of arrays and references to other objects are left out.
pub(crate) fn table(file: &Hdf5, group: &str) -> Result<Table, Error> {
    let ids = file.shape(&format!("{group}/id"))?;
    let n_rows = ids.iter().product();
    let mut table = Table::new(n_rows);
    let (_, datasets) = file.members(group)?;
    // A plain column may be called `…_index` as well: only its type says what it is.
    let is_index = |name: &str| {
        let there = datasets.iter().any(|other| other == name);
        there && file.dataset_text(&format!("{group}/{name}"), "neurodata_type").as_deref() == Some("VectorIndex")
    };
    for name in &datasets {
        if name == "id" || is_index(name) {
            continue;
        }
        let path = format!("{group}/{name}");
        let index = format!("{name}_index");
        let column = if is_index(&index) {
            let is_nested = is_index(&format!("{index}_index"));
            match file.elements(&path)? {
                Elements::Texts if !is_nested => Some(Column::Texts(joined_texts(file, &path, n_rows)?)),
                _ => None,
            }
        } else if file.shape(&path)? == [n_rows] {
            plain_column(file, &path)?
        } else {
            None
        };
        if let Some(column) = column {
            table = table
                .with(name, column)
                .map_err(|error| Error::recording(file.path(), group, error))?;
        }
    }
    Ok(table)
}

/// One number, flag or text per row; none if the values are something else.
fn plain_column(file: &Hdf5, path: &str) -> Result<Option<Column>, Error> {
    Ok(match file.elements(path)? {
        Elements::Numbers => Some(Column::Numbers(file.vector(path)?)),
        Elements::Flags => Some(Column::Flags(file.vector(path)?.iter().map(|&flag| flag != 0.0).collect())),
        Elements::Texts => Some(Column::Texts(file.texts(path)?)),
        Elements::References | Elements::Other => None,
    })
}

/// A list of texts per row, as one text.
fn joined_texts(file: &Hdf5, path: &str, n_rows: usize) -> Result<Vec<String>, Error> {
    let texts = file.texts(path)?;
    let ends = ends(file, &format!("{path}_index"), texts.len())?;
    if ends.len() != n_rows {
        return Err(damaged(file, path, "it has not as many lists as the table has rows"));
    }
    let mut start = 0;
    let lists = ends.iter().map(|&end| {
        let list = texts[start..end].join(", ");
        start = end;
        list
    });
    Ok(lists.collect())
}

/// Where the rows of a ragged column end, in order; none lies beyond the values.
pub(crate) fn ends(file: &Hdf5, index: &str, n_values: usize) -> Result<Vec<usize>, Error> {
    let ends: Vec<usize> = file.vector(index)?.into_iter().map(|end| end as usize).collect();
    let rise = ends.windows(2).all(|pair| pair[0] <= pair[1]);
    if !rise || ends.last().is_some_and(|&last| last > n_values) {
        return Err(damaged(
            file,
            index,
            "the ends of ragged rows do not rise, or lie beyond the values",
        ));
    }
    Ok(ends)
}

/// Intervals with their metadata, in order of time. Rows that are no interval are left out, those that overlap are merged.
pub(crate) fn intervals(file: &Hdf5, group: &str, log: &Log) -> Result<IntervalSet, Error> {
    let starts = file.vector(&format!("{group}/start_time"))?;
    let stops = file.vector(&format!("{group}/stop_time"))?;
    let table = table(file, group)?;
    if starts.len() != stops.len() || starts.len() != table.n_rows() {
        return Err(damaged(file, group, "it has not one start and one stop per row"));
    }
    let (rows, others): (Vec<usize>, Vec<usize>) = (0..starts.len()).partition(|&row| is_interval(starts[row], stops[row]));
    if !others.is_empty() {
        log.note(group, others, Reason::NoInterval);
    }
    let mut metadata = Table::new(rows.len());
    for (name, column) in table.columns().filter(|(name, _)| *name != "start_time" && *name != "stop_time") {
        let column = column
            .select(&rows)
            .ok_or_else(|| damaged(file, group, "its columns differ in length"))?;
        metadata = metadata
            .with(name, column)
            .map_err(|error| Error::recording(file.path(), group, error))?;
    }
    let pairs: Vec<(f64, f64)> = rows.iter().map(|&row| (starts[row], stops[row])).collect();
    merged(file, group, &pairs, &metadata, log)
}

/// A set of intervals with a row of metadata for each, of which those that overlap are merged.
pub(crate) fn merged(file: &Hdf5, object: &str, pairs: &[(f64, f64)], metadata: &Table, log: &Log) -> Result<IntervalSet, Error> {
    let set = IntervalSet::merged(pairs.iter().copied(), metadata);
    let set = set.map_err(|error| Error::recording(file.path(), object, error))?;
    // Where rows were merged, the set says which.
    if set.len() < pairs.len()
        && let Ok(merged) = set.metadata().texts("merged")
    {
        let rows = merged.iter().flat_map(|rows| rows.split(' ')).filter_map(|row| row.parse().ok());
        log.note(object, rows.collect(), Reason::Merged);
    }
    Ok(set)
}

/// Whether there is time between a start and a stop.
pub(crate) fn is_interval(start: f64, stop: f64) -> bool {
    start.is_finite() && stop.is_finite() && !Interval { start, end: stop }.is_empty()
}

pub(crate) fn damaged(file: &Hdf5, table: &str, problem: &'static str) -> Error {
    Error::Table {
        path: file.path().into(),
        table: table.into(),
        problem,
    }
}

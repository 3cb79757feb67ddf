//! Tables of NWB files: units, intervals, electrodes.

use nemos_timeseries::{Column, IntervalSet, Table, Ts, TsGroup};

use crate::Error;
use crate::hdf5::{Elements, Hdf5};

pub(crate) const UNITS: &str = "/units";
pub(crate) const ELECTRODES: &str = "/general/extracellular_ephys/electrodes";

/// All plain columns of a table: one number, flag or text per row.
///
/// Ragged columns, columns of arrays and references to other objects are left out.
pub(crate) fn table(file: &Hdf5, group: &str) -> Result<Table, Error> {
    let ids = file.shape(&format!("{group}/id"))?;
    let n_rows = ids.iter().product();
    let mut table = Table::new(n_rows);
    let (_, datasets) = file.members(group)?;
    for name in &datasets {
        let is_ragged = datasets.iter().any(|other| other.strip_suffix("_index") == Some(name));
        if name == "id" || name.ends_with("_index") || is_ragged {
            continue;
        }
        let path = format!("{group}/{name}");
        if file.shape(&path)? != [n_rows] {
            continue;
        }
        let column = match file.elements(&path)? {
            Elements::Numbers => Column::Numbers(file.floats(&path)?.into_iter().collect()),
            Elements::Flags => Column::Flags(file.floats(&path)?.into_iter().map(|flag| flag != 0.0).collect()),
            Elements::Texts => Column::Texts(file.texts(&path)?),
            Elements::Other => continue,
        };
        table = table.with(name, column)?;
    }
    Ok(table)
}

/// The units with their metadata.
pub(crate) fn units(file: &Hdf5) -> Result<TsGroup, Error> {
    let spikes: Vec<f64> = file.floats(&format!("{UNITS}/spike_times"))?.into_iter().collect();
    let ends = ends(file, &format!("{UNITS}/spike_times_index"), spikes.len())?;
    let mut start = 0;
    let mut units = Vec::with_capacity(ends.len());
    for &end in &ends {
        units.push(Ts::sorted(&spikes[start..end])?);
        start = end;
    }
    let first = units
        .iter()
        .filter_map(|unit| unit.times().first())
        .copied()
        .fold(f64::INFINITY, f64::min);
    let last = units
        .iter()
        .filter_map(|unit| unit.times().last())
        .copied()
        .fold(f64::NEG_INFINITY, f64::max);
    let mut group = if first < last {
        TsGroup::new(units, &IntervalSet::new([(first, last)])?)
    } else {
        TsGroup::joined(units)
    };
    let ids: Vec<f64> = file.floats(&format!("{UNITS}/id"))?.into_iter().collect();
    if ids.iter().all(|&id| id >= 0.0) {
        group = group.with_ids(ids.iter().map(|&id| id as u64).collect::<Vec<_>>())?;
    }
    for (name, column) in table(file, UNITS)?.columns() {
        group = group.with_column(name, column.clone())?;
    }
    match regions(file, ends.len())? {
        Some(regions) => Ok(group.with_column("region", regions)?),
        None => Ok(group),
    }
}

/// The location of the first electrode of each unit, where units have electrodes.
fn regions(file: &Hdf5, n_units: usize) -> Result<Option<Vec<String>>, Error> {
    let (_, datasets) = file.members(UNITS)?;
    let location = format!("{ELECTRODES}/location");
    let has_locations = file
        .members(ELECTRODES)
        .is_ok_and(|(_, names)| names.iter().any(|name| name == "location"));
    if !datasets.iter().any(|name| name == "electrodes") || !has_locations {
        return Ok(None);
    }
    let rows: Vec<f64> = file.floats(&format!("{UNITS}/electrodes"))?.into_iter().collect();
    let ends = match datasets.iter().any(|name| name == "electrodes_index") {
        true => ends(file, &format!("{UNITS}/electrodes_index"), rows.len())?,
        false => (1..=rows.len()).collect(),
    };
    if ends.len() != n_units {
        return Err(Error::Table {
            path: file.path().into(),
            table: UNITS.into(),
            problem: "electrodes do not belong to the units one by one",
        });
    }
    let locations = file.texts(&location)?;
    let mut start = 0;
    let of_unit = ends.iter().map(|&end| {
        let first = rows.get(start..end).and_then(|rows| rows.first());
        start = end;
        let location = first.and_then(|&row| locations.get(row as usize));
        location.cloned().unwrap_or_default()
    });
    Ok(Some(of_unit.collect()))
}

/// Where the rows of a ragged column end.
fn ends(file: &Hdf5, index: &str, n_values: usize) -> Result<Vec<usize>, Error> {
    let ends: Vec<usize> = file.floats(index)?.into_iter().map(|end| end as usize).collect();
    let rise = ends.windows(2).all(|pair| pair[0] <= pair[1]);
    if !rise || ends.last().is_some_and(|&last| last > n_values) {
        return Err(Error::Table {
            path: file.path().into(),
            table: index.into(),
            problem: "the ends of ragged rows do not rise, or lie beyond the values",
        });
    }
    Ok(ends)
}

/// Intervals with their metadata.
pub(crate) fn intervals(file: &Hdf5, group: &str) -> Result<IntervalSet, Error> {
    let starts: Vec<f64> = file.floats(&format!("{group}/start_time"))?.into_iter().collect();
    let stops: Vec<f64> = file.floats(&format!("{group}/stop_time"))?.into_iter().collect();
    if starts.len() != stops.len() {
        return Err(Error::Table {
            path: file.path().into(),
            table: group.into(),
            problem: "there are not as many starts as stops",
        });
    }
    let mut order: Vec<usize> = (0..starts.len()).collect();
    order.sort_by(|&left, &right| starts[left].total_cmp(&starts[right]));
    let mut set = IntervalSet::new(order.iter().map(|&row| (starts[row], stops[row])))?;
    let table = table(file, group)?;
    let columns = table.columns().filter(|(name, _)| *name != "start_time" && *name != "stop_time");
    for (name, column) in columns {
        if set.len() != order.len() || column.len() != order.len() {
            tracing::warn!("some of {group} overlap or are empty and were merged, so that their metadata were left out");
            break;
        }
        set = set.with_column(name, ordered(column, &order))?;
    }
    Ok(set)
}

fn ordered(column: &Column, order: &[usize]) -> Column {
    match column {
        Column::Numbers(values) => Column::Numbers(order.iter().map(|&row| values[row]).collect()),
        Column::Texts(values) => Column::Texts(order.iter().map(|&row| values[row].clone()).collect()),
        Column::Flags(values) => Column::Flags(order.iter().map(|&row| values[row]).collect()),
    }
}

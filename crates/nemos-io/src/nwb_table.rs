//! Tables of NWB files: units, intervals, electrodes.

use nemos_timeseries::{Column, IntervalSet, Table, Ts, TsGroup};

use crate::Error;
use crate::hdf5::{Elements, Hdf5};

pub(crate) const ELECTRODES: &str = "/general/extracellular_ephys/electrodes";

/// All plain columns of a table: one number, flag or text per row.
///
/// The texts of a ragged column, such as the tags of epochs, are joined by commas. Other ragged columns, columns of arrays and
/// references to other objects are left out.
pub(crate) fn table(file: &Hdf5, group: &str) -> Result<Table, Error> {
    let ids = file.shape(&format!("{group}/id"))?;
    let n_rows = ids.iter().product();
    let mut table = Table::new(n_rows);
    let (_, datasets) = file.members(group)?;
    for name in &datasets {
        if name == "id" || name.ends_with("_index") {
            continue;
        }
        let path = format!("{group}/{name}");
        if datasets.iter().any(|other| other.strip_suffix("_index") == Some(name)) {
            if file.elements(&path)? == Elements::Texts && file.shape(&path)?.len() == 1 {
                table = table.with(name, joined_texts(file, &path, n_rows)?)?;
            }
            continue;
        }
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

/// The texts of each row, joined by commas.
fn joined_texts(file: &Hdf5, path: &str, n_rows: usize) -> Result<Vec<String>, Error> {
    let texts = file.texts(path)?;
    let index = format!("{path}_index");
    let ends = ends(file, &index, texts.len())?;
    if ends.len() != n_rows {
        return Err(Error::Table {
            path: file.path().into(),
            table: index,
            problem: "there are not as many ends as rows",
        });
    }
    let starts = [0].into_iter().chain(ends.iter().copied());
    Ok(starts.zip(&ends).map(|(start, &end)| texts[start..end].join(", ")).collect())
}

/// The units with their metadata.
pub(crate) fn units(file: &Hdf5, table_path: &str) -> Result<TsGroup, Error> {
    let spikes: Vec<f64> = file.floats(&format!("{table_path}/spike_times"))?.into_iter().collect();
    let ends = ends(file, &format!("{table_path}/spike_times_index"), spikes.len())?;
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
    let ids: Vec<f64> = file.floats(&format!("{table_path}/id"))?.into_iter().collect();
    if ids.iter().all(|&id| id >= 0.0) {
        group = group.with_ids(ids.iter().map(|&id| id as u64).collect::<Vec<_>>())?;
    }
    for (name, column) in table(file, table_path)?.columns() {
        group = group.with_column(name, column.clone())?;
    }
    match regions(file, table_path, ends.len())? {
        Some(regions) => Ok(group.with_column("region", regions)?),
        None => Ok(group),
    }
}

/// The location of the first electrode of each unit, where units have electrodes.
fn regions(file: &Hdf5, table_path: &str, n_units: usize) -> Result<Option<Vec<String>>, Error> {
    let (_, datasets) = file.members(table_path)?;
    let location = format!("{ELECTRODES}/location");
    let has_locations = file
        .members(ELECTRODES)
        .is_ok_and(|(_, names)| names.iter().any(|name| name == "location"));
    if !datasets.iter().any(|name| name == "electrodes") || !has_locations {
        return Ok(None);
    }
    let rows: Vec<f64> = file.floats(&format!("{table_path}/electrodes"))?.into_iter().collect();
    let ends = match datasets.iter().any(|name| name == "electrodes_index") {
        true => ends(file, &format!("{table_path}/electrodes_index"), rows.len())?,
        false => (1..=rows.len()).collect(),
    };
    if ends.len() != n_units {
        return Err(Error::Table {
            path: file.path().into(),
            table: table_path.into(),
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
    // A trial that was broken off may have no end.
    let is_interval = |&row: &usize| starts[row].is_finite() && stops[row].is_finite() && starts[row] < stops[row];
    let mut order: Vec<usize> = (0..starts.len()).filter(is_interval).collect();
    if order.len() < starts.len() {
        let n = starts.len() - order.len();
        tracing::warn!("{n} of {group} were left out: they have no start, no stop, or no length");
    }
    order.sort_by(|&left, &right| starts[left].total_cmp(&starts[right]));
    let mut set = IntervalSet::new(order.iter().map(|&row| (starts[row], stops[row])))?;
    if set.len() != order.len() {
        tracing::warn!("some of {group} overlap and were merged, so that their metadata were left out");
        return Ok(set);
    }
    let table = table(file, group)?;
    if table.n_rows() != starts.len() {
        return Err(Error::Table {
            path: file.path().into(),
            table: group.into(),
            problem: "there are not as many starts as rows",
        });
    }
    let columns = table.columns().filter(|(name, _)| *name != "start_time" && *name != "stop_time");
    for (name, column) in columns {
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

//! What the columns of a series are: rows of another table, electrodes or regions of interest.

use std::collections::HashSet;

use nemos_core::Backend;
use nemos_timeseries::TsdFrame;

use crate::Error;
use crate::nwb_part::Part;
use crate::nwb_table::{self, ELECTRODES};
use crate::report::Reason;

/// Rows of a table that are the columns of a series.
pub(crate) struct Region {
    table: String,
    rows: Vec<usize>,
    /// The numbers of these rows.
    pub(crate) names: Vec<String>,
}

/// The columns of a frame under the numbers of the rows that they are, with what their table says of them.
pub(crate) fn described<B: Backend>(part: &Part, frame: TsdFrame<B>) -> Result<TsdFrame<B>, Error> {
    let Some(Region { table, rows, names }) = of_columns(part, frame.n_columns())? else {
        return Ok(frame);
    };
    let mut frame = part.at(frame.with_names(names))?;
    for (name, column) in nwb_table::table(&part.file, &table)?.columns() {
        let column = column.select(&rows);
        let column = column.ok_or_else(|| nwb_table::damaged(&part.file, &table, "its columns differ in length"))?;
        frame = part.at(frame.with_metadata(name, column))?;
    }
    Ok(frame)
}

/// The rows that so many columns are; nothing if they are none.
pub(crate) fn of_columns(part: &Part, n_columns: usize) -> Result<Option<Region>, Error> {
    let Some((region, table)) = region(part)? else {
        return Ok(None);
    };
    let rows = part.file.vector(&region)?;
    let ids = part.file.vector(&format!("{table}/id"))?;
    let rows: Vec<usize> = rows
        .into_iter()
        .filter(|row| *row >= 0.0 && row.fract() == 0.0)
        .map(|row| row as usize)
        .filter(|&row| row < ids.len())
        .collect();
    let names: Vec<String> = rows.iter().map(|&row| ids[row].to_string()).collect();
    let n_different = names.iter().collect::<HashSet<_>>().len();
    if names.len() != n_columns || n_different != names.len() {
        part.log.note(region, Vec::new(), Reason::Channels);
        return Ok(None);
    }
    Ok(Some(Region { table, rows, names }))
}

/// The dataset that says which rows of which table the channels are.
fn region(part: &Part) -> Result<Option<(String, String)>, Error> {
    let (_, datasets) = part.file.members(&part.path)?;
    for name in &datasets {
        let dataset = part.dataset(name);
        if part.file.dataset_text(&dataset, "neurodata_type").as_deref() == Some("DynamicTableRegion") {
            let fallback = (name == "electrodes").then(|| ELECTRODES.to_owned());
            return Ok(part.file.reference(&dataset, "table").or(fallback).map(|table| (dataset, table)));
        }
    }
    let electrodes = datasets.iter().any(|name| name == "electrodes");
    Ok(electrodes.then(|| (part.dataset("electrodes"), ELECTRODES.into())))
}

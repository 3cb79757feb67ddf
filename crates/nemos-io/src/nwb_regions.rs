//! What the columns of a series are: rows of another table, electrodes or regions of interest.

use std::collections::HashSet;

use nemos_core::Backend;
use nemos_timeseries::TsdFrame;

use crate::Error;
use crate::nwb_part::Part;
use crate::nwb_table::{self, ELECTRODES};
use crate::report::Reason;

/// The columns of a frame under the numbers of the rows that they are, with what their table says of them.
pub(crate) fn described<B: Backend>(part: &Part, frame: TsdFrame<B>) -> Result<TsdFrame<B>, Error> {
    let Some((region, table)) = region(part)? else {
        return Ok(frame);
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
    if names.len() != frame.n_columns() || n_different != names.len() {
        part.log.note(region, Vec::new(), Reason::Channels);
        return Ok(frame);
    }
    let mut frame = part.at(frame.with_names(names))?;
    for (name, column) in nwb_table::table(&part.file, &table)?.columns() {
        let column = column.select(&rows);
        let column = column.ok_or_else(|| nwb_table::damaged(&part.file, &table, "its columns differ in length"))?;
        frame = part.at(frame.with_metadata(name, column))?;
    }
    Ok(frame)
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

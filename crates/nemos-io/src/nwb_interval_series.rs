//! Series of intervals: when something begins and ends, as signs along time.

use std::collections::BTreeMap;

use nemos_timeseries::{IntervalSet, Table};

use crate::Error;
use crate::nwb_axis;
use crate::nwb_part::Part;
use crate::nwb_table;
use crate::report::Reason;

/// The intervals of an `IntervalSeries`: a number above zero starts one of that kind, its negative ends it.
pub(crate) fn intervals(part: &Part) -> Result<IntervalSet, Error> {
    let data = part.dataset("data");
    let axis = nwb_axis::axis(part, &part.file.shape(&data)?, false)?;
    let all = part.file.vector(&data)?;
    let rows: Vec<usize> = match axis.picked {
        Some(picked) => picked.into_iter().map(|row| axis.rows.start + row).collect(),
        None => axis.rows.collect(),
    };
    let mut open: BTreeMap<u64, (usize, f64)> = BTreeMap::new();
    let (mut found, mut unpaired) = (Vec::new(), Vec::new());
    for (&row, &time) in rows.iter().zip(axis.times.times()) {
        let sign = all.get(row).copied().unwrap_or(f64::NAN);
        let kind = sign.abs().to_bits();
        if sign > 0.0 {
            // A second start, before the first was ended.
            unpaired.extend(open.insert(kind, (row, time)).map(|(row, _)| row));
        } else {
            match open.remove(&kind).filter(|(_, start)| nwb_table::is_interval(*start, time)) {
                Some((_, start)) => found.push((start, time, sign.abs())),
                None => unpaired.push(row),
            }
        }
    }
    unpaired.extend(open.into_values().map(|(row, _)| row));
    if !unpaired.is_empty() {
        unpaired.sort_unstable();
        part.log.note(&data, unpaired, Reason::NoInterval);
    }
    let mut metadata = Table::new(found.len());
    if found.iter().any(|(_, _, kind)| *kind != 1.0) {
        let kinds = found.iter().map(|(_, _, kind)| *kind).collect::<Vec<f64>>();
        metadata = part.at(metadata.with("kind", kinds))?;
    }
    let pairs: Vec<(f64, f64)> = found.into_iter().map(|(start, end, _)| (start, end)).collect();
    nwb_table::merged(&part.file, &part.path, &pairs, &metadata, &part.log)
}

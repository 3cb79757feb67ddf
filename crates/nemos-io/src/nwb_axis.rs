//! The time axis of a series in an NWB file, and which of its rows are meant.

use std::ops::Range;

use nemos_core::time_tolerance;
use nemos_timeseries::Ts;

use crate::Error;
use crate::arrays::in_rows;
use crate::nwb_part::Part;
use crate::report::Reason;
use crate::rising::longest_rising;

/// Rows of a series, and their times.
pub(crate) struct Axis {
    /// The rows that have to be read.
    pub(crate) rows: Range<usize>,
    /// Those of them that are meant, counted from the first; none where all are.
    pub(crate) picked: Option<Vec<usize>>,
    pub(crate) times: Ts,
}

/// Where the times of a series come from.
enum Source {
    /// They are written down, in this dataset.
    Written(String),
    /// They are even.
    Even { start: f64, rate: f64 },
}

/// The axis of a series whose data have this shape, for the stretch that was asked for.
pub(crate) fn axis(part: &Part, shape: &[usize], is_transposed: bool) -> Result<Axis, Error> {
    let time_axis = if is_transposed { shape.last() } else { shape.first() };
    let n_samples = time_axis.copied().unwrap_or(0);
    match source(part)? {
        Source::Even { start, rate } => even(part, n_samples, start, rate),
        Source::Written(path) => {
            let n_times = part.file.shape(&path)?.into_iter().fold(1, usize::saturating_mul);
            if n_times != n_samples {
                let others = if is_transposed { &[] } else { shape.get(1..).unwrap_or_default() };
                if others.contains(&n_times) {
                    return Err(Error::SeriesTransposed {
                        name: part.label(),
                        shape: shape.to_vec(),
                        times: n_times,
                    });
                }
                let rows = n_times.min(n_samples)..n_times.max(n_samples);
                if !part.log.is_lenient() || part.file.is_shorter_than(rows.len()) {
                    return Err(Error::SeriesTimes {
                        name: part.label(),
                        times: n_times,
                        samples: n_samples,
                    });
                }
                part.log.note(&part.path, rows.collect(), Reason::Unpaired);
            }
            written(part, &path, n_times.min(n_samples))
        }
    }
}

fn source(part: &Part) -> Result<Source, Error> {
    if part.has("timestamps")? {
        return Ok(Source::Written(part.dataset("timestamps")));
    }
    let path = part.dataset("starting_time");
    let start = part.file.floats(&path)?.first().copied().unwrap_or(f64::NAN);
    let rate = part.file.number(&path, "rate")?.unwrap_or(f64::NAN);
    if !(rate > 0.0 && rate.is_finite() && start.is_finite()) {
        return Err(Error::SeriesRate {
            name: part.label(),
            start,
            rate,
        });
    }
    Ok(Source::Even { start, rate })
}

fn even(part: &Part, n_samples: usize, start: f64, rate: f64) -> Result<Axis, Error> {
    let near = match part.between {
        None => 0..n_samples,
        Some((from, to)) => {
            // One too many on either side, for what rounding does; the times decide.
            let row = |time: f64| ((time - start) * rate) as usize;
            row(from).saturating_sub(1).min(n_samples)..row(to).saturating_add(2).min(n_samples)
        }
    };
    // Data that were never written take no space in a file, but their times would.
    if part.file.cannot_hold(&part.dataset("data"), near.len())? {
        return Err(Error::SeriesTimes {
            name: part.label(),
            times: 0,
            samples: near.len(),
        });
    }
    let times: Vec<f64> = near.clone().map(|row| start + row as f64 / rate).collect();
    let all = part.at(Ts::new(times))?;
    let (from, to) = part.between.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let rows = all.rows_between(from, to);
    Ok(Axis {
        times: part.at(Ts::new(&all.times()[rows.clone()]))?,
        rows: near.start + rows.start..near.start + rows.end,
        picked: None,
    })
}

/// The axis of times that are written down. All are looked at before any part is taken for ordered.
fn written(part: &Part, path: &str, n_times: usize) -> Result<Axis, Error> {
    if let Some(&bad) = part.file.bad_times(path, n_times)?.first() {
        if !part.log.is_lenient() {
            return Err(part.bad_time(path.into(), bad));
        }
        return mended(part, path, n_times);
    }
    let rows = match part.between {
        None => 0..n_times,
        Some((from, to)) => {
            let first = part.file.first_row(path, 0..n_times, |time| time >= from - time_tolerance(from))?;
            first..part.file.first_row(path, first..n_times, |time| time > to + time_tolerance(to))?
        }
    };
    let times = in_rows(part.file.rows(path, rows.clone())?);
    Ok(Axis {
        rows,
        picked: None,
        times: part.at(Ts::new(times))?,
    })
}

/// The same where some times are bad: these rows are left out.
fn mended(part: &Part, path: &str, n_times: usize) -> Result<Axis, Error> {
    let times = in_rows(part.file.rows(path, 0..n_times)?);
    let (finite, not_finite): (Vec<usize>, Vec<usize>) = (0..n_times).partition(|&row| times[row].is_finite());
    if !not_finite.is_empty() {
        part.log.note(path, not_finite, Reason::TimeNotFinite);
    }
    let rising = longest_rising(&finite.iter().map(|&row| times[row]).collect::<Vec<_>>());
    let mut kept = vec![false; finite.len()];
    for &place in &rising {
        kept[place] = true;
    }
    let backwards: Vec<usize> = finite.iter().zip(&kept).filter(|(_, kept)| !**kept).map(|(&row, _)| row).collect();
    if !backwards.is_empty() {
        part.log.note(path, backwards, Reason::TimeBackwards);
    }
    let rows: Vec<usize> = rising.iter().map(|&place| finite[place]).collect();
    let all = part.at(Ts::new(rows.iter().map(|&row| times[row]).collect::<Vec<_>>()))?;
    let (from, to) = part.between.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let places = all.rows_between(from, to);
    let rows = &rows[places.clone()];
    let (first, last) = (rows.first().copied().unwrap_or(0), rows.last().map_or(0, |row| row + 1));
    Ok(Axis {
        rows: first..last,
        picked: Some(rows.iter().map(|row| row - first).collect()),
        times: part.at(Ts::new(&all.times()[places]))?,
    })
}

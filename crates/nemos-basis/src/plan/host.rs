//! Rows of a plan in loops over host memory.

use std::ops::Range;

use nemos_core::convolution::{Kernel, Series};
use rayon::prelude::*;

use super::atom::{Atom, Work};
use super::{Part, Plan};
use crate::bounds::is_outside;
use crate::strided::Strided;

/// Rows of one input in host memory.
pub(crate) struct View<'a> {
    pub(crate) values: &'a [f64],
    /// The row that the values begin with.
    pub(crate) first_row: usize,
    pub(crate) n_columns: usize,
}

impl View<'_> {
    pub(crate) fn row(&self, row: usize) -> &[f64] {
        &self.values[(row - self.first_row) * self.n_columns..][..self.n_columns]
    }
}

/// What rows are computed from.
pub(crate) struct Data<'a> {
    pub(crate) views: Vec<View<'a>>,
    pub(crate) segments: &'a [Range<usize>],
}

/// Where the rows of a part go: channel after channel, `channel_stride` apart, in rows that begin as zeros.
struct Target<'a> {
    values: &'a mut [f64],
    row_stride: usize,
    offset: usize,
    channel_stride: usize,
}

/// Bytes of output that one task fills: as much as stays in its cache, and enough rows that a window is small beside them.
const TASK_BYTES: usize = 512 << 10;

impl Plan {
    /// The features of these rows, written once, by all processors.
    pub(crate) fn host_rows(&self, data: &Data<'_>, rows: Range<usize>) -> Vec<f64> {
        let n_features = self.n_features;
        let mut values = nemos_core::zeros(rows.len() * n_features);
        self.tasks(&mut values, rows, |first, chunk| self.write(data, first, chunk));
        values
    }

    /// As [`Plan::host_rows`], in single precision: computed in double and rounded.
    pub(crate) fn host_rows_single(&self, data: &Data<'_>, rows: Range<usize>) -> Vec<f32> {
        let mut values = nemos_core::zeros::<f32>(rows.len() * self.n_features);
        self.tasks(&mut values, rows, |first, chunk| {
            let mut wide = vec![0.0; chunk.len()];
            self.write(data, first, &mut wide);
            for (narrow, wide) in chunk.iter_mut().zip(wide) {
                *narrow = wide as f32;
            }
        });
        values
    }

    /// Splits rows into tasks: `write` gets the first row of each, and where its rows go.
    fn tasks<E: Send>(&self, values: &mut [E], rows: Range<usize>, write: impl Fn(usize, &mut [E]) + Sync) {
        let n_features = self.n_features;
        if values.is_empty() {
            return;
        }
        // Whole transforms, where filters are long.
        let task_rows = (TASK_BYTES / (8 * n_features)).clamp(64, 8192).next_multiple_of(self.chunk_rows());
        if rows.len() <= task_rows {
            write(rows.start, values);
            return;
        }
        let tasks = values.par_chunks_mut(task_rows * n_features).enumerate();
        tasks.for_each(|(task, chunk)| write(rows.start + task * task_rows, chunk));
    }

    fn write(&self, data: &Data<'_>, first_row: usize, values: &mut [f64]) {
        let n_features = self.n_features;
        let rows = first_row..first_row + values.len() / n_features;
        for (part, start) in &self.terms {
            let target = Target {
                values,
                row_stride: n_features,
                offset: *start,
                channel_stride: part.functions(),
            };
            part.write(data, rows.clone(), target);
        }
    }
}

impl Part {
    fn write(&self, data: &Data<'_>, rows: Range<usize>, target: Target<'_>) {
        match self {
            Part::Atom(atom) => atom.write(data, rows, target),
            Part::Sum(left, right) => {
                let right_offset = target.offset + left.functions();
                let reborrowed = Target {
                    values: &mut *target.values,
                    ..target
                };
                left.write(data, rows.clone(), reborrowed);
                let target = Target {
                    offset: right_offset,
                    ..target
                };
                right.write(data, rows, target);
            }
            Part::Product(left, right) => {
                let (n_left, n_right, channels) = (left.functions(), right.functions(), self.channels());
                if n_left * n_right * channels == 0 {
                    return;
                }
                let left = left.alone(data, rows.clone());
                let right = right.alone(data, rows);
                let factors = left.chunks_exact(n_left * channels).zip(right.chunks_exact(n_right * channels));
                for (row, (left, right)) in factors.enumerate() {
                    for channel in 0..channels {
                        let right = &right[channel * n_right..][..n_right];
                        let start = row * target.row_stride + target.offset + channel * target.channel_stride;
                        let products = target.values[start..start + n_left * n_right].chunks_exact_mut(n_right);
                        for (products, factor) in products.zip(&left[channel * n_left..][..n_left]) {
                            for (product, other) in products.iter_mut().zip(right) {
                                *product = factor * other;
                            }
                        }
                    }
                }
            }
        }
    }

    /// The rows of this part with nothing beside them.
    fn alone(&self, data: &Data<'_>, rows: Range<usize>) -> Vec<f64> {
        let row_stride = self.functions() * self.channels();
        let mut values = vec![0.0; rows.len() * row_stride];
        let target = Target {
            values: &mut values,
            row_stride,
            offset: 0,
            channel_stride: self.functions(),
        };
        self.write(data, rows, target);
        values
    }
}

impl Atom {
    /// The rows of this atom with nothing beside them.
    pub(crate) fn alone_on_host(&self, data: &Data<'_>, rows: &Range<usize>) -> Vec<f64> {
        let row_stride = self.functions * self.channels();
        let mut values = vec![0.0; rows.len() * row_stride];
        let target = Target {
            values: &mut values,
            row_stride,
            offset: 0,
            channel_stride: self.functions,
        };
        self.write(data, rows.clone(), target);
        values
    }

    fn write(&self, data: &Data<'_>, rows: Range<usize>, target: Target<'_>) {
        if self.functions == 0 {
            return;
        }
        let views = &data.views[self.inputs.clone()];
        match &self.work {
            Work::Pointwise { scales, functions, .. } => {
                let mut units = vec![vec![0.0; rows.len()]; views.len()];
                for column in 0..self.columns {
                    for ((unit, view), scales) in units.iter_mut().zip(views).zip(scales) {
                        let scale = scales[column];
                        for (unit, row) in unit.iter_mut().zip(rows.clone()) {
                            *unit = scale.unit(view.row(row)[column]);
                        }
                    }
                    let units: Vec<&[f64]> = units.iter().map(Vec::as_slice).collect();
                    let mut out = Strided {
                        values: &mut *target.values,
                        row_stride: target.row_stride,
                        offset: target.offset + column * target.channel_stride,
                        entry_stride: self.columns * target.channel_stride,
                    };
                    functions[column.min(functions.len() - 1)].write(&units, &mut out);
                }
            }
            Work::Filter { kernel, lead } => {
                for column in 0..self.columns {
                    let mut out = Strided {
                        values: &mut *target.values,
                        row_stride: target.row_stride,
                        offset: target.offset + column * target.channel_stride,
                        entry_stride: 0,
                    };
                    let series = (Series::column(views[0].values, column, views[0].n_columns), views[0].first_row);
                    filter((kernel, *lead), series, data.segments, &rows, &mut out);
                }
            }
            Work::Stored(stored) => {
                let width = self.columns * self.functions;
                for (row, from) in rows.clone().enumerate() {
                    for (column, functions) in stored[from * width..][..width].chunks_exact(self.functions).enumerate() {
                        let start = row * target.row_stride + target.offset + column * target.channel_stride;
                        target.values[start..start + self.functions].copy_from_slice(functions);
                    }
                }
            }
        }
        self.fill_outside(data, rows, target);
    }

    /// Overwrites all channels of a row where one of them is outside the bounds.
    fn fill_outside(&self, data: &Data<'_>, rows: Range<usize>, target: Target<'_>) {
        let Some((bounds, fill)) = &self.outside else {
            return;
        };
        for (row, from) in rows.enumerate() {
            let outside = data.views[self.inputs.clone()].iter().zip(bounds).any(|(view, bounds)| {
                view.row(from)
                    .iter()
                    .zip(bounds)
                    .any(|(&sample, &bounds)| is_outside(sample, bounds))
            });
            if outside {
                for channel in 0..self.channels() {
                    let start = row * target.row_stride + target.offset + channel * target.channel_stride;
                    target.values[start..start + self.functions].fill(*fill);
                }
            }
        }
    }
}

/// Filtered rows of one column; those whose window leaves their segment are NaN.
fn filter(
    (kernel, lead): (&Kernel, isize),
    (series, first_row): (Series<'_>, usize),
    segments: &[Range<usize>],
    rows: &Range<usize>,
    out: &mut Strided<'_>,
) {
    let mut next = rows.start;
    for segment in segments {
        let complete = kernel.complete(segment, lead, rows);
        if complete.is_empty() {
            continue;
        }
        out.rows(next - rows.start..complete.start - rows.start, kernel.n_functions())
            .for_each(|row| row.fill(f64::NAN));
        let oldest = complete.start as isize + lead + 1 - kernel.window() as isize - first_row as isize;
        let filtered = complete.start - rows.start..complete.end - rows.start;
        kernel.filter(series, oldest, out.rows(filtered, kernel.n_functions()));
        next = complete.end;
    }
    out.rows(next - rows.start..rows.len(), kernel.n_functions())
        .for_each(|row| row.fill(f64::NAN));
}

//! Counts that an observation model gives no probability are found at the door.

use nemos_core::simd::vectorized;
use nemos_core::{Backend, HostFloat, Matrix, Sums};

use crate::engine::chunk::Chunk;
use crate::{Error, Support};

/// Checks one count, in a row and a column.
#[inline]
pub(crate) fn check(value: f64, support: Support, n_targets: usize, (row, column): (usize, usize)) -> Result<(), Error> {
    if value.is_nan() {
        return Ok(());
    }
    if value.is_infinite() {
        let name = "counts";
        return Err(nemos_core::Error::Infinite { name, row, column }.into());
    }
    // The shares of classes are weights.
    let support = if n_targets > 1 { Support::NonNegative } else { support };
    if support.contains(value) {
        return Ok(());
    }
    Err(Error::OutsideSupport {
        value,
        row,
        column,
        expected: support.describe(),
    })
}

/// Checks all counts of a chunk.
pub(crate) fn check_support<B: Backend>(chunk: &Chunk<B>, support: Support, n_targets: usize) -> Result<(), Error> {
    let host = chunk.counts.host();
    let fine = if let Some(values) = host.as_slice::<f64>() {
        all_inside(values, support, n_targets)
    } else if let Some(values) = host.as_slice::<f32>() {
        all_inside(values, support, n_targets)
    } else {
        !any_outside(&chunk.counts, support, n_targets)?
    };
    if fine {
        return Ok(());
    }
    let width = chunk.counts.dims()[1];
    let values = chunk.counts.try_to_vec()?.into_iter().enumerate();
    for (index, value) in values {
        check(value, support, n_targets, (chunk.rows.at(index / width), index % width))?;
    }
    Ok(())
}

// Values that are looked at before it is asked whether one of them was outside: many beside the asking, few beside all.
const STRETCH: usize = 4096;

fn all_inside<E: HostFloat>(values: &[E], support: Support, n_targets: usize) -> bool {
    let support = if n_targets > 1 { Support::NonNegative } else { support };
    // A stretch at a time to its end, so that it takes vector instructions.
    values.chunks(STRETCH).all(|values| {
        vectorized(
            #[inline(always)]
            || {
                values.iter().fold(true, |fine, value| {
                    let value = value.into_f64();
                    fine & (value.is_nan() | (value.is_finite() & support.contains(value)))
                })
            },
        )
    })
}

/// Whether any count is infinite or has no probability, found where the values are.
pub(crate) fn any_outside<B: Backend>(counts: &Matrix<B>, support: Support, n_targets: usize) -> Result<bool, Error> {
    if counts.dims().contains(&0) {
        return Ok(false);
    }
    let all = counts.clone().into_tensor();
    let infinite = all.clone().abs().equal_elem(f32::INFINITY);
    let support = if n_targets > 1 { Support::NonNegative } else { support };
    let outside = match support {
        Support::Real => infinite,
        Support::NonNegative => all.lower_elem(0.0).bool_or(infinite),
        Support::Positive => all.lower_equal_elem(0.0).bool_or(infinite),
        Support::Binary => (all.clone() * (all - 1.0)).abs().greater_elem(0.0),
        Support::Classes(n_classes) => {
            let fraction = (all.clone() - all.clone().floor()).greater_elem(0.0);
            let beyond = all.clone().greater_equal_elem(n_classes as f64).bool_or(infinite);
            all.lower_elem(0.0).bool_or(beyond).bool_or(fraction)
        }
    };
    let mut sums = Sums::<B>::new();
    sums.rows(outside.float());
    Ok(sums.read()?[0].sum() > 0.0)
}

//! Whether classes are separated, so that their likelihood has no maximum.
//!
//! The loss of a row of class `y` rises nowhere along a direction `d`, one vector for each class, if `zₜ · (d_k − d_y) ≤ 0` for every
//! other class `k`, and falls for ever if one of these is below zero. So each row and class other than its own is a row of the
//! [`cone`](crate::proof::cone), and the likelihood has a maximum if, and only if, that is closed.
//!
//! # References
//! Albert & Anderson (1984), *Biometrika* 71, whose complete and quasi-complete separation this is.

use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::error::Error;
use crate::problem::class_rows::ClassRows;
use crate::problem::objective::Objective;
use crate::problem::parameters::Parameters;
use crate::problem::penalized::nonsmooth_parts;
use crate::proof::cone::{Cone, cone_of_classes};
use crate::run::outcome::{ColumnOutcome, Status};

// Logarithms of odds that a fit reaches before little is left to gain along a direction in which it gains for ever.
const FAR: f64 = 8.0;
// Products that this may cost whatever the fit did, some milliseconds.
const CHEAP: f64 = 4e6;
const DEAR: f64 = 3e9;

/// Looks at columns that ended as if there were a maximum, and says of those whose classes are separated that there is none. Says which
/// it looked at.
pub(crate) fn find_separated(
    objective: &dyn Objective,
    parameters: &Parameters,
    columns: &mut [ColumnOutcome],
) -> Result<Vec<bool>, Error> {
    let (n_parameters, n_problems) = (parameters.n_parameters(), parameters.n_problems());
    let penalties = nonsmooth_parts(objective, n_parameters, n_problems);
    let is_done = |problem: usize| matches!(columns[problem].status, Status::Converged | Status::Stalled | Status::StepLimit);
    let chosen: Vec<usize> = (0..n_problems).filter(|&problem| is_done(problem)).collect();
    if !chosen.is_empty() {
        objective.hold_rows()?;
    }
    let verdicts = chosen.into_par_iter().map(|problem| {
        let Some(mut rows) = objective.by_class(problem)? else {
            return Ok(None);
        };
        if let Some(penalties) = &penalties {
            let (smooth, width) = (penalties[problem].smooth_places(), n_parameters / rows.n_classes);
            let places = (0..n_parameters).filter(|place| place % width != width - 1);
            rows.free.iter_mut().zip(places).for_each(|(free, place)| *free &= smooth[place]);
        }
        let at = parameters.column(problem);
        let spent = columns[problem].evaluations as f64 * 4.0 * (rows.features.nrows() * n_parameters) as f64;
        let cost = rows.n_comparisons() as f64 * (rows.n_free() as f64).powi(2);
        let is_worth_it = cost * n_problems as f64 <= CHEAP || (cost <= spent.min(DEAR) && spread(&rows, at) > FAR);
        Ok(is_worth_it.then(|| (problem, cone_of_classes(&rows))))
    });
    let verdicts: Vec<_> = verdicts.collect::<Result<_, Error>>()?;
    let mut looked_at = vec![false; n_problems];
    for (problem, cone) in verdicts.into_iter().flatten() {
        looked_at[problem] = true;
        if cone == Cone::Open {
            (columns[problem].status, columns[problem].is_proven) = (Status::NoMaximum, true);
        }
    }
    Ok(looked_at)
}

/// The largest logarithm of the odds of two classes in a row.
fn spread(rows: &ClassRows, at: &[f64]) -> f64 {
    let width = at.len() / rows.n_classes;
    let of_row = |row: ndarray::ArrayView1<'_, f64>| {
        let predictors = at
            .chunks_exact(width)
            .map(|class| row.iter().zip(class).map(|(x, w)| x * w).sum::<f64>() + class[width - 1]);
        let (low, high) = predictors.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
        high - low
    };
    rows.features.rows().into_iter().map(of_row).fold(0.0, f64::max)
}

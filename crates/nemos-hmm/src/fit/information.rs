//! The observed information: the curvature of what a fit maximises, from differences of its slopes, which are exact.

use ndarray::{Array1, Array2};
use nemos_core::{Backend, SymmetricEigen, check_memory};
use nemos_glm::Support;

use crate::fit::directions::{Direction, Layout, centre};
use crate::fit::em::Em;
use crate::fit::glms::reach;
use crate::{Error, HmmParameters};

/// A step of the predictor, of log-odds, or of a scale's logarithm, over which slopes are compared.
const STEP: f64 = 1e-3;
/// Numbers of weights of rows that are held at once.
const ROOM: usize = 1 << 22;
/// Information below this share of what each number has alone is none.
const NO_INFORMATION: f64 = 1e-9;

/// How many parameters' slopes are taken at once, of so many numbers of smoothed probabilities each.
pub(crate) fn n_slots(n_probabilities: usize) -> usize {
    (ROOM / n_probabilities.max(1)).clamp(1, 16)
}

impl<B: Backend> Em<'_, '_, B> {
    /// `[n_directions, n_directions]`: the negative curvature along directions, and `[n_directions]` slopes, at parameters.
    pub(crate) fn information(
        &mut self,
        at: &HmmParameters,
        (directions, steps): (&[Direction], &[f64]),
        with_scales: bool,
    ) -> Result<(Array2<f64>, Array1<f64>), Error> {
        let n = directions.len();
        // The information, its eigenvectors, its inverse, and the slopes that they come from.
        check_memory("the information on all parameters", 8.0 * 6.0 * (n as f64).powi(2))?;
        let each = directions.iter().zip(steps);
        let mut points: Vec<(&Direction, f64)> = each
            .flat_map(|(direction, &step)| [(direction, step), (direction, -step)])
            .collect();
        // No direction at all leads to where the parameters are.
        let nowhere = Direction(Vec::new());
        points.push((&nowhere, 0.0));
        let mut slopes = Vec::new();
        for some in points.chunks(n_slots(self.data.design.n_rows_of_all() * at.n_states())) {
            let moved: Vec<HmmParameters> = some.iter().map(|&(direction, by)| at.displaced(direction, by)).collect();
            for of_all in self.slopes(&moved, with_scales)? {
                slopes.push(directions.iter().map(|direction| direction.along(&of_all)).collect::<Array1<f64>>());
            }
        }
        let here = slopes.pop().unwrap_or_default();
        let mut information = Array2::zeros((n, n));
        for ((pair, step), mut row) in slopes.chunks_exact(2).zip(steps).zip(information.rows_mut()) {
            row.assign(&((&pair[1] - &pair[0]) / (2.0 * step)));
        }
        Ok((information, here))
    }

    /// How far to go along a direction, so that slopes differ by more than they are rounded, and curvatures do not; and how far so that no number
    /// on the way moves by much by itself.
    /// `drive` are means and deviations of what drives transitions.
    pub(crate) fn steps_along(&self, direction: &Direction, at: &HmmParameters, drive: (&[f64], &[f64])) -> (f64, f64) {
        let (layout, n_parameters) = (Layout::of(at), at.glms.n_parameters());
        let first = direction.0.first().map_or(0, |first| first.0);
        if layout.glms.contains(&first) {
            let problem = first / n_parameters;
            let mut along = vec![0.0; n_parameters];
            let of_problem = direction.0.iter().filter(|(place, _)| place / n_parameters == problem);
            let mut apart: f64 = 0.0;
            for (place, by) in of_problem {
                along[place % n_parameters] = *by;
                let mut alone = vec![0.0; n_parameters];
                alone[place % n_parameters] = *by;
                apart = apart.max(reach(&alone, &self.objective));
            }
            // Residuals set the scale of predictors that are means themselves.
            let unit = if self.data.observations.support() == Support::Real {
                at.scales[problem].sqrt()
            } else {
                1.0
            };
            let together = reach(&along, &self.objective);
            return (STEP * unit / together.max(1e-12), STEP * unit / apart.max(1e-12));
        }
        match &self.data.drive {
            Some(inputs) if layout.weights.contains(&first) => {
                let input = (first - layout.weights.start) % inputs.n_inputs;
                let (mean, unit) = (drive.0[input], drive.1[input]);
                let apart = mean.hypot(unit).max(1e-12);
                let together = if centre(mean, unit) == 0.0 { apart } else { unit };
                (STEP / together, STEP / apart)
            }
            _ => (STEP, STEP),
        }
    }
}

/// The inverse of the information; the number of a direction that it says nothing of, where there is one.
pub(crate) fn inverse(information: &Array2<f64>) -> Result<Array2<f64>, usize> {
    let n = information.nrows();
    let unit: Vec<f64> = information.diag().iter().map(|value| 1.0 / value.sqrt()).collect();
    if let Some(place) = unit.iter().position(|unit| !unit.is_finite()) {
        return Err(place);
    }
    let scaled = Array2::from_shape_fn((n, n), |(i, j)| {
        0.5 * (information[(i, j)] + information[(j, i)]) * unit[i] * unit[j]
    });
    let eigen = SymmetricEigen::new(scaled.view()).map_err(|_| 0_usize)?;
    let mut halves = Array2::zeros((n, n));
    for (place, &value) in eigen.values.iter().enumerate() {
        let vector = eigen.vectors.column(place);
        if value.is_nan() || value < NO_INFORMATION {
            let largest = (0..n).max_by(|&a, &b| vector[a].abs().total_cmp(&vector[b].abs()));
            return Err(largest.unwrap_or(0));
        }
        let half = vector.iter().zip(&unit).map(|(v, unit)| v * unit / value.sqrt());
        halves.column_mut(place).iter_mut().zip(half).for_each(|(to, half)| *to = half);
    }
    Ok(halves.dot(&halves.t()))
}

//! The null model: a constant rate, or an intercept beside an offset.

use nemos_core::Backend;
use nemos_solvers::Parameters;

use crate::Error;
use crate::engine::measure::{Described, From, Quantity, Tallies};
use crate::fit::start;

const PASSES: usize = 100;
const PRECISION: f64 = 1e-10;

/// `[n_problems]` each: the deviances of a model, and those of the null model, as if weights were one on average.
pub(crate) fn deviances<B: Backend>(described: &mut Described<'_, '_, B>, at: &Parameters) -> Result<[Vec<f64>; 2], Error> {
    let fitted = described.sum(Quantity::Deviance, From::Parameters(at))?;
    let null = sums(Quantity::Deviance, described, &fitted)?;
    Ok([fitted.totals(), fitted.totals_of(&null)])
}

/// `[n_problems]`: sums of log-likelihoods of the null model, or of its deviances. No pass reads the features again.
pub(crate) fn sums<B: Backend>(quantity: Quantity, described: &mut Described<'_, '_, B>, tallies: &Tallies) -> Result<Vec<f64>, Error> {
    let Some(rates) = described.model.of_rates() else {
        // The null model gives each class its frequency.
        let classes = tallies.count_sum.chunks_exact(described.model.n_predictors());
        let factor = if quantity == Quantity::Deviance { -2.0 } else { 1.0 };
        return Ok(classes
            .map(|classes| factor * described.model.null_log_likelihood(classes))
            .collect());
    };
    let means: Vec<f64> = tallies
        .count_sum
        .iter()
        .zip(&tallies.weight)
        .map(|(sum, weight)| sum / weight)
        .collect();
    if described.data.design.offset().is_some() {
        let intercepts = intercepts(described, &means)?;
        return Ok(described.sum(quantity, From::Intercepts(&intercepts))?.sums);
    }
    let mut described = Described {
        data: described.data.clone(),
        model: &*rates,
        problems: described.problems.clone(),
        scale: described.scale,
    };
    Ok(described.sum(quantity, From::Intercepts(&means))?.sums)
}

/// `[n_problems]`: the intercepts that, beside the offset, fit the counts best, by Fisher scoring.
fn intercepts<B: Backend>(described: &mut Described<'_, '_, B>, means: &[f64]) -> Result<Vec<f64>, Error> {
    let zeros = vec![0.0; means.len()];
    let offsets = described.sum(Quantity::Offset, From::Intercepts(&zeros))?;
    let neurons = means.iter().zip(offsets.sums.iter().zip(&offsets.weight)).enumerate();
    let start = |(neuron, (&mean, (offset, weight))): (usize, (&f64, (&f64, &f64)))| {
        Ok(start::intercept::<B>(described.model, mean, neuron)? - offset / weight)
    };
    let mut intercepts = neurons.map(start).collect::<Result<Vec<f64>, Error>>()?;
    for _ in 0..PASSES {
        let slopes = described.sum(Quantity::Slope, From::Intercepts(&intercepts))?.sums;
        let curvatures = described.sum(Quantity::Curvature, From::Intercepts(&intercepts))?.sums;
        let mut farthest = 0.0_f64;
        for (intercept, (slope, curvature)) in intercepts.iter_mut().zip(slopes.iter().zip(curvatures)) {
            let step = (slope / curvature).clamp(-5.0, 5.0);
            if step.is_finite() {
                *intercept -= step;
                farthest = farthest.max(step.abs());
            }
        }
        if farthest <= PRECISION.max(B::epsilon() * 8.0) {
            break;
        }
    }
    Ok(intercepts)
}

//! Scales that change the coefficients: estimated by maximum likelihood, at given coefficients.

use nemos_core::Backend;
use nemos_solvers::Parameters;

use crate::engine::measure::{Described, From, Quantity};
use crate::{Error, GlmObjective};

/// The scales of most likelihood lie between these: below the lowest one, counts are as good as Poisson.
const LOWEST: f64 = 1e-6;
const HIGHEST: f64 = 1e6;
const PASSES: usize = 60;
const PRECISION: f64 = 1e-10;

/// `[n_problems]`: for each problem, the scale that makes its counts most likely at these parameters.
///
/// The slope of the log-likelihood in the logarithm of the scale comes from automatic differentiation; its zero is
/// bracketed first, and then closed in on by the Illinois rule. Every pass over the data serves all problems.
pub(crate) fn maximum_likelihood<B: Backend>(objective: &GlmObjective<'_, B>, at: &Parameters) -> Result<Vec<f64>, Error> {
    let precision = PRECISION.max(30.0 * B::epsilon());
    let mut searches: Vec<Search> = objective.scale().iter().map(|scale| Search::new(scale.ln())).collect();
    for _ in 0..PASSES {
        if searches.iter().all(Search::is_done) {
            break;
        }
        let scales: Vec<f64> = searches.iter().map(|search| search.at.exp()).collect();
        let slopes = slopes(objective, at, &scales)?;
        searches
            .iter_mut()
            .zip(slopes)
            .for_each(|(search, slope)| search.take(slope, precision));
    }
    Ok(searches.iter().map(|search| search.at.exp()).collect())
}

/// The zero of a falling function of one variable, one value at a time.
#[derive(Copy, Clone, Debug)]
struct Search {
    at: f64,
    stride: f64,
    /// A point where the slope is positive, and the slope there.
    below: Option<(f64, f64)>,
    /// A point where the slope is negative, and the slope there.
    above: Option<(f64, f64)>,
    done: bool,
}

impl Search {
    fn new(start: f64) -> Self {
        Search {
            at: start.clamp(LOWEST.ln(), HIGHEST.ln()),
            stride: 0.5,
            below: None,
            above: None,
            done: false,
        }
    }

    fn is_done(&self) -> bool {
        self.done
    }

    /// Takes the slope at the current point in, and moves on, unless by less than a share.
    fn take(&mut self, slope: f64, precision: f64) {
        if self.done {
            return;
        }
        let here = (self.at, slope);
        if slope == 0.0 || !slope.is_finite() {
            self.done = true;
            return;
        }
        // The end that stays twice in a row counts half (Illinois).
        if slope > 0.0 {
            if self.below.is_some() {
                self.above = self.above.map(|(x, y)| (x, 0.5 * y));
            }
            self.below = Some(here);
        } else {
            if self.above.is_some() {
                self.below = self.below.map(|(x, y)| (x, 0.5 * y));
            }
            self.above = Some(here);
        }
        let next = match (self.below, self.above) {
            (Some((x0, y0)), Some((x1, y1))) => x0 + (x1 - x0) * y0 / (y0 - y1),
            (Some((x, _)), None) => x + self.stride,
            (None, Some((x, _))) => x - self.stride,
            (None, None) => self.at,
        }
        .clamp(LOWEST.ln(), HIGHEST.ln());
        self.stride *= 2.0;
        self.done = (next - self.at).abs() <= precision;
        self.at = next;
    }
}

/// `[n_problems]`: slopes of the log-likelihoods in the logarithms of the scales.
fn slopes<B: Backend>(objective: &GlmObjective<'_, B>, at: &Parameters, scales: &[f64]) -> Result<Vec<f64>, Error> {
    let mut described = Described {
        data: objective.data.clone(),
        model: &*objective.model,
        problems: objective.problems.clone(),
        scale: scales,
    };
    let slopes = described.sum(Quantity::SlopeInScale, From::Parameters(at))?.sums;
    Ok(slopes.iter().zip(scales).map(|(slope, scale)| slope * scale).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_the_zero_from_either_side() {
        for start in [-9.0, 0.0, 5.0] {
            let mut search = Search::new(start);
            let mut values = 0;
            while !search.is_done() {
                search.take(1.5 - search.at.exp(), PRECISION);
                values += 1;
            }
            assert!(
                (search.at - 1.5_f64.ln()).abs() < 1e-9 && values < PASSES,
                "{search:?} after {values}"
            );
        }
    }

    #[test]
    fn a_slope_that_never_changes_sign_ends_at_the_bound() {
        let mut search = Search::new(0.0);
        while !search.is_done() {
            search.take(-1.0, PRECISION);
        }
        assert_eq!(search.at, LOWEST.ln());
    }
}

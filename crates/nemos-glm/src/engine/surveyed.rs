//! What a survey found, kept and taken again by a fit that goes on.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::Backend;
use nemos_solvers::Moments;

use crate::engine::numbers::Numbers;
use crate::engine::objective::GlmObjective;
use crate::engine::survey::FoldMoments;

impl<B: Backend> GlmObjective<'_, B> {
    /// What a survey found, as numbers.
    pub(crate) fn surveyed(&self) -> Vec<f64> {
        let mut numbers = Vec::new();
        self.totals.pack(&mut numbers);
        let moments = self.expected.iter().flat_map(|expected| &expected.moments);
        moments.for_each(|moments| {
            numbers.extend(&moments.mean);
            numbers.extend(&moments.covariance);
        });
        numbers
    }

    /// Goes on from what an earlier survey of the same data found, which another number of processes may have rounded otherwise; nothing, and false,
    /// where it was of other features. (Of the counts there is a fingerprint.)
    pub(crate) fn take_survey(&mut self, found: &[f64]) -> Result<bool, crate::Error> {
        let now = self.surveyed();
        let same = now.iter().zip(found).all(|(now, found)| now.to_bits() == found.to_bits());
        if now.len() != found.len() || self.data.design.share().is_none() || same {
            return Ok(now.len() == found.len() && same);
        }
        let mut numbers = Numbers::new(found);
        let (mut totals, mut moments) = (self.totals.clone(), None);
        if totals.unpack(&mut numbers).is_none() {
            return Ok(false);
        }
        if let Some(expected) = &self.expected {
            let mut taken = Vec::new();
            for moments in &expected.moments {
                let mut mean = vec![0.0; moments.mean.len()];
                let mut covariance = Array2::zeros(moments.covariance.dim());
                if numbers
                    .fill(&mut mean)
                    .and_then(|()| numbers.fill_matrix(&mut covariance))
                    .is_none()
                {
                    return Ok(false);
                }
                let found = Moments::new(mean, covariance, moments.precision);
                if !is_close(moments, &found) {
                    return Ok(false);
                }
                taken.push(Arc::new(found));
            }
            moments = Some(FoldMoments {
                moments: taken,
                of_problem: expected.of_problem.clone(),
            });
        }
        self.totals = totals;
        self.take(moments)?;
        Ok(true)
    }
}

/// Whether moments are the same but for rounding.
fn is_close(a: &Moments, b: &Moments) -> bool {
    let share = a.precision.max(1e-9);
    let deviation = |feature: usize| a.covariance[(feature, feature)].max(0.0).sqrt();
    let mut means = a.mean.iter().zip(&b.mean).enumerate();
    let mut covariances = a.covariance.indexed_iter().zip(&b.covariance);
    means.all(|(feature, (a, b))| (a - b).abs() <= share * (a.abs() + deviation(feature)))
        && covariances.all(|(((i, j), a), b)| (a - b).abs() <= share * deviation(i) * deviation(j))
}

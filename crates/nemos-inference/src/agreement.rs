//! How well rates agree with counts.

use nemos_core::Backend;

use crate::{Error, Inference};

/// How well the rates of a neuron agree with its counts, on the rows that the fit used.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// `1 − Σ (y − μ)² / Σ (y − ȳ)²`.
    pub variance_explained: f64,
    /// The correlation of counts and rates.
    pub correlation: f64,
    /// What a spike tells, in bits, beyond a rate that is constant whatever the offset: the Poisson log-likelihood above that of the
    /// mean count, per spike. NaN without spikes. [`Criteria::bits_per_spike`](crate::Criteria::bits_per_spike) keeps the offset.
    pub bits_per_spike_of_constant_rate: f64,
}

impl<B: Backend> Inference<'_, B> {
    /// `[n_neurons]`: how well rates agree with counts.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn agreement(&self) -> Result<Vec<Agreement>, Error> {
        let n_neurons = self.n_neurons();
        // Of counts and rates: weights, sums, squares, products, squares of differences, and log-likelihoods.
        let mut sums = vec![[0.0_f64; 8]; n_neurons];
        self.each_chunk(|seen| {
            for row in 0..seen.n_rows() {
                for (neuron, sums) in sums.iter_mut().enumerate() {
                    if !seen.is_used(row, neuron) {
                        continue;
                    }
                    let (w, y, mu) = (seen.weights[(row, neuron)], seen.counts[(row, neuron)], seen.at.rate[(row, neuron)]);
                    let told = if y > 0.0 { y * mu.ln() } else { 0.0 } - mu;
                    let terms = [1.0, y, mu, y * y, mu * mu, y * mu, (y - mu).powi(2), told];
                    sums.iter_mut().zip(terms).for_each(|(sum, term)| *sum += w * term);
                }
            }
            Ok(())
        })?;
        let sums = self.design.summed(sums.concat())?;
        let each = sums.chunks_exact(8).map(|sums| std::array::from_fn(|place| sums[place]));
        Ok(each.map(Agreement::of).collect())
    }
}

impl Agreement {
    fn of([n, y, mu, yy, mm, ym, residual, told]: [f64; 8]) -> Self {
        let (of_counts, of_rates) = (yy - y * y / n, mm - mu * mu / n);
        let constant = if y > 0.0 { y * (y / n).ln() - y } else { f64::NAN };
        Agreement {
            variance_explained: 1.0 - residual / of_counts,
            correlation: (ym - y * mu / n) / (of_counts * of_rates).sqrt(),
            bits_per_spike_of_constant_rate: (told - constant) / (y * std::f64::consts::LN_2),
        }
    }
}

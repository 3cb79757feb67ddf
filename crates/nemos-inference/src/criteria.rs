//! How well a model fits, and how many parameters that took.

use std::f64::consts::LN_2;
use std::fmt;

use ndarray::Array2;
use nemos_core::{Backend, Digest};
use nemos_glm::{Scale, Support};
use statrs::function::gamma::ln_gamma;

use crate::format::number;
use crate::likeliest_scale::gamma_scale;
use crate::{Error, Inference};

/// How well the model of one neuron fits.
///
/// ```text
/// ℓ      log-likelihood with every constant, at the scale of most likelihood
/// k      effective degrees of freedom, and one more if a scale was estimated
/// AIC  = −2ℓ + 2k        AICc = AIC + 2k(k+1)/(n−k−1)        BIC = −2ℓ + k ln n
/// ```
///
/// `n` is the number of rows, not of spikes: in bins of a millisecond an hour has ln n = 15, so BIC asks much of a parameter.
///
/// # References
/// Akaike (1974), *IEEE Trans. Automatic Control* 19; Hurvich & Tsai (1989), *Biometrika* 76; Schwarz (1978), *Ann. Statistics* 6.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Criteria {
    /// Rows used.
    pub n_rows: f64,
    /// Effective degrees of freedom, and one more if a scale was estimated.
    pub n_parameters: f64,
    /// Log-likelihood at the scale of most likelihood; for weighted rows, as if weights were one on average.
    pub log_likelihood: f64,
    /// That of an intercept alone, beside the offset, at its own scale of most likelihood.
    pub null_log_likelihood: f64,
    /// The scale of most likelihood; one where the model has none.
    pub scale_of_most_likelihood: f64,
    /// Deviance, at scale one where a scale is estimated after the coefficients.
    pub deviance: f64,
    /// That of an intercept alone, beside the offset, at the same scale.
    pub null_deviance: f64,
    /// Pearson's χ²: squared residuals over variances.
    pub pearson_chi2: f64,
    /// Sum of the counts, weighted as if weights were one on average.
    pub total_count: f64,
    counts_are_spikes: bool,
    edf: f64,
    /// What the rows and counts are, in one number.
    pub(crate) fingerprint: u64,
}

impl Criteria {
    /// Akaike's information criterion.
    pub fn aic(&self) -> f64 {
        -2.0 * self.log_likelihood + 2.0 * self.n_parameters
    }

    /// The same, corrected for few rows; infinite where there are no more rows than parameters.
    pub fn aicc(&self) -> f64 {
        let (n, k) = (self.n_rows, self.n_parameters);
        if n - k - 1.0 > 0.0 {
            self.aic() + 2.0 * k * (k + 1.0) / (n - k - 1.0)
        } else {
            f64::INFINITY
        }
    }

    /// Schwarz's Bayesian information criterion.
    pub fn bic(&self) -> f64 {
        -2.0 * self.log_likelihood + self.n_parameters * self.n_rows.ln()
    }

    /// Generalised cross-validation: `n D / (n − edf)²`.
    pub fn gcv(&self) -> f64 {
        self.n_rows * self.deviance / (self.n_rows - self.edf).powi(2)
    }

    /// Unbiased risk estimate, for a known scale of one: `D/n + 2 edf/n − 1`.
    pub fn ubre(&self) -> f64 {
        self.deviance / self.n_rows + 2.0 * self.edf / self.n_rows - 1.0
    }

    /// The share of the deviance of an intercept that the features explain (Cohen's pseudo-R²).
    pub fn deviance_explained(&self) -> f64 {
        if self.null_deviance > 0.0 {
            1.0 - self.deviance / self.null_deviance
        } else {
            f64::NAN
        }
    }

    /// What a spike tells about the features, in bits: the log-likelihood above that of an intercept alone, beside the offset, per
    /// spike. NaN without spikes, and for observations that are no counts.
    pub fn bits_per_spike(&self) -> f64 {
        if self.counts_are_spikes && self.total_count > 0.0 {
            (self.log_likelihood - self.null_log_likelihood) / (self.total_count * LN_2)
        } else {
            f64::NAN
        }
    }
}

impl fmt::Display for Criteria {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = |value: f64| number(value, 0);
        writeln!(
            formatter,
            "log-likelihood {}, AIC {}, BIC {} ({} parameters, {} rows)",
            plain(self.log_likelihood),
            plain(self.aic()),
            plain(self.bic()),
            (self.n_parameters * 100.0).round() / 100.0,
            self.n_rows
        )?;
        write!(
            formatter,
            "deviance {}, {:.2} % of that of a constant rate explained; Pearson χ² {}",
            plain(self.deviance),
            100.0 * self.deviance_explained(),
            plain(self.pearson_chi2)
        )?;
        match self.bits_per_spike() {
            bits if bits.is_nan() => Ok(()),
            bits => write!(formatter, "; {bits:.4} bits per spike"),
        }
    }
}

impl<B: Backend> Inference<'_, B> {
    /// How well the model of each neuron fits. After a lasso the coefficients that are not zero count as parameters.
    ///
    /// # Errors
    /// If the data cannot be read.
    pub fn criteria(&self) -> Result<Vec<Criteria>, Error> {
        let [deviance, null_deviance] = self.model.deviances(&self.design, &self.counts)?;
        let chi2 = self.model.pearson_chi2(&self.design, &self.counts)?;
        let scale = self.most_likely_scales(&deviance)?;
        let log_likelihood = self.log_likelihoods_at(&*self.model, &scale)?;
        let null_log_likelihood = self.null_log_likelihoods(&log_likelihood, (&deviance, &null_deviance))?;
        let (total, fingerprint) = self.counted()?;
        let has_scale = !matches!(self.kind.scale, Scale::Fixed(_));
        let each = self.of_neurons.iter().enumerate().map(|(neuron, of)| Criteria {
            n_rows: of.n_rows,
            n_parameters: of.edf + f64::from(u8::from(has_scale)),
            log_likelihood: log_likelihood[neuron],
            null_log_likelihood: null_log_likelihood[neuron],
            scale_of_most_likelihood: scale[neuron],
            deviance: deviance[neuron],
            null_deviance: null_deviance[neuron],
            pearson_chi2: chi2[neuron],
            total_count: total[neuron],
            counts_are_spikes: matches!(self.kind.support, Support::NonNegative | Support::Binary),
            edf: of.edf,
            fingerprint: fingerprint[neuron],
        });
        Ok(each.collect())
    }

    /// `[n_neurons]`: log-likelihoods with every constant at this scale, summed over rows as if weights were one on average.
    ///
    /// # Errors
    /// If the data cannot be read.
    #[doc(alias = "llf")]
    pub fn log_likelihood_at_scale(&self, scale: f64) -> Result<Vec<f64>, Error> {
        self.log_likelihoods_at(&*self.model, &vec![scale; self.n_neurons()])
    }

    /// `[n_neurons]`: log-likelihoods of a model at these scales, summed over rows as if weights were one on average.
    pub(crate) fn log_likelihoods_at(&self, model: &dyn crate::described::Described<B>, scale: &[f64]) -> Result<Vec<f64>, Error> {
        // Where there is no scale there is no log-likelihood; the others are not kept from theirs.
        let known: Vec<f64> = scale
            .iter()
            .map(|&scale| if scale.is_finite() && scale > 0.0 { scale } else { 1.0 })
            .collect();
        let mean = model.at_scale(known)?.log_likelihood(&self.design, &self.counts)?;
        let sums = mean.iter().zip(&self.of_neurons).zip(scale);
        Ok(sums
            .map(|((mean, of), scale)| {
                if scale.is_finite() && *scale > 0.0 {
                    mean * of.n_rows
                } else {
                    f64::NAN
                }
            })
            .collect())
    }

    /// `[n_neurons]`: log-likelihoods of an intercept alone, at its own scale of most likelihood.
    fn null_log_likelihoods(&self, fitted: &[f64], (deviance, null): (&[f64], &[f64])) -> Result<Vec<f64>, Error> {
        let each = fitted.iter().zip(deviance).zip(null).zip(&self.of_neurons);
        match (self.kind.scale, self.kind.built_in.as_deref()) {
            // Densities at scales of most likelihood differ by what deviances tell.
            (Scale::Pearson, Some("Gaussian")) => Ok(each
                .map(|(((fitted, deviance), null), of)| fitted - 0.5 * of.n_rows * (null / deviance).ln())
                .collect()),
            (Scale::Pearson, Some("Gamma")) => {
                let beside = |deviance: f64, n: f64| {
                    let shape = 1.0 / gamma_scale(deviance / n);
                    0.5 * shape * deviance + n * (ln_gamma(shape) - shape * shape.ln() + shape)
                };
                let null = |(((fitted, deviance), null), of): (((&f64, &f64), &f64), &crate::of_neuron::OfNeuron)| {
                    fitted + beside(*deviance, of.n_rows) - beside(*null, of.n_rows)
                };
                Ok(each.map(null).collect())
            }
            // Twice the difference of log-likelihoods is that of deviances.
            (Scale::Fixed(_), Some(_)) => Ok(each
                .map(|(((fitted, deviance), null), _)| fitted - 0.5 * (null - deviance))
                .collect()),
            _ => self.refitted_null(),
        }
    }

    /// The same, by a fit.
    fn refitted_null(&self) -> Result<Vec<f64>, Error> {
        if self.kind.scale == Scale::Pearson {
            return Ok(vec![f64::NAN; self.n_neurons()]);
        }
        let nothing = Array2::from_elem((self.n_features(), self.n_neurons()), false);
        let null = self.without_penalty(nothing)?;
        self.log_likelihoods_at(&*null, &null.scale())
    }

    /// Fits the model again without a penalty, with these coefficients free.
    pub(crate) fn without_penalty(&self, free: Array2<bool>) -> Result<Box<dyn crate::described::Described<B>>, Error> {
        let mut options = self.model.options().clone();
        options.regularizer = nemos_glm::Regularizer::Unregularized;
        options.mask = Some(free.into());
        options.start = None;
        let fitted = self.model.refit(options, &self.design, &self.counts)?;
        match self.kind.scale {
            Scale::Pearson => fitted.at_scale(vec![1.0; self.n_neurons()]),
            _ => Ok(fitted),
        }
    }

    /// `[n_neurons]`: sums of the counts, and one number each that tells rows, counts and weights apart.
    fn counted(&self) -> Result<(Vec<f64>, Vec<u64>), Error> {
        let n_neurons = self.n_neurons();
        let (mut total, mut fingerprint) = (vec![0.0; n_neurons], vec![Digest::new(); n_neurons]);
        self.each_count(|row, counts, weights| {
            for neuron in (0..n_neurons).filter(|&neuron| weights[neuron] > 0.0) {
                total[neuron] += weights[neuron] * counts[neuron];
                fingerprint[neuron].add(row as u64);
                fingerprint[neuron].add(counts[neuron].to_bits());
                fingerprint[neuron].add((weights[neuron] as f32).to_bits().into());
            }
        })?;
        let total = self.design.summed(total)?;
        // Of several processes, one number after the other.
        let bits = fingerprint.iter().map(|digest| f64::from_bits(digest.word())).collect();
        let all = self.design.gathered(bits)?;
        let of_all = |neuron: usize| {
            let mut digest = Digest::new();
            all.iter().for_each(|of| digest.add(of[neuron].to_bits()));
            digest.word()
        };
        Ok((total, (0..n_neurons).map(of_all).collect()))
    }
}

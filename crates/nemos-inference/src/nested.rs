//! Tests of nested models: likelihood ratios and scores.

use ndarray::{Array1, Array2};
use nemos_core::Backend;
use nemos_glm::{Problems, Scale, SecondMoment};
use nemos_solvers::{Objective, Order, Request, Status};

use crate::bread::{Bread, Known};
use crate::described::{self, Described};
use crate::rows::Standardised;
use crate::settings::Dispersion;
use crate::tests_of::{Test, TestTable, Tests};
use crate::{Error, Inference, Reference, Terms};

/// A restricted fit.
struct Restricted<B: Backend> {
    model: Box<dyn Described<B>>,
    /// `[n_neurons]`: directions of the features that are free and seen.
    rank: Vec<usize>,
}

impl<B: Backend> Inference<'_, B> {
    /// Likelihood-ratio tests that these coefficients are all zero, for every neuron: the model is fitted again without them.
    ///
    /// ```text
    /// known scale        D₀ − D₁ ~ χ²(q)
    /// estimated scale    (D₀ − D₁) / (q φ₁) ~ F(q, n − p₁)
    /// scale of most likelihood (negative binomial)    2 (ℓ₁ − ℓ₀) ~ χ²(q)
    /// ```
    ///
    /// `q` is the difference of ranks. The test holds where a likelihood has no maximum, because its supremum is finite; a silent
    /// neuron has none. It has no form that is robust to dependent rows: that is [`Estimates::wald`](crate::Estimates::wald).
    ///
    /// # Errors
    /// [`Error::NoSuchTest`] after a penalty, [`Error::FitsWorse`] if a fit failed; if there is no such block or column.
    ///
    /// # References
    /// Wilks (1938), *Ann. Mathematical Statistics* 9.
    #[doc(alias("compare_lr_test", "anova"))]
    pub fn likelihood_ratio(&self, terms: impl Into<Terms>) -> Result<Tests, Error> {
        let terms = terms.into();
        self.refuse_penalty("a likelihood-ratio test")?;
        let restricted = self.restricted(&terms)?;
        let mut drops = self.log_likelihood_ratios(&restricted)?;
        for (neuron, drop) in drops.iter_mut().enumerate() {
            if self.objective.on_edge()[neuron] {
                *drop = f64::NAN;
            }
        }
        let each = drops.into_iter().enumerate().map(|(neuron, drop)| {
            let of = &self.of_neurons[neuron];
            let q = self.rank_of(neuron).saturating_sub(restricted.rank[neuron]);
            let statistic = drop / of.scale / if of.scale_is_estimated { q as f64 } else { 1.0 };
            if q == 0 {
                Test::none()
            } else {
                Test::new(statistic, q as f64, of.reference_of(q))
            }
        });
        Ok(self.tests("Likelihood-ratio test", &terms, each.collect()))
    }

    /// Likelihood-ratio tests of every named block of features, for every neuron: rows are blocks, columns are neurons.
    ///
    /// # Errors
    /// As [`likelihood_ratio`](Inference::likelihood_ratio); [`Error::NoTerms`] where the features have no blocks.
    pub fn likelihood_ratio_of_blocks(&self) -> Result<TestTable, Error> {
        let terms = self.model.features().block_names();
        if terms.is_empty() {
            return Err(Error::NoTerms);
        }
        let tests = terms
            .iter()
            .map(|name| self.likelihood_ratio(name.as_str()))
            .collect::<Result<_, _>>()?;
        Ok(TestTable { terms, tests })
    }

    /// Score tests (Rao's) that these coefficients are all zero, for every neuron: how steep the log-likelihood is where they are,
    /// `Uᵀ I⁻¹ U / φ₀ ~ χ²(q)`, with the information of the whole design and the scale of the restricted fit.
    ///
    /// # Errors
    /// As [`likelihood_ratio`](Inference::likelihood_ratio).
    ///
    /// # References
    /// Rao (1948), *Proc. Cambridge Philosophical Society* 44.
    pub fn score_test(&self, terms: impl Into<Terms>) -> Result<Tests, Error> {
        let terms = terms.into();
        self.refuse_penalty("a score test")?;
        let restricted = self.restricted(&terms)?;
        let at = self.columns.standardised(restricted.model.parameters());
        let design = Standardised::design(&self.design, &self.columns)?;
        let objective = restricted
            .model
            .objective(Problems::one_per_response(self.n_neurons()), design, self.counts.clone())?;
        let columns: Vec<usize> = (0..self.n_neurons()).collect();
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Gradient,
        };
        let gradient = objective.evaluate(&at, request)?.gradient;
        let scale = self.restricted_scales(&restricted)?;
        let which = SecondMoment::Information(nemos_glm::Information::Expected);
        let each = objective.map_second_moments(&at, &which, |neuron, information| {
            let of = &self.of_neurons[neuron];
            let known = Known {
                columns: &self.columns,
                free: &of.free,
                ridge: None,
                rank: Some(self.rank_of(neuron)),
                precision: described::precision::<B>(),
            };
            let q = self.rank_of(neuron).saturating_sub(restricted.rank[neuron]);
            let Ok(bread) = Bread::new(&(information * of.unit), &known) else {
                return Test::none();
            };
            let factor = objective.loss_factor(neuron) * of.n_rows;
            let slope: Array1<f64> = gradient.column(neuron).iter().map(|slope| slope * factor).collect();
            let statistic = slope.dot(&bread.inverse.to_array().dot(&slope)) / scale[neuron];
            if q == 0 || objective.on_edge()[neuron] {
                Test::none()
            } else {
                Test::new(statistic, q as f64, Reference::ChiSquared(q as f64))
            }
        })?;
        Ok(self.tests("Score test", &terms, each))
    }

    fn tests(&self, what: &str, terms: &Terms, each: Vec<Test>) -> Tests {
        Tests {
            title: format!("{what} of {}", terms.title(self.model.features(), self.n_features())),
            neurons: self.model.neurons().to_vec(),
            each,
        }
    }

    fn refuse_penalty(&self, test: &'static str) -> Result<(), Error> {
        if self.ridge.is_some() || self.sparse.is_some() {
            return Err(Error::NoSuchTest {
                test,
                why: "needs fits without a penalty: under one the difference of two is not χ²; fit without it, or look at the Wald test after a ridge as an approximation",
            });
        }
        Ok(())
    }

    /// Directions of the features that the fit of a neuron used.
    pub(crate) fn rank_of(&self, neuron: usize) -> usize {
        let of = &self.of_neurons[neuron];
        match &of.bread {
            Ok(bread) => bread.rank,
            Err(_) => {
                let rank = self.model.outcome().columns[neuron].rank;
                self.independent(rank, &of.free).unwrap_or(of.free.len())
            }
        }
    }

    /// Fits the model without these terms.
    fn restricted(&self, terms: &Terms) -> Result<Restricted<B>, Error> {
        let columns = terms.columns(self.model.features(), self.n_features())?;
        let (n_predictors, width) = (self.model.n_predictors(), self.columns.width());
        let mut mask = Array2::from_elem((self.n_features(), self.n_neurons() * n_predictors), false);
        let mut free: Vec<Vec<usize>> = Vec::with_capacity(self.n_neurons());
        for (neuron, of) in self.of_neurons.iter().enumerate() {
            let kept: Vec<usize> = of
                .free
                .iter()
                .copied()
                .filter(|place| !columns.contains(&(place % width)))
                .collect();
            for place in &kept {
                mask[(place % width, neuron * n_predictors + place / width)] = true;
            }
            free.push(kept);
        }
        let model = self.without_penalty(mask)?;
        let failed = |status| !matches!(status, Status::Converged | Status::NoMaximum);
        if !self.settings.even_if_not_converged
            && let Some(neuron) = model.outcome().statuses().position(failed)
        {
            let status = model.outcome().columns[neuron].status;
            return Err(Error::NotConverged { neuron, status });
        }
        let columns = model.outcome().columns.iter().zip(&free);
        let rank = columns.map(|(column, free)| {
            self.independent(column.rank, free).ok_or(Error::NotForClassifiers {
                what: "a test of nested models",
                why: "its mask differs between classes; give one flag for all classes",
            })
        });
        Ok(Restricted {
            rank: rank.collect::<Result<_, _>>()?,
            model,
        })
    }

    /// `[n_neurons]`: twice the log-likelihood ratios, at scale one where it is estimated after the coefficients.
    fn log_likelihood_ratios(&self, restricted: &Restricted<B>) -> Result<Vec<f64>, Error> {
        let (large, small) = match self.kind.scale {
            Scale::MaximumLikelihood => {
                let twice = |values: Vec<f64>| values.into_iter().map(|value| -2.0 * value).collect::<Vec<_>>();
                (
                    twice(self.log_likelihoods_at(&*self.model, &self.model.scale())?),
                    twice(self.log_likelihoods_at(&*restricted.model, &restricted.model.scale())?),
                )
            }
            _ => (
                self.model.deviance(&self.design, &self.counts)?,
                restricted.model.deviance(&self.design, &self.counts)?,
            ),
        };
        let drops = large.iter().zip(&small).enumerate().map(|(neuron, (large, small))| {
            let drop = small - large;
            // Fits stop a little above their minimum.
            let slack = 1e-6 * self.of_neurons[neuron].scale.max(f64::MIN_POSITIVE) + 1e-9 * small.abs();
            match drop < -slack {
                true => Err(Error::FitsWorse {
                    neuron,
                    nats: -0.5 * drop / self.of_neurons[neuron].scale,
                }),
                false => Ok(drop.max(0.0) + if drop.is_nan() { f64::NAN } else { 0.0 }),
            }
        });
        drops.collect()
    }

    /// `[n_neurons]`: the dispersions of a restricted fit.
    fn restricted_scales(&self, restricted: &Restricted<B>) -> Result<Vec<f64>, Error> {
        let is_estimated = self.of_neurons.first().is_some_and(|of| of.scale_is_estimated);
        if !is_estimated {
            let known = if let Dispersion::Known(scale) = self.settings.dispersion {
                scale
            } else {
                1.0
            };
            return Ok(vec![known; self.n_neurons()]);
        }
        let chi2 = restricted.model.pearson_chi2(&self.design, &self.counts)?;
        let each = chi2.iter().zip(&restricted.rank).zip(&self.of_neurons);
        Ok(each.map(|((chi2, rank), of)| chi2 / (of.n_rows - *rank as f64 - 1.0)).collect())
    }
}

//! Models beside each other.

use std::fmt;

use nemos_core::Backend;

use crate::format::number;
use crate::{ClassInference, Criteria, Error, Inference};

/// A fit on its data that can be compared with others.
pub trait HasCriteria {
    /// `[n_neurons]`: how well the model of each neuron fits.
    ///
    /// # Errors
    /// If the data cannot be read.
    fn criteria(&self) -> Result<Vec<Criteria>, Error>;

    /// `[n_neurons]`: the names of the neurons.
    fn neurons(&self) -> &[String];
}

impl<B: Backend> HasCriteria for Inference<'_, B> {
    fn criteria(&self) -> Result<Vec<Criteria>, Error> {
        self.criteria()
    }

    fn neurons(&self) -> &[String] {
        self.model.neurons()
    }
}

impl<B: Backend> HasCriteria for ClassInference<'_, B> {
    fn criteria(&self) -> Result<Vec<Criteria>, Error> {
        self.criteria()
    }

    fn neurons(&self) -> &[String] {
        self.neurons()
    }
}

/// Models of the same counts beside each other. Prints as a table.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Comparison {
    /// The names of the neurons.
    pub neurons: Vec<String>,
    /// `[n_models][n_neurons]`: how well each fits.
    pub criteria: Vec<Vec<Criteria>>,
}

impl Comparison {
    /// `[n_neurons]`: the number of the model of least AIC.
    pub fn best_by_aic(&self) -> Vec<usize> {
        self.best(Criteria::aic)
    }

    /// `[n_neurons]`: the number of the model of least BIC.
    pub fn best_by_bic(&self) -> Vec<usize> {
        self.best(Criteria::bic)
    }

    fn best(&self, by: impl Fn(&Criteria) -> f64) -> Vec<usize> {
        let best = |neuron: usize| {
            let values = self.criteria.iter().map(|model| by(&model[neuron])).enumerate();
            values
                .filter(|(_, value)| !value.is_nan())
                .min_by(|a, b| a.1.total_cmp(&b.1))
                .map_or(0, |(model, _)| model)
        };
        (0..self.neurons.len()).map(best).collect()
    }
}

/// Compares models of the same counts, or of the same labels: information criteria, and what they explain.
///
/// Fits that used other rows cannot be compared: features that look back over more lags lose more rows at the beginning, and fewer rows
/// have a higher likelihood. Compute the features of the longest history for all models, and take columns of them.
///
/// # Errors
/// [`Error::NotComparable`] unless all models have the same neurons, and for each of them the same rows, counts and weights.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, Poisson};
/// use nemos_inference::{Infer, compare};
/// let speed = Matrix::<Cpu>::from_column((0..60).map(|bin| f64::from(bin % 6)).collect());
/// let place = Matrix::from_column((0..60).map(|bin| f64::from(bin % 5)).collect());
/// let both = Matrix::beside(vec![speed.clone(), place])?;
/// let counts = Matrix::from_column((0..60).map(|bin| f64::from((bin % 6) / 2 + bin % 2)).collect());
/// let (small, large) = (Glm::new(Poisson).fit(&speed, &counts)?, Glm::new(Poisson).fit(&both, &counts)?);
/// let comparison = compare(&[&small.inference(&speed, &counts)?, &large.inference(&both, &counts)?])?;
/// assert_eq!(comparison.best_by_bic(), [0]);
/// # Ok::<(), nemos_inference::Error>(())
/// ```
pub fn compare(models: &[&dyn HasCriteria]) -> Result<Comparison, Error> {
    let mut criteria: Vec<Vec<Criteria>> = Vec::with_capacity(models.len());
    for (second, model) in models.iter().enumerate() {
        let of_model = model.criteria()?;
        if let Some(first) = criteria.first() {
            let differ = |neuron, why| Error::NotComparable {
                first: 0,
                second,
                neuron,
                why,
            };
            if first.len() != of_model.len() {
                return Err(differ(0, "they have different numbers of neurons"));
            }
            for (neuron, (a, b)) in first.iter().zip(&of_model).enumerate() {
                if a.n_rows != b.n_rows {
                    return Err(differ(
                        neuron,
                        "they were fitted to different numbers of rows; longer histories drop more rows, so give all models the same",
                    ));
                }
                if a.fingerprint != b.fingerprint {
                    return Err(differ(neuron, "they were fitted to different rows, counts or weights"));
                }
            }
        }
        criteria.push(of_model);
    }
    Ok(Comparison {
        neurons: models.first().map_or_else(Vec::new, |model| model.neurons().to_vec()),
        criteria,
    })
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (neuron, name) in self.neurons.iter().enumerate() {
            if neuron > 0 {
                writeln!(formatter)?;
            }
            let least = |by: fn(&Criteria) -> f64| {
                self.criteria
                    .iter()
                    .map(|model| by(&model[neuron]))
                    .filter(|x| !x.is_nan())
                    .fold(f64::INFINITY, f64::min)
            };
            let (aic, bic) = (least(Criteria::aic), least(Criteria::bic));
            writeln!(
                formatter,
                "neuron {name}: AIC {} and BIC {} at best",
                number(aic, 0),
                number(bic, 0)
            )?;
            write!(
                formatter,
                "{:>5}  {:>10}  {:>14}  {:>10}  {:>10}  {:>9}  {:>10}",
                "model", "parameters", "log-likelihood", "ΔAIC", "ΔBIC", "explained", "bits/spike"
            )?;
            for (number_of, model) in self.criteria.iter().enumerate() {
                let of = &model[neuron];
                write!(
                    formatter,
                    "\n{number_of:>5}  {:>10.2}  {}  {:>10.2}  {:>10.2}  {:>8.2}%  {}",
                    of.n_parameters,
                    number(of.log_likelihood, 14),
                    of.aic() - aic,
                    of.bic() - bic,
                    100.0 * of.deviance_explained(),
                    number(of.bits_per_spike(), 10)
                )?;
            }
        }
        Ok(())
    }
}

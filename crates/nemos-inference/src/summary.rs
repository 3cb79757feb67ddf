//! The table of a fit, as statsmodels and R print it.

use std::fmt;

use nemos_core::Backend;

use crate::format::number;
use crate::table::{self, Table, quoted};
use crate::tests_of::named;
use crate::{Covariance, Criteria, Error, Estimates, Inference};

/// The table of a fit: estimates, standard errors, statistics, p-values and intervals, and how well the model fits.
///
/// It prints, and can be [exported](Summary::to_csv). What cannot be estimated is marked, and the reason is given below the table.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, Poisson};
/// use nemos_inference::Infer;
/// let stimulus = Matrix::<Cpu>::from_column((0..80).map(|bin| f64::from(bin % 4)).collect());
/// let counts = Matrix::from_column((0..80).map(|bin| f64::from((bin % 4 + bin % 3) / 2)).collect());
/// let summary = Glm::new(Poisson).fit(&stimulus, &counts)?.summary(&stimulus, &counts)?;
/// assert!(summary.to_string().contains("intercept"));
/// assert!(summary.to_csv().starts_with("neuron,parameter,estimate,standard_error"));
/// # Ok::<(), nemos_inference::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Summary {
    title: String,
    /// The coefficients with their covariance.
    pub estimates: Estimates,
    /// `[n_neurons]`: how well the model fits.
    pub criteria: Vec<Criteria>,
    /// `[n_neurons]`: the dispersion that covariances were multiplied with.
    pub scale: Vec<f64>,
}

impl<B: Backend> Inference<'_, B> {
    /// The table of the fit with this covariance.
    ///
    /// # Errors
    /// As [`estimates`](Inference::estimates).
    pub fn summary(&self, covariance: &Covariance) -> Result<Summary, Error> {
        let mut estimates = self.estimates(covariance)?;
        if self.ridge.is_some() {
            estimates
                .notes
                .push("p-values after a ridge are approximate: its estimates are biased towards zero".into());
        }
        for (neuron, of) in self.of_neurons.iter().enumerate() {
            if of.bread.is_ok() && of.dof_resid() <= 0.0 {
                let name = &estimates.neurons[neuron];
                estimates.notes.push(format!(
                    "neuron {name}: no more rows than parameters, so the fit is that of every count"
                ));
            }
        }
        Ok(Summary {
            title: self.kind.title.clone(),
            estimates,
            criteria: self.criteria()?,
            scale: self.scale_edf(),
        })
    }
}

// How many neurons are printed.
const NEURONS: usize = 8;

impl Summary {
    /// One row per parameter and neuron: `neuron, parameter, estimate, standard_error, statistic, p, lower_95, upper_95, standing`.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("neuron,parameter,estimate,standard_error,statistic,p,lower_95,upper_95,standing\n");
        let table = Table::new(&self.estimates);
        for (neuron, of_neuron) in self.estimates.neurons.iter().enumerate() {
            for (parameter, name) in self.estimates.names.iter().enumerate() {
                let cells = table.cells(&self.estimates, parameter, neuron);
                text.push_str(&format!("{},{},{cells}\n", quoted(of_neuron), quoted(name)));
            }
        }
        text
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let estimates = &self.estimates;
        writeln!(formatter, "{}", self.title)?;
        writeln!(
            formatter,
            "covariance: {}; information: {}",
            estimates.covariance_title,
            format!("{:?}", estimates.information).to_lowercase()
        )?;
        let table = Table::new(estimates);
        for neuron in 0..estimates.neurons.len().min(NEURONS) {
            self.write_neuron(formatter, &table, neuron)?;
        }
        if estimates.neurons.len() > NEURONS {
            writeln!(formatter, "… {} more neurons; to_csv gives all", estimates.neurons.len() - NEURONS)?;
        }
        estimates.notes.iter().try_for_each(|note| writeln!(formatter, "note: {note}"))
    }
}

impl Summary {
    fn write_neuron(&self, formatter: &mut fmt::Formatter<'_>, table: &Table, neuron: usize) -> fmt::Result {
        let estimates = &self.estimates;
        let criteria = &self.criteria[neuron];
        writeln!(formatter)?;
        if estimates.neurons.len() > 1 {
            writeln!(formatter, "neuron {}", estimates.neurons[neuron])?;
        }
        if let Err(why) = &estimates.each[neuron].covariance {
            writeln!(formatter, "no standard errors: {why}")?;
            return writeln!(
                formatter,
                "log-likelihood {}, {} rows",
                number(criteria.log_likelihood, 0),
                criteria.n_rows
            );
        }
        table::write_rows(formatter, (estimates, table), neuron)?;
        writeln!(
            formatter,
            "compared with {}; dispersion {}",
            named(estimates.each[neuron].reference),
            number(self.scale[neuron], 0)
        )?;
        writeln!(formatter, "{criteria}")
    }
}

//! The table of a fit, as statsmodels and R print it.

use std::fmt;

use nemos_core::Backend;

use crate::format::{number, probability};
use crate::tests_of::named;
use crate::{Covariance, Criteria, Error, Estimates, Inference, Reference, Standing};

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

// The level of the intervals that are printed, and how many neurons.
const LEVEL: f64 = 0.95;
const NEURONS: usize = 8;

impl Summary {
    /// One row per parameter and neuron: `neuron, parameter, estimate, standard_error, statistic, p, lower_95, upper_95, standing`.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("neuron,parameter,estimate,standard_error,statistic,p,lower_95,upper_95,standing\n");
        let table = Table::new(&self.estimates);
        let cell = |value: f64| if value.is_nan() { String::new() } else { value.to_string() };
        for (neuron, of_neuron) in self.estimates.neurons.iter().enumerate() {
            for (parameter, name) in self.estimates.names.iter().enumerate() {
                let numbers = table.row(parameter, neuron).map(cell).join(",");
                let standing = match self.estimates.standing(parameter, neuron) {
                    Standing::Estimated => "estimated",
                    Standing::Masked => "masked",
                    Standing::NotEstimable { .. } => "not estimable",
                    Standing::Unavailable(_) => "unavailable",
                };
                text.push_str(&format!("{},{},{numbers},{standing}\n", quoted(of_neuron), quoted(name)));
            }
        }
        text
    }
}

/// A text that may hold commas.
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.into()
    }
}

/// All numbers of a summary.
struct Table {
    columns: [ndarray::Array2<f64>; 4],
    confidence: ndarray::Array3<f64>,
}

impl Table {
    fn new(estimates: &Estimates) -> Self {
        Table {
            columns: [
                estimates.parameters(),
                estimates.standard_errors(),
                estimates.statistics(),
                estimates.p_values(),
            ],
            confidence: estimates.confidence(LEVEL).expect("a level between 0 and 1"),
        }
    }

    fn row(&self, parameter: usize, neuron: usize) -> [f64; 6] {
        let [estimate, error, statistic, p] = [0, 1, 2, 3].map(|column| self.columns[column][(parameter, neuron)]);
        let [lower, upper] = [0, 1].map(|end| self.confidence[(parameter, neuron, end)]);
        [estimate, error, statistic, p, lower, upper]
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
        let width = estimates.names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let letter = if matches!(estimates.each[neuron].reference, Reference::StudentT(_)) {
            "t"
        } else {
            "z"
        };
        writeln!(
            formatter,
            "{:width$}  {:>10}  {:>10}  {letter:>8}  {:>8}  {:>10}  {:>10}",
            "",
            "estimate",
            "std. error",
            format!("P>|{letter}|"),
            "[2.5 %",
            "97.5 %]"
        )?;
        let mut unseen: Vec<&str> = Vec::new();
        for (parameter, name) in estimates.names.iter().enumerate() {
            let [estimate, error, statistic, p, lower, upper] = table.row(parameter, neuron);
            write!(formatter, "{name:width$}  {}", number(estimate, 10))?;
            match estimates.standing(parameter, neuron) {
                Standing::Estimated => writeln!(
                    formatter,
                    "  {}  {statistic:>8.3}  {:>8}  {}  {}",
                    number(error, 10),
                    probability(p),
                    number(lower, 10),
                    number(upper, 10)
                )?,
                Standing::Masked => writeln!(formatter, "  held at zero")?,
                _ => {
                    unseen.push(name);
                    writeln!(formatter, "  not estimable alone")?;
                }
            }
        }
        if !unseen.is_empty() {
            writeln!(
                formatter,
                "not estimable alone, because they add up to a constant or to each other: {}; their differences, curves and tests of the whole block are",
                unseen.join(", ")
            )?;
        }
        writeln!(
            formatter,
            "compared with {}; dispersion {}",
            named(estimates.each[neuron].reference),
            number(self.scale[neuron], 0)
        )?;
        writeln!(formatter, "{criteria}")
    }
}

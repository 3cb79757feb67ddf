//! The table of a classifier: every class against one of them, or against their mean.

use std::fmt;

use crate::table::{self, Table, quoted};
use crate::tests_of::named;
use crate::{Against, ClassEstimates, Criteria, Error, Estimates};

/// The table of a classifier: estimates, standard errors, statistics, p-values and intervals of every class against one of them, or
/// against the mean of all, and how well the model fits. It prints, and can be [exported](ClassSummary::to_csv).
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{ClassifierGlm, Regularizer};
/// use nemos_inference::InferClasses;
/// let cue = Matrix::<Cpu>::from_column((0..60).map(|trial| f64::from(trial % 7)).collect());
/// let choices = Matrix::from_column((0..60).map(|trial| f64::from((trial % 7 + trial % 5) / 4)).collect());
/// let fitted = ClassifierGlm::new(3).regularizer(Regularizer::Unregularized).fit(&cue, &choices)?;
/// let summary = fitted.summary(&cue, &choices)?.class_names(["left", "none", "right"]);
/// assert!(summary.to_string().contains("right against left"));
/// assert!(summary.to_csv().starts_with("neuron,class,against,parameter,estimate"));
/// # Ok::<(), nemos_inference::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct ClassSummary {
    title: String,
    against: Against,
    names: Vec<String>,
    /// Each class with its estimates.
    classes: Vec<(usize, Estimates)>,
    criteria: Vec<Criteria>,
}

// How many neurons are printed.
const NEURONS: usize = 8;

impl ClassSummary {
    pub(crate) fn new(title: String, estimates: &ClassEstimates, against: Against, criteria: Vec<Criteria>) -> Result<Self, Error> {
        let n_classes = estimates.n_classes();
        let others = (0..n_classes).filter(|&class| against != Against::Class(class));
        Ok(ClassSummary {
            title,
            against,
            names: (0..n_classes).map(|class| class.to_string()).collect(),
            classes: others
                .map(|class| Ok((class, estimates.of(class, against)?)))
                .collect::<Result<_, Error>>()?,
            criteria,
        })
    }

    /// Calls the classes by these names; those without one keep their numbers.
    #[must_use]
    pub fn class_names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.names.iter_mut().zip(names).for_each(|(name, given)| *name = given.into());
        self
    }

    /// `[n_neurons]`: how well the model fits.
    pub fn criteria(&self) -> &[Criteria] {
        &self.criteria
    }

    /// One row per neuron, class and parameter: `neuron, class, against, parameter, estimate, standard_error, statistic, p, lower_95,
    /// upper_95, standing`.
    pub fn to_csv(&self) -> String {
        let mut text = String::from("neuron,class,against,parameter,estimate,standard_error,statistic,p,lower_95,upper_95,standing\n");
        let tables: Vec<Table> = self.classes.iter().map(|(_, estimates)| Table::new(estimates)).collect();
        for neuron in 0..self.criteria.len() {
            for ((class, estimates), table) in self.classes.iter().zip(&tables) {
                for (parameter, name) in estimates.names.iter().enumerate() {
                    let of = [&estimates.neurons[neuron], &self.names[*class], self.other(), name].map(quoted);
                    let cells = table.cells(estimates, parameter, neuron);
                    text.push_str(&format!("{},{cells}\n", of.join(",")));
                }
            }
        }
        text
    }

    /// What the classes are compared with.
    fn other(&self) -> &str {
        match self.against {
            Against::Class(class) => &self.names[class],
            Against::Mean => "mean",
        }
    }
}

impl fmt::Display for ClassSummary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.title)?;
        let Some((_, first)) = self.classes.first() else { return Ok(()) };
        writeln!(formatter, "covariance: {}", first.covariance_title)?;
        let tables: Vec<Table> = self.classes.iter().map(|(_, estimates)| Table::new(estimates)).collect();
        for (neuron, name) in first.neurons.iter().enumerate().take(NEURONS) {
            if first.neurons.len() > 1 {
                writeln!(formatter, "\nneuron {name}")?;
            }
            if let Err(why) = &first.each[neuron].covariance {
                writeln!(formatter, "no standard errors: {why}")?;
            } else {
                for ((class, estimates), table) in self.classes.iter().zip(&tables) {
                    writeln!(formatter, "\n{} against {}", self.names[*class], self.other())?;
                    table::write_rows(formatter, (estimates, table), neuron)?;
                }
                writeln!(formatter, "\ncompared with {}", named(first.each[neuron].reference))?;
            }
            writeln!(formatter, "{}", self.criteria[neuron])?;
        }
        if first.neurons.len() > NEURONS {
            writeln!(formatter, "… {} more neurons; to_csv gives all", first.neurons.len() - NEURONS)?;
        }
        first.notes.iter().try_for_each(|note| writeln!(formatter, "note: {note}"))
    }
}

//! Tests: statistics, what they are compared with, and p-values, for every neuron.

use std::fmt;

use ndarray::Array2;

use crate::adjust::{Correction, Over};
use crate::format::{number, probability};
use crate::{Reference, adjust};

/// One test of one neuron.
#[derive(Copy, Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Test {
    /// The statistic; divided by its degrees of freedom where it is compared with F.
    pub statistic: f64,
    /// Degrees of freedom: directions that are tested.
    pub dof: f64,
    /// What it is compared with.
    pub reference: Reference,
}

impl Test {
    pub(crate) fn new(statistic: f64, dof: f64, reference: Reference) -> Self {
        Test { statistic, dof, reference }
    }

    /// Nothing could be tested.
    pub(crate) fn none() -> Self {
        Test::new(f64::NAN, 0.0, Reference::ChiSquared(0.0))
    }

    /// The probability of such a statistic, or a larger one, where there is no effect.
    pub fn p(&self) -> f64 {
        if self.statistic.is_nan() {
            f64::NAN
        } else {
            self.reference.two_sided(self.statistic)
        }
    }

    /// Its logarithm: a number even where the probability is too small for one.
    pub fn ln_p(&self) -> f64 {
        if self.statistic.is_nan() {
            f64::NAN
        } else {
            self.reference.ln_two_sided(self.statistic)
        }
    }
}

/// A test of the same terms for every neuron. Prints as a table.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Tests {
    /// Which test of which terms.
    pub title: String,
    /// The names of the neurons.
    pub neurons: Vec<String>,
    /// One test per neuron; NaN where there is none.
    pub each: Vec<Test>,
}

impl Tests {
    /// `[n_neurons]`: the p-values.
    pub fn p_values(&self) -> Vec<f64> {
        self.each.iter().map(Test::p).collect()
    }

    /// `[n_neurons]`: the p-values, corrected for the number of neurons.
    pub fn adjusted(&self, correction: Correction) -> Vec<f64> {
        correction.adjust(&self.p_values())
    }
}

impl fmt::Display for Tests {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}", self.title)?;
        let width = self.neurons.iter().map(|name| name.chars().count()).max().unwrap_or(0).max(6);
        write!(
            formatter,
            "{:width$}  {:>12}  {:>16}  {:>10}",
            "neuron", "statistic", "compared with", "p"
        )?;
        for (name, test) in self.neurons.iter().zip(&self.each) {
            let (statistic, p) = (number(test.statistic, 12), probability(test.p()));
            write!(formatter, "\n{name:width$}  {statistic}  {:>16}  {p:>10}", named(test.reference))?;
        }
        Ok(())
    }
}

/// What a reference is called in a table.
pub(crate) fn named(reference: Reference) -> String {
    match reference {
        Reference::Normal => "normal".into(),
        Reference::StudentT(dof) => format!("t({dof:.1})"),
        Reference::ChiSquared(dof) => format!("χ²({dof:.0})"),
        Reference::F(above, below) => format!("F({above:.0}, {below:.0})"),
    }
}

/// Tests of several terms for every neuron: rows are terms, columns are neurons. Prints as a table of p-values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct TestTable {
    /// The names of the terms.
    pub terms: Vec<String>,
    /// One test of each.
    pub tests: Vec<Tests>,
}

impl TestTable {
    /// `[n_terms, n_neurons]`: the p-values.
    pub fn p_values(&self) -> Array2<f64> {
        let n_neurons = self.tests.first().map_or(0, |tests| tests.each.len());
        Array2::from_shape_fn((self.tests.len(), n_neurons), |(term, neuron)| self.tests[term].each[neuron].p())
    }

    /// `[n_terms, n_neurons]`: the p-values, corrected for how many there are of them over neurons, terms or all.
    pub fn adjusted(&self, correction: Correction, over: Over) -> Array2<f64> {
        adjust::table(&self.p_values(), correction, over)
    }
}

impl fmt::Display for TestTable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.terms.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        write!(formatter, "{:width$}", "")?;
        let neurons = self.tests.first().map(|tests| tests.neurons.as_slice()).unwrap_or_default();
        neurons.iter().try_for_each(|name| write!(formatter, "  {name:>10}"))?;
        for (term, tests) in self.terms.iter().zip(&self.tests) {
            write!(formatter, "\n{term:width$}")?;
            tests
                .each
                .iter()
                .try_for_each(|test| write!(formatter, "  {:>10}", probability(test.p())))?;
        }
        Ok(())
    }
}

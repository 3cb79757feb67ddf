//! Weights of the rows: that they fit, and other ones in their place.

use nemos_core::{Backend, Design, Matrix};

use crate::engine::model::Model;
use crate::engine::objective::GlmObjective;
use crate::engine::problems::Problems;
use crate::engine::survey::{Survey, survey};

impl<B: Backend> GlmObjective<'_, B> {
    /// Takes other weights of the rows without looking at the data again, for problems with [divisors of their
    /// own](Problems::divided_by): counts of rows and sums of weights stay what they were.
    ///
    /// # Errors
    /// If the weights do not fit the rows and problems, or are negative or not finite.
    pub fn replace_weights(&mut self, weights: Matrix<B>) -> Result<(), crate::Error> {
        let design = self.data.design.clone().with_weights(weights)?;
        check_extras(&design, &self.data.counts, &self.problems, &*self.model)?;
        self.data.design = design;
        self.held.take();
        Ok(())
    }

    /// `[n_problems]`: the weights of the rows used, together; as many as there are, where rows have no weights.
    pub fn total_weights(&self) -> &[f64] {
        &self.totals.weight
    }

    /// Takes other weights of the rows, in as many columns as before. Neither the features nor their moments are looked at
    /// again: the maximisation steps of a hidden Markov model differ in weights alone.
    ///
    /// # Errors
    /// If the weights do not fit the rows and problems, or are negative or not finite.
    pub fn reweigh(&mut self, weights: Matrix<B>) -> Result<(), crate::Error> {
        let design = self.data.design.clone().with_weights(weights)?;
        check_extras(&design, &self.data.counts, &self.problems, &*self.model)?;
        let mut data = self.data.clone();
        data.design = design;
        let (totals, _) = survey(&mut data, &*self.model, &self.problems, Survey::CountsOnly)?;
        (self.data, self.totals) = (data, totals);
        self.held.take();
        if self.problems.divisors().is_none() {
            self.divisor.clone_from(&self.totals.weight);
        }
        Ok(())
    }
}

/// Checks that problems, weights and offset fit the columns of the counts.
pub(super) fn check_extras<B: Backend>(
    design: &Design<'_, B>,
    counts: &Design<'_, B>,
    problems: &Problems,
    model: &dyn Model<B::Burn>,
) -> Result<(), crate::Error> {
    let n_targets = model.n_targets();
    if !counts.n_columns().is_multiple_of(n_targets) {
        return Err(nemos_core::Error::Columns {
            name: "counts",
            got: counts.n_columns(),
            expected: counts.n_columns().next_multiple_of(n_targets),
            why: "one per class of each response",
        }
        .into());
    }
    let n_responses = counts.n_columns() / n_targets;
    let weight_columns = design.weights().map(|weights| weights.dims()[1]);
    problems.validate(design.n_rows(), n_responses, weight_columns)?;
    let given = problems.has_weight_columns();
    for (name, values, free) in [("weights", design.weights(), given), ("offset", design.offset(), false)] {
        match values.map(|values| values.dims()[1]) {
            None | Some(1) => {}
            Some(got) if got == n_responses || free => {}
            Some(got) => {
                return Err(nemos_core::Error::Columns {
                    name,
                    got,
                    expected: n_responses,
                    why: "one per neuron, or one for all",
                }
                .into());
            }
        }
    }
    Ok(())
}

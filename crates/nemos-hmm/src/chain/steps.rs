//! A chain as recursions see it: the initial probabilities, and those of every step.

/// What the recursions over a session read. Rows are those of the whole data.
#[derive(Copy, Clone, Debug)]
pub(crate) struct Chain<'a> {
    pub(crate) n_states: usize,
    /// `[n_states]`: the probabilities of a session's first state.
    pub(crate) initial: &'a [f64],
    /// `[n_states, n_states]`, or `[n_rows, n_states, n_states]` where every row has its own: from the state before to that of the row.
    pub(crate) steps: &'a [f64],
    pub(crate) kind: Kind,
}

/// How safely plain numbers can be used instead of logarithms.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Every state can be reached from every other, so that one that underflows is filled again.
    Mixing,
    /// Some steps are impossible: a state that underflows may be lost, so that the recursion looks out for it.
    WithZeros,
    /// Some steps are so improbable that products of plain numbers would lose them.
    Extreme,
}

/// Below this a probability counts as extreme.
const EXTREME: f64 = 1e-100;

impl<'a> Chain<'a> {
    /// A chain with these probabilities, which were checked before.
    pub(crate) fn new(initial: &'a [f64], steps: &'a [f64]) -> Self {
        let all = || initial.iter().chain(steps);
        let kind = if all().any(|&p| p > 0.0 && p < EXTREME) {
            Kind::Extreme
        } else if steps.contains(&0.0) {
            Kind::WithZeros
        } else {
            Kind::Mixing
        };
        Chain {
            n_states: initial.len(),
            initial,
            steps,
            kind,
        }
    }

    /// `[n_states, n_states]`: the step into a row.
    #[inline(always)]
    pub(crate) fn step(&self, row: usize, n_states: usize) -> &'a [f64] {
        let size = n_states * n_states;
        if self.steps.len() == size {
            self.steps
        } else {
            &self.steps[row * size..(row + 1) * size]
        }
    }
}

/// Log-emissions of one run among several: row `t` of `n_states` numbers stands at `t · stride + first`.
#[derive(Copy, Clone, Debug)]
pub(crate) struct LogEmissions<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) stride: usize,
    pub(crate) first: usize,
}

impl<'a> LogEmissions<'a> {
    #[inline(always)]
    pub(crate) fn row(&self, row: usize, n_states: usize) -> &'a [f64] {
        let start = row * self.stride + self.first;
        &self.values[start..start + n_states]
    }
}

/// `ln Σ exp(x)`; −∞ of nothing but −∞.
pub(crate) fn log_sum_exp(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let highest = values.clone().fold(f64::NEG_INFINITY, f64::max);
    if highest == f64::NEG_INFINITY {
        return highest;
    }
    highest + values.map(|x| (x - highest).exp()).sum::<f64>().ln()
}

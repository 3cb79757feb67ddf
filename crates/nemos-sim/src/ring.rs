//! A ring of coming predictors: what past spikes will add, scattered when they happen.

use nemos_core::simd;

use crate::Coupling;

/// For each of the coming `window` steps, what spikes so far add to the predictor of each neuron.
///
/// A step costs what its spikes cost: a neuron that is silent writes nothing, and a history is never summed again.
#[derive(Clone, Debug)]
pub(crate) struct Ring {
    /// `[window, n_neurons]`: step `t` has row `t % window`.
    values: Vec<f64>,
    n_neurons: usize,
    row: usize,
    /// Who fired in the last step, and how often.
    spikes: Vec<(usize, f64)>,
}

impl Ring {
    /// A ring before the first step, with what spikes in `history` add, `[window, n_neurons]` row after row, oldest first.
    pub(crate) fn new(coupling: &Coupling, history: &[f64]) -> Self {
        let n_neurons = coupling.n_neurons();
        let mut ring = Ring::of(vec![0.0; coupling.window() * n_neurons], n_neurons);
        for (age, &count) in history.iter().enumerate().filter(|(_, count)| **count != 0.0) {
            let (row, sender) = (age / n_neurons, age % n_neurons);
            // Step 0 comes `window − row` steps after this one, and what it adds to steps before has passed.
            let passed = (coupling.window() - 1 - row) * n_neurons;
            add(&mut ring.values, &coupling.of_sender(sender)[passed..], count);
        }
        ring
    }

    /// A ring with these values, `[window, n_neurons]`, the coming step first.
    pub(crate) fn of(values: Vec<f64>, n_neurons: usize) -> Self {
        Ring {
            values,
            n_neurons,
            row: 0,
            spikes: Vec::new(),
        }
    }

    /// All values, in no order that matters.
    pub(crate) fn values_mut(&mut self) -> &mut [f64] {
        &mut self.values
    }

    /// `[n_neurons]`: what is added to the predictors of this step.
    pub(crate) fn now(&self) -> &[f64] {
        &self.values[self.row * self.n_neurons..][..self.n_neurons]
    }

    /// Ends the step, in which these were the counts.
    pub(crate) fn advance(&mut self, coupling: &Coupling, counts: &[f64]) {
        let start = self.row * self.n_neurons;
        self.values[start..start + self.n_neurons].fill(0.0);
        self.row = (self.row + 1) % coupling.window();
        let (wrapped, ahead) = self.values.split_at_mut(self.row * self.n_neurons);
        let fired = counts.iter().copied().enumerate().filter(|(_, count)| *count != 0.0);
        self.spikes.clear();
        self.spikes.extend(fired);
        simd::vectorized(
            #[inline(always)]
            || {
                // All spikes into one part of the ring before the next, two at a time, so that the part is seldom read.
                let mut passed = 0;
                for to in ahead.chunks_mut(PART).chain(wrapped.chunks_mut(PART)) {
                    let mut pairs = self.spikes.chunks_exact(2);
                    let filter = |sender: usize| &coupling.of_sender(sender)[passed..];
                    for pair in &mut pairs {
                        let [first, second] = [pair[0], pair[1]].map(|(sender, count)| (filter(sender), count));
                        add_both(to, first, second);
                    }
                    for &(sender, count) in pairs.remainder() {
                        add(to, filter(sender), count);
                    }
                    passed += to.len();
                }
            },
        );
    }
}

/// Values of the ring that stay in the nearest cache.
const PART: usize = 1024;

#[inline(always)]
fn add(to: &mut [f64], filter: &[f64], count: f64) {
    to.iter_mut().zip(filter).for_each(|(to, filter)| *to += count * filter);
}

/// As [`add`] of the first and then of the second, to the last bit.
#[inline(always)]
fn add_both(to: &mut [f64], (first, first_count): (&[f64], f64), (second, second_count): (&[f64], f64)) {
    for ((to, first), second) in to.iter_mut().zip(first).zip(second) {
        *to = *to + first_count * first + second_count * second;
    }
}

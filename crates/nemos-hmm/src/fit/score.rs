//! Slopes of the log-likelihood with its priors, exactly: those of the complete data, expected (Fisher's identity).
//!
//! ```text
//! ∂L/∂θ = E[ ∂ ln p(states, counts; θ)/∂θ | counts ] = Σₜ γₜₖ ∂ ln f(yₜₙ; θ_kn)/∂θ + Σₜ ξₜ(i, j) ∂ ln Aₜ[i, j]/∂θ + …
//! ```
//!
//! # References
//! Fisher (1925), *Mathematical Proceedings of the Cambridge Philosophical Society* 22(5). doi:10.1017/S0305004100009580

use nemos_core::Backend;
use nemos_glm::{Problems, Summed};
use nemos_solvers::{Objective, Order, Parameters, Request};

use crate::fit::directions::Layout;
use crate::fit::driven::{self, Expectations};
use crate::fit::em::Em;
use crate::fit::priors::masses;
use crate::fit::run::Run;
use crate::{Error, HmmParameters};

/// Steps of a scale's logarithm, where its slope is a difference.
const STEP: f64 = 1e-4;

impl<B: Backend> Em<'_, '_, B> {
    /// Slopes of the objective along all numbers of each of these parameters, one row each, in the order of [`Layout`]. No more than there are
    /// slots.
    pub(crate) fn slopes(&mut self, all: &[HmmParameters], with_scales: bool) -> Result<Vec<Vec<f64>>, Error> {
        let mut runs: Vec<Run> = all.iter().map(|parameters| Run::new(parameters.clone())).collect();
        let active: Vec<usize> = (0..runs.len()).collect();
        for (taken, run) in self.expectations(&mut runs, &active)?.into_iter().zip(&mut runs) {
            run.expected = taken.map_err(|row| self.data.impossible_anywhere(&run.parameters, row))?;
        }
        let n_problems = all[0].scales.len();
        let mut scales = self.objective.scale().to_vec();
        for (of_run, parameters) in scales.chunks_exact_mut(n_problems).zip(all) {
            of_run.copy_from_slice(&parameters.scales);
        }
        self.objective.set_scale(scales);
        self.objective.replace_weights(self.weights(&runs, &active)?)?;
        let columns: Vec<usize> = (0..all.len() * n_problems).collect();
        let at = Parameters::from_columns(
            all[0].glms.n_parameters(),
            all.iter().flat_map(|parameters| parameters.glms.columns()),
        );
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Gradient,
        };
        let evaluation = self.objective.evaluate(&at, request)?;
        let mut slopes = Vec::new();
        for (place, run) in runs.iter().enumerate() {
            let layout = Layout::of(&run.parameters);
            let mut of_run = vec![0.0; layout.len()];
            for problem in 0..n_problems {
                let factor = self.data.observations.loss_factor(run.parameters.scales[problem]);
                self.add_model(
                    run,
                    problem,
                    (factor, evaluation.gradient.column(place * n_problems + problem)),
                    &mut of_run,
                );
            }
            if with_scales {
                let losses = &evaluation.values[place * n_problems..(place + 1) * n_problems];
                of_run[layout.scales.clone()].copy_from_slice(&self.of_scales(run, losses)?);
            }
            self.add_chain(run, &layout, &mut of_run)?;
            slopes.push(of_run);
        }
        Ok(slopes)
    }

    /// Slopes of one state's model of a neuron, with its prior.
    fn add_model(&self, run: &Run, problem: usize, (factor, gradient): (f64, &[f64]), to: &mut [f64]) {
        let (width, n_parameters) = (run.parameters.n_features() + 1, gradient.len());
        for (place, slope) in gradient.iter().enumerate() {
            let slope_of = &mut to[problem * n_parameters + place];
            *slope_of -= factor * slope;
            // What states share has one prior.
            let is_coef = place % width + 1 < width;
            if is_coef && (!self.priors.shared[place % width] || problem < run.parameters.n_neurons()) {
                *slope_of -= self.priors.ridge * self.priors.deviation(&run.parameters, problem, place);
            }
        }
    }

    /// Slopes along logarithms of scales.
    fn of_scales(&self, run: &Run, losses: &[f64]) -> Result<Vec<f64>, Error> {
        let parameters = &run.parameters;
        if self.data.observations.is_gaussian() {
            // Σ g (r² / φ − 1) / 2, the loss being r².
            let masses = self.data.masses(self.seen, &[&run.expected.smoothed], parameters.n_states())?;
            let each = losses.iter().zip(&parameters.scales).zip(masses.concat());
            return Ok(each.map(|((loss, scale), mass)| 0.5 * (loss / scale - mass)).collect());
        }
        let (above, below) = (self.expected_fit(run, STEP.exp())?, self.expected_fit(run, (-STEP).exp())?);
        Ok(above
            .iter()
            .zip(below)
            .map(|(above, below)| (above - below) / (2.0 * STEP))
            .collect())
    }

    /// `[n_states · n_neurons]`: `Σₜ γₜₖ ln f(yₜₙ)`, with all scales times a factor.
    fn expected_fit(&self, run: &Run, factor: f64) -> Result<Vec<f64>, Error> {
        let (n_states, n_neurons) = (run.parameters.n_states(), run.parameters.n_neurons());
        let scales: Vec<f64> = run.parameters.scales.iter().map(|scale| scale * factor).collect();
        let sums: Vec<usize> = (0..scales.len()).collect();
        let summed = Summed {
            parameters: &run.parameters.glms,
            scales: &scales,
            problems: &Problems::of_responses((0..scales.len()).map(|problem| problem % n_neurons)),
            sum_of_problem: &sums,
        };
        let of_rows = self
            .data
            .observations
            .summed_log_likelihoods(summed, &self.data.design, &self.data.counts);
        let of_rows = self.data.design.agreed(of_rows.map_err(Error::Glm))?;
        self.data.total_of_rows("log-likelihood of fits", scales.len(), |rows, fits| {
            for row in rows {
                let law = &run.expected.smoothed[row * n_states..(row + 1) * n_states];
                for (problem, (fit, value)) in fits.iter_mut().zip(of_rows.row(row)).enumerate() {
                    let mass = law[problem / n_neurons];
                    *fit += if mass == 0.0 { 0.0 } else { mass * value };
                }
            }
            Ok(())
        })
    }

    /// Slopes along transitions and the first state, with their priors.
    fn add_chain(&self, run: &Run, layout: &Layout, to: &mut [f64]) -> Result<(), Error> {
        let (transitions, n_states) = (&run.parameters.transitions, run.parameters.n_states());
        match &self.data.drive {
            None => {
                let rows = run
                    .expected
                    .pairs
                    .chunks_exact(n_states)
                    .zip(self.priors.transitions.chunks_exact(n_states));
                let rows = rows.zip(transitions.baseline.chunks_exact(n_states));
                let slopes = rows.flat_map(|((pairs, concentrations), law)| of_log_odds(pairs, concentrations, law));
                to[layout.baseline.clone()]
                    .iter_mut()
                    .zip(slopes)
                    .for_each(|(to, slope)| *to = slope);
            }
            Some(inputs) => {
                let expectations = Expectations {
                    pairs: &run.expected.pairs_by_row,
                    inputs,
                    ridge: &self.priors.drive_ridge,
                };
                let (baseline, weights) = driven::slopes(self.data, transitions, expectations)?;
                to[layout.baseline.clone()].copy_from_slice(&baseline);
                to[layout.weights.clone()].copy_from_slice(&weights);
            }
        }
        let initial = of_log_odds(&run.expected.first, &self.priors.initial, &run.parameters.initial);
        to[layout.initial.clone()].copy_from_slice(&initial);
        Ok(())
    }
}

/// Slopes of `Σ (countₖ + αₖ − 1) ln pₖ` along log-odds.
fn of_log_odds(counts: &[f64], concentrations: &[f64], law: &[f64]) -> Vec<f64> {
    let masses = masses(counts, concentrations);
    let total: f64 = masses.iter().sum();
    masses.iter().zip(law).map(|(mass, p)| mass - total * p).collect()
}

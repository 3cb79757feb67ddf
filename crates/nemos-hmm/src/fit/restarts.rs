//! Fits from several starts at once, of which the best is kept.

use nemos_core::Backend;
use nemos_glm::{Error as GlmError, Scale};

use crate::fit::data::Data;
use crate::fit::em::Em;
use crate::fit::priors::Priors;
use crate::fit::run::Run;
use crate::fit::start::{Starts, floors, single_state};
use crate::fitted::model::Described;
use crate::options::Start;
use crate::state_model::StateModel;
use crate::{Error, Finding, FittedGlmHmm, GlmHmm, HmmStatus, Restart};

/// Runs are short at first where there are more than this: then the best quarter goes on.
const FEW: usize = 4;
const SHORT: usize = 20;
/// States whose smoothed probabilities never differ by more are equal.
const EQUAL: f64 = 0.02;

/// Fits a model to data.
pub(crate) fn fit<S: StateModel, B: Backend>(model: &GlmHmm<S>, data: &Data<'_, B>) -> Result<FittedGlmHmm<S>, Error> {
    let (options, n_states) = (&model.options, model.n_states);
    check(model)?;
    data.check_drive(options.drive.is_some())?;
    // Steps do not depend on the units of what drives transitions, nor on its zero. Transitions that are held stay to the last bit.
    let standardised = (data.drive.is_some() && !options.held.transitions).then(|| data.with_standard_drive());
    let standardised = standardised.transpose()?;
    let data = standardised.as_ref().unwrap_or(data);
    let priors = Priors::new(options, n_states, data)?;
    let seen = data.seen()?;
    if let Some(neuron) = seen.entries.iter().position(|&n| n == 0.0) {
        return Err(GlmError::NeuronMissing { neuron }.into());
    }
    let single = single_state(data, options, &seen)?;
    let floors = floors(data, &single);
    let mut em = Em::new(data, (options, priors), (&seen, floors), (n_states, options.restarts))?;
    let moments = em.moments();
    let starts = Starts {
        options,
        n_states,
        single: &single,
        moments: moments.as_deref(),
    };
    let mut starts = starts.all(&mut em)?;
    let standard = standardised.as_ref().and_then(|data| data.drive.as_ref());
    if let Some(inputs) = standard {
        let transitions = starts.iter_mut().map(|start| &mut start.transitions);
        transitions.for_each(|transitions| *transitions = transitions.of_standardised(&inputs.means, &inputs.units));
    }
    starts.iter().try_for_each(|start| em.priors.check_zeros(start))?;
    em.look_for_constants(&starts)?;
    let mut runs: Vec<Run> = starts.into_iter().map(Run::new).collect();
    let given_up = if runs.len() > FEW {
        em.advance(&mut runs, SHORT.min(options.max_iterations))?;
        give_up(&runs)
    } else {
        vec![false; runs.len()]
    };
    let ended: Vec<Option<HmmStatus>> = runs.iter().map(|run| run.status).collect();
    let leave = |runs: &mut [Run], status| {
        let all = runs.iter_mut().zip(&given_up).zip(&ended);
        all.filter(|((_, given_up), _)| **given_up)
            .for_each(|((run, _), ended)| run.status = ended.or(status));
    };
    leave(&mut runs, Some(HmmStatus::StepLimit));
    em.advance(&mut runs, options.max_iterations)?;
    leave(&mut runs, None);
    for (run, given_up) in runs.iter_mut().zip(&given_up) {
        // A model that still moves has no maximum where nothing is left to gain; elsewhere it is on its way.
        if run.status == Some(HmmStatus::Converged) {
            run.findings.append(&mut run.moving);
        }
        run.status = match run.status {
            Some(HmmStatus::Converged) if run.is_degenerate() => Some(HmmStatus::Degenerate),
            None if !given_up => Some(HmmStatus::StepLimit),
            status => status,
        };
    }
    let restarts: Vec<Restart> = runs
        .iter()
        .map(|run| Restart {
            objective: run.objective,
            iterations: run.iterations(),
            status: run.status,
        })
        .collect();
    // One that explains a few rows exactly is no better for it.
    let worth = |run: &Run| (run.status.is_some(), !run.is_degenerate(), run.objective);
    let best = (0..runs.len()).max_by(|&a, &b| {
        let (a, b) = (worth(&runs[a]), worth(&runs[b]));
        (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2))
    });
    let mut run = best.map(|best| runs.swap_remove(best)).ok_or(Error::NoStates)?;
    if run.status == Some(HmmStatus::Fell) {
        em.expect_again(&mut run)?;
    }
    if let Some(inputs) = standard {
        run.parameters.transitions = run.parameters.transitions.of_given(&inputs.means, &inputs.units);
    }
    finished(model, data, run, restarts, &em)
}

fn check<S: StateModel>(model: &GlmHmm<S>) -> Result<(), Error> {
    let options = &model.options;
    if model.n_states == 0 {
        return Err(Error::NoStates);
    }
    let positive = [
        ("restarts", options.restarts as f64),
        ("newton_steps", options.newton_steps as f64),
        ("tolerance", options.tolerance),
    ];
    match positive.into_iter().find(|(_, got)| !(*got > 0.0 && got.is_finite())) {
        Some((option, got)) => Err(Error::Option {
            option,
            got,
            expected: "above zero",
        }),
        None => Ok(()),
    }
}

/// All but the best quarter; one that explains a few rows exactly is no better for it.
fn give_up(runs: &[Run]) -> Vec<bool> {
    let mut order: Vec<usize> = (0..runs.len()).collect();
    let is_sound = |run: usize| !runs[run].is_degenerate();
    order.sort_by(|&a, &b| is_sound(b).cmp(&is_sound(a)).then(runs[b].objective.total_cmp(&runs[a].objective)));
    let mut given_up = vec![true; runs.len()];
    order.iter().take(runs.len().div_ceil(4)).for_each(|&run| given_up[run] = false);
    given_up
}

fn finished<S: StateModel, B: Backend>(
    model: &GlmHmm<S>,
    data: &Data<'_, B>,
    mut run: Run,
    restarts: Vec<Restart>,
    em: &Em<'_, '_, B>,
) -> Result<FittedGlmHmm<S>, Error> {
    let n = model.n_states;
    let smoothed = &run.expected.smoothed;
    let mut occupancy = data.total_of_rows("occupancy of states", n, |rows, sums| {
        for row in smoothed[rows.start * n..rows.end * n].chunks_exact(n) {
            sums.iter_mut().zip(row).for_each(|(total, mass)| *total += mass);
        }
        Ok(())
    })?;
    occupancy.iter_mut().for_each(|total| *total /= data.design.n_rows_of_all() as f64);
    let pairs: Vec<(usize, usize)> = (0..n).flat_map(|first| (first + 1..n).map(move |second| (first, second))).collect();
    let apart = |&(first, second): &(usize, usize)| {
        let rows = smoothed.chunks_exact(n);
        rows.map(|row| (row[first] - row[second]).abs()).fold(0.0, f64::max)
    };
    let of_processes = data.design.gathered(pairs.iter().map(apart).collect())?;
    for (place, (first, second)) in pairs.into_iter().enumerate() {
        let difference = of_processes.iter().map(|apart| apart[place]).fold(0.0, f64::max);
        if difference < EQUAL {
            run.findings.push(Finding::EqualStates { first, second, difference });
        }
    }
    if data.n_sessions == 1 && n > 1 && !model.options.held.initial {
        run.findings.push(Finding::OneSession);
    }
    let is_scale_fitted = !matches!(data.observations.scale(), Scale::Fixed(_)) && !model.options.held.scale;
    let shared = em.priors.shared.iter().zip(&em.seen.used_features);
    let fitted = FittedGlmHmm::fitted(
        model.clone(),
        run,
        Described {
            restarts,
            occupancy,
            n_rows: em.seen.rows,
            n_entries: em.seen.entries.iter().sum(),
            is_scale_fitted,
            n_shared: shared.filter(|(shared, used)| **shared && **used).count(),
            n_used: em.seen.n_used(),
            features: data.design.names().clone(),
            neurons: data.counts.names().clone(),
        },
    );
    // Who gave a start knows its states.
    if matches!(model.options.start, Start::Given(_)) {
        return Ok(fitted);
    }
    let order = fitted.order_by_occupancy();
    fitted.permuted(&order)
}

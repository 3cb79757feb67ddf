//! The maximisation step of the states' models: Newton steps on weighted log-likelihoods, all problems in one pass over the
//! data.
//!
//! ```text
//! F(w_k, b_k) = −Σₜ γₜₖ seenₜₙ ln f(yₜₙ; xₜ · w_k + b_k + oₜₙ) + ‖w_k − mean‖² / (2 sd²)
//! ```
//!
//! A unit is what is solved together: one state and neuron, or all states of a neuron where they share coefficients.

use ndarray::Array2;
use nemos_core::{Backend, SymmetricEigen, solve_positive_definite};
use nemos_glm::{GlmObjective, Observations};
use nemos_solvers::{Objective, Order, Parameters, Request};

use crate::fit::priors::Priors;
use crate::{Error, HmmParameters};

/// Parameters on their way in a maximisation step.
pub(crate) struct Candidate {
    /// Which of the runs.
    pub(crate) slot: usize,
    pub(crate) parameters: HmmParameters,
    /// `[n_states · n_neurons]`: whose models stay as they are.
    pub(crate) frozen: Vec<bool>,
    /// `[n_states · n_neurons]`: how far the last Newton step would move the predictor.
    pub(crate) moves: Vec<f64>,
    /// `[n_states · n_neurons]`: whose counts are known to lie on the edge of their support, as far as a state sees them.
    pub(crate) on_edge: Vec<bool>,
    /// `[n_states · n_neurons]`: directions that the rows of a problem span.
    pub(crate) ranks: Vec<usize>,
}

impl Candidate {
    pub(crate) fn new(slot: usize, parameters: HmmParameters, frozen: Vec<bool>) -> Self {
        let n_problems = frozen.len();
        let full = parameters.glms.n_parameters();
        Candidate {
            slot,
            parameters,
            frozen,
            moves: vec![0.0; n_problems],
            on_edge: vec![false; n_problems],
            ranks: vec![full; n_problems],
        }
    }
}

/// What is solved together.
struct Unit {
    candidate: usize,
    /// Problems of the candidate.
    problems: Vec<usize>,
    /// The point with the lowest value so far, and that value.
    best: Option<(Vec<f64>, f64)>,
    done: bool,
}

/// A decrement below this share of the value is rounding.
const NO_DECREMENT: f64 = 1e-20;

/// Takes up to `n_steps` Newton steps of every candidate. All but the last are known not to raise F.
pub(crate) fn maximise<B: Backend>(
    (objective, observations): (&mut GlmObjective<'_, B>, &Observations<B>),
    candidates: &mut [Candidate],
    priors: &Priors,
    n_steps: usize,
) -> Result<(), Error> {
    set_scales(objective, candidates);
    let is_shared = priors.shared.contains(&true);
    let mut units = Vec::new();
    for (place, candidate) in candidates.iter().enumerate() {
        let (n_states, n_neurons) = (candidate.parameters.n_states(), candidate.parameters.n_neurons());
        let groups: Vec<Vec<usize>> = if is_shared {
            (0..n_neurons)
                .map(|neuron| (0..n_states).map(|k| k * n_neurons + neuron).collect())
                .collect()
        } else {
            (0..n_states * n_neurons).map(|problem| vec![problem]).collect()
        };
        units.extend(groups.into_iter().map(|problems| Unit {
            candidate: place,
            done: problems.iter().all(|&problem| candidate.frozen[problem]),
            problems,
            best: None,
        }));
    }
    for _ in 0..n_steps {
        let busy: Vec<usize> = (0..units.len()).filter(|&unit| !units[unit].done).collect();
        if busy.is_empty() {
            break;
        }
        let places = || {
            busy.iter()
                .flat_map(|&unit| units[unit].problems.iter().map(move |&problem| (unit, problem)))
        };
        let columns: Vec<usize> = places()
            .map(|(unit, problem)| {
                let candidate = &candidates[units[unit].candidate];
                candidate.slot * candidate.frozen.len() + problem
            })
            .collect();
        let n_parameters = candidates[0].parameters.glms.n_parameters();
        let at = Parameters::from_columns(
            n_parameters,
            places().map(|(unit, problem)| candidates[units[unit].candidate].parameters.glms.column(problem)),
        );
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Curvature,
        };
        let evaluation = objective.evaluate(&at, request)?;
        let curvatures = evaluation.curvature.as_deref().unwrap_or_default();
        let mut first = 0;
        for unit in busy {
            let unit = &mut units[unit];
            let range = first..first + unit.problems.len();
            first = range.end;
            let local = Local {
                values: &evaluation.values[range.clone()],
                gradient: range.clone().map(|column| evaluation.gradient.column(column)).collect(),
                curvature: &curvatures[range],
                centre: objective.centre(),
            };
            take_step(unit, &mut candidates[unit.candidate], &local, (priors, observations), objective);
        }
    }
    Ok(())
}

/// Gives the objective the scales of all candidates.
fn set_scales<B: Backend>(objective: &mut GlmObjective<'_, B>, candidates: &[Candidate]) {
    let mut scales = objective.scale().to_vec();
    for candidate in candidates {
        let first = candidate.slot * candidate.frozen.len();
        scales[first..first + candidate.frozen.len()].copy_from_slice(&candidate.parameters.scales);
    }
    objective.set_scale(scales);
}

/// What an evaluation says of the problems of a unit.
struct Local<'e> {
    values: &'e [f64],
    gradient: Vec<&'e [f64]>,
    curvature: &'e [Array2<f64>],
    centre: Option<&'e [f64]>,
}

/// Where the parameters of a unit's problems stand in its system: those that are shared at its end, once.
struct Places {
    /// `[n_problems][n_parameters]`
    of: Vec<Vec<usize>>,
    /// Whether a place is of a coefficient, which has a prior.
    penalised: Vec<bool>,
}

impl Places {
    fn new(unit: &Unit, parameters: &HmmParameters, shared: &[bool]) -> Self {
        let (width, n_parameters) = (parameters.n_features() + 1, parameters.glms.n_parameters());
        let is_coef = |place: usize| place % width + 1 < width;
        let is_shared = |place: usize| unit.problems.len() > 1 && is_coef(place) && shared[place % width];
        let own: Vec<usize> = (0..n_parameters).filter(|&place| !is_shared(place)).collect();
        let common: Vec<usize> = (0..n_parameters).filter(|&place| is_shared(place)).collect();
        let n_own = own.len() * unit.problems.len();
        let mut penalised = vec![false; n_own + common.len()];
        let of = (0..unit.problems.len())
            .map(|problem| {
                let mut places = vec![0; n_parameters];
                for (index, &place) in own.iter().enumerate() {
                    places[place] = problem * own.len() + index;
                }
                for (index, &place) in common.iter().enumerate() {
                    places[place] = n_own + index;
                }
                (0..n_parameters).for_each(|place| penalised[places[place]] = is_coef(place));
                places
            })
            .collect();
        Places { of, penalised }
    }
}

fn take_step<B: Backend>(
    unit: &mut Unit,
    candidate: &mut Candidate,
    local: &Local<'_>,
    (priors, observations): (&Priors, &Observations<B>),
    objective: &GlmObjective<'_, B>,
) {
    let parameters = &mut candidate.parameters;
    let n_parameters = parameters.glms.n_parameters();
    let places = Places::new(unit, parameters, &priors.shared);
    let n_places = places.penalised.len();
    let (mut value, mut gradient, mut hessian) = (0.0, vec![0.0; n_places], Array2::<f64>::zeros((n_places, n_places)));
    let mut drawn = vec![0.0; n_places];
    for (index, &problem) in unit.problems.iter().enumerate() {
        let factor = observations.loss_factor(parameters.scales[problem]);
        value += factor * local.values[index];
        let of = &places.of[index];
        let slopes = centred(local.gradient[index], local.centre);
        for i in 0..n_parameters {
            gradient[of[i]] += factor * slopes[i];
            for j in 0..n_parameters {
                hessian[(of[i], of[j])] += factor * local.curvature[index][(i, j)];
            }
            if places.penalised[of[i]] {
                drawn[of[i]] = priors.deviation(parameters, problem, i);
            }
        }
    }
    for (place, &deviation) in drawn.iter().enumerate().filter(|(place, _)| places.penalised[*place]) {
        value += 0.5 * priors.ridge * deviation * deviation;
        gradient[place] += priors.ridge * deviation;
        hessian[(place, place)] += priors.ridge;
    }
    let here: Vec<f64> = unit
        .problems
        .iter()
        .flat_map(|&problem| parameters.glms.column(problem).to_vec())
        .collect();
    if let Some((best, lowest)) = &unit.best
        && (value.is_nan() || value > lowest + 1e-13 * lowest.abs())
    {
        // Too far: half the way back.
        for (index, &problem) in unit.problems.iter().enumerate() {
            let best = &best[index * n_parameters..(index + 1) * n_parameters];
            let column = parameters.glms.column_mut(problem).iter_mut().zip(best);
            column.for_each(|(value, best)| *value = 0.5 * (*value + best));
        }
        return;
    }
    unit.best = Some((here, value));
    let Some((step, rank)) = newton_step(&hessian, &gradient) else {
        unit.done = true;
        return;
    };
    let decrement = -0.5 * step.iter().zip(&gradient).map(|(step, slope)| step * slope).sum::<f64>();
    unit.done = decrement.is_nan() || decrement <= NO_DECREMENT * value.abs().max(1.0);
    for (index, &problem) in unit.problems.iter().enumerate() {
        candidate.ranks[problem] = if unit.problems.len() == 1 { rank } else { n_parameters };
        if candidate.frozen[problem] {
            continue;
        }
        let of = &places.of[index];
        let mut along: Vec<f64> = of.iter().map(|&place| step[place]).collect();
        uncentre(&mut along, local.centre);
        candidate.moves[problem] = reach(&along, objective);
        let column = parameters.glms.column_mut(problem).iter_mut().zip(&along);
        column.for_each(|(value, step)| *value += step);
    }
}

/// The gradient along features less their centre, about which curvatures are.
fn centred(gradient: &[f64], centre: Option<&[f64]>) -> Vec<f64> {
    let mut slopes = gradient.to_vec();
    if let Some(centre) = centre {
        for predictor in slopes.chunks_exact_mut(centre.len() + 1) {
            let intercept = predictor[centre.len()];
            predictor
                .iter_mut()
                .zip(centre)
                .for_each(|(slope, centre)| *slope -= centre * intercept);
        }
    }
    slopes
}

/// A step along features less their centre as one along the features.
fn uncentre(step: &mut [f64], centre: Option<&[f64]>) {
    if let Some(centre) = centre {
        for predictor in step.chunks_exact_mut(centre.len() + 1) {
            let shift: f64 = predictor.iter().zip(centre).map(|(coef, centre)| coef * centre).sum();
            predictor[centre.len()] -= shift;
        }
    }
}

/// How far a step moves the predictor of a typical row.
pub(crate) fn reach<B: Backend>(step: &[f64], objective: &GlmObjective<'_, B>) -> f64 {
    let Some(moments) = objective.expected_curvature().map(|expected| &expected.moments[0]) else {
        return 0.0;
    };
    let width = moments.mean.len() + 1;
    let of_predictor = |step: &[f64]| {
        let features = step.iter().zip(&moments.mean).zip(moments.covariance.diag());
        let (mut mean, mut spread) = (step[width - 1], 0.0);
        for ((step, average), variance) in features {
            mean += step * average;
            spread += step.abs() * variance.max(0.0).sqrt();
        }
        mean.abs() + spread
    };
    step.chunks_exact(width).map(of_predictor).fold(0.0, f64::max)
}

/// `−H⁺ g` and the rank of H: the step of least norm where H is singular, in units in which its diagonal is one.
fn newton_step(hessian: &Array2<f64>, gradient: &[f64]) -> Option<(Vec<f64>, usize)> {
    let n = gradient.len();
    if !hessian.iter().chain(gradient).all(|value| value.is_finite()) {
        return None;
    }
    let unit: Vec<f64> = hessian.diag().iter().map(|&d| if d > 0.0 { 1.0 / d.sqrt() } else { 0.0 }).collect();
    let scaled = Array2::from_shape_fn((n, n), |(i, j)| hessian[(i, j)] * unit[i] * unit[j]);
    let right: Vec<f64> = gradient.iter().zip(&unit).map(|(slope, unit)| -slope * unit).collect();
    if let Some(step) = cholesky(&scaled, &right) {
        return Some((step.iter().zip(&unit).map(|(step, unit)| step * unit).collect(), n));
    }
    if let Some(step) = solve_positive_definite(scaled.view(), &right) {
        return Some((step.iter().zip(&unit).map(|(step, unit)| step * unit).collect(), n));
    }
    let eigen = SymmetricEigen::new(scaled.view()).ok()?;
    let cut = 1e-12 * eigen.values.last().copied().unwrap_or(0.0).max(0.0);
    let mut step = vec![0.0; n];
    let mut rank = 0;
    for (place, &value) in eigen.values.iter().enumerate().filter(|(_, value)| **value > cut) {
        rank += 1;
        let vector = eigen.vectors.column(place);
        let along = vector.iter().zip(&right).map(|(v, right)| v * right).sum::<f64>() / value;
        step.iter_mut().zip(vector).for_each(|(step, v)| *step += along * v);
    }
    Some((step.iter().zip(&unit).map(|(step, unit)| step * unit).collect(), rank))
}

/// Solves a small system whose diagonal is one; nothing where it is not safely positive definite.
fn cholesky(matrix: &Array2<f64>, right: &[f64]) -> Option<Vec<f64>> {
    let n = right.len();
    let mut factor = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let known: f64 = (0..j).map(|k| factor[i * n + k] * factor[j * n + k]).sum();
            let rest = matrix[(i, j)] - known;
            if i == j {
                if rest.is_nan() || rest <= 1e-10 {
                    return None;
                }
                factor[i * n + i] = rest.sqrt();
            } else {
                factor[i * n + j] = rest / factor[j * n + j];
            }
        }
    }
    let mut solution = right.to_vec();
    for i in 0..n {
        let known: f64 = (0..i).map(|k| factor[i * n + k] * solution[k]).sum();
        solution[i] = (solution[i] - known) / factor[i * n + i];
    }
    for i in (0..n).rev() {
        let known: f64 = (i + 1..n).map(|k| factor[k * n + i] * solution[k]).sum();
        solution[i] = (solution[i] - known) / factor[i * n + i];
    }
    Some(solution)
}

/// Scales of maximum likelihood at the candidates' coefficients, none below its floor. `masses` is what weights sum to.
pub(crate) fn fit_scales<B: Backend>(
    (objective, observations): (&mut GlmObjective<'_, B>, &Observations<B>),
    candidates: &mut [Candidate],
    masses: &[Vec<f64>],
    floors: &[f64],
) -> Result<(), Error> {
    set_scales(objective, candidates);
    let n_problems = objective.problems().n_problems();
    let n_parameters = candidates.first().map_or(1, |candidate| candidate.parameters.glms.n_parameters());
    let columns: Vec<usize> = candidates
        .iter()
        .flat_map(|candidate| (0..candidate.frozen.len()).map(move |problem| candidate.slot * candidate.frozen.len() + problem))
        .collect();
    let at = Parameters::from_columns(
        n_parameters,
        candidates.iter().flat_map(|candidate| candidate.parameters.glms.columns()),
    );
    let scales: Vec<f64> = if observations.is_gaussian() {
        // φ = Σ g r² / Σ g, the loss being r².
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Gradient,
        };
        let sums = objective.evaluate(&at, request)?.values;
        sums.iter().zip(masses.iter().flatten()).map(|(sum, mass)| sum / mass).collect()
    } else {
        let mut all = Parameters::zeros(n_parameters, n_problems);
        for (&column, from) in columns.iter().zip(at.columns()) {
            all.column_mut(column).copy_from_slice(from);
        }
        let scales = objective.likeliest_scales(&all)?;
        columns.iter().map(|&column| scales[column]).collect()
    };
    let mut scales = scales.into_iter();
    for candidate in candidates {
        let n_neurons = candidate.parameters.n_neurons();
        for problem in 0..candidate.frozen.len() {
            let scale = scales.next().unwrap_or(f64::NAN).max(floors[problem % n_neurons]);
            if !candidate.frozen[problem] && scale.is_finite() {
                candidate.parameters.scales[problem] = scale;
            }
        }
    }
    Ok(())
}

//! All numbers of a model in one row, and the directions in which they are free to move.
//!
//! ```text
//! θ = [ coefficients and intercepts | ln scales | log-odds of transitions | weights of what drives them | log-odds of the first state ]
//! ```
//!
//! Log-odds are free up to a constant, as are the predictors of classes: they move in directions that sum to zero. What states share moves
//! together. A coefficient moves with its intercept, so that the predictor stays where the feature has its mean, and a weight of what drives
//! transitions with the baseline: far from zero neither would be told from the other.

use std::ops::Range;

use crate::fit::priors::Priors;
use crate::options::Held;
use crate::{Drive, Finding, HmmParameters};

/// Probabilities below this lie on the border, and stay there.
const BORDER: f64 = 1e-6;
/// A standard deviation below this share of the mean may be rounding.
const NO_SPREAD: f64 = 1e-7;

/// The mean that a direction goes around: none, of what does not vary by more than rounding.
pub(crate) fn centre(mean: f64, deviation: f64) -> f64 {
    if deviation > NO_SPREAD * mean.abs() { mean } else { 0.0 }
}

/// A direction: places in the row of all numbers, and how far each moves.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Direction(pub(crate) Vec<(usize, f64)>);

impl Direction {
    /// The slope along it, from those along all numbers.
    pub(crate) fn along(&self, slopes: &[f64]) -> f64 {
        self.0.iter().map(|&(place, by)| by * slopes[place]).sum()
    }
}

/// Places that move together, and how far each does for one step of them all: the one that it is named after first.
type Member = Vec<(usize, f64)>;

/// Where the parts stand in the row of all numbers.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    pub(crate) glms: Range<usize>,
    pub(crate) scales: Range<usize>,
    pub(crate) baseline: Range<usize>,
    pub(crate) weights: Range<usize>,
    pub(crate) initial: Range<usize>,
}

impl Layout {
    pub(crate) fn of(parameters: &HmmParameters) -> Self {
        let mut end = 0;
        let mut next = |n: usize| {
            end += n;
            end - n..end
        };
        Layout {
            glms: next(parameters.glms.as_slice().len()),
            scales: next(parameters.scales.len()),
            baseline: next(parameters.transitions.baseline.len()),
            weights: next(parameters.transitions.weights.len()),
            initial: next(parameters.initial.len()),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.initial.end
    }
}

impl HmmParameters {
    /// The parameters so far along a direction.
    pub(crate) fn displaced(&self, direction: &Direction, by: f64) -> Self {
        let layout = Layout::of(self);
        let mut moved = self.clone();
        let is_driven = moved.transitions.drive.is_some();
        for &(place, share) in &direction.0 {
            let step = by * share;
            if layout.glms.contains(&place) {
                moved.glms.as_mut_slice()[place] += step;
            } else if layout.scales.contains(&place) {
                moved.scales[place - layout.scales.start] *= step.exp();
            } else if layout.baseline.contains(&place) {
                let value = &mut moved.transitions.baseline[place - layout.baseline.start];
                *value = if is_driven { *value + step } else { *value * step.exp() };
            } else if layout.weights.contains(&place) {
                moved.transitions.weights[place - layout.weights.start] += step;
            } else {
                moved.initial[place - layout.initial.start] *= step.exp();
            }
        }
        normalise(&mut moved.initial);
        if is_driven {
            moved.transitions.set_gauge();
        } else {
            let n_states = moved.transitions.n_states;
            moved.transitions.baseline.chunks_exact_mut(n_states).for_each(normalise);
        }
        moved
    }
}

fn normalise(law: &mut [f64]) {
    let total: f64 = law.iter().sum();
    law.iter_mut().for_each(|p| *p /= total);
}

/// The directions in which a fit is free, and those of which it knows nothing.
#[derive(Clone, Debug, Default)]
pub(crate) struct Directions {
    pub(crate) free: Vec<Direction>,
    pub(crate) unknown: Vec<Direction>,
}

/// What directions depend on, besides parameters.
pub(crate) struct Freedom<'f> {
    pub(crate) held: Held,
    pub(crate) priors: &'f Priors,
    pub(crate) used_features: &'f [bool],
    pub(crate) is_scale_fitted: bool,
    /// Whether there are sessions enough for a law of the first state.
    pub(crate) has_initial: bool,
    pub(crate) findings: &'f [Finding],
    /// `[n_features]`: what directions go around.
    pub(crate) centres: &'f [f64],
    /// `[n_inputs]`: the same of what drives transitions.
    pub(crate) drive_centres: &'f [f64],
}

impl Directions {
    pub(crate) fn new(parameters: &HmmParameters, freedom: &Freedom<'_>) -> Self {
        let mut directions = Directions::default();
        let layout = Layout::of(parameters);
        let (n_states, n_neurons) = (parameters.n_states(), parameters.n_neurons());
        let has_none = |problem: usize| freedom.findings.iter().any(|finding| has_no_model(finding, problem, n_neurons));
        if !freedom.held.coef {
            directions.add_models(parameters, freedom, &has_none);
        }
        if freedom.is_scale_fitted {
            for problem in 0..parameters.scales.len() {
                let unknown = has_none(problem) || freedom.findings.iter().any(|finding| has_no_scale(finding, problem, n_neurons));
                directions.add_alone(vec![(layout.scales.start + problem, 1.0)], unknown);
            }
        }
        let inside = |law: &[f64], first: usize| -> Vec<Member> {
            let places = law.iter().enumerate().filter(|(_, p)| **p > BORDER);
            places.map(|(place, _)| vec![(first + place, 1.0)]).collect()
        };
        if !freedom.held.transitions {
            let transitions = &parameters.transitions;
            for (state, row) in transitions.baseline.chunks_exact(n_states).enumerate() {
                let first = layout.baseline.start + state * n_states;
                let members = if transitions.drive.is_some() {
                    (first..first + n_states).map(|place| vec![(place, 1.0)]).collect()
                } else {
                    inside(row, first)
                };
                let unknown = (0..n_neurons).all(|neuron| {
                    let problem = state * n_neurons + neuron;
                    freedom.findings.iter().any(|finding| is_empty(finding, problem, n_neurons))
                });
                directions.add_contrasts(&members, unknown);
            }
            let n_inputs = transitions.n_inputs();
            for rows in 0..transitions.weights.len() / (n_states * n_inputs).max(1) {
                let before = if transitions.drive == Some(Drive::PerState) {
                    rows..rows + 1
                } else {
                    0..n_states
                };
                for input in 0..n_inputs {
                    let member = |state: usize| -> Member {
                        let weight = layout.weights.start + (rows * n_states + state) * n_inputs + input;
                        let baseline = before.clone().map(|before| layout.baseline.start + before * n_states + state);
                        let against = baseline.map(|place| (place, -freedom.drive_centres[input]));
                        std::iter::once((weight, 1.0)).chain(against).collect()
                    };
                    directions.add_contrasts(&(0..n_states).map(member).collect::<Vec<_>>(), false);
                }
            }
        }
        if !freedom.held.initial && freedom.has_initial {
            directions.add_contrasts(&inside(&parameters.initial, layout.initial.start), false);
        }
        directions
    }

    fn add_models(&mut self, parameters: &HmmParameters, freedom: &Freedom<'_>, has_none: &dyn Fn(usize) -> bool) {
        let (n_states, n_neurons) = (parameters.n_states(), parameters.n_neurons());
        let (width, n_parameters) = (parameters.n_features() + 1, parameters.glms.n_parameters());
        for neuron in 0..n_neurons {
            let problems: Vec<usize> = (0..n_states).map(|state| state * n_neurons + neuron).collect();
            for feature in (0..width).filter(|&feature| feature + 1 == width || freedom.used_features[feature]) {
                let is_shared = feature + 1 < width && freedom.priors.shared[feature];
                let units: Vec<&[usize]> = if is_shared {
                    vec![problems.as_slice()]
                } else {
                    problems.chunks(1).collect()
                };
                for unit in units {
                    let centre = freedom.centres.get(feature).copied().filter(|centre| *centre != 0.0);
                    let mut members: Vec<Member> = (0..parameters.n_predictors)
                        .map(|predictor| {
                            let first = |problem: &usize| problem * n_parameters + predictor * width;
                            let own = unit.iter().map(|problem| (first(problem) + feature, 1.0));
                            let against = unit.iter().filter_map(|problem| Some((first(problem) + width - 1, -centre?)));
                            own.chain(against).collect()
                        })
                        .collect();
                    let unknown = unit.iter().all(|&problem| has_none(problem));
                    if members.len() == 1 {
                        self.add_alone(members.remove(0), unknown);
                    } else {
                        self.add_contrasts(&members, unknown);
                    }
                }
            }
        }
    }

    fn list(&mut self, unknown: bool) -> &mut Vec<Direction> {
        if unknown { &mut self.unknown } else { &mut self.free }
    }

    /// Adds places that move together.
    fn add_alone(&mut self, places: Member, unknown: bool) {
        self.list(unknown).push(Direction(places));
    }

    /// Adds what members can do whose sum stays the same, the places of each moving together: an orthonormal basis (Helmert's).
    fn add_contrasts(&mut self, members: &[Member], unknown: bool) {
        for last in 1..members.len() {
            let norm = ((last * (last + 1)) as f64).sqrt();
            let share = |member: usize| if member < last { 1.0 / norm } else { -(last as f64) / norm };
            let places = members[..=last].iter().enumerate();
            let each = places.flat_map(|(member, places)| places.iter().map(move |&(place, by)| (place, by * share(member))));
            let direction = Direction(each.collect());
            self.list(unknown).push(direction);
        }
    }
}

fn is_of(state: usize, neuron: usize, problem: usize, n_neurons: usize) -> bool {
    state * n_neurons + neuron == problem
}

fn is_empty(finding: &Finding, problem: usize, n_neurons: usize) -> bool {
    matches!(finding, Finding::EmptyState { state, neuron, .. } if is_of(*state, *neuron, problem, n_neurons))
}

/// Whether the likelihood says nothing of a state's model of a neuron.
fn has_no_model(finding: &Finding, problem: usize, n_neurons: usize) -> bool {
    is_empty(finding, problem, n_neurons)
        || matches!(finding, Finding::NoMaximum { state, neuron, .. } if is_of(*state, *neuron, problem, n_neurons))
}

fn has_no_scale(finding: &Finding, problem: usize, n_neurons: usize) -> bool {
    match finding {
        Finding::ScaleFloor { state, neuron, .. } | Finding::PoissonLimit { state, neuron } => is_of(*state, *neuron, problem, n_neurons),
        _ => false,
    }
}

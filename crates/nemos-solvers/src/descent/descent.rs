//! Descent by columns: every pass over the data moves each column, or shortens its step, on its own.
//!
//! A descent is a space, a direction for each column, and one line search for all of them. In these words:
//!
//! | method | space | direction | what it learns from a step |
//! |---|---|---|---|
//! | Newton, Fisher scoring | whitened | `−H⁻¹ gradient`, with the curvature `H` at the point | nothing |
//! | gradient descent, preconditioned | whitened | `−gradient` | nothing |
//! | heavy ball | whitened | `share · last step − gradient` | the step |
//! | nonlinear conjugate gradients | whitened | `−gradient + share · last direction` | direction, curvature along it |
//! | BFGS, L-BFGS | whitened | `−B⁻¹ gradient`, `B` from pairs | a pair of step and change of gradient |
//! | proximal Newton | centred | to the minimum of `½ dᵀ B d` plus the penalty | a pair, or nothing where `B` is exact |
//!
//! A pass goes like this:
//!
//! 1. every column on its way says where it tries next: `point + length · direction`
//! 2. points go through the space to parameters, and one evaluation brings values and gradients of all of them
//! 3. gradients come back through the space, and each column judges its trial: it accepts (then its method learns from
//!    the step and chooses the next direction), or shortens the step, or, where no length helps, resets its method
//! 4. a column whose promised fall is small beside its objective stops, and leaves the batch
//!
//! No column waits for another one's line search. With `g` the gradient and `d` the direction, the fall that is
//! promised, the estimated distance to the minimum, is `−½ g · d`: half the square of the Newton decrement where `d` is
//! a Newton step (Boyd & Vandenberghe 2004, *Convex Optimization*, section 9.5).

use std::collections::BTreeMap;

use ndarray::Array2;
use rayon::prelude::*;

use crate::descent::column::{Column, Limits, Trial};
use crate::descent::direction::Direction;
use crate::descent::few_axes::FewAxes;
use crate::descent::sample::{curvatures_at_a_time, sample};
use crate::error::Error;
use crate::penalty::column::ColumnPenalty;
use crate::problem::objective::{Objective, Order, Request};
use crate::problem::parameters::Parameters;
use crate::run::method::Method;
use crate::run::progress::Progress;
use crate::run::stopping::Stopping;
use crate::space::change::Space;

/// A [`Direction`] for each column, with everything around it: the running method that a solver of one's own begins.
///
/// # Example
/// ```
/// # use nemos_testkit::problems;
/// use nemos_solvers::{Descent, Direction, Error, Objective, Parameters, Solver, State, Stopping, minimize};
///
/// /// Gradient descent where the expected curvature is one.
/// #[derive(Clone, Debug)]
/// struct Steepest;
/// impl Direction for Steepest {
///     fn direction(&mut self, _: &[f64], gradient: &[f64], _: Option<&ndarray::Array2<f64>>) -> Vec<f64> {
///         gradient.iter().map(|g| -g).collect()
///     }
/// }
/// impl Solver for Steepest {
///     fn name(&self) -> &'static str {
///         "steepest descent"
///     }
///     fn begin(&self, objective: &dyn Objective, start: &Parameters, stopping: Stopping) -> Result<State, Error> {
///         Descent::new(self.name(), objective, start, stopping, |_| Steepest).map(State::new)
///     }
/// }
/// # let problem = &problems()[0];
/// let solution = minimize(&*problem.objective, &Steepest, Stopping::new(), &problem.start)?;
/// assert!(solution.outcome.all_converged());
/// # Ok::<(), nemos_solvers::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Descent<D> {
    name: &'static str,
    space: Space,
    tolerance: f64,
    lingering: Lingering,
    /// Whether the objective may bring curvatures among a few features.
    sees_few: bool,
    columns: Vec<Column<D>>,
    parameters: Parameters,
}

/// What is done for columns that take long.
#[derive(Copy, Clone, Debug, PartialEq)]
pub(crate) enum Lingering {
    /// Nothing.
    GoOn,
    /// After so many evaluations, and from then on, each evaluation brings their exact curvature.
    Exact(usize),
    /// After every so many evaluations those that are far from the minimum get axes of their own, unless they see their
    /// curvature anyway.
    OwnAxes(usize),
}

/// The space that a descent steps in, the nonsmooth parts of the penalty that are handled in it, and how it goes on.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    pub(crate) space: Space,
    pub(crate) penalties: Option<Vec<ColumnPenalty>>,
    pub(crate) lingering: Lingering,
}

impl Setting {
    /// The whitened space, for objectives without a nonsmooth part.
    pub(crate) fn smooth(solver: &'static str, objective: &dyn Objective, start: &Parameters) -> Result<Self, Error> {
        match objective.penalty() {
            Some(penalty) if !penalty.is_smooth() => Err(Error::Penalty {
                solver,
                penalty: penalty.name(),
            }),
            _ => Ok(Setting {
                space: Space::whitened(objective.expected_curvature(), start.n_parameters())?,
                penalties: None,
                lingering: Lingering::OwnAxes(LINGERS_AFTER),
            }),
        }
    }
}

// Evaluations after which a column that is still far has a curvature that is not the expected one.
const LINGERS_AFTER: usize = 8;
// Evaluations after which a column may first look at its curvature among a few features, those between two such looks, and those after
// which it does no more.
const FEW_AFTER: usize = 2;
const FEW_EVERY: usize = 3;
const FEW_UNTIL: usize = 12;
// Evaluations that lie ahead of such a column at least, and the share of the expected curvature that its steps saw at most.
const FAR: f64 = 8.0;
const FADED: f64 = 1.0 / 3.0;
// A curvature takes a quarter of the products of so many gradients as there are dimensions, but for few columns these
// are not what a pass is spent on.
pub(crate) const CURVATURE_PER_DIMENSION: f64 = 0.125;

impl<D: Direction> Descent<D> {
    /// Begins in the whitened space: evaluates the start and chooses the first directions. `direction` makes the method
    /// of each problem, by number.
    ///
    /// # Errors
    /// [`Error::Penalty`] if the objective's penalty has a nonsmooth part, which no direction sees; and where the
    /// tolerance is out of range, or the data cannot be read.
    pub fn new(
        name: &'static str,
        objective: &dyn Objective,
        start: &Parameters,
        stopping: Stopping,
        direction: impl Fn(usize) -> D,
    ) -> Result<Self, Error> {
        let setting = Setting::smooth(name, objective, start)?;
        Descent::with(name, setting, (objective, start), stopping, direction)
    }

    /// Begins in a space of the caller's choice.
    pub(crate) fn with(
        name: &'static str,
        setting: Setting,
        (objective, start): (&dyn Objective, &Parameters),
        stopping: Stopping,
        direction: impl Fn(usize) -> D,
    ) -> Result<Self, Error> {
        stopping.validate()?;
        let Setting {
            space,
            penalties,
            lingering,
        } = setting;
        let problems: Vec<usize> = (0..start.n_problems()).collect();
        let points = space.point_of(start, &problems);
        let column = |&problem: &usize| {
            let penalty = penalties.as_ref().map(|penalties| penalties[problem].clone());
            Column::new(
                points.column(problem).to_vec(),
                direction(problem),
                penalty,
                objective.nats(problem),
            )
        };
        let mut descent = Descent {
            name,
            columns: problems.iter().map(column).collect(),
            space,
            tolerance: stopping.tolerance,
            lingering,
            sees_few: true,
            parameters: start.clone(),
        };
        let limits = descent.limits(objective);
        descent.evaluate(objective, |_, _, column, trial| column.arrive(&trial, limits))?;
        Ok(descent)
    }

    /// Goes on from the points reached, for an objective with another ridge alone: `added` is by how much it is stronger,
    /// `[n_parameters, n_problems]`, and `act` what it changes in the method of a problem. Values and gradients follow without
    /// a pass. For a centred space.
    pub(crate) fn go_on(&mut self, objective: &dyn Objective, added: &Parameters, act: impl Fn(usize, &mut D) + Sync) -> Result<(), Error> {
        self.space = Space::centred(objective.expected_curvature(), self.parameters.n_parameters())?;
        let limits = self.limits(objective);
        let problems: Vec<usize> = (0..self.columns.len()).collect();
        for_each(&mut self.columns, &problems, |problem, column| {
            column.go_on(added.column(problem), limits, |method| act(problem, method));
        });
        Ok(())
    }

    fn limits(&self, objective: &dyn Objective) -> Limits {
        Limits {
            tolerance: self.tolerance,
            resolution: objective.resolution(),
        }
    }

    fn on_their_way(&self) -> Vec<usize> {
        (0..self.columns.len())
            .filter(|&problem| self.columns[problem].status.is_none())
            .collect()
    }

    /// Evaluates all columns on their way at their trial points, and lets `act` decide for each.
    fn evaluate(&mut self, objective: &dyn Objective, act: impl Fn(&Space, usize, &mut Column<D>, Trial<'_>) + Sync) -> Result<(), Error> {
        let order = |column: &Column<D>| match self.lingering {
            Lingering::Exact(after) if column.evaluations >= after => Order::Curvature,
            _ => column.method().order(),
        };
        // Two passes where some columns want curvatures: those of the others would be thrown away.
        let (plain, curved): (Vec<usize>, Vec<usize>) = self
            .on_their_way()
            .into_iter()
            .partition(|&problem| order(&self.columns[problem]) == Order::Gradient);
        let looking = self.looking_at_few(objective, &plain);
        let plain: Vec<usize> = plain.into_iter().filter(|problem| !looking.contains_key(problem)).collect();
        let (looking, features): (Vec<usize>, Vec<Vec<usize>>) = looking.into_iter().unzip();
        self.evaluate_some(objective, (&plain, Order::Gradient), &act)?;
        self.evaluate_some(objective, (&looking, Order::CurvatureAmong(&features)), &act)?;
        self.evaluate_some(objective, (&curved, Order::Curvature), &act)
    }

    /// Those of these problems that take long and look at their curvature among a few features at their next trial, with the features.
    fn looking_at_few(&self, objective: &dyn Objective, problems: &[usize]) -> BTreeMap<usize, Vec<usize>> {
        let may_look =
            self.sees_few && matches!(self.lingering, Lingering::OwnAxes(_)) && objective.curvatures_held() >= self.columns.len();
        let limits = self.limits(objective);
        let due = problems.iter().filter(|&&problem| {
            let column = &self.columns[problem];
            let is_time =
                (FEW_AFTER..=FEW_UNTIL).contains(&column.evaluations) && (column.evaluations - FEW_AFTER).is_multiple_of(FEW_EVERY);
            may_look && is_time && column.curvature_share < FADED && column.is_far(FAR, limits)
        });
        due.filter_map(|&problem| Some((problem, self.space.most_telling(problem, self.parameters.column(problem))?)))
            .collect()
    }

    fn evaluate_some(
        &mut self,
        objective: &dyn Objective,
        (problems, order): (&[usize], Order<'_>),
        act: &(impl Fn(&Space, usize, &mut Column<D>, Trial<'_>) + Sync),
    ) -> Result<(), Error> {
        if problems.is_empty() {
            return Ok(());
        }
        let trials: Vec<Vec<f64>> = problems.iter().map(|&problem| self.columns[problem].trial()).collect();
        let points = Parameters::from_columns(self.space.dimension(), trials.iter().map(Vec::as_slice));
        let request = Request {
            columns: problems,
            rows: None,
            order,
        };
        let evaluation = objective.evaluate(&self.space.parameters_at(&points, problems), request)?;
        let gradients = self.space.gradient(evaluation.gradient, problems);
        let space = &self.space;
        let all = evaluation.curvature.unwrap_or_default();
        let jobs: Vec<(usize, Array2<f64>)> = problems.iter().copied().zip(all).collect();
        let (mut curvatures, mut axes): (Vec<Array2<f64>>, Vec<Option<FewAxes>>) = (Vec::new(), Vec::new());
        match order {
            Order::CurvatureAmong(features) => {
                self.sees_few = !jobs.is_empty();
                let jobs: Vec<_> = jobs.into_iter().zip(features).collect();
                axes.par_extend(
                    jobs.into_par_iter()
                        .map(|((problem, one), features)| space.few_axes(problem, features, one)),
                );
            }
            _ => curvatures.par_extend(jobs.into_par_iter().map(|(problem, one)| space.curvature(one, problem))),
        }
        for_each(&mut self.columns, problems, |index, column| {
            column.evaluations += 1;
            let trial = Trial {
                value: evaluation.values[index] + column.penalty_at(points.column(index)),
                gradient: gradients.column(index),
                curvature: curvatures.get(index),
                axes: axes.get(index).and_then(Option::as_ref),
            };
            act(space, problems[index], column, trial);
        });
        Ok(())
    }

    /// Gives columns that linger axes of their own, from their curvature at the point that they have reached.
    fn whiten_lingering(&mut self, objective: &dyn Objective) -> Result<(), Error> {
        let Lingering::OwnAxes(after) = self.lingering else { return Ok(()) };
        let is_due = |problem: &usize| {
            let column = &self.columns[*problem];
            let was_few = self.sees_few && column.evaluations <= FEW_UNTIL;
            column.evaluations.is_multiple_of(after) && !was_few && column.method().order() == Order::Gradient
        };
        let due: Vec<usize> = self.on_their_way().into_iter().filter(is_due).collect();
        if due.is_empty() {
            return Ok(());
        }
        let (rows, limits) = (sample(objective.n_rows(), self.space.dimension()), self.limits(objective));
        let share = rows.as_ref().map_or(1.0, |rows| rows.len() as f64 / objective.n_rows() as f64);
        // In gradients of the column. A look that costs more than it saves is not taken.
        let cost = 1.0 + share * self.space.dimension() as f64 * CURVATURE_PER_DIMENSION;
        let mut lingering: Vec<usize> = due
            .into_iter()
            .filter(|&problem| self.columns[problem].is_far(cost, limits))
            .collect();
        let most = objective.curvatures_held();
        if most < self.columns.len() {
            // Axes that a column has are replaced, and take no more room.
            let mut room = most.saturating_sub(self.columns.iter().filter(|column| column.has_own_axes()).count());
            lingering.retain(|&problem| {
                let has = self.columns[problem].has_own_axes();
                let fits = has || room > 0;
                room -= usize::from(fits && !has);
                fits
            });
        }
        let at_a_time = curvatures_at_a_time(self.space.dimension());
        for problems in lingering.chunks(at_a_time.min(most.max(1))) {
            let points: Vec<Vec<f64>> = problems.iter().map(|&problem| self.columns[problem].point()).collect();
            let points = Parameters::from_columns(self.space.dimension(), points.iter().map(Vec::as_slice));
            let request = Request {
                columns: problems,
                rows: rows.as_deref(),
                order: Order::Curvature,
            };
            let evaluation = objective.evaluate(&self.space.parameters_at(&points, problems), request)?;
            let Some(curvatures) = evaluation.curvature else {
                // An objective without curvatures is not asked again.
                self.lingering = Lingering::GoOn;
                return Ok(());
            };
            let space = &self.space;
            for_each(&mut self.columns, problems, |index, column| {
                column.evaluations += 1;
                column.whiten_by(&space.curvature(curvatures[index].clone(), problems[index]), limits);
            });
        }
        Ok(())
    }
}

/// Calls `act` for these columns, in parallel, with their index among `problems`, which rise.
fn for_each<D: Send>(columns: &mut [Column<D>], problems: &[usize], act: impl Fn(usize, &mut Column<D>) + Sync) {
    let mut jobs: Vec<(usize, &mut Column<D>)> = Vec::with_capacity(problems.len());
    let mut columns = columns.iter_mut().enumerate();
    for (index, &problem) in problems.iter().enumerate() {
        jobs.extend(columns.find(|(number, _)| *number == problem).map(|(_, column)| (index, column)));
    }
    jobs.into_par_iter().for_each(|(index, column)| act(index, column));
}

impl<D: Direction + 'static> Method for Descent<D> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn step(&mut self, objective: &dyn Objective) -> Result<(), Error> {
        self.whiten_lingering(objective)?;
        let (limits, moving) = (self.limits(objective), self.on_their_way());
        self.evaluate(objective, |space, problem, column, trial| {
            column.judge(&trial, limits, |step| space.expected_along(problem, step));
        })?;
        let points: Vec<Vec<f64>> = moving.iter().map(|&problem| self.columns[problem].point()).collect();
        let points = Parameters::from_columns(self.space.dimension(), points.iter().map(Vec::as_slice));
        let moved = self.space.parameters_at(&points, &moving);
        for (&problem, moved) in moving.iter().zip(moved.columns()) {
            self.parameters.column_mut(problem).copy_from_slice(moved);
        }
        // The space leaves out what changes no predictor; what the start had of it goes last.
        if self.columns.iter().all(|column| column.status.is_some()) {
            self.space.least_norm(&mut self.parameters);
        }
        Ok(())
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn progress(&self) -> Vec<Progress> {
        let progress = |(problem, column): (usize, &Column<D>)| Progress {
            status: column.status,
            steps: column.steps,
            evaluations: column.evaluations,
            value: column.value,
            gradient_norm: column.gradient_norm(),
            decrement: column.decrement,
            rank: self.space.rank(problem),
            curvature_share: column.curvature_share,
        };
        self.columns.iter().enumerate().map(progress).collect()
    }
}

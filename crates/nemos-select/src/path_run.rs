//! A path on its way: what is known at the last strength, and which features may become active at the next.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::{Backend, Design, Matrix, row_chunks};
use nemos_glm::{
    FeatureMask, FittedPopulationGlm, GlmObjective, Groups, InverseLink, ObservationModel, PopulationGlm, Problems, Regularizer, Scale,
    Score, Strength,
};
use nemos_solvers::{ColumnOutcome, Objective, Order, Parameters, Request};

use crate::Error;
use crate::path_search::AT_MOST;
use crate::path_units::{Unit, units};
use crate::tunable::strength_mut;

/// One strength.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// Coefficients and the intercept.
    pub(crate) parameters: Vec<f64>,
    pub(crate) outcome: ColumnOutcome,
    pub(crate) log_likelihood: f64,
    pub(crate) scale: f64,
    pub(crate) dof_resid: f64,
    pub(crate) n_rows: f64,
}

/// What is known at the last strength.
pub(crate) struct Run<'r, 'a, B: Backend, O, L> {
    model: PopulationGlm<O, L>,
    design: &'r Design<'a, B>,
    /// The counts, so many times as strengths are fitted together.
    copies: Matrix<B>,
    /// Slopes of the loss in all features.
    objective: GlmObjective<'r, B>,
    units: Vec<Unit>,
    /// The share of the strength that is no ridge.
    share: f64,
    /// Rows in which a feature is missing: no strength sees them, whatever its features.
    incomplete: Vec<usize>,
    /// Coefficients and the intercept at the last strength, and the slopes there.
    last: Vec<f64>,
    slopes: Vec<f64>,
    last_strength: f64,
    strong: Vec<bool>,
    /// The strong features, in memory.
    sub: Arc<Sub<B>>,
    found: Vec<Found>,
}

struct Sub<B: Backend> {
    features: Vec<usize>,
    matrix: Matrix<B>,
}

// Slopes of inactive features may pass the strength by this share: a minimum is one to the tolerance of its fit.
const SLACK: f64 = 1e-6;
const ROUNDS: usize = 20;
const CHUNK: usize = 1 << 12;

impl<'r, 'a, B: Backend, O: ObservationModel, L: InverseLink> Run<'r, 'a, B, O, L> {
    pub(crate) fn new(model: &PopulationGlm<O, L>, design: &'r Design<'a, B>, counts: &'r Design<'a, B>) -> Result<Self, Error> {
        design.check_whole("a path")?;
        let n_features = design.n_columns();
        let mut options = model.options().clone();
        options.regularizer = options.regularizer.resolve(design.names(), n_features)?;
        options.regularizer.validate(n_features, 1)?;
        if let Some(mask) = &options.mask {
            options.mask = Some(FeatureMask::from(mask.resolve(design.names(), n_features, 1)?));
        }
        options.start = None;
        let model = model.clone().with_options(options);
        let objective = model.objective_without_moments(Problems::of_responses([0; AT_MOST]), design, counts)?;
        let (units, share) = units(model.penalty(), n_features);
        let free: Vec<usize> = (0..n_features)
            .filter(|feature| !units.iter().any(|unit| unit.features.contains(feature)))
            .collect();
        let incomplete = incomplete(design, counts, objective.n_counts()[0])?;
        let mut run = Run {
            copies: Matrix::beside(vec![counts.to_matrix()?; AT_MOST])?,
            strong: vec![false; units.len()],
            last: vec![0.0; n_features + 1],
            slopes: vec![0.0; n_features + 1],
            last_strength: f64::INFINITY,
            sub: Arc::new(sub(design, free, &incomplete)?),
            incomplete,
            found: Vec::new(),
            model,
            design,
            objective,
            units,
            share,
        };
        // Nothing is active but the intercept, and features that no group holds.
        let start = run.fit_strong(&[f64::INFINITY])?.swap_remove(0).parameters;
        run.slopes = run.slopes_at(std::slice::from_ref(&start))?.swap_remove(0);
        run.last = start;
        Ok(run)
    }

    /// How steep the loss is for a unit: it is active where this passes the strength.
    fn pull(&self, unit: usize, slopes: &[f64]) -> f64 {
        let unit = &self.units[unit];
        let norm = unit.features.iter().map(|&feature| slopes[feature].powi(2)).sum::<f64>().sqrt();
        norm / (unit.factor * self.share)
    }

    /// The smallest strength at which no unit is active, before the first fit.
    pub(crate) fn highest(&self) -> f64 {
        (0..self.units.len()).map(|unit| self.pull(unit, &self.slopes)).fold(0.0, f64::max)
    }

    /// Fits these strengths, which fall, together.
    pub(crate) fn fit(&mut self, strengths: &[f64]) -> Result<(), Error> {
        let (Some(&first), Some(&last)) = (strengths.first(), strengths.last()) else {
            return Ok(());
        };
        let before = if self.last_strength.is_finite() {
            self.last_strength
        } else {
            self.highest().max(first)
        };
        // The strong rule: slopes change no faster than strengths. It nearly always holds, and is checked below.
        let reach = 2.0 * last - before;
        let slopes = self.slopes.clone();
        self.strengthen(|run, unit| run.pull(unit, &slopes) >= reach)?;
        for round in 0..ROUNDS {
            let found = self.fit_strong(strengths)?;
            let ends: Vec<Vec<f64>> = found.iter().map(|found| found.parameters.clone()).collect();
            let slopes = self.slopes_at(&ends)?;
            let breaks = |run: &Self, unit: usize| {
                let mut at = slopes.iter().zip(strengths);
                at.any(|(slopes, strength)| run.pull(unit, slopes) > strength * (1.0 + SLACK))
            };
            let grew = self.strengthen(breaks)?;
            if let (Some(end), Some(slopes)) = (ends.into_iter().last(), slopes.into_iter().last()) {
                (self.last, self.slopes) = (end, slopes);
            }
            if !grew || round + 1 == ROUNDS {
                self.found.extend(found);
                break;
            }
        }
        self.last_strength = last;
        Ok(())
    }

    /// What was found, at all strengths.
    pub(crate) fn found(self) -> Vec<Found> {
        self.found
    }

    /// Makes more units strong, and says whether there were any.
    fn strengthen(&mut self, which: impl Fn(&Self, usize) -> bool) -> Result<bool, Error> {
        let new: Vec<usize> = (0..self.units.len())
            .filter(|&unit| !self.strong[unit] && which(self, unit))
            .collect();
        if new.is_empty() {
            return Ok(false);
        }
        let mut features = self.sub.features.clone();
        for unit in new {
            self.strong[unit] = true;
            features.extend(&self.units[unit].features);
        }
        features.sort_unstable();
        self.sub = Arc::new(sub(self.design, features, &self.incomplete)?);
        Ok(true)
    }

    /// Fits strengths on the strong features, from the last solution.
    fn fit_strong(&self, strengths: &[f64]) -> Result<Vec<Found>, Error> {
        let n = strengths.len();
        let features = &self.sub.features;
        let width = self.sub.matrix.dims()[1];
        let mut options = self.model.options().clone();
        options.regularizer = self.penalty(strengths);
        options.mask = options.mask.map(|mask| match mask {
            FeatureMask::Coefficients(mask) => {
                let at = |feature: usize| features.get(feature).is_none_or(|&feature| mask[(feature, 0)]);
                Array2::from_shape_fn((width, n), |(feature, _)| at(feature)).into()
            }
            other => other,
        });
        let mut start = vec![0.0; width + 1];
        features
            .iter()
            .zip(&mut start)
            .for_each(|(&feature, start)| *start = self.last[feature]);
        start[width] = self.last[self.last.len() - 1];
        if self.slopes.iter().any(|slope| *slope != 0.0) {
            options.start = Some(Parameters::from_columns(width + 1, (0..n).map(|_| start.as_slice())));
        }
        let design = self.like_all(self.sub.matrix.clone())?;
        let counts = self.copies.select_columns(&(0..n).collect::<Vec<_>>())?;
        let fitted = self.model.clone().with_options(options).fit(&design, &counts)?;
        self.describe(fitted, &design, &counts)
    }

    /// The penalty on the strong features, a strength for each problem; none where nothing can be active.
    fn penalty(&self, strengths: &[f64]) -> Regularizer {
        if strengths.iter().any(|strength| strength.is_infinite()) {
            return Regularizer::Unregularized;
        }
        let mut penalty = self.model.penalty().clone();
        if let Regularizer::GroupLasso { groups, .. } = &mut penalty {
            let place = |feature: &usize| self.sub.features.binary_search(feature).ok();
            let strong = self.units.iter().zip(&self.strong).filter(|(_, strong)| **strong);
            *groups = Groups::Features(strong.map(|(unit, _)| unit.features.iter().filter_map(place).collect()).collect());
        }
        if let Some(strength) = strength_mut(&mut penalty) {
            *strength = Strength::PerNeuron(strengths.to_vec());
        }
        penalty
    }

    /// What fits on the strong features are as fits of all.
    fn describe(&self, fitted: FittedPopulationGlm<O, L>, design: &Design<'_, B>, counts: &Matrix<B>) -> Result<Vec<Found>, Error> {
        let coef = fitted.coef().to_owned();
        let active = |place: usize| coef.column(place).iter().filter(|coef| **coef != 0.0).count() as f64;
        let dof: Vec<f64> = fitted.dof_resid().to_vec();
        let n_rows = self.objective.n_counts()[0] as f64;
        let estimated = fitted.observation().scale() == Scale::Pearson;
        // The scale that makes the log-likelihood of Gaussian noise largest divides by rows, and not by degrees of freedom.
        let scale = fitted
            .scale()
            .iter()
            .zip(&dof)
            .map(|(scale, dof)| if estimated { scale * dof / n_rows } else { *scale });
        let fitted = fitted.clone().with_scale(scale.collect(), dof)?;
        let log_likelihood = fitted.score_by_neuron(design, counts, Score::LogLikelihood)?;
        let found = |place: usize| {
            let mut parameters = vec![0.0; self.last.len()];
            let strong = self.sub.features.iter().zip(coef.column(place));
            strong.for_each(|(&feature, &coef)| parameters[feature] = coef);
            parameters[self.last.len() - 1] = fitted.intercept()[place];
            Found {
                parameters,
                outcome: fitted.outcome().columns[place].clone(),
                log_likelihood: log_likelihood[place] * n_rows,
                scale: fitted.scale()[place],
                dof_resid: n_rows - active(place) - 1.0,
                n_rows,
            }
        };
        Ok((0..coef.ncols()).map(found).collect())
    }

    /// Slopes of the mean loss in all features at each of these parameters, in one pass.
    fn slopes_at(&self, parameters: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, Error> {
        let columns: Vec<usize> = (0..parameters.len()).collect();
        let at = Parameters::from_columns(self.last.len(), parameters.iter().map(Vec::as_slice));
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Gradient,
        };
        let gradient = self.objective.evaluate(&at, request)?.gradient;
        Ok(gradient.columns().map(<[f64]>::to_vec).collect())
    }

    /// Other columns with the weights and the offset of the design.
    fn like_all(&self, matrix: Matrix<B>) -> Result<Design<'static, B>, Error> {
        let mut design = Design::from(matrix);
        if let Some(weights) = self.design.weights() {
            design = design.with_weights(weights.clone())?;
        }
        if let Some(offset) = self.design.offset() {
            design = design.with_offset(offset.clone())?;
        }
        Ok(design)
    }
}

/// Rows in which a feature is missing. They are looked for where fewer rows are used than have a count and a weight.
fn incomplete<B: Backend>(design: &Design<'_, B>, counts: &Design<'_, B>, n_used: usize) -> Result<Vec<usize>, Error> {
    let weights = design.weights().map_or_else(|| vec![1.0; design.n_rows()], Matrix::to_vec);
    let counts = counts.to_matrix()?.to_vec();
    if counts
        .iter()
        .zip(&weights)
        .filter(|(count, weight)| !count.is_nan() && **weight > 0.0)
        .count()
        == n_used
    {
        return Ok(Vec::new());
    }
    let mut found = Vec::new();
    for rows in row_chunks(design.n_rows(), CHUNK) {
        let values = design.chunk(rows.clone())?.to_array();
        found.extend(
            rows.zip(values.rows())
                .filter(|(_, row)| row.iter().any(|x| x.is_nan()))
                .map(|(row, _)| row),
        );
    }
    Ok(found)
}

/// These columns of a design, in memory, with nothing in rows that are not complete. Of no columns there is one that never varies: a model
/// needs a feature.
fn sub<B: Backend>(design: &Design<'_, B>, features: Vec<usize>, incomplete: &[usize]) -> Result<Sub<B>, Error> {
    let n_rows = design.n_rows();
    let matrix = if features.is_empty() {
        Matrix::zeros([n_rows, 1])
    } else if features.len() == design.n_columns() {
        design.to_matrix()?
    } else {
        let cut = |rows| design.chunk(rows)?.select_columns(&features);
        Matrix::stack(row_chunks(n_rows, CHUNK).map(cut).collect::<Result<_, _>>()?)?
    };
    if incomplete.is_empty() {
        return Ok(Sub { features, matrix });
    }
    let mut values = matrix.to_array();
    incomplete.iter().for_each(|&row| values.row_mut(row).fill(f64::NAN));
    let matrix = Matrix::from(values);
    Ok(Sub { features, matrix })
}

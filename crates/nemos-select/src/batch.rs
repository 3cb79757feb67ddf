//! Fits of candidates on folds, in as few batches as can be: all folds and all neurons share every pass over the design, and the
//! strengths of a penalty share its moments and start from each other.

use ndarray::Array2;
use nemos_core::{Backend, Design};
use nemos_glm::{FittedPopulationGlm, InverseLink, ObservationModel, PopulationGlm, Problems, Regularizer, Strength};
use nemos_solvers::{Auto, Status};

use crate::searchable::mean_strength;
use crate::splits::{Classes, Splits};
use crate::tunable::{strength, strength_mut};
use crate::{Error, Scoring};

/// Folds that are trained on the rows of one design.
pub(crate) struct Piece<'a, B: Backend> {
    /// Numbers of the folds.
    pub(crate) folds: Vec<usize>,
    pub(crate) design: Design<'a, B>,
    pub(crate) counts: Design<'a, B>,
    /// Which rows each fold leaves out; nothing where the one fold trains on all of them.
    pub(crate) classes: Option<Classes>,
    /// For each of the folds, the design and the counts of its test rows.
    pub(crate) tests: Vec<(Design<'a, B>, Design<'a, B>)>,
}

impl<'a, B: Backend> Piece<'a, B> {
    /// The design and the counts of the rows that one of the folds trains on.
    pub(crate) fn training_rows(&self, place: usize) -> Result<(Design<'a, B>, Design<'a, B>), Error> {
        let Some(classes) = &self.classes else {
            return Ok((self.design.clone(), self.counts.clone()));
        };
        let is_trained = |row: &usize| !classes.left_out[place].contains(&classes.of_row[*row]);
        let rows: Vec<usize> = (0..classes.of_row.len()).filter(is_trained).collect();
        Ok((self.design.select_rows(&rows)?, self.counts.select_rows(&rows)?))
    }
}

/// What one candidate is worth on one fold.
#[derive(Clone, Debug)]
pub(crate) struct Scored {
    pub(crate) score: f64,
    /// `[n_neurons]`
    pub(crate) by_neuron: Vec<f64>,
    /// `[n_neurons]`: coefficients that are not zero.
    pub(crate) sizes: Vec<f64>,
    /// Fits that did not converge.
    pub(crate) n_unconverged: usize,
}

/// For each fold, in order, what a candidate is worth.
pub(crate) type Evaluated = Result<Vec<Scored>, Error>;

/// The folds of a design as pieces: one, unless there are too many folds to tell apart, or too many neurons for memory.
pub(crate) fn pieces<'a, B: Backend>(design: &Design<'a, B>, counts: &Design<'a, B>, splits: &Splits) -> Result<Vec<Piece<'a, B>>, Error> {
    let at_a_time = (MEMORY / (counts.n_columns() * bytes(design.n_columns())).max(1)).max(1);
    let piece = |(folds, classes): (Vec<usize>, Classes)| {
        let tests = folds.iter().map(|&fold| {
            let rows = splits.get(fold).test();
            Ok((design.select_rows(rows)?, counts.select_rows(rows)?))
        });
        Ok(Piece {
            tests: tests.collect::<Result<_, Error>>()?,
            folds,
            design: design.clone(),
            counts: counts.clone(),
            classes: Some(classes),
        })
    };
    splits.in_classes(at_a_time).into_iter().map(piece).collect()
}

// What a batch may hold at a time, and what a problem of it does: parameters, gradients, steps, and pairs of both.
const MEMORY: usize = 1 << 29;
const PER_PARAMETER: usize = 40;

/// What a problem needs, in bytes.
fn bytes(n_features: usize) -> usize {
    8 * PER_PARAMETER * (n_features + 1)
}

/// Fits and scores every candidate on every fold. `done` hears of each, in the order in which they are done.
pub(crate) fn evaluate<B: Backend, O: ObservationModel, L: InverseLink>(
    models: &[PopulationGlm<O, L>],
    pieces: &[Piece<'_, B>],
    scoring: &Scoring,
    done: &mut dyn FnMut(Vec<(usize, Evaluated)>) -> Result<(), Error>,
) -> Result<(), Error> {
    let Some(first) = pieces.first() else { return Ok(()) };
    let n_features = first.design.n_columns();
    let n_folds = pieces.iter().map(|piece| piece.folds.len()).max().unwrap_or(1);
    // Of candidates that are done, parameters alone are kept.
    let per_candidate = 8 * n_folds * first.counts.n_columns() * (n_features + 1);
    let at_a_time = (MEMORY / per_candidate.max(1)).max(1);
    for group in together(models) {
        for candidates in group.chunks(at_a_time) {
            let chosen: Vec<&PopulationGlm<O, L>> = candidates.iter().map(|&candidate| &models[candidate]).collect();
            let evaluated = of_batch(&chosen, pieces, scoring);
            done(candidates.iter().copied().zip(evaluated).collect())?;
        }
    }
    Ok(())
}

/// Numbers of candidates that fit into one batch: they differ in strengths alone.
fn together<O: ObservationModel, L: InverseLink>(models: &[PopulationGlm<O, L>]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    for (candidate, model) in models.iter().enumerate() {
        match groups.iter_mut().find(|group| differ_in_strength(&models[group[0]], model)) {
            Some(group) => group.push(candidate),
            None => groups.push(vec![candidate]),
        }
    }
    groups
}

/// Whether two models differ in the strengths of their penalty at most, so that one batch can hold both.
pub(crate) fn differ_in_strength<O: ObservationModel, L: InverseLink>(a: &PopulationGlm<O, L>, b: &PopulationGlm<O, L>) -> bool {
    let bare = |model: &PopulationGlm<O, L>| {
        let mut options = model.options().clone();
        let grouped = matches!(options.regularizer, Regularizer::GroupLasso { .. });
        if let Some(strength) = strength_mut(&mut options.regularizer)
            // Strengths per group are shared by all problems.
            && !(grouped && matches!(strength, Strength::PerGroup(_) | Strength::PerBlock(_)))
        {
            *strength = Strength::Shared(0.0);
        }
        options
    };
    let kinds = |model: &PopulationGlm<O, L>| format!("{:?} {:?}", model.observation_model(), model.inverse_link());
    bare(a) == bare(b) && kinds(a) == kinds(b)
}

/// Every candidate of a batch on every piece. Where the batch fails, every candidate is tried alone, so that those which can be fitted
/// are.
fn of_batch<B: Backend, O: ObservationModel, L: InverseLink>(
    models: &[&PopulationGlm<O, L>],
    pieces: &[Piece<'_, B>],
    scoring: &Scoring,
) -> Vec<Evaluated> {
    let n_folds = pieces.iter().map(|piece| piece.folds.len()).sum();
    let mut evaluated: Vec<Result<Vec<Option<Scored>>, Error>> = models.iter().map(|_| Ok(vec![None; n_folds])).collect();
    for piece in pieces {
        let standing: Vec<usize> = (0..models.len()).filter(|&candidate| evaluated[candidate].is_ok()).collect();
        let chosen: Vec<&PopulationGlm<O, L>> = standing.iter().map(|&candidate| models[candidate]).collect();
        let fitted = fit(&chosen, piece);
        for (place, &candidate) in standing.iter().enumerate() {
            let scored = match &fitted {
                Ok(fitted) => scores(&fitted[place], piece, scoring),
                Err(_) => fit(&chosen[place..=place], piece).and_then(|fitted| scores(&fitted[0], piece, scoring)),
            };
            match (scored, &mut evaluated[candidate]) {
                (Ok(scored), Ok(folds)) => {
                    for (&fold, scored) in piece.folds.iter().zip(scored) {
                        folds[fold] = Some(scored);
                    }
                }
                (Err(error), evaluated) => *evaluated = Err(error),
                (Ok(_), Err(_)) => {}
            }
        }
    }
    let whole = |folds: Vec<Option<Scored>>| folds.into_iter().flatten().collect();
    evaluated.into_iter().map(|folds| folds.map(whole)).collect()
}

/// Fits candidates that differ in strengths on the folds of a piece, the strongest penalty first, each from where the one before
/// ended. In each fit problems are by fold, then by neuron.
fn fit<B: Backend, O: ObservationModel, L: InverseLink>(
    models: &[&PopulationGlm<O, L>],
    piece: &Piece<'_, B>,
) -> Result<Vec<FittedPopulationGlm<O, L>>, Error> {
    let (n_neurons, n_folds) = (piece.counts.n_columns(), piece.folds.len());
    let n_problems = n_folds * n_neurons;
    let mut problems = Problems::of_responses((0..n_problems).map(|problem| problem % n_neurons));
    if let Some(classes) = &piece.classes {
        let left_out = (0..n_problems).map(|problem| classes.left_out[problem / n_neurons].iter().copied());
        problems = problems.leaving_out_each(classes.of_row.clone(), left_out)?;
    }
    let penalty = |model: &&PopulationGlm<O, L>| {
        let all = (0..n_problems).map(|problem| (*model, problem % n_neurons));
        merged(&piece.design, n_neurons, all).map(|model| model.penalty().clone())
    };
    let penalties = models.iter().map(penalty).collect::<Result<Vec<Regularizer>, Error>>()?;
    let mut order: Vec<usize> = (0..models.len()).collect();
    let strength = |candidate: usize| mean_strength(models[candidate].penalty());
    order.sort_by(|&a, &b| strength(b).total_cmp(&strength(a)));
    let in_order: Vec<Regularizer> = order.iter().map(|&candidate| penalties[candidate].clone()).collect();
    let model = models.first().ok_or(Error::NoCandidates)?;
    let fits = model.fit_penalties(&Auto::new(), (problems, &in_order), &piece.design, &piece.counts)?;
    let mut fits: Vec<(usize, FittedPopulationGlm<O, L>)> = order.into_iter().zip(fits).collect();
    fits.sort_by_key(|(candidate, _)| *candidate);
    Ok(fits.into_iter().map(|(_, fitted)| fitted).collect())
}

/// One model for problems that differ in strengths alone: for each the candidate that it is of, and its neuron.
pub(crate) fn merged<'m, B: Backend, O: ObservationModel, L: InverseLink>(
    design: &Design<'_, B>,
    n_neurons: usize,
    problems: impl ExactSizeIterator<Item = (&'m PopulationGlm<O, L>, usize)>,
) -> Result<PopulationGlm<O, L>, Error> {
    let problems: Vec<(&PopulationGlm<O, L>, usize)> = problems.collect();
    let model = problems.first().ok_or(Error::NoCandidates)?.0.clone();
    let n_features = design.n_columns();
    let mut options = model.options().clone();
    options.regularizer = options.regularizer.resolve(design.names(), n_features)?;
    let mut resolved: Vec<(*const PopulationGlm<O, L>, Regularizer)> = Vec::new();
    let mut of_problem = Vec::with_capacity(problems.len());
    for &(model, _) in &problems {
        let place = match resolved.iter().position(|(known, _)| std::ptr::eq(*known, model)) {
            Some(place) => place,
            None => {
                let regularizer = model.penalty().resolve(design.names(), n_features)?;
                regularizer.validate(n_features, n_neurons).map_err(nemos_glm::Error::from)?;
                resolved.push((model, regularizer));
                resolved.len() - 1
            }
        };
        of_problem.push(place);
    }
    let strengths: Vec<Option<&Strength>> = resolved.iter().map(|(_, regularizer)| strength(regularizer)).collect();
    let single = |problem: usize| match strengths[of_problem[problem]] {
        Some(Strength::Shared(strength)) => Some(*strength),
        Some(Strength::PerNeuron(strengths)) => Some(strengths[problems[problem].1]),
        _ => None,
    };
    if let Some(to) = strength_mut(&mut options.regularizer) {
        let singles: Option<Vec<f64>> = (0..problems.len()).map(single).collect();
        match (singles, &to) {
            (Some(singles), _) => *to = Strength::PerNeuron(singles),
            (None, Strength::PerGroup(_)) => {}
            (None, _) => {
                let at = |feature: usize, problem: usize| match strengths[of_problem[problem]] {
                    Some(Strength::PerFeature(strengths)) => strengths[feature],
                    Some(Strength::PerCoefficient(strengths)) => strengths[(feature, problems[problem].1)],
                    _ => single(problem).unwrap_or_default(),
                };
                *to = Strength::PerCoefficient(Array2::from_shape_fn((n_features, problems.len()), |(i, j)| at(i, j)));
            }
        }
    }
    Ok(model.with_options(options))
}

/// What a candidate is worth on each fold of a piece.
fn scores<B: Backend, O: ObservationModel, L: InverseLink>(
    fitted: &FittedPopulationGlm<O, L>,
    piece: &Piece<'_, B>,
    scoring: &Scoring,
) -> Result<Vec<Scored>, Error> {
    let n_neurons = piece.counts.n_columns();
    let of_fold = |(fold, (design, counts)): (usize, &(Design<'_, B>, Design<'_, B>))| {
        let first = fold * n_neurons;
        let fitted = fitted.select(&(first..first + n_neurons).collect::<Vec<_>>())?;
        let scored = scoring.of(&fitted, (design, counts));
        let (score, by_neuron) = scored.map_err(|error| error.in_fold(piece.folds[fold]))?;
        let size = |coef: ndarray::ArrayView1<'_, f64>| coef.iter().filter(|coef| **coef != 0.0).count() as f64;
        let statuses = fitted.outcome().statuses();
        Ok(Scored {
            score,
            by_neuron,
            sizes: fitted.coef().columns().into_iter().map(size).collect(),
            n_unconverged: statuses.filter(|status| *status != Status::Converged).count(),
        })
    };
    piece.tests.iter().enumerate().map(of_fold).collect()
}

//! Searches over grids.

use std::fmt;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;

use nemos_basis::Inputs;
use nemos_core::{Backend, Digest, ToDesign};
use rand::Rng;

use crate::checkpoint::Checkpoint;
use crate::found::Search;
use crate::refit::refit;
use crate::row::Row;
use crate::searchable::{Data, Searchable, data};
use crate::{Choice, Distributions, Error, Folds, Grid, Rule, Scoring, Settings, Table};

/// A search over a grid: every candidate is fitted on the training rows of every fold and scored on its test rows; the one that the
/// rule chooses is fitted to all rows.
///
/// All folds and all neurons are one batch, which shares every pass over the design. Strengths of one penalty follow each other, the
/// strongest first: they share the moments of the features, and each starts where the one before ended.
///
/// # Options
/// | option | default |
/// |---|---|
/// | `folds` | [`Folds::k`] of 5 |
/// | `scoring` | log-likelihood |
/// | `rule` | [`Rule::Best`] |
/// | `choice` | [`Choice::Shared`]: one candidate for all neurons |
/// | `progress` | nobody hears of it |
/// | `checkpoint` | no file |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, Poisson, Regularizer};
/// use nemos_select::{Grid, GridSearch, log_spaced};
///
/// let stimulus = Matrix::<Cpu>::from_column((0..100).map(|bin| f64::from(bin * 7 % 11) / 11.0).collect());
/// let counts = Matrix::from_column((0..100).map(|bin| f64::from(bin * 7 % 11 / 3)).collect());
/// let model = Glm::new(Poisson).regularizer(Regularizer::Ridge(1.0.into()));
/// let search = GridSearch::new(model, Grid::new().over("strength", log_spaced(1e-3, 10.0, 5))).fit(&stimulus, &counts)?;
/// assert_eq!(search.best().settings().to_string(), "strength = 0.001");
/// assert!(search.fitted().coef()[0] > 1.0);
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[doc(alias = "GridSearchCV")]
#[derive(Clone)]
#[must_use]
pub struct GridSearch<S> {
    candidates: Candidates<S>,
    pub(crate) options: SearchOptions,
}

#[derive(Clone, Debug)]
enum Candidates<S> {
    Grid(S, Vec<Settings>),
    Whole(Vec<(String, S)>),
}

/// How candidates are compared.
#[derive(Clone, Default)]
pub(crate) struct SearchOptions {
    pub(crate) folds: Folds,
    pub(crate) scoring: Option<Scoring>,
    pub(crate) rule: Rule,
    pub(crate) choice: Choice,
    pub(crate) progress: Option<Arc<Listener>>,
    pub(crate) checkpoint: Option<PathBuf>,
}

/// Hears how many fits are done, of how many; says whether to go on.
type Listener = dyn Fn(usize, usize) -> ControlFlow<()> + Send + Sync;

impl SearchOptions {
    pub(crate) fn scoring(&self) -> Scoring {
        self.scoring.clone().unwrap_or(Scoring::Score(nemos_glm::Score::LogLikelihood))
    }
}

impl<S: fmt::Debug> fmt::Debug for GridSearch<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GridSearch")
            .field("candidates", &self.candidates)
            .field("folds", &self.options.folds)
            .finish_non_exhaustive()
    }
}

impl<S: Searchable> GridSearch<S> {
    /// Every candidate of a grid over the parameters of a specification.
    pub fn new(specification: S, grid: Grid) -> Self {
        Self::over_settings(specification, grid.candidates())
    }

    /// These candidates.
    pub fn over_settings(specification: S, settings: Vec<Settings>) -> Self {
        GridSearch {
            candidates: Candidates::Grid(specification, settings),
            options: SearchOptions::default(),
        }
    }

    /// So many candidates whose parameters are drawn from distributions. All options are those of a search over a grid, successive
    /// halving included.
    ///
    /// # Errors
    /// As [`Distributions::draw`].
    ///
    /// # Example
    /// ```
    /// use nemos_glm::{Glm, Poisson, Regularizer};
    /// use nemos_select::{Distribution, Distributions, GridSearch};
    /// use rand::SeedableRng;
    /// let model = Glm::new(Poisson).regularizer(Regularizer::Ridge(1.0.into()));
    /// let strengths = Distributions::new().over("strength", Distribution::LogUniform(1e-4, 1.0));
    /// let _search = GridSearch::at_random(model, &strengths, 20, &mut rand_chacha::ChaCha8Rng::seed_from_u64(1))?;
    /// # Ok::<(), nemos_select::Error>(())
    /// ```
    pub fn at_random<R: Rng + ?Sized>(specification: S, distributions: &Distributions, n: usize, rng: &mut R) -> Result<Self, Error> {
        Ok(Self::over_settings(specification, distributions.draw(n, rng)?))
    }

    /// These specifications, by name.
    ///
    /// # Example
    /// ```
    /// use nemos_glm::{Glm, Poisson, Regularizer};
    /// use nemos_select::GridSearch;
    /// let plain = Glm::new(Poisson);
    /// let ridge = plain.clone().regularizer(Regularizer::Ridge(0.1.into()));
    /// let _search = GridSearch::of([("plain", plain), ("ridge", ridge)]);
    /// ```
    pub fn of<N: Into<String>>(candidates: impl IntoIterator<Item = (N, S)>) -> Self {
        GridSearch {
            candidates: Candidates::Whole(candidates.into_iter().map(|(name, model)| (name.into(), model)).collect()),
            options: SearchOptions::default(),
        }
    }

    /// Some of the candidates, by their numbers, and a file of their own if `round` says which.
    pub(crate) fn only(&self, which: &[usize], round: Option<usize>) -> Self {
        let candidates = match &self.candidates {
            Candidates::Grid(specification, settings) => {
                Candidates::Grid(specification.clone(), which.iter().map(|&place| settings[place].clone()).collect())
            }
            Candidates::Whole(candidates) => Candidates::Whole(which.iter().map(|&place| candidates[place].clone()).collect()),
        };
        let options = SearchOptions {
            checkpoint: self.options.checkpoint.clone().map(|path| match round {
                None => path,
                Some(round) => {
                    let mut of_round = path.into_os_string();
                    of_round.push(format!(".{round}"));
                    of_round.into()
                }
            }),
            ..self.options.clone()
        };
        GridSearch { candidates, options }
    }

    /// How rows are cut into training and test rows.
    pub fn folds(mut self, folds: Folds) -> Self {
        self.options.folds = folds;
        self
    }

    /// What test rows are scored by.
    pub fn scoring(mut self, scoring: impl Into<Scoring>) -> Self {
        self.options.scoring = Some(scoring.into());
        self
    }

    /// Which candidate is chosen.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.options.rule = rule;
        self
    }

    /// Whether neurons share a choice.
    pub fn choice(mut self, choice: Choice) -> Self {
        self.options.choice = choice;
        self
    }

    /// Hears how many fits (of a candidate on a fold, all neurons) are done, and of how many, after every batch; a
    /// [`Break`](ControlFlow::Break) stops the search.
    pub fn progress(mut self, listener: impl Fn(usize, usize) -> ControlFlow<()> + Send + Sync + 'static) -> Self {
        self.options.progress = Some(Arc::new(listener));
        self
    }

    /// Writes what is done to a file after every batch. A search that finds the file of the same search, stopped, goes on from
    /// there: the model, the folds, the scoring and the data must be the same. Candidates that failed are tried again. Each round of a
    /// [halving](GridSearch::fit_halving) but the last has a file of its own, `search.json.1` beside `search.json`.
    pub fn checkpoint(mut self, path: impl Into<PathBuf>) -> Self {
        self.options.checkpoint = Some(path.into());
        self
    }

    /// The candidates, with their settings; those whose settings cannot be taken have the reason.
    #[allow(clippy::type_complexity, reason = "settings, and what they make or why they do not")]
    pub(crate) fn candidates(&self) -> Vec<(Settings, Result<S, Error>)> {
        match &self.candidates {
            Candidates::Grid(specification, settings) => {
                let made = |settings: &Settings| (settings.clone(), specification.with_all(settings));
                settings.iter().map(made).collect()
            }
            Candidates::Whole(candidates) => {
                let named = |(name, model): &(String, S)| {
                    (
                        Settings::default().and("model", crate::Value::Name(name.clone())),
                        Ok(model.clone()),
                    )
                };
                candidates.iter().map(named).collect()
            }
        }
    }

    /// Searches.
    ///
    /// # Errors
    /// If the folds do not suit the rows, if no candidate can be fitted and scored, and if the search is stopped or its file cannot be
    /// written. A candidate that cannot be fitted is a row with the reason.
    pub fn fit<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>, counts: &'a (impl ToDesign<B> + ?Sized)) -> Result<Search<S>, Error> {
        let data = data(inputs.designs(), counts.to_design(), &self.options.folds)?;
        let (candidates, table) = self.table(&data)?;
        self.choose(table, &candidates, &data)
    }

    /// Chooses, and fits what was chosen to all rows.
    pub(crate) fn choose<B: Backend>(&self, table: Table, candidates: &[Option<S>], data: &Data<'_, B>) -> Result<Search<S>, Error> {
        let choose = |neuron: Option<usize>| match neuron {
            None => table.choose(self.options.rule),
            Some(neuron) => table
                .choose_for(neuron, self.options.rule)
                .or_else(|| table.choose(self.options.rule)),
        };
        let n_neurons = data.counts.n_columns();
        let chosen: Option<Vec<usize>> = match self.options.choice {
            Choice::Shared => choose(None).map(|row| vec![row; n_neurons]),
            Choice::PerNeuron => (0..n_neurons).map(|neuron| choose(Some(neuron))).collect(),
        };
        let Some(chosen) = chosen else {
            let reason = table.rows.iter().find_map(Row::failure).unwrap_or("its scores are not numbers");
            return Err(Error::AllFailed { reason: reason.into() });
        };
        let models = refit(candidates, &chosen, data)?;
        Ok(Search {
            best: table.choose(self.options.rule).unwrap_or(chosen[0]),
            table,
            chosen,
            models,
        })
    }

    /// Fits and scores every candidate.
    #[allow(clippy::type_complexity, reason = "candidates that there are, and what they are worth")]
    pub(crate) fn table<B: Backend>(&self, data: &Data<'_, B>) -> Result<(Vec<Option<S>>, Table), Error> {
        let candidates = self.candidates();
        if candidates.is_empty() {
            return Err(Error::NoCandidates);
        }
        let scoring = self.options.scoring();
        let mut checkpoint = Checkpoint::open(self.options.checkpoint.clone(), data, &scoring)?;
        // For a file alone: the mask of many neurons is long in print.
        let has_file = self.options.checkpoint.is_some();
        let number = |made: &Result<S, Error>| match made {
            Ok(made) if has_file => Digest::of_text(&made.printed()),
            _ => 0,
        };
        let numbers: Vec<u64> = candidates.iter().map(|(_, made)| number(made)).collect();
        let known = |((settings, _), number): (&(Settings, _), &u64)| checkpoint.row(settings, *number, &numbers);
        let mut rows = candidates
            .iter()
            .zip(&numbers)
            .map(known)
            .collect::<Result<Vec<Option<Row>>, Error>>()?;
        let (mut specifications, mut first_error) = (Vec::with_capacity(candidates.len()), None);
        for ((settings, made), row) in candidates.into_iter().zip(&mut rows) {
            match made {
                Ok(specification) => specifications.push((settings, Some(specification))),
                Err(error) => {
                    let failed = Err(error);
                    *row = Some(Row::new(settings.clone(), 0.0, &failed));
                    first_error = first_error.or(failed.err());
                    specifications.push((settings, None));
                }
            }
        }
        let to_do: Vec<usize> = (0..rows.len()).filter(|&row| rows[row].is_none()).collect();
        let models: Vec<S> = to_do.iter().filter_map(|&row| specifications[row].1.clone()).collect();
        let n_folds = data.splits.len();
        let (total, mut finished) = (rows.len() * n_folds, (rows.len() - to_do.len()) * n_folds);
        S::evaluate(&models, data, &scoring, &mut |evaluated| {
            for (place, evaluated) in evaluated {
                let row = to_do[place];
                rows[row] = Some(Row::new(specifications[row].0.clone(), models[place].strength(), &evaluated));
                first_error = first_error.take().or(evaluated.err());
                finished += n_folds;
            }
            checkpoint.write(numbers.iter().zip(&rows).filter_map(|(number, row)| Some((*number, row.as_ref()?))))?;
            match self.options.progress.as_ref().map(|listener| listener(finished, total)) {
                Some(ControlFlow::Break(())) if finished < total => Err(Error::Stopped { done: finished, total }),
                _ => Ok(()),
            }
        })?;
        let rows: Vec<Row> = rows.into_iter().flatten().collect();
        if let Some(error) = first_error.filter(|_| rows.iter().all(|row| row.failure().is_some())) {
            return Err(error);
        }
        let table = Table {
            scoring: scoring.to_string(),
            neurons: data.counts.names().columns_or_numbers(data.counts.n_columns()),
            rows,
        };
        Ok((specifications.into_iter().map(|(_, made)| made).collect(), table))
    }
}

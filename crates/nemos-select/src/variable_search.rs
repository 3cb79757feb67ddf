//! Searches for the named blocks of features that a neuron needs.

use ndarray::Array2;
use nemos_core::{Backend, ToDesign};
use nemos_glm::{FeatureMask, InverseLink, ObservationModel, PopulationGlm};

use crate::row::Row;
use crate::search::GridSearch;
use crate::searchable::data;
use crate::{Error, Folds, Rule, Scoring, VariableStep, Variables};

/// From which end blocks are searched.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// From none, adding the one that helps most.
    #[default]
    Forward,
    /// From all, leaving out the one that is missed least.
    Backward,
}

/// A greedy search over the named blocks of a design, by held-out score, for every neuron at once: each has its own blocks.
///
/// A step adds (or leaves out) the block after which the mean score over folds is best, as long as it gains; under
/// [`Rule::OneStandardError`], as long as an added block gains more than one standard error of the gain over folds, and a block that is
/// left out costs less. A fold in which a neuron has no score, because it is silent there, is left out for that neuron; a
/// [mask](PopulationGlm::feature_mask) of the model holds whatever blocks a neuron takes.
///
/// # Options
/// | option | default |
/// |---|---|
/// | `direction` | `Forward` |
/// | `folds` | [`Folds::k`] of 5 |
/// | `scoring` | log-likelihood |
/// | `rule` | [`Rule::Best`] |
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Features, Matrix};
/// use nemos_glm::{Poisson, PopulationGlm};
/// use nemos_select::VariableSearch;
///
/// // The first neuron follows `place`, the second `speed`; `noise` is none of theirs.
/// let column = |of: fn(i32) -> f64| Matrix::<Cpu>::from_column((0..400).map(of).collect());
/// let (place, speed, noise) = (column(|t| f64::from(t * 7 % 11) / 11.0), column(|t| f64::from(t * 5 % 13) / 13.0), column(|t| f64::from(t * 3 % 17)));
/// let features = Features::new().with("place", place)?.with("speed", speed)?.with("noise", noise)?;
/// let counts = (0..400).flat_map(|t| [f64::from(t * 7 % 11 / 2), f64::from(t * 5 % 13 / 2)]).collect();
/// let found = VariableSearch::new(PopulationGlm::new(Poisson)).fit(&features, &Matrix::from_vec(counts, [400, 2])?)?;
/// assert_eq!(found.blocks_of(0), ["place"]);
/// assert_eq!(found.blocks_of(1), ["speed"]);
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[doc(alias("SequentialFeatureSelector", "stepwise"))]
#[derive(Clone, Debug)]
#[must_use]
pub struct VariableSearch<O, L> {
    model: PopulationGlm<O, L>,
    direction: Direction,
    folds: Folds,
    scoring: Scoring,
    rule: Rule,
}

impl<O: ObservationModel, L: InverseLink> VariableSearch<O, L> {
    /// Over the blocks of the design that this model is fitted to.
    pub fn new(model: PopulationGlm<O, L>) -> Self {
        VariableSearch {
            model,
            direction: Direction::Forward,
            folds: Folds::default(),
            scoring: Scoring::Score(nemos_glm::Score::LogLikelihood),
            rule: Rule::Best,
        }
    }

    /// From which end blocks are searched.
    pub fn direction(mut self, direction: Direction) -> Self {
        self.direction = direction;
        self
    }

    /// How rows are cut into training and test rows.
    pub fn folds(mut self, folds: Folds) -> Self {
        self.folds = folds;
        self
    }

    /// What test rows are scored by.
    pub fn scoring(mut self, scoring: impl Into<Scoring>) -> Self {
        self.scoring = scoring.into();
        self
    }

    /// Whether any gain counts, or one that stands out of its scatter over folds.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rule = rule;
        self
    }

    /// Searches, and fits each neuron with its blocks to all rows.
    ///
    /// # Errors
    /// [`nemos_core::Error::NoNames`] if the design has no named blocks, and as [`GridSearch::fit`].
    pub fn fit<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        counts: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Variables<O, L>, Error> {
        let (design, counts) = (design.to_design(), counts.to_design());
        let blocks = design.names().block_names();
        if blocks.is_empty() {
            return Err(nemos_core::Error::NoNames {
                asked: "blocks to choose from".into(),
            }
            .into());
        }
        let n_neurons = counts.n_columns();
        let data = data(vec![design.clone()], counts.clone(), &self.folds)?;
        let forward = self.direction == Direction::Forward;
        let mut kept = Array2::from_elem((blocks.len(), n_neurons), !forward);
        let resolved = |mask: &FeatureMask| mask.resolve(design.names(), design.n_columns(), n_neurons);
        let allowed = self.model.mask().map(resolved).transpose()?;
        let masked = |kept: &Array2<bool>| -> Result<PopulationGlm<O, L>, Error> {
            let mut of_blocks = mask(&blocks, kept);
            if let Some(allowed) = &allowed {
                let mut free = resolved(&of_blocks)?;
                free.zip_mut_with(allowed, |free, allowed| *free &= *allowed);
                of_blocks = free.into();
            }
            Ok(self.model.clone().feature_mask(of_blocks))
        };
        let evaluate = |kept: &[Array2<bool>]| -> Result<Vec<Row>, Error> {
            let candidate = |(place, kept): (usize, &Array2<bool>)| Ok((place.to_string(), masked(kept)?));
            let candidates = kept.iter().enumerate().map(candidate).collect::<Result<Vec<_>, Error>>()?;
            Ok(GridSearch::of(candidates).scoring(self.scoring.clone()).table(&data)?.1.rows)
        };
        let mut rows: Vec<Row> = evaluate(std::slice::from_ref(&kept))?;
        // Where a neuron has no score, no block changes that.
        let told = |neuron: usize| {
            let scores = rows[0].scores_of(neuron).into_iter().enumerate();
            scores.filter(|(_, score)| !score.is_nan()).map(|(fold, _)| fold).collect()
        };
        let told: Vec<Vec<usize>> = (0..n_neurons).map(told).collect();
        let scores_of = |row: &Row, neuron: usize| -> Vec<f64> {
            let scores = row.scores_of(neuron);
            told[neuron]
                .iter()
                .map(|&fold| scores.get(fold).copied().unwrap_or(f64::NAN))
                .collect()
        };
        let mut scores: Vec<Vec<f64>> = (0..n_neurons).map(|neuron| scores_of(&rows[0], neuron)).collect();
        let mut moving = vec![true; n_neurons];
        let mut history = Vec::new();
        while moving.contains(&true) {
            // A candidate for each block: it changes in every neuron that may still move and has it as it was.
            let changed = |block: usize| {
                let mut changed = kept.clone();
                for neuron in (0..n_neurons).filter(|&neuron| moving[neuron]) {
                    changed[(block, neuron)] = forward;
                }
                changed
            };
            let changed: Vec<Array2<bool>> = (0..blocks.len()).map(changed).collect();
            let can_move = |block: usize, neuron: usize| moving[neuron] && kept[(block, neuron)] != forward;
            let some: Vec<usize> = (0..blocks.len())
                .filter(|&block| (0..n_neurons).any(|neuron| can_move(block, neuron)))
                .collect();
            if some.is_empty() {
                break;
            }
            rows = evaluate(&some.iter().map(|&block| changed[block].clone()).collect::<Vec<_>>())?;
            let steps: Vec<Option<(usize, Vec<f64>)>> = (0..n_neurons)
                .map(|neuron| {
                    let reached = some.iter().enumerate().filter(|(_, block)| can_move(**block, neuron));
                    let reached = reached.map(|(place, &block)| (block, scores_of(&rows[place], neuron)));
                    let best = reached
                        .filter(|(_, scores)| !mean(scores).is_nan())
                        .max_by(|a, b| mean(&a.1).total_cmp(&mean(&b.1)));
                    best.filter(|(_, after)| self.is_worth_it(&scores[neuron], after))
                })
                .collect();
            for (neuron, step) in steps.into_iter().enumerate() {
                match step {
                    Some((block, after)) => {
                        kept[(block, neuron)] = forward;
                        history.push(VariableStep {
                            neuron,
                            block: blocks[block].clone(),
                            score: mean(&after),
                        });
                        scores[neuron] = after;
                    }
                    None => moving[neuron] = false,
                }
            }
        }
        let fitted = masked(&kept)?.fit(&design, &counts)?;
        Ok(Variables {
            neurons: counts.names().columns_or_numbers(n_neurons),
            scores: scores.iter().map(|scores| mean(scores)).collect(),
            blocks,
            kept,
            history,
            fitted,
        })
    }

    /// Whether a step is taken, from the scores of every fold before and after it.
    fn is_worth_it(&self, before: &[f64], after: &[f64]) -> bool {
        let gains: Vec<f64> = after.iter().zip(before).map(|(after, before)| after - before).collect();
        let gain = mean(&gains);
        let n = gains.len() as f64;
        let error = (gains.iter().map(|x| (x - gain).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
        match (self.rule, self.direction) {
            (Rule::Best, Direction::Forward) => gain > 0.0,
            // What is as good without a block needs it no more.
            (Rule::Best, Direction::Backward) => gain >= 0.0,
            (Rule::OneStandardError, Direction::Forward) => gain > error,
            (Rule::OneStandardError, Direction::Backward) => gain >= -error,
        }
    }
}

fn mean(scores: &[f64]) -> f64 {
    scores.iter().sum::<f64>() / scores.len() as f64
}

/// `kept`: `[n_blocks, n_neurons]`
fn mask(blocks: &[String], kept: &Array2<bool>) -> FeatureMask {
    FeatureMask::Blocks(
        blocks
            .iter()
            .cloned()
            .zip(kept.rows().into_iter().map(|row| row.to_vec()))
            .collect(),
    )
}

//! The bootstrap: what other trials would have given.

use ndarray::{Array2, Array3, ArrayView2, Axis, s};
use nemos_core::{Backend, Matrix};
use nemos_glm::{Problems, Regularizer, Strength};
use nemos_solvers::{Auto, Parameters, Penalized, Status, minimize};
use rand::{Rng, RngExt};

use crate::error::check_length;
use crate::rows::with_extras;
use crate::{Bootstrapped, Error, Inference};

/// What is drawn again.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Resampled {
    /// Whole segments of the design: trials, epochs.
    #[default]
    Segments,
    /// Blocks of so many rows within segments: for one long recording. They should span several times that over which rows depend on
    /// each other, and `n^(1/3)` rows at least.
    Blocks(usize),
}

/// How a bootstrap draws.
///
/// # Options
/// | option | default | meaning |
/// |---|---|---|
/// | `resampled` | [`Resampled::Segments`] | what is drawn again |
/// | `replicates` | 1000 | how often |
/// | `one_step` | no | one step of Newton from the fit instead of a fit: a pass over the data for all replicates |
///
/// # References
/// Efron & Tibshirani (1993), *An Introduction to the Bootstrap*; Künsch (1989), *Ann. Statistics* 17.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Bootstrap {
    resampled: Resampled,
    replicates: usize,
    one_step: bool,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Bootstrap {
            resampled: Resampled::Segments,
            replicates: 1000,
            one_step: false,
        }
    }
}

impl Bootstrap {
    /// With the default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is drawn again.
    #[must_use]
    pub fn resampled(mut self, resampled: Resampled) -> Self {
        self.resampled = resampled;
        self
    }

    /// How many replicates.
    #[must_use]
    pub fn replicates(mut self, replicates: usize) -> Self {
        self.replicates = replicates;
        self
    }

    /// Takes one step from the fit for each replicate, instead of fitting it.
    #[must_use]
    pub fn one_step(mut self) -> Self {
        self.one_step = true;
        self
    }
}

// With fewer than this, draws are too much alike.
const FEW: usize = 10;

impl<B: Backend> Inference<'_, B> {
    /// Fits the model again to rows that are drawn anew, segment by segment or block by block: a replicate is a number of copies of each,
    /// which are weights of its rows. All replicates and neurons are one batch of fits, and share what is known of the features.
    ///
    /// It works after any penalty, a lasso included. Where processes share the rows in whole segments, all of them draw the same: their generators
    /// start alike.
    ///
    /// # Errors
    /// [`Error::TooFew`] with fewer than two segments or blocks, or no replicates; if a fit cannot be made.
    ///
    /// # Example
    /// ```
    /// use nemos_core::{Cpu, Design, Matrix, Segments};
    /// use nemos_glm::{Glm, Poisson};
    /// use nemos_inference::{Bootstrap, Infer};
    /// use rand::SeedableRng;
    /// let stimulus = Matrix::<Cpu>::from_column((0..400).map(|bin| f64::from(bin % 7)).collect());
    /// let design = Design::from(stimulus).with_segments(Segments::from_lengths([20; 20]))?;
    /// let counts = Matrix::from_column((0..400).map(|bin| f64::from((bin % 7 + bin % 3) / 3)).collect());
    /// let fitted = Glm::new(Poisson).fit(&design, &counts)?;
    /// let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    /// let bootstrapped = fitted.inference(&design, &counts)?.bootstrap(&Bootstrap::new().replicates(50), &mut rng)?;
    /// assert_eq!(bootstrapped.percentile(0.95)?.dim(), (2, 1, 2));
    /// # Ok::<(), nemos_inference::Error>(())
    /// ```
    pub fn bootstrap<R: Rng + ?Sized>(&self, options: &Bootstrap, rng: &mut R) -> Result<Bootstrapped, Error> {
        let (of_row, n_units) = self.units(options.resampled)?;
        let mut copies = Array2::zeros((options.replicates, n_units));
        for mut replicate in copies.rows_mut() {
            (0..n_units).for_each(|_| replicate[rng.random_range(0..n_units)] += 1.0);
        }
        self.bootstrapped(&of_row, copies.view(), options.one_step)
    }

    /// The same with given numbers of copies of each segment or block, `[n_replicates, n_units]`.
    ///
    /// # Errors
    /// As [`bootstrap`](Inference::bootstrap), and unless there is a number for each.
    pub fn bootstrap_with(&self, options: &Bootstrap, copies: ArrayView2<'_, f64>) -> Result<Bootstrapped, Error> {
        let (of_row, n_units) = self.units(options.resampled)?;
        check_length("the copies", "columns", copies.ncols(), (n_units, "one per segment or block"))?;
        self.bootstrapped(&of_row, copies, options.one_step)
    }

    /// The segment or block of every row, and how many there are.
    fn units(&self, resampled: Resampled) -> Result<(Vec<usize>, usize), Error> {
        self.design
            .check_whole_segments("a bootstrap of rows that are not shared in whole segments (World::share_segments)")?;
        let segments = self.design.segments();
        let (mut of_row, mut n_units) = (Vec::with_capacity(segments.n_rows()), 0);
        for range in segments.ranges().iter().filter(|range| !range.is_empty()) {
            let length = match resampled {
                Resampled::Segments => range.len(),
                Resampled::Blocks(rows) => rows.max(1),
            };
            of_row.extend((0..range.len()).map(|place| n_units + place / length));
            n_units += range.len().div_ceil(length);
        }
        // They are counted through all processes that share the rows.
        if let Some(share) = self.design.share() {
            let of_processes = self.design.gathered(vec![n_units as f64])?.concat();
            let before = of_processes[..share.world().rank()].iter().sum::<f64>() as usize;
            of_row.iter_mut().for_each(|unit| *unit += before);
            n_units = of_processes.iter().sum::<f64>() as usize;
        }
        if n_units < 2 {
            return Err(Error::TooFew {
                what: "segments or blocks",
                got: n_units,
                needed: 2,
            });
        }
        Ok((of_row, n_units))
    }

    fn bootstrapped(&self, of_row: &[usize], copies: ArrayView2<'_, f64>, one_step: bool) -> Result<Bootstrapped, Error> {
        let (n_replicates, n_units) = copies.dim();
        if n_replicates == 0 {
            return Err(Error::TooFew {
                what: "replicates",
                got: 0,
                needed: 1,
            });
        }
        let n_parameters = self.n_parameters();
        let replicates = match one_step {
            true => self.one_step(of_row, copies)?,
            false => self.refitted(of_row, copies)?,
        };
        let is_dropped = |neuron: usize| replicates.slice(s![.., 0, neuron]).iter().filter(|value| value.is_nan()).count();
        let mut notes = Vec::new();
        if n_units < FEW {
            notes.push(format!(
                "{n_units} segments or blocks only: intervals are too short; take at least {FEW}"
            ));
        }
        Ok(Bootstrapped {
            parameters: self.model.parameters().to_array(n_parameters),
            dropped: (0..self.n_neurons()).map(is_dropped).collect(),
            replicates,
            notes,
        })
    }

    /// `β̂ + A Σ_e (c_e − 1) G_e`, with `G` the scores of segments.
    fn one_step(&self, of_row: &[usize], copies: ArrayView2<'_, f64>) -> Result<Array3<f64>, Error> {
        if let Some(penalty) = self.sparse {
            return Err(Error::NotNormal { penalty });
        }
        if self.model.n_predictors() > 1 {
            return Err(Error::NotForClassifiers {
                what: "a step from the fit",
                why: "let each replicate be fitted",
            });
        }
        let (n_replicates, n_units) = copies.dim();
        let n_parameters = self.n_parameters();
        // Each segment or block is of one process.
        let here = self.group_scores(of_row, n_units);
        let here = here.map(|scores| vec![(0, scores.iter().flatten().copied().collect())]);
        let scores = self
            .design
            .added_up("scores of units", here, self.n_neurons() * n_parameters * n_units)?;
        let scores = scores.chunks_exact((n_parameters * n_units).max(1));
        let scores = scores.map(|scores| Array2::from_shape_fn((n_parameters, n_units), |(i, unit)| scores[i * n_units + unit]));
        let mut replicates = Array3::from_elem((n_replicates, n_parameters, self.n_neurons()), f64::NAN);
        for (neuron, scores) in scores.enumerate() {
            let Ok(bread) = &self.of_neurons[neuron].bread else { continue };
            let steps = bread.inverse.to_array().dot(&scores.dot(&(&copies - 1.0).t()));
            let steps = self.columns.unstandardise_rows(&steps);
            for replicate in 0..n_replicates {
                for (parameter, at) in self.model.parameters().column(neuron).iter().enumerate() {
                    replicates[(replicate, parameter, neuron)] = at + steps[(parameter, replicate)];
                }
            }
        }
        Ok(replicates)
    }

    /// A fit of every replicate and neuron.
    fn refitted(&self, of_row: &[usize], copies: ArrayView2<'_, f64>) -> Result<Array3<f64>, Error> {
        let (n_replicates, n_neurons, n_parameters) = (copies.nrows(), self.n_neurons(), self.n_parameters());
        let mut replicates = Array3::from_elem((n_replicates, n_parameters, n_neurons), f64::NAN);
        let known = self.design.weights().map(Matrix::to_array);
        let per_neuron = known.as_ref().is_some_and(|known| known.ncols() > 1);
        // As many replicates at a time as their weights, and the state of their fits, take little memory.
        let width = if per_neuron { n_neurons } else { 1 };
        let of_fits = 64 * n_parameters * n_neurons;
        let n_rows = self.design.n_rows_of_all();
        let at_a_time = ((1 << 24) / (n_rows * width + of_fits).max(1)).clamp(1, 256);
        for group in nemos_core::row_chunks(n_replicates, at_a_time) {
            let weights = Array2::from_shape_fn((of_row.len(), group.len() * width), |(row, column)| {
                let copies = copies[(group.start + column / width, of_row[row])];
                copies * known.as_ref().map_or(1.0, |known| known[(row, column % width)])
            });
            let design = with_extras(
                self.design.clone(),
                Some(Matrix::from_array(weights.view())),
                self.design.offset().cloned(),
            )?;
            let places: Vec<(usize, usize)> = group
                .clone()
                .flat_map(|replicate| (0..n_neurons).map(move |j| (replicate, j)))
                .collect();
            // A replicate in which a neuron has no rows is dropped before a fit refuses it.
            let empty = self.empty(&weights, width)?;
            let kept: Vec<(usize, usize)> = places.into_iter().filter(|&(i, j)| !empty[(i - group.start, j)]).collect();
            if kept.is_empty() {
                continue;
            }
            let columns = kept
                .iter()
                .map(|&(replicate, neuron)| (replicate - group.start) * width + if per_neuron { neuron } else { 0 });
            let problems = Problems::of_responses(kept.iter().map(|&(_, neuron)| neuron)).weighted_by(columns)?;
            let responses: Vec<usize> = kept.iter().map(|&(_, neuron)| neuron).collect();
            let objective = self.model.training(problems, &design, &self.counts)?;
            let penalty = self.penalty_of(&responses)?;
            let start = Parameters::from_columns(n_parameters, responses.iter().map(|&neuron| self.model.parameters().column(neuron)));
            let stopping = self.model.options().stopping;
            let solution = minimize(&Penalized::new(&objective, &penalty), &Auto::new(), stopping, &start)?;
            for (place, &(replicate, neuron)) in kept.iter().enumerate() {
                let is_edge = objective.on_edge()[place];
                if solution.outcome.columns[place].status == Status::Converged && !is_edge {
                    let column = solution.parameters.column(place);
                    replicates.slice_mut(s![replicate, .., neuron]).assign(&ndarray::aview1(column));
                }
            }
        }
        Ok(replicates)
    }

    /// `[n_replicates, n_neurons]`: whether a replicate leaves a neuron without a row.
    fn empty(&self, weights: &Array2<f64>, width: usize) -> Result<Array2<bool>, Error> {
        let n_neurons = self.n_neurons();
        let n_replicates = weights.ncols() / width;
        let mut has_rows = vec![0.0; n_replicates * n_neurons];
        let looked = self.each_count(|row, _, used| {
            for (place, has_rows) in has_rows.iter_mut().enumerate().filter(|(_, has_rows)| **has_rows == 0.0) {
                let (replicate, neuron) = (place / n_neurons, place % n_neurons);
                let column = replicate * width + if width > 1 { neuron } else { 0 };
                *has_rows = f64::from(u8::from(used[neuron] > 0.0 && weights[(row, column)] > 0.0));
            }
        });
        let all = self.design.added_up(
            "replicates with rows",
            looked.map(|()| vec![(0, has_rows)]),
            n_replicates * n_neurons,
        )?;
        Ok(Array2::from_shape_fn((n_replicates, n_neurons), |(replicate, neuron)| {
            all[replicate * n_neurons + neuron] == 0.0
        }))
    }

    /// The penalty, with a strength for each problem where there was one for each neuron.
    fn penalty_of(&self, responses: &[usize]) -> Result<Regularizer, Error> {
        let n_predictors = self.model.n_predictors();
        let columns = responses
            .iter()
            .flat_map(|neuron| neuron * n_predictors..(neuron + 1) * n_predictors);
        let columns: Vec<usize> = columns.collect();
        let of = |strength: Strength| match strength {
            Strength::PerNeuron(each) => Strength::PerNeuron(responses.iter().map(|&neuron| each[neuron]).collect()),
            Strength::PerCoefficient(each) => Strength::PerCoefficient(each.select(Axis(1), &columns)),
            other => other,
        };
        let penalty = self.model.options().regularizer.resolve(self.model.features(), self.n_features())?;
        Ok(match penalty {
            Regularizer::Ridge(strength) => Regularizer::Ridge(of(strength)),
            Regularizer::Lasso(strength) => Regularizer::Lasso(of(strength)),
            Regularizer::ElasticNet { strength, lasso_share } => Regularizer::ElasticNet {
                strength: of(strength),
                lasso_share,
            },
            Regularizer::GroupLasso { strength, groups } => Regularizer::GroupLasso {
                strength: of(strength),
                groups,
            },
            other => other,
        })
    }
}

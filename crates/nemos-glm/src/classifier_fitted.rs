//! Fitted classifiers: of many neurons, and of one.

use ndarray::{Array2, Array3, Axis};
use nemos_core::{Backend, Design, Matrix, Samples, row_blocks};
use nemos_solvers::{ColumnOutcome, Outcome, Parameters, Solution, Status};

use crate::categorical::{class_weights, log_probabilities, on_device};
use crate::data::{Chunk, Data};
use crate::rows::{Piece, in_shards};
use crate::survey::{check_shapes, complete_pieces};
use crate::{ClassifierPopulationGlm, Error, Score, Support};

/// What fitting a [`ClassifierPopulationGlm`] gives.
#[derive(Clone, Debug)]
#[must_use]
pub struct FittedClassifierPopulationGlm<B: Backend> {
    specification: ClassifierPopulationGlm,
    parameters: Parameters,
    outcome: Outcome,
    dof_resid: Vec<f64>,
    backend: std::marker::PhantomData<B>,
}

impl<B: Backend> FittedClassifierPopulationGlm<B> {
    pub(crate) fn new(specification: ClassifierPopulationGlm, solution: Solution, dof_resid: Vec<f64>) -> Self {
        FittedClassifierPopulationGlm {
            specification,
            parameters: solution.parameters,
            outcome: solution.outcome,
            dof_resid,
            backend: std::marker::PhantomData,
        }
    }

    pub(crate) fn given(specification: ClassifierPopulationGlm, parameters: Parameters) -> Self {
        let n_neurons = parameters.n_problems();
        FittedClassifierPopulationGlm {
            outcome: Outcome::new("none", vec![ColumnOutcome::new(Status::Given, 0); n_neurons]),
            dof_resid: vec![f64::NAN; n_neurons],
            specification,
            parameters,
            backend: std::marker::PhantomData,
        }
    }

    /// Takes how a fit ended and its residual degrees of freedom, one of each per neuron: for models that were fitted
    /// elsewhere.
    ///
    /// # Errors
    /// [`Error::Parameters`] unless there is one per neuron.
    pub fn with_outcome(mut self, outcome: Outcome, dof_resid: Vec<f64>) -> Result<Self, Error> {
        for got in [outcome.columns.len(), dof_resid.len()] {
            if got != self.parameters.n_problems() {
                return Err(Error::Parameters {
                    coef: self.parameters.n_problems(),
                    intercept: got,
                });
            }
        }
        (self.outcome, self.dof_resid) = (outcome, dof_resid);
        Ok(self)
    }

    /// The model without its data: classes, penalty and mask.
    pub fn specification(&self) -> &ClassifierPopulationGlm {
        &self.specification
    }

    fn n_classes(&self) -> usize {
        self.specification.n_classes()
    }

    fn n_features(&self) -> usize {
        self.parameters.n_parameters() / self.n_classes() - 1
    }

    /// `[n_features, n_neurons, n_classes]`
    pub fn coef(&self) -> Array3<f64> {
        let (n_features, n_neurons) = (self.n_features(), self.parameters.n_problems());
        Array3::from_shape_fn((n_features, n_neurons, self.n_classes()), |(feature, neuron, class)| {
            self.parameters.column(neuron)[class * (n_features + 1) + feature]
        })
    }

    /// `[n_neurons, n_classes]`
    pub fn intercept(&self) -> Array2<f64> {
        let width = self.n_features() + 1;
        Array2::from_shape_fn((self.parameters.n_problems(), self.n_classes()), |(neuron, class)| {
            self.parameters.column(neuron)[(class + 1) * width - 1]
        })
    }

    /// How the fit of each neuron ended, with the evidence.
    pub fn outcome(&self) -> &Outcome {
        &self.outcome
    }

    /// Passes the model on if the fit of every neuron converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the first neuron that did not, and its status.
    pub fn require_converged(self) -> Result<Self, Error> {
        match self.outcome.first_failure() {
            None => Ok(self),
            Some((neuron, status)) => Err(Error::NotConverged { neuron, status }),
        }
    }

    /// `[n_neurons]`: residual degrees of freedom.
    pub fn dof_resid(&self) -> &[f64] {
        &self.dof_resid
    }

    /// The most probable class of each sample, NaN where the design holds one: `[n_samples, n_neurons]`, in the kind of
    /// `samples`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, or holds an infinity.
    pub fn predict<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        let n_classes = self.n_classes();
        let n_neurons = self.parameters.n_problems();
        let labels = self.by_blocks(samples, n_neurons, |block| {
            let labels = block.to_vec().chunks_exact(n_classes).map(most_probable).collect();
            Ok(Matrix::from_vec(labels, [block.dims()[0], n_neurons])?)
        })?;
        Ok(samples.wrap(labels))
    }

    /// Logarithms of the probabilities of the classes: `[n_samples, n_neurons · n_classes]`, the classes of a neuron side
    /// by side, in the kind of `samples`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierPopulationGlm::predict).
    pub fn predict_log_probability<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        Ok(samples.wrap(self.log_probabilities(samples)?))
    }

    /// Probabilities of the classes: `[n_samples, n_neurons · n_classes]`, the classes of a neuron side by side, in the
    /// kind of `samples`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierPopulationGlm::predict).
    pub fn predict_probability<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        let log_probabilities = self.log_probabilities(samples)?;
        Ok(samples.wrap(Matrix::from_tensor(log_probabilities.into_tensor().exp())))
    }

    /// How well the model describes labels, over all neurons. The null model gives each class its frequency among the
    /// labels that are scored; McFadden's and Cohen's pseudo-R² are the same.
    ///
    /// # Errors
    /// If design and labels do not fit each other or the model.
    pub fn score(&self, design: &impl Design<B>, labels: &impl Design<B>, score: Score) -> Result<f64, Error> {
        Ok(of(&self.tallies(design, labels)?, score))
    }

    /// How well the model describes the labels of each neuron: `[n_neurons]`.
    ///
    /// # Errors
    /// As [`score`](FittedClassifierPopulationGlm::score).
    pub fn score_by_neuron(&self, design: &impl Design<B>, labels: &impl Design<B>, score: Score) -> Result<Vec<f64>, Error> {
        let tallies = self.tallies(design, labels)?;
        Ok(tallies.iter().map(|tally| of(std::slice::from_ref(tally), score)).collect())
    }

    fn check_design(&self, design: &impl Design<B>) -> Result<(), Error> {
        let (got, expected) = (design.n_features(), self.n_features());
        if got == expected {
            return Ok(());
        }
        Err(nemos_core::Error::Columns {
            name: "design",
            got,
            expected,
            why: "one per fitted coefficient",
        }
        .into())
    }

    /// What `of` makes of the log-probabilities `[n_rows, n_neurons · n_classes]` of some rows: `[n_rows, width]`.
    fn by_blocks(
        &self,
        design: &impl Design<B>,
        width: usize,
        of: impl Fn(Matrix<B>) -> Result<Matrix<B>, Error> + Send + Sync,
    ) -> Result<Matrix<B>, Error> {
        self.check_design(design)?;
        let n_columns = self.parameters.n_problems() * self.n_classes();
        let device = on_device::<B>(&self.parameters, self.n_classes());
        let block_rows = B::block_rows(design.n_features().max(n_columns));
        Matrix::by_blocks([design.n_samples(), width], block_rows, |rows| {
            let features = design.block(rows.clone())?;
            // Finds infinities; what is missing stays NaN.
            Piece::complete("design", &features, rows.start)?;
            let chunk = Chunk {
                counts: features.clone(),
                features,
                weights: None,
                offset: None,
            };
            let values = log_probabilities(&chunk, &device, self.n_classes());
            of(Matrix::from_tensor(values.reshape([rows.len(), n_columns])))
        })
    }

    fn log_probabilities(&self, design: &impl Design<B>) -> Result<Matrix<B>, Error> {
        self.by_blocks(design, self.parameters.n_problems() * self.n_classes(), Ok)
    }

    /// One tally per neuron, in one pass over the data.
    fn tallies(&self, design: &impl Design<B>, labels: &impl Design<B>) -> Result<Vec<Tally>, Error> {
        check_shapes(design, labels)?;
        self.check_design(design)?;
        let n_neurons = self.parameters.n_problems();
        if labels.n_features() != n_neurons {
            return Err(nemos_core::Error::Columns {
                name: "labels",
                got: labels.n_features(),
                expected: n_neurons,
                why: "one per fitted neuron",
            }
            .into());
        }
        let support = Support::Classes(self.n_classes());
        let data = Data::new(design, labels, Vec::new(), n_neurons);
        let all: Vec<usize> = (0..n_neurons).collect();
        let device = on_device::<B>(&self.parameters, self.n_classes());
        let blocks: Vec<_> = row_blocks(design.n_samples(), B::block_rows(design.n_features() + n_neurons)).collect();
        let shards = in_shards(&blocks, |blocks| {
            let mut tallies = vec![Tally::new(self.n_classes()); n_neurons];
            for rows in blocks {
                let block = design.block(rows.clone())?;
                for piece in complete_pieces(design, &block, rows.clone())? {
                    let chunk = data.chunk_of(&block, rows.start, &piece, &all)?;
                    for (index, value) in chunk.counts.to_vec().into_iter().enumerate() {
                        if !value.is_nan() && !support.contains(value) {
                            return Err(Error::OutsideSupport {
                                value,
                                row: piece.row(index / n_neurons),
                                column: index % n_neurons,
                                expected: support.describe(),
                            });
                        }
                    }
                    let hits = chunk.hits(self.n_classes());
                    let terms = chunk.weigh_classes(log_probabilities(&chunk, &device, self.n_classes()) * hits);
                    let sums = Matrix::<B>::from_tensor(terms.sum_dim(2).sum_dim(0).reshape([1, n_neurons])).to_vec();
                    let weights = class_weights(&chunk, self.n_classes());
                    for (neuron, (tally, sum)) in tallies.iter_mut().zip(sums).enumerate() {
                        tally.log_likelihood += sum;
                        tally.classes.iter_mut().zip(weights.column(neuron)).for_each(|(a, b)| *a += b);
                    }
                }
            }
            Ok::<_, Error>(tallies)
        })?;
        let total = shards.into_iter().reduce(|mut all, shard| {
            all.iter_mut().zip(shard).for_each(|(a, b)| a.add(&b));
            all
        });
        let total = total.unwrap_or_default();
        if total.iter().all(|tally| tally.weight() == 0.0) {
            return Err(nemos_core::Error::AllMissing {
                name: "design",
                rows: design.n_samples(),
            }
            .into());
        }
        Ok(total)
    }
}

/// The class of the highest value; NaN where there is one.
fn most_probable(log_probabilities: &[f64]) -> f64 {
    if log_probabilities.iter().any(|value| value.is_nan()) {
        return f64::NAN;
    }
    let best = (1..log_probabilities.len()).fold(0, |best, class| {
        if log_probabilities[class] > log_probabilities[best] {
            class
        } else {
            best
        }
    });
    best as f64
}

/// Sums over rows for one neuron.
#[derive(Clone, Debug)]
struct Tally {
    log_likelihood: f64,
    /// Weights of the rows of each class.
    classes: Vec<f64>,
}

impl Tally {
    fn new(n_classes: usize) -> Self {
        Tally {
            log_likelihood: 0.0,
            classes: vec![0.0; n_classes],
        }
    }

    fn add(&mut self, other: &Tally) {
        self.log_likelihood += other.log_likelihood;
        self.classes.iter_mut().zip(&other.classes).for_each(|(a, b)| *a += b);
    }

    fn weight(&self) -> f64 {
        self.classes.iter().sum()
    }

    /// The log-likelihood where each class has its frequency.
    fn null(&self) -> f64 {
        let total = self.weight();
        let present = self.classes.iter().filter(|weight| **weight > 0.0);
        present.map(|weight| weight * (weight / total).ln()).sum()
    }
}

fn of(tallies: &[Tally], score: Score) -> f64 {
    let log_likelihood: f64 = tallies.iter().map(|tally| tally.log_likelihood).sum();
    match score {
        Score::LogLikelihood => log_likelihood / tallies.iter().map(Tally::weight).sum::<f64>(),
        Score::McFadden | Score::Cohen => 1.0 - log_likelihood / tallies.iter().map(Tally::null).sum::<f64>(),
    }
}

/// What fitting a [`ClassifierGlm`](crate::ClassifierGlm) gives.
#[derive(Clone, Debug)]
#[must_use]
pub struct FittedClassifierGlm<B: Backend>(FittedClassifierPopulationGlm<B>);

impl<B: Backend> FittedClassifierGlm<B> {
    /// A population of one as a model of one neuron.
    ///
    /// # Errors
    /// [`Error::SeveralNeurons`] if there are more.
    pub fn try_from_population(population: FittedClassifierPopulationGlm<B>) -> Result<Self, Error> {
        match population.parameters.n_problems() {
            1 => Ok(FittedClassifierGlm(population)),
            n_neurons => Err(Error::SeveralNeurons { n_neurons }),
        }
    }

    /// This model as a population of one.
    pub fn population(&self) -> &FittedClassifierPopulationGlm<B> {
        &self.0
    }

    /// `[n_features, n_classes]`
    pub fn coef(&self) -> Array2<f64> {
        self.0.coef().index_axis_move(Axis(1), 0)
    }

    /// `[n_classes]`
    pub fn intercept(&self) -> Vec<f64> {
        self.0.intercept().row(0).to_vec()
    }

    /// How the fit ended, with the evidence.
    pub fn outcome(&self) -> &ColumnOutcome {
        &self.0.outcome.columns[0]
    }

    /// Name of the solver that ran.
    pub fn solver(&self) -> &'static str {
        self.0.outcome.solver
    }

    /// Passes the model on if its fit converged.
    ///
    /// # Errors
    /// [`Error::NotConverged`] with the status otherwise.
    pub fn require_converged(self) -> Result<Self, Error> {
        self.0.require_converged().map(FittedClassifierGlm)
    }

    /// Residual degrees of freedom.
    pub fn dof_resid(&self) -> f64 {
        self.0.dof_resid[0]
    }

    /// The most probable class of each sample, NaN where the design holds one: `[n_samples, 1]`.
    ///
    /// # Errors
    /// If `samples` does not have one column per coefficient, or holds an infinity.
    pub fn predict<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict(samples)
    }

    /// Logarithms of the probabilities of the classes: `[n_samples, n_classes]`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierGlm::predict).
    pub fn predict_log_probability<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict_log_probability(samples)
    }

    /// Probabilities of the classes: `[n_samples, n_classes]`.
    ///
    /// # Errors
    /// As [`predict`](FittedClassifierGlm::predict).
    pub fn predict_probability<S: Samples<B>>(&self, samples: &S) -> Result<S::Output, Error> {
        self.0.predict_probability(samples)
    }

    /// How well the model describes labels: see [`FittedClassifierPopulationGlm::score`].
    ///
    /// # Errors
    /// If design and labels do not fit each other or the model.
    pub fn score(&self, design: &impl Design<B>, labels: &impl Design<B>, score: Score) -> Result<f64, Error> {
        self.0.score(design, labels, score)
    }
}

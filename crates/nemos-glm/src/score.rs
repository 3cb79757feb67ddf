//! How well a fitted model describes data.

use nemos_core::tensor::{Tensor, backend::Backend as BurnBackend};
use nemos_core::{Backend, Design, Matrix, row_blocks};

use crate::rows::Piece;
use crate::survey::check_shapes;
use crate::{Error, Identity, InverseLink, ObservationModel};

/// How well a model describes data. More is better.
///
/// ```text
/// LogLikelihood   mean log p(counts | rate), with every constant
/// McFadden        1 − LL / LL₀
/// Cohen           (D₀ − D) / D₀
/// ```
///
/// `LL` is the log-likelihood and `D` the deviance of the model; `LL₀` and `D₀` are those of a constant rate, the mean of
/// the counts that are being scored. Means are over samples and neurons, and are taken before the ratios.
///
/// # References
/// McFadden (1974), in *Frontiers in Econometrics*; Cohen et al. (2003), *Applied Multiple Regression*, chapter 13.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Score {
    /// Mean log-likelihood.
    LogLikelihood,
    /// McFadden's pseudo-R².
    McFadden,
    /// Cohen's pseudo-R².
    Cohen,
}

/// Sums over rows for one neuron.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct Tally {
    n: f64,
    fitted: f64,
    null: f64,
}

impl Score {
    /// The score from sums of log-likelihoods or deviances.
    pub(crate) fn of(self, tallies: &[Tally]) -> f64 {
        let total = tallies.iter().fold(Tally::default(), |a, b| Tally {
            n: a.n + b.n,
            fitted: a.fitted + b.fitted,
            null: a.null + b.null,
        });
        match self {
            Score::LogLikelihood => total.fitted / total.n,
            Score::McFadden => 1.0 - total.fitted / total.null,
            Score::Cohen => (total.null - total.fitted) / total.null,
        }
    }

    /// One tally per neuron, from a pass for the mean counts and one for the sums.
    pub(crate) fn tallies<B: Backend, O: ObservationModel, L: InverseLink>(
        self,
        model: &Predictor<'_, B, O, L>,
        design: &impl Design<B>,
        counts: &impl Design<B>,
    ) -> Result<Vec<Tally>, Error> {
        check_shapes(design, counts)?;
        let n_neurons = counts.n_features();
        model.check_design(design)?;
        if n_neurons != model.intercept.len() {
            let why = "one per fitted neuron";
            return Err(nemos_core::Error::Columns {
                name: "counts",
                got: n_neurons,
                expected: model.intercept.len(),
                why,
            }
            .into());
        }
        let pieces = complete_rows(design)?;
        let mut tallies = vec![Tally::default(); n_neurons];
        let mut means = vec![0.0; n_neurons];
        for piece in &pieces {
            for row in piece.of(counts)?.to_array().rows() {
                for (neuron, &count) in row.iter().enumerate().filter(|(_, count)| !count.is_nan()) {
                    tallies[neuron].n += 1.0;
                    means[neuron] += count;
                }
            }
        }
        means.iter_mut().zip(&tallies).for_each(|(mean, tally)| *mean /= tally.n);
        let null_rate = Matrix::<B>::from_vec(means, [1, n_neurons])?.into_tensor();
        let weights = model.weights();
        for piece in &pieces {
            let counts = piece.of(counts)?.into_tensor();
            let missing = counts.clone().is_nan();
            let counts = counts.mask_fill(missing.clone(), 1.0);
            let predictor = weights.predictor(piece.of(design)?.into_tensor());
            let null_rate = null_rate.clone().expand(predictor.dims());
            let (fitted, null) = self.terms(model, counts, predictor, null_rate);
            let sum = |terms: Tensor<B::Burn, 2>| terms.mask_fill(missing.clone(), 0.0).sum_dim(0);
            let sums = Matrix::<B>::from_tensor(Tensor::cat(vec![sum(fitted), sum(null)], 0)).to_array();
            for (tally, sums) in tallies.iter_mut().zip(sums.columns()) {
                tally.fitted += sums[0];
                tally.null += sums[1];
            }
        }
        Ok(tallies)
    }

    /// What is summed for the model, and for a constant rate.
    fn terms<B: Backend, O: ObservationModel, L: InverseLink>(
        self,
        model: &Predictor<'_, B, O, L>,
        counts: Tensor<B::Burn, 2>,
        predictor: Tensor<B::Burn, 2>,
        null_rate: Tensor<B::Burn, 2>,
    ) -> (Tensor<B::Burn, 2>, Tensor<B::Burn, 2>) {
        match self {
            Score::LogLikelihood | Score::McFadden => (
                model.observation.log_likelihood(counts.clone(), predictor, model.link),
                model.observation.log_likelihood(counts, null_rate, &Identity),
            ),
            Score::Cohen => (
                model.observation.deviance(counts.clone(), model.link.rate(predictor)),
                model.observation.deviance(counts, null_rate),
            ),
        }
    }
}

/// What turns features into rates.
#[derive(Debug)]
pub(crate) struct Predictor<'a, B: Backend, O, L> {
    pub(crate) observation: &'a O,
    pub(crate) link: &'a L,
    /// `[n_features, n_neurons]`
    pub(crate) coef: &'a Matrix<B>,
    /// `[n_neurons]`
    pub(crate) intercept: &'a [f64],
}

/// Coefficients and intercepts on the device.
struct Weights<T: BurnBackend> {
    coef: Tensor<T, 2>,
    intercept: Tensor<T, 2>,
}

impl<T: BurnBackend> Weights<T> {
    fn predictor(&self, features: Tensor<T, 2>) -> Tensor<T, 2> {
        features.matmul(self.coef.clone()) + self.intercept.clone()
    }
}

impl<B: Backend, O: ObservationModel, L: InverseLink> Predictor<'_, B, O, L> {
    fn weights(&self) -> Weights<B::Burn> {
        let intercept = Matrix::<B>::from_vec(self.intercept.to_vec(), [1, self.intercept.len()]).expect("one intercept per neuron");
        Weights {
            coef: self.coef.clone().into_tensor(),
            intercept: intercept.into_tensor(),
        }
    }

    fn check_design(&self, design: &impl Design<B>) -> Result<(), Error> {
        let (got, expected) = (design.n_features(), self.coef.dims()[0]);
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

    /// `[n_samples, n_neurons]`: NaN where the design has one.
    pub(crate) fn rates(&self, design: &impl Design<B>) -> Result<Matrix<B>, Error> {
        self.check_design(design)?;
        let (n_samples, n_neurons) = (design.n_samples(), self.intercept.len());
        let weights = self.weights();
        let mut rates = Matrix::<B>::zeros([n_samples, n_neurons]).into_tensor();
        for rows in row_blocks(n_samples, B::block_rows(design.n_features().max(n_neurons))) {
            let features = design.block(rows.clone())?;
            // Finds infinities; what is missing stays NaN.
            Piece::complete("design", &features, rows.start)?;
            let block = self.link.rate(weights.predictor(features.into_tensor()));
            rates = rates.slice_assign([rows, 0..n_neurons], block);
        }
        Ok(Matrix::from_tensor(rates))
    }
}

/// The rows of a design that hold no NaN.
fn complete_rows<B: Backend>(design: &impl Design<B>) -> Result<Vec<Piece>, Error> {
    let mut pieces = Vec::new();
    for rows in row_blocks(design.n_samples(), B::block_rows(design.n_features())) {
        pieces.extend(Piece::complete("design", &design.block(rows.clone())?, rows.start)?);
    }
    if pieces.is_empty() {
        return Err(nemos_core::Error::AllMissing {
            name: "design",
            rows: design.n_samples(),
        }
        .into());
    }
    Ok(pieces)
}

//! Statistical models of neural activity, on the burn tensor framework.
//!
//! | module | what it holds |
//! |---|---|
//! | [`basis`] | functions that turn samples into features |
//! | [`glm`] | generalized linear models of one neuron and of many |
//! | [`hmm`] | hidden Markov models whose observations are generalized linear models |
//! | [`inference`] | how sure a fit is, and whether it fits |
//! | [`select`] | folds, grids and searches, paths, pipelines |
//! | [`sim`] | drawing spikes, feed-forward and recurrent |
//! | [`solvers`] | what minimises, and penalties |
//! | [`core`] | backends, matrices, designs |
//! | [`io`] | recordings in, fitted models in and out |
//! | [`plot`] | figures |
//! | `mpi` | many processes on many machines (not in `full`) |
//! | [`timeseries`] | epochs, events and signals: counting, aligning, tuning curves |
//! | [`prelude`] | what a program usually needs |
//! | `cpu` | the same for the processor in double precision, where no type names a backend |
//!
//! Each module from `hmm` to `timeseries` is a feature of the same name, and all of them are `full`, which is on unless it is left out
//! with `default-features = false, features = ["cpu"]`.
//!
//! # First steps
//! | you want to | begin with |
//! |---|---|
//! | stay on the processor and name no backend | `use nemos::cpu::*` |
//! | count spikes of a recording | [`io::NwbFile`], [`io::load_file`]; [`timeseries::TsGroup`] |
//! | make features | [`basis::BSpline`] and its kin, [`core::Features`] |
//! | fit | [`glm::Glm`], [`glm::PopulationGlm`] |
//! | know how sure it is | [`inference::Infer`], [`inference::InferClasses`] |
//! | choose a penalty, a basis, inputs | [`select::GridSearch`], [`select::Pipeline`] |
//! | draw spikes | [`sim::Simulate`], [`sim::Recurrent`] |
//! | see it | [`plot::Figure`] |
//!
//! Names that NeMoS, pynapple, scikit-learn and statsmodels use find their counterparts in the search above.
//!
//! # Example
//! ```
//! use nemos::cpu::*;
//! # fn main() -> Result<(), nemos::Error> {
//! let position = Matrix::from_column((0..1000).map(|bin| f64::from(bin % 100)).collect());
//! let counts = Matrix::from_column((0..1000).map(|bin| f64::from(bin % 100 > 60)).collect());
//! let features = BSpline::new(6).compute_features(&position)?;
//! let fitted = Glm::new(Poisson).regularizer(ridge(1e-3)).fit(&features, &counts)?;
//! assert!(fitted.score(&features, &counts, Score::McFadden)? > 0.3);
//! # Ok(())
//! # }
//! ```
//!
//! # Warnings
//! Nothing is printed. That a fit did not converge is in its outcome ([`glm::Outcome::warnings`]), what a file lacked beside what was read
//! ([`io::Lenient`]); both also go to the crate `tracing`.

mod error;

pub use error::Error;
pub use nemos_basis as basis;
pub use nemos_core as core;
pub use nemos_glm as glm;
#[cfg(feature = "hmm")]
pub use nemos_hmm as hmm;
#[cfg(feature = "inference")]
pub use nemos_inference as inference;
#[cfg(feature = "io")]
pub use nemos_io as io;
#[cfg(feature = "mpi")]
pub use nemos_mpi as mpi;
#[cfg(feature = "plot")]
pub use nemos_plot as plot;
#[cfg(feature = "select")]
pub use nemos_select as select;
#[cfg(feature = "sim")]
pub use nemos_sim as sim;
pub use nemos_solvers as solvers;
#[cfg(feature = "timeseries")]
pub use nemos_timeseries as timeseries;

/// The crates whose types are part of this one's interface, at the versions that fit it.
pub use {ndarray, rand, rand_distr};

/// The prelude for programs that run on the processor in double precision, for `use nemos::cpu::*`: matrices and series without a
/// backend to name.
///
/// # Example
/// ```
/// use nemos::cpu::*;
/// # fn main() -> Result<(), nemos::Error> {
/// let spikes = Ts::within(vec![0.11, 0.53, 0.58, 0.92], &IntervalSet::new([(0.0, 1.0)])?)?;
/// let counts: Tsd = spikes.count(0.1)?;
/// let stimulus = Matrix::from_column((0..10).map(f64::from).collect());
/// assert_eq!(Glm::new(Poisson).fit(&stimulus, &counts)?.coef().len(), 1);
/// # Ok(())
/// # }
/// ```
#[cfg(feature = "cpu")]
pub mod cpu {
    pub use crate::prelude::*;

    /// A matrix in double precision.
    pub type Matrix = nemos_core::Matrix<Cpu>;
    /// Rows, and what belongs to them, in double precision.
    pub type Design<'a> = nemos_core::Design<'a, Cpu>;
    /// Named blocks of columns in double precision.
    pub type Features<'a> = nemos_core::Features<'a, Cpu>;
    /// One signal in double precision.
    #[cfg(feature = "timeseries")]
    pub type Tsd = nemos_timeseries::Tsd<Cpu>;
    /// Signals side by side in double precision.
    #[cfg(feature = "timeseries")]
    pub type TsdFrame = nemos_timeseries::TsdFrame<Cpu>;
    /// Signals of any shape in double precision.
    #[cfg(feature = "timeseries")]
    pub type TsdTensor = nemos_timeseries::TsdTensor<Cpu>;
}

/// What a program usually needs, for `use nemos::prelude::*`.
pub mod prelude {
    pub use nemos_basis::{BSpline, Basis, CyclicBSpline, Family, RaisedCosineLinear, RaisedCosineLog, Window};
    #[cfg(feature = "cpu")]
    pub use nemos_core::Cpu;
    #[cfg(feature = "cuda")]
    pub use nemos_core::Cuda;
    #[cfg(feature = "ndarray")]
    pub use nemos_core::NdArray;
    #[cfg(feature = "wgpu")]
    pub use nemos_core::Wgpu;
    /// The backends of burn, and its tensors: what an observation model or a link of one's own is written in. The trait of
    /// [`Cpu`] and its kin is [`nemos::core::Backend`](nemos_core::Backend).
    pub use nemos_core::tensor::{Tensor, backend::Backend};
    pub use nemos_core::{Design, Features, Matrix, Names, Samples, Segments, ToDesign};
    pub use nemos_glm::{
        AnyFittedGlm, AnyFittedPopulationGlm, AnyGlm, AnyPopulationGlm, Bernoulli, Checkpoint, ClassifierGlm, ClassifierPopulationGlm, Exp,
        FeatureMask, FittedGlm, FittedPopulationGlm, Gamma, Gaussian, Glm, Groups, Identity, InverseLink, LinkForm, Logistic, Mean,
        NegativeBinomial, NormalCdf, ObservationForm, ObservationModel, Poisson, PopulationGlm, Reciprocal, Regularizer, Score, Softplus,
        Status, Stopping, Strength, elastic_net, group_lasso, lasso, ridge,
    };
    #[cfg(feature = "hmm")]
    pub use nemos_hmm::{Drive, FittedGlmHmm, GlmHmm, HmmParameters, StateGlm, Transitions};
    #[cfg(feature = "inference")]
    pub use nemos_inference::{Covariance, Infer, InferClasses};
    #[cfg(feature = "io")]
    pub use nemos_io::SaveModel;
    #[cfg(feature = "sim")]
    pub use nemos_sim::Simulate;
    #[cfg(feature = "timeseries")]
    pub use nemos_timeseries::{IntervalSet, Signal, Ts, TsGroup, Tsd, TsdFrame, TsdTensor};
}

#[cfg(all(doctest, feature = "full"))]
mod book;

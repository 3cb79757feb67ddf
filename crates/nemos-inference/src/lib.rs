//! What a fit says: how sure it is, whether it fits, and which model is better.
//!
//! A fitted model and the data of its fit together are an [`Inference`]. One pass over the data gives the information of every neuron,
//! for one neuron or a thousand at once; standard errors, tests, intervals and residuals follow from it.
//!
//! ```text
//! covariance = φ A           A = (Zᵀ W Z + S)⁻¹,   Z = (X, 1),   W = w (∂rate/∂predictor)² / variance
//! sandwich   = A M A         M: products of the scores of rows, of clusters, or of neighbours
//! ```
//!
//! Weights are relative, as everywhere: they are divided by their mean over the rows used, so that a fit with all weights two has the
//! standard errors of one without. (statsmodels and R multiply the information where the scale is known.) What has no number is NaN with
//! a reason ([`Standing`], [`Unavailable`]), and what cannot be asked is an error that says what can.
//!
//! | item | what it is |
//! |---|---|
//! | [`Infer`], [`Inference`], [`Settings`] | a model on its data, and what is assumed |
//! | [`Covariance`], [`Clusters`], [`Lag`], [`Dispersion`] | which covariance |
//! | [`Estimates`], [`Summary`] | coefficients with their standard errors, and the table of them |
//! | [`InferClasses`], [`ClassInference`], [`ClassEstimates`], [`ClassSummary`], [`Against`] | the same of classifiers: classes against each other |
//! | [`Contrasts`], [`Curve`], [`Band`] | filters, tuning curves, differences and predictions, with bands |
//! | [`Terms`], [`Test`], [`Tests`], [`TestTable`] | Wald, likelihood-ratio and score tests of blocks |
//! | [`Correction`], [`Over`] | corrections for many tests |
//! | [`Criteria`], [`compare`], [`Comparison`], [`HasCriteria`] | AIC, BIC, deviance explained, bits per spike |
//! | [`Residual`], [`Influence`], [`Overdispersion`], [`Agreement`] | what a model leaves over |
//! | [`TimeRescaling`], [`Rescaled`] | whether spikes come as the rates say |
//! | [`Bootstrap`], [`Bootstrapped`] | what other trials would have given |
//! | [`Repeats`] | what of repeated responses can be explained |
//! | [`Reference`] | the distributions that statistics are compared with |

mod adjust;
mod agreement;
mod band;
mod bootstrap;
mod bootstrapped;
mod bread;
mod bread_of_classes;
mod by_row;
mod class_estimates;
mod class_inference;
mod class_summary;
mod columns;
mod compare;
mod contrasts;
mod covariance;
mod criteria;
mod curve;
mod dependence_of_rows;
mod described;
mod described_classes;
mod distribution;
mod draws;
mod error;
mod estimates;
mod format;
mod infer;
mod inference;
mod likeliest_scale;
mod maximum;
mod nested;
mod of_neuron;
mod overdispersion;
mod profile;
mod repeats;
mod rescaled;
mod rescaling;
mod residuals;
mod rows;
mod settings;
mod summary;
mod symmetric;
mod table;
mod terms;
mod tests_of;
mod unavailable;
mod wald;

pub use adjust::{Correction, Over};
pub use agreement::Agreement;
pub use band::Band;
pub use bootstrap::{Bootstrap, Resampled};
pub use bootstrapped::{Bootstrapped, BootstrappedClasses};
pub use class_estimates::{Against, ClassEstimates};
pub use class_inference::{ClassInference, InferClasses};
pub use class_summary::ClassSummary;
pub use compare::{Comparison, HasCriteria, compare};
pub use contrasts::Contrasts;
pub use covariance::Covariance;
pub use criteria::Criteria;
pub use curve::Curve;
pub use dependence_of_rows::{Clusters, Lag};
pub use distribution::Reference;
pub use error::Error;
pub use estimates::Estimates;
pub use infer::Infer;
pub use inference::Inference;
pub use nemos_glm::Information;
pub use overdispersion::Overdispersion;
pub use repeats::Repeats;
pub use rescaled::{Autocorrelation, KolmogorovSmirnov, QuantilePlot, Rescaled};
pub use rescaling::{Ends, Spiking, TimeRescaling};
pub use residuals::{Influence, Residual, quantile_residual};
pub use settings::{Dispersion, Settings};
pub use summary::Summary;
pub use terms::Terms;
pub use tests_of::{Test, TestTable, Tests};
pub use unavailable::{Standing, Unavailable};

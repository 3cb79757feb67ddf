//! Covariances of estimates: what each kind assumes, and how it is summed.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::{Backend, Segments};
use nemos_glm::{GlmObjective, Problems, SecondMoment};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use crate::of_neuron::OfNeuron;
use crate::rows::{Reordered, Standardised};
use crate::symmetric::Symmetric;
use crate::{Clusters, Error, Inference, Lag, Reference, Unavailable};

/// Which covariance of the estimates, with `A` the inverse of the information, `φ` the dispersion and `g` the score of a row.
///
/// | kind | formula | holds if |
/// |---|---|---|
/// | `Model` | `φ A` | the model is right; under a ridge the Bayesian one, whose intervals cover about as they say |
/// | `Frequentist` | `φ A ZᵀWZ A` | a ridge's estimate, were it without bias |
/// | `Hc0` | `A (Σ g gᵀ) A` | rows are independent, whatever their variance |
/// | `Hc1` | `Hc0 · n / (n − p)` | the same, for few rows |
/// | `Hc3` | `A (Σ g gᵀ / (1 − h)²) A` | the same, for few rows with leverage `h` |
/// | `Cluster` | `A Σ_c (Σ g)(Σ g)ᵀ A · G/(G−1) · (n−1)/(n−p)` | clusters, such as trials, are independent |
/// | `Hac` | `A [Γ₀ + Σ (1 − l/(L+1)) (Γₗ + Γₗᵀ)] A` | rows further apart than the lag are independent |
///
/// Names and factors are those of R's `sandwich`, of whose `vcovCL` this is type HC1. (What statsmodels' GLM returns as HC3 is
/// HC0.)
///
/// # References
/// White (1980), *Econometrica* 48; MacKinnon & White (1985), *J. Econometrics* 29; Liang & Zeger (1986), *Biometrika* 73; Newey &
/// West (1987), *Econometrica* 55; Zeileis (2006), *J. Statistical Software* 16(9).
#[doc(alias("cov_type", "sandwich", "vcovHC"))]
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Covariance {
    /// That of the model.
    #[default]
    Model,
    /// That of a ridge's estimate about its own mean.
    Frequentist,
    /// Robust to a variance that is not the model's.
    Hc0,
    /// The same, with degrees of freedom.
    Hc1,
    /// The same, with leverage: what R's `vcovHC` takes unless told otherwise.
    Hc3,
    /// Robust to rows that depend on each other within clusters.
    Cluster(Clusters),
    /// Robust to rows that depend on those up to a lag before, within segments.
    #[doc(alias = "NeweyWest")]
    Hac(Lag),
}

impl Covariance {
    /// What it is called in a table.
    pub(crate) fn describe(&self) -> String {
        match self {
            Covariance::Model => "model".into(),
            Covariance::Frequentist => "frequentist, without the bias of the ridge".into(),
            Covariance::Hc0 => "HC0, robust to the variance".into(),
            Covariance::Hc1 => "HC1, robust to the variance".into(),
            Covariance::Hc3 => "HC3, robust to the variance".into(),
            Covariance::Cluster(_) => "by clusters".into(),
            Covariance::Hac(_) => "HAC, robust to neighbours".into(),
        }
    }
}

/// A covariance, or why there is none.
type Covariant = Result<Symmetric, Unavailable>;

/// What a covariance of a neuron is multiplied with.
type Factor<'a> = &'a (dyn Fn(usize, &OfNeuron) -> Result<f64, Unavailable> + Sync);

/// One covariance for each neuron, of the features as they are, and what was found in making it.
pub(crate) struct Made {
    pub(crate) covariance: Vec<Covariant>,
    pub(crate) reference: Vec<Reference>,
    pub(crate) title: String,
    pub(crate) notes: Vec<String>,
}

/// Residual degrees of freedom, where some are left.
fn dof_of(of: &OfNeuron) -> Result<f64, Unavailable> {
    let dof = of.dof_resid();
    if dof > 0.0 { Ok(dof) } else { Err(Unavailable::NoDegreesOfFreedom) }
}

// With fewer clusters than this Student's t takes the place of the normal distribution.
const FEW_CLUSTERS: usize = 20;

impl<B: Backend> Inference<'_, B> {
    pub(crate) fn covariances(&self, which: &Covariance) -> Result<Made, Error> {
        if let Some(penalty) = self.sparse {
            return Err(Error::NotNormal { penalty });
        }
        let mut made = Made {
            covariance: Vec::new(),
            reference: vec![Reference::Normal; self.n_neurons()],
            title: which.describe(),
            notes: Vec::new(),
        };
        made.covariance = match which {
            Covariance::Model => {
                made.reference = self.of_neurons.iter().map(OfNeuron::reference).collect();
                if self.ridge.is_some() {
                    made.title = "Bayesian, of a ridge".into();
                }
                self.each(|_, of, inverse| Ok(inverse * of.scale))
            }
            Covariance::Frequentist => {
                if self.ridge.is_none() {
                    return Err(Error::Penalty {
                        what: "a frequentist covariance",
                        needed: "a ridge",
                        got: "no penalty; the covariance of the model is the same",
                    });
                }
                made.reference = self.of_neurons.iter().map(OfNeuron::reference).collect();
                self.each(|neuron, of, inverse| {
                    let ridge = ndarray::Array1::from_shape_fn(inverse.nrows(), |parameter| self.ridge_at(parameter, neuron));
                    // A (A⁻¹ − S) A
                    let scaled = &inverse.view() * &ridge.insert_axis(ndarray::Axis(1));
                    Ok((inverse - &inverse.dot(&scaled)) * of.scale)
                })
            }
            Covariance::Hc0 => self.sandwich(&SecondMoment::Scores, &|_, _| Ok(1.0))?,
            Covariance::Hc1 => self.sandwich(&SecondMoment::Scores, &|_, of| Ok(of.n_rows / dof_of(of)?))?,
            Covariance::Hc3 => self.leveraged()?,
            Covariance::Cluster(clusters) => self.by_clusters(clusters, &mut made)?,
            Covariance::Hac(lag) => {
                let (rows, how) = lag.rows(&self.design)?;
                made.title = format!("{}, {rows} rows{how}", which.describe());
                self.sandwich(&SecondMoment::ScoresOverLags(self.design.segments(), rows), &|_, _| Ok(1.0))?
            }
        };
        Ok(made)
    }

    /// `of` every inverse information, of the features as they are.
    fn each(&self, of: impl Fn(usize, &OfNeuron, &Array2<f64>) -> Result<Array2<f64>, Unavailable> + Sync) -> Vec<Covariant> {
        let neurons = (0..self.n_neurons()).into_par_iter();
        let made = neurons.map(|neuron| {
            let known = &self.of_neurons[neuron];
            let bread = known.bread.as_ref().map_err(|why| *why)?;
            let made = of(neuron, known, &bread.inverse.to_array())?;
            Ok(Symmetric::new(&self.columns.unstandardise(&made)))
        });
        made.collect()
    }

    /// `A M A`, times a factor for each neuron.
    fn sandwich(&self, which: &SecondMoment, factor: Factor<'_>) -> Result<Vec<Covariant>, Error> {
        self.sandwich_of(&self.objective, which, factor)
    }

    /// The same for the rows in another order.
    fn sandwich_of(&self, objective: &GlmObjective<'_, B>, which: &SecondMoment, factor: Factor<'_>) -> Result<Vec<Covariant>, Error> {
        let of = |neuron, meat| self.around(neuron, &meat, factor);
        Ok(objective.map_second_moments(&self.parameters, which, of)?)
    }

    /// The sandwich whose scores are over one less their leverage.
    fn leveraged(&self) -> Result<Vec<Covariant>, Error> {
        let n_parameters = self.n_features() + 1;
        let inverse = |neuron: usize| {
            let of = &self.of_neurons[neuron];
            match &of.bread {
                Ok(bread) => bread.inverse.to_array() * of.unit,
                Err(_) => Array2::zeros((n_parameters, n_parameters)),
            }
        };
        let of = |neuron, meat: Array2<f64>| match meat.iter().any(|value| value.is_nan()) {
            true => Err(Unavailable::Leverage),
            false => self.around(neuron, &meat, &|_, _| Ok(1.0)),
        };
        Ok(self.objective.map_leveraged_scores(&self.parameters, inverse, of)?)
    }

    /// The inverse information of a neuron on both sides of the middle, times a factor.
    fn around(&self, neuron: usize, meat: &Array2<f64>, factor: Factor<'_>) -> Covariant {
        let of = &self.of_neurons[neuron];
        let inverse = of.bread.as_ref().map_err(|why| *why)?.inverse.to_array();
        let factor = factor(neuron, of)? * of.unit * of.unit;
        let made = self.columns.unstandardise(&(inverse.dot(meat).dot(&inverse) * factor));
        Ok(Symmetric::new(&made))
    }

    fn by_clusters(&self, clusters: &Clusters, made: &mut Made) -> Result<Vec<Covariant>, Error> {
        let labels = clusters.of_rows(&self.design)?;
        let n_clusters = self.clusters_used(&labels)?;
        for (neuron, &got) in n_clusters.iter().enumerate() {
            if self.n_neurons() == 1 && got < 2 {
                return Err(Error::Clusters { neuron, got });
            }
            if got < FEW_CLUSTERS {
                made.reference[neuron] = Reference::StudentT(got.saturating_sub(1) as f64);
            }
            let name = &self.model.neurons()[neuron];
            if (got as f64) <= self.of_neurons[neuron].edf {
                made.notes.push(format!(
                    "neuron {name}: {got} clusters for {:.0} parameters; the covariance has not full rank, so test few of them at a time",
                    self.of_neurons[neuron].edf
                ));
            } else if got < FEW_CLUSTERS {
                made.notes.push(format!(
                    "neuron {name}: {got} clusters only, so t({}) takes the place of the normal",
                    got.saturating_sub(1)
                ));
            }
        }
        let most = n_clusters.iter().max().copied().unwrap_or(0);
        made.title = format!("by clusters, {most} of them");
        let factor = |neuron: usize, of: &OfNeuron| {
            let g = n_clusters[neuron] as f64;
            if g < 2.0 {
                return Err(Unavailable::TooFewClusters);
            }
            let of_rows = if clusters.is_of_groups_only() {
                1.0
            } else {
                (of.n_rows - 1.0) / dof_of(of)?
            };
            Ok(g / (g - 1.0) * of_rows)
        };
        // Rows of a cluster one after the other.
        let mut order: Vec<usize> = (0..labels.len()).collect();
        order.sort_by_key(|&row| labels[row]);
        let lengths = order.chunk_by(|&a, &b| labels[a] == labels[b]).map(<[usize]>::len);
        let which = SecondMoment::ScoresBySegment(Segments::from_lengths(lengths));
        if order.is_sorted() {
            return self.sandwich(&which, &factor);
        }
        let order: Arc<[usize]> = order.into();
        let design = Standardised::design(&Reordered::design(&self.design, &order)?, &self.columns)?;
        let counts = Reordered::design(&self.counts, &order)?;
        let problems = Problems::one_per_response(self.n_neurons());
        let objective = self.model.objective(problems, design, counts)?;
        self.sandwich_of(&objective, &which, &factor)
    }

    /// `[n_neurons]`: clusters that have a row which the fit of the neuron used.
    fn clusters_used(&self, labels: &[usize]) -> Result<Vec<usize>, Error> {
        let n_clusters = labels.iter().max().map_or(0, |highest| highest + 1);
        let mut seen = Array2::from_elem((n_clusters, self.n_neurons()), false);
        self.each_count(|row, _, weights| {
            for (neuron, weight) in weights.iter().enumerate() {
                seen[(labels[row], neuron)] |= *weight > 0.0;
            }
        })?;
        let count = |neuron: usize| seen.column(neuron).iter().filter(|seen| **seen).count() as f64;
        let here = (0..self.n_neurons()).map(count).collect();
        // No cluster has rows in two processes.
        Ok(self.design.summed(here)?.into_iter().map(|n| n as usize).collect())
    }
}

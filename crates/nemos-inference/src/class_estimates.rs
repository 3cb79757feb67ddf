//! Classes with their covariance: one against another, tests over all of them, probabilities with bands.

use ndarray::{Array1, Array2, ArrayView1, Axis, s};
use nemos_core::{Backend, SymmetricEigen, ToDesign};

use crate::curve::root;
use crate::error::{check_length, check_level};
use crate::estimates::{ESTIMABLE, OfNeuron};
use crate::symmetric::Symmetric;
use crate::tests_of::{Test, Tests};
use crate::{Band, Error, Estimates, Terms, Unavailable};

/// What the coefficients of a class are compared with.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Against {
    /// Those of another class: the logarithm of the odds of the two.
    Class(usize),
    /// The mean of all classes: what a fit without a penalty returns as the coefficients of a class.
    Mean,
}

impl Against {
    /// `[n_classes]`: what the parameters of each class count in those of one class.
    pub(crate) fn shares(self, class: usize, n_classes: usize) -> Result<Vec<f64>, Error> {
        let mut shares = match self {
            Against::Class(other) if other == class => {
                return Err(Error::NotForClassifiers {
                    what: "a class against itself",
                    why: "there is no difference; name another class, or take the mean of all",
                });
            }
            Against::Class(other) if other >= n_classes => return Err(Error::NoSuchClass { class: other, n_classes }),
            Against::Class(other) => (0..n_classes).map(|class| if class == other { -1.0 } else { 0.0 }).collect(),
            Against::Mean => vec![-1.0 / n_classes as f64; n_classes],
        };
        *shares.get_mut(class).ok_or(Error::NoSuchClass { class, n_classes })? += 1.0;
        Ok(shares)
    }
}

/// The parameters of all classes with one kind of covariance, for every neuron.
#[derive(Clone, Debug)]
pub struct ClassEstimates {
    /// Parameters are those of all classes, class after class; names those of one.
    joint: Estimates,
    n_classes: usize,
}

// What the difference of two classes has of a direction that no row sees counts as nothing below this, squared.
const NOTHING: f64 = 1e-12;

impl ClassEstimates {
    pub(crate) fn new(joint: Estimates, n_classes: usize) -> Self {
        ClassEstimates { joint, n_classes }
    }

    /// How many classes there are.
    pub fn n_classes(&self) -> usize {
        self.n_classes
    }

    /// `[n_parameters]`: the names of the parameters of a class, the intercept last.
    pub fn names(&self) -> &[String] {
        &self.joint.names
    }

    /// `[n_neurons]`: the names of the neurons.
    pub fn neurons(&self) -> &[String] {
        &self.joint.neurons
    }

    /// Which covariance these have, in words.
    pub fn covariance_kind(&self) -> &str {
        &self.joint.covariance_title
    }

    /// What a reader of these numbers should know.
    pub fn notes(&self) -> &[String] {
        &self.joint.notes
    }

    /// A class against another one, or against the mean of all: coefficients of the logarithm of their odds, with all that
    /// [`Estimates`] can say. [`gains`](Estimates::gains) are ratios of odds; of a [curve](Estimates::curve),
    /// [`rates`](crate::Curve::rates) for one bin per second are odds.
    ///
    /// # Errors
    /// [`Error::NoSuchClass`]; [`Error::NotForClassifiers`] for a class against itself.
    pub fn of(&self, class: usize, against: Against) -> Result<Estimates, Error> {
        let shares = against.shares(class, self.n_classes)?;
        let width = self.joint.names.len();
        let blocks = || shares.iter().enumerate().filter(|(_, share)| **share != 0.0);
        let rows_of = |class: usize| class * width..(class + 1) * width;
        let combined = |of_all: &Array2<f64>| {
            let mut sum = Array2::zeros((width, of_all.ncols()));
            blocks().for_each(|(class, share)| sum.scaled_add(*share, &of_all.slice(s![rows_of(class), ..])));
            sum
        };
        let each = self.joint.each.iter().map(|of| {
            let covariance = of.covariance.as_ref().map_err(|why| *why);
            Ok(OfNeuron {
                covariance: covariance.map(|all| Symmetric::new(&combined(&combined(&all.to_array()).reversed_axes()))),
                null: span(&combined(&of.null))?,
                free: (0..width)
                    .map(|row| blocks().any(|(class, _)| of.free[class * width + row]))
                    .collect(),
                reference: of.reference,
            })
        });
        Ok(Estimates {
            each: each.collect::<Result<_, Error>>()?,
            parameters: combined(&self.joint.parameters),
            names: self.joint.names.clone(),
            features: self.joint.features.clone(),
            neurons: self.joint.neurons.clone(),
            mean: self.joint.mean.clone(),
            link: self.joint.link.clone(),
            information: self.joint.information,
            covariance_title: self.joint.covariance_title.clone(),
            notes: self.joint.notes.clone(),
        })
    }

    /// The covariance over all classes but the first, each against the first, class after class:
    /// `[(n_classes − 1) · n_parameters, ..]` on either side.
    ///
    /// # Errors
    /// Why there is none.
    #[doc(alias("cov_params", "vcov"))]
    pub fn covariance(&self, neuron: usize) -> Result<Array2<f64>, Unavailable> {
        let width = self.joint.names.len();
        let less_first = |of_all: &Array2<f64>| {
            let mut others = of_all.slice(s![width.., ..]).to_owned();
            let first = of_all.slice(s![..width, ..]);
            others.axis_chunks_iter_mut(Axis(0), width).for_each(|mut class| class -= &first);
            others
        };
        Ok(less_first(&less_first(&self.joint.covariance(neuron)?).reversed_axes()))
    }

    /// Wald's test that these coefficients are the same in all classes, with this covariance: whether the features matter at all.
    ///
    /// # Errors
    /// If there is no such block or column.
    pub fn wald(&self, terms: impl Into<Terms>) -> Result<Tests, Error> {
        let (joint, terms) = (&self.joint, terms.into());
        let width = joint.names.len();
        let columns = terms.columns(&joint.features, width - 1)?;
        let each = (0..joint.neurons.len()).map(|neuron| {
            let of = &joint.each[neuron];
            let Ok(covariance) = joint.covariance(neuron) else {
                return Test::none();
            };
            // Each class less the first.
            let pairs = (1..self.n_classes).flat_map(|class| columns.iter().map(move |&column| (class * width + column, column)));
            let pairs: Vec<(usize, usize)> = pairs.filter(|&(one, other)| of.free[one] || of.free[other]).collect();
            let less = |of_all: &Array2<f64>| {
                let [one, other] = [0, 1].map(|end| pairs.iter().map(|pair| if end == 0 { pair.0 } else { pair.1 }).collect::<Vec<_>>());
                of_all.select(Axis(0), &one) - of_all.select(Axis(0), &other)
            };
            let value = pairs
                .iter()
                .map(|&(one, other)| joint.parameters[(one, neuron)] - joint.parameters[(other, neuron)]);
            let within = less(&less(&covariance).reversed_axes());
            joint.tested_together(value.collect(), within, &less(&of.null), neuron)
        });
        Ok(Tests {
            title: format!(
                "Wald test of {}, covariance: {}",
                terms.title(&joint.features, width - 1),
                joint.covariance_title
            ),
            neurons: joint.neurons.clone(),
            each: each.collect(),
        })
    }

    /// Probabilities of the classes at samples, with bands that cover each point with this probability (0.95): one band for each class,
    /// `[n_samples, n_neurons]` each. Bands are made of the logarithm of the odds of a class against all others, by the delta method,
    /// so that no probability leaves 0 to 1.
    ///
    /// ```text
    /// logit pₖ ± q se,    ∂ logit pₖ / ∂ηₗ = (δₖₗ − pₗ) / (1 − pₖ)
    /// ```
    ///
    /// # Errors
    /// If the samples do not have the features of the model, or cannot be read; [`Error::Level`] unless the level lies between 0 and 1.
    pub fn probabilities<B: Backend>(&self, samples: &(impl ToDesign<B> + ?Sized), level: f64) -> Result<Vec<Band>, Error> {
        check_level(level)?;
        let samples = samples.to_design();
        self.joint.features.check_same("samples", samples.names())?;
        let features = samples.to_matrix()?.to_array();
        let n_features = self.joint.mean.len();
        let expected = (n_features, "one per feature of the model");
        check_length("the samples", "columns", features.ncols(), expected)?;
        let dims = (features.nrows(), self.joint.neurons.len());
        let critical: Vec<f64> = self.joint.each.iter().map(|of| of.reference.critical(level)).collect();
        let missing = Array2::from_elem(dims, f64::NAN);
        let unknown = Band {
            value: missing.clone(),
            lower: missing.clone(),
            upper: missing,
            critical: critical.clone(),
        };
        let mut bands = vec![unknown; self.n_classes];
        let rows = ndarray::concatenate![Axis(1), features, Array2::ones((dims.0, 1))];
        for (neuron, of) in self.joint.each.iter().enumerate() {
            let Some(root) = of.covariance.as_ref().ok().and_then(|covariance| root(&covariance.to_array())) else {
                continue;
            };
            for (sample, row) in rows.rows().into_iter().enumerate() {
                if !self.is_estimable(row, &of.null) || row.iter().any(|x| x.is_nan()) {
                    continue;
                }
                let odds = self.log_odds(row, neuron, &root);
                for (band, (value, error)) in bands.iter_mut().zip(odds) {
                    let at = |distance: f64| 1.0 / (1.0 + (-(value + distance * critical[neuron] * error)).exp());
                    let place = (sample, neuron);
                    (band.value[place], band.lower[place], band.upper[place]) = (at(0.0), at(-1.0), at(1.0));
                }
            }
        }
        Ok(bands)
    }

    /// The logarithm of the odds of each class against all others at a sample, with its standard error.
    fn log_odds(&self, row: ArrayView1<'_, f64>, neuron: usize, root: &Array2<f64>) -> Vec<(f64, f64)> {
        let width = row.len();
        let of_class = |class: usize| class * width..(class + 1) * width;
        let parameters = self.joint.parameters.column(neuron);
        let predictor: Vec<f64> = (0..self.n_classes)
            .map(|class| row.dot(&parameters.slice(s![of_class(class)])))
            .collect();
        let spread: Vec<Array1<f64>> = (0..self.n_classes)
            .map(|class| row.dot(&root.slice(s![of_class(class), ..])))
            .collect();
        let each = (0..self.n_classes).map(|class| {
            // Against the others alone: beside a share of nearly one, theirs would lose their digits.
            let others = || (0..self.n_classes).filter(move |&other| other != class);
            let highest = others().map(|other| predictor[other]).fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = others().map(|other| (predictor[other] - highest).exp()).sum();
            let beside = others().fold(spread[class].clone(), |rest, other| {
                rest - &spread[other] * ((predictor[other] - highest).exp() / total)
            });
            (predictor[class] - highest - total.ln(), beside.dot(&beside).sqrt())
        });
        each.collect()
    }

    /// Whether rows see the differences of all classes at a sample.
    fn is_estimable(&self, row: ArrayView1<'_, f64>, null: &Array2<f64>) -> bool {
        let width = row.len();
        let along = |class: usize| row.dot(&null.slice(s![class * width..(class + 1) * width, ..]));
        let first = along(0);
        (1..self.n_classes).all(|class| {
            let apart = along(class) - &first;
            apart.dot(&apart).sqrt() <= ESTIMABLE * row.dot(&row).sqrt()
        })
    }
}

/// An orthonormal basis of what some columns span.
fn span(columns: &Array2<f64>) -> Result<Array2<f64>, Error> {
    if columns.ncols() == 0 {
        return Ok(columns.clone());
    }
    let eigen = SymmetricEigen::new(columns.dot(&columns.t()).view())?;
    let seen: Vec<usize> = (0..columns.nrows()).filter(|&place| eigen.values[place] > NOTHING).collect();
    Ok(eigen.vectors.select(Axis(1), &seen))
}

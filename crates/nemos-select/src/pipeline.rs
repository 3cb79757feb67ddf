//! Pipelines: a basis, steps and a model as one value.

use std::sync::Arc;

use nemos_basis::{Basis, Inputs};
use nemos_core::{Backend, Design, ToDesign};

use crate::batch::Evaluated;
use crate::ends::{End, Population};
use crate::fitted_pipeline::FittedPipeline;
use crate::fold_features::{FoldFeatures, Ready};
use crate::routes::Routes;
use crate::searchable::sealed::Sealed as _;
use crate::searchable::{Data, Done, Searchable, restrict, sealed};
use crate::steps::Steps;
use crate::{Error, Scoring, Step};

/// A basis, steps between, and a model as one value, which is fitted, scored and searched as a whole.
///
/// Whatever comes from data comes from training rows alone: bounds, categories, means and standard deviations. Where a fold cuts
/// the rows, filters begin anew, so that no history crosses the cut: rows whose window would are left out, of training and of
/// scores. Test rows beyond the bounds of the training rows have no features, and are left out of scores too.
///
/// | path | values |
/// |---|---|
/// | `basis` | a whole basis |
/// | a label (`place`) | a basis in the place of this part |
/// | label and option (`place.n_functions`, `spikes.window`) | a value of that option |
/// | a step (`standardized`) | `"passthrough"`, which leaves it out |
/// | step and option (`components.n`) | a value of that option |
/// | all others (`strength`) | as of the model |
///
/// # Example
/// ```
/// use nemos_basis::{BSpline, Family};
/// use nemos_core::{Cpu, Matrix};
/// use nemos_glm::{Glm, Poisson, Regularizer};
/// use nemos_select::{Grid, GridSearch, Pipeline};
///
/// let place = Matrix::<Cpu>::from_column((0..200).map(|bin| f64::from(bin * 7 % 50)).collect());
/// let counts = Matrix::from_column((0..200).map(|bin| if (20..30).contains(&(bin * 7 % 50)) { 3.0 } else { 0.0 }).collect());
/// let pipeline = Pipeline::new(BSpline::new(5).label("place"), Glm::new(Poisson).regularizer(Regularizer::Ridge(0.01.into())));
/// let grid = Grid::new().over("place.n_functions", [4, 8, 12]).over("strength", [1e-4, 1e-2]);
/// let search = GridSearch::new(pipeline, grid).fit(&place, &counts)?;
/// assert_ne!(search.best().settings().get("place.n_functions"), Some(&4.into()));
/// // The basis has the bounds of the data, and the model its coefficients.
/// let rates = search.fitted().predict(&place)?;
/// assert_eq!(rates.n_rows(), 200);
/// # Ok::<(), nemos_select::Error>(())
/// ```
#[doc(alias = "make_pipeline")]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Pipeline<M> {
    pub(crate) basis: Basis,
    pub(crate) model: M,
    pub(crate) routes: Routes,
    pub(crate) steps: Steps,
}
impl<M> Pipeline<M> {
    /// A basis, and the model of its features.
    pub fn new(basis: impl Into<Basis>, model: M) -> Self {
        Pipeline {
            basis: basis.into(),
            model,
            routes: Routes::default(),
            steps: Steps::default(),
        }
    }

    /// Takes the columns of these names for a part of the basis, from one design or time series that holds all inputs. A part of
    /// several inputs takes one name for each; a part of one takes them all as its columns.
    #[doc(alias = "ColumnTransformer")]
    pub fn route<N: Into<String>>(mut self, label: impl Into<String>, columns: impl IntoIterator<Item = N>) -> Self {
        self.routes.add(label.into(), columns.into_iter().map(Into::into).collect());
        self
    }

    /// Takes the mean off every feature and divides it by its standard deviation, both of the training rows, so that a penalty
    /// weighs features of different scales alike: a step by the name of `standardized`. Coefficients come back as those of the features
    /// themselves.
    #[doc(alias = "StandardScaler")]
    pub fn standardized(mut self) -> Self {
        self.steps.standardized();
        self
    }

    /// Leaves out features that others of the training rows span, together with an intercept: a step by the name of `identifiable`.
    /// Their coefficients come back as zero.
    pub fn identifiable(mut self) -> Self {
        self.steps.identifiable();
        self
    }

    /// Passes features through a step of one's own, after those that were named before.
    pub fn step(mut self, name: impl Into<String>, step: impl Step + 'static) -> Self {
        self.steps.own(name.into(), Arc::new(step));
        self
    }

    /// The basis.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The model.
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The basis as it comes out of training rows.
    pub(crate) fn learn<B: Backend>(&self, inputs: &[Design<'_, B>]) -> Result<Basis, Error> {
        if self.basis.sees_all_samples() {
            return Err(Error::Inputs {
                what: "orthogonalized exponentials of samples are other functions for other samples, so that a model of \
                       training rows has no meaning for test rows; convolve them"
                    .into(),
            });
        }
        Ok(self.basis.with_bounds_from(Ready(inputs))?)
    }
}
#[allow(private_bounds)]
impl<M: End> Pipeline<M> {
    /// Fits the basis, and the model of its features, to all rows.
    ///
    /// # Errors
    /// If inputs do not suit the basis or their routes, and as [`PopulationGlm::fit`](nemos_glm::PopulationGlm::fit).
    pub fn fit<'a, B: Backend>(
        &self,
        inputs: impl Inputs<'a, B>,
        counts: &'a (impl ToDesign<B> + ?Sized),
    ) -> Result<FittedPipeline<M::Fitted>, Error> {
        self.fit_designs(&inputs.designs(), &counts.to_design())
    }

    fn fit_designs<B: Backend>(&self, inputs: &[Design<'_, B>], counts: &Design<'_, B>) -> Result<FittedPipeline<M::Fitted>, Error> {
        let inputs = self.routes.route(&self.basis, inputs)?;
        let basis = self.learn(&inputs)?;
        let features = basis.design(Ready(&inputs))?;
        let design = features.to_design();
        let steps = self.steps.learn(&design)?;
        let design = steps.apply(&design)?;
        let fitted = self.model.to_population().refit(&[design], counts)?;
        let fitted = if steps.is_empty() {
            fitted
        } else {
            M::Population::undo(&steps, fitted)?
        };
        Ok(FittedPipeline {
            basis,
            model: M::fitted(fitted)?,
            routes: self.routes.clone(),
        })
    }
}
#[allow(private_bounds)]
impl<M: End> Searchable for Pipeline<M> {}

#[allow(private_bounds)]
impl<M: End> sealed::Sealed for Pipeline<M> {
    type Fitted = FittedPipeline<M::Fitted>;

    #[allow(private_interfaces)]
    fn evaluate<B: Backend>(candidates: &[Self], data: &Data<'_, B>, scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        let mut left: Vec<usize> = (0..candidates.len()).collect();
        while let Some(&first) = left.first() {
            let like = |candidate: &usize| {
                let (a, b) = (&candidates[first], &candidates[*candidate]);
                (&a.basis, &a.routes, &a.steps) == (&b.basis, &b.routes, &b.steps)
            };
            let (group, rest): (Vec<usize>, Vec<usize>) = left.into_iter().partition(like);
            left = rest;
            let models: Vec<_> = group.iter().map(|&candidate| candidates[candidate].model.to_population()).collect();
            let mut of_group = |evaluated: Vec<(usize, Evaluated)>| {
                done(evaluated.into_iter().map(|(place, evaluated)| (group[place], evaluated)).collect())
            };
            match FoldFeatures::new(&candidates[first], data) {
                Ok(features) => M::Population::evaluate_on(&models, &features.pieces(data)?, scoring, &mut of_group)?,
                Err(error) => {
                    // The reason is the same for all.
                    let again = |place: usize| (place, Err(again(&error)));
                    of_group((0..group.len()).map(again).collect())?;
                }
            }
        }
        Ok(())
    }

    fn refit<B: Backend>(&self, inputs: &[Design<'_, B>], counts: &Design<'_, B>) -> Result<Self::Fitted, Error> {
        self.fit_designs(inputs, counts)
    }

    fn joined<B: Backend>(chosen: &[&Self], inputs: &[Design<'_, B>]) -> Result<Option<Self>, Error> {
        let Some(first) = chosen.first() else { return Ok(None) };
        let models: Vec<_> = chosen.iter().map(|pipeline| pipeline.model.to_population()).collect();
        let same = |pipeline: &&Self| (&pipeline.basis, &pipeline.routes, &pipeline.steps) == (&first.basis, &first.routes, &first.steps);
        if !chosen.iter().all(same) {
            return Ok(None);
        }
        let inputs = first.routes.route(&first.basis, inputs)?;
        let features = first.learn(&inputs)?.design(Ready(&inputs))?;
        let design = features.to_design();
        let model = M::Population::merged(&models, &first.steps.learn(&design)?.apply(&design)?)?;
        Ok(model.map(|model| Pipeline {
            model: M::with_population(model),
            ..(*first).clone()
        }))
    }

    fn restricted<B: Backend>(&self, neurons: &[usize], n_neurons: usize, inputs: &[Design<'_, B>]) -> Result<Self, Error> {
        let inputs = self.routes.route(&self.basis, inputs)?;
        let features = self.learn(&inputs)?.design(Ready(&inputs))?;
        let design = features.to_design();
        let design = self.steps.learn(&design)?.apply(&design)?;
        let model = self.model.to_population();
        let options = restrict(model.options(), neurons, n_neurons, (design.names(), design.n_columns()))?;
        Ok(Pipeline {
            model: M::with_population(model.with_options(options)),
            ..self.clone()
        })
    }

    fn strength(&self) -> f64 {
        sealed::Sealed::strength(&self.model)
    }

    fn printed(&self) -> String {
        let basis = serde_json::to_string(&self.basis).unwrap_or_else(|_| format!("{:?}", self.basis));
        format!("{basis} {:?} {:?} {}", self.routes, self.steps, self.model.printed())
    }
}

/// The same failure for another candidate.
fn again(error: &Error) -> Error {
    match error {
        Error::Glm(error) => Error::Glm(error.clone()),
        Error::Basis(error) => Error::Basis(error.clone()),
        other => Error::Inputs { what: other.to_string() },
    }
}

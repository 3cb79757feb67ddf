//! Pipelines: a basis and a model as one value.

use nemos_basis::{Basis, BasisDesign, Inputs};
use nemos_core::{Backend, Design, ToDesign};
use nemos_glm::{FittedGlm, FittedPopulationGlm, Glm, InverseLink, ObservationModel, PopulationGlm, Score};
use serde_json::Value as Json;

use crate::batch::{self, Evaluated, Piece, differ_in_strength, merged};
use crate::routes::Routes;
use crate::searchable::{Data, Done, Searchable, restrict, sealed};
use crate::standard::{Standard, Standardized};
use crate::tunable::{Tunable, refused};
use crate::{Error, Scoring, Settings, Value};

/// A basis and a model as one value, which is fitted, scored and searched as a whole.
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
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Pipeline<M> {
    basis: Basis,
    model: M,
    routes: Routes,
    standard: Standard,
}

/// A pipeline that was fitted: a basis with its bounds, and a model with its coefficients.
///
/// Its parts can be saved in one file: `fitted.model().to_saved()?.with_basis(fitted.basis().clone())`.
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct FittedPipeline<F> {
    basis: Basis,
    model: F,
    routes: Routes,
}

impl<M> Pipeline<M> {
    /// A basis, and the model of its features.
    pub fn new(basis: impl Into<Basis>, model: M) -> Self {
        Pipeline {
            basis: basis.into(),
            model,
            routes: Routes::default(),
            standard: Standard::AsTheyAre,
        }
    }

    /// Takes the columns of these names for a part of the basis, from one design or time series that holds all inputs. A part of
    /// several inputs takes one name for each; a part of one takes them all as its columns.
    pub fn route<N: Into<String>>(mut self, label: impl Into<String>, columns: impl IntoIterator<Item = N>) -> Self {
        self.routes.add(label.into(), columns.into_iter().map(Into::into).collect());
        self
    }

    /// Takes the mean off every feature and divides it by its standard deviation, both of the training rows, so that a penalty
    /// weighs features of different scales alike. Coefficients come back as those of the features themselves.
    pub fn standardized(mut self) -> Self {
        self.standard = Standard::Standardized;
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
    fn learn<B: Backend>(&self, inputs: &[Design<'_, B>]) -> Result<Basis, Error> {
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

/// Inputs that are designs already.
struct Ready<'s, 'a, B: Backend>(&'s [Design<'a, B>]);

impl<'a, B: Backend> Inputs<'a, B> for Ready<'_, 'a, B> {
    type Output = ();

    fn designs(&self) -> Vec<Design<'a, B>> {
        self.0.to_vec()
    }

    fn wrap(&self, _values: nemos_core::Matrix<B>, _names: nemos_core::Names) {}
}

/// Models that a pipeline may end in.
pub(crate) trait End: Searchable {
    type Observation: ObservationModel;
    type Link: InverseLink;

    fn to_population(&self) -> PopulationGlm<Self::Observation, Self::Link>;

    fn fitted(fitted: FittedPopulationGlm<Self::Observation, Self::Link>) -> Result<Self::Fitted, Error>;

    fn with_population(population: PopulationGlm<Self::Observation, Self::Link>) -> Self;
}

impl<O: ObservationModel, L: InverseLink> End for PopulationGlm<O, L> {
    type Observation = O;
    type Link = L;

    fn to_population(&self) -> PopulationGlm<O, L> {
        self.clone()
    }

    fn fitted(fitted: FittedPopulationGlm<O, L>) -> Result<FittedPopulationGlm<O, L>, Error> {
        Ok(fitted)
    }

    fn with_population(population: PopulationGlm<O, L>) -> Self {
        population
    }
}

impl<O: ObservationModel, L: InverseLink> End for Glm<O, L> {
    type Observation = O;
    type Link = L;

    fn to_population(&self) -> PopulationGlm<O, L> {
        self.population().clone()
    }

    fn fitted(fitted: FittedPopulationGlm<O, L>) -> Result<FittedGlm<O, L>, Error> {
        Ok(FittedGlm::try_from_population(fitted)?)
    }

    fn with_population(population: PopulationGlm<O, L>) -> Self {
        Glm::from(population)
    }
}

#[allow(private_bounds)]
impl<M: End> Pipeline<M> {
    /// Fits the basis, and the model of its features, to all rows.
    ///
    /// # Errors
    /// If inputs do not suit the basis or their routes, and as [`PopulationGlm::fit`].
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
        let standard = self.standard.learn(&design)?;
        let design = standard.apply(&design)?;
        let fitted = self.model.to_population().fit(&design, counts)?;
        Ok(FittedPipeline {
            basis,
            model: M::fitted(standard.undo(fitted)?)?,
            routes: self.routes.clone(),
        })
    }
}

impl<M: Searchable> Tunable for Pipeline<M> {
    fn parameters(&self) -> Settings {
        let mut settings = Settings::default().and("basis", self.basis.clone());
        let labels = self.basis.labels().unwrap_or_default();
        for label in &labels {
            for (option, value) in options_of(&self.basis, label).unwrap_or_default() {
                settings = match value {
                    Json::Number(number) => match number.as_u64() {
                        Some(whole) => settings.and(format!("{label}.{option}"), whole as usize),
                        None => settings.and(format!("{label}.{option}"), number.as_f64().unwrap_or(f64::NAN)),
                    },
                    other => settings.and(format!("{label}.{option}"), Value::Name(other.to_string())),
                };
            }
        }
        let model = self.model.parameters();
        model
            .iter()
            .fold(settings, |settings, (path, value)| settings.and(path, value.clone()))
    }

    fn with(&self, path: &str, value: &Value) -> Result<Self, Error> {
        let mut made = self.clone();
        if path == "basis" {
            let Value::Basis(basis) = value else {
                return Err(refused(path, value, "it takes a basis"));
            };
            made.basis = basis.clone();
            return Ok(made);
        }
        let labels = self.basis.labels()?;
        if labels.iter().any(|label| label == path) {
            let Value::Basis(part) = value else {
                return Err(refused(
                    path,
                    value,
                    "a part of a basis takes a basis; name an option of it to set that",
                ));
            };
            made.basis = self.basis.replace(path, part.clone())?;
            return Ok(made);
        }
        let option = labels
            .iter()
            .filter_map(|label| Some((label, path.strip_prefix(label.as_str())?.strip_prefix('.')?)));
        // Of labels that begin alike, the longest is meant.
        if let Some((label, option)) = option.max_by_key(|(label, _)| label.len()) {
            made.basis = with_option(&self.basis, label, option, (path, value))?;
            return Ok(made);
        }
        made.model = self.model.with(path, value).map_err(|error| match error {
            Error::UnknownParameter { path, mut available } => {
                let known = self.parameters();
                let of_basis = known
                    .iter()
                    .map(|(path, _)| path)
                    .filter(|path| *path == "basis" || path.contains('.'));
                available.splice(0..0, of_basis.map(String::from));
                Error::UnknownParameter { path, available }
            }
            other => other,
        })?;
        Ok(made)
    }
}

/// The options of a family, as a specification is saved; nothing for a sum or a product.
fn options_of(basis: &Basis, label: &str) -> Option<Vec<(String, Json)>> {
    let part = serde_json::to_value(basis.part(label).ok()?).ok()?;
    let functions = part.get("node")?.get("Functions")?;
    let family = functions.get("kind")?.as_object()?.values().next()?.as_object()?;
    let mut options: Vec<(String, Json)> = family.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    if !family.contains_key("window") && functions.get("window").is_some_and(|window| !window.is_null()) {
        options.push(("window".into(), functions["window"].clone()));
    }
    Some(options)
}

/// The basis with one option of a part at another value.
fn with_option(basis: &Basis, label: &str, option: &str, (path, value): (&str, &Value)) -> Result<Basis, Error> {
    let fails = |why: String| refused(path, value, why);
    let known = options_of(basis, label).ok_or_else(|| fails("it is a sum or a product, which has parts and no options".into()))?;
    let Some((_, old)) = known.iter().find(|(name, _)| name == option) else {
        return Err(Error::UnknownParameter {
            path: path.into(),
            available: known.iter().map(|(name, _)| format!("{label}.{name}")).collect(),
        });
    };
    let new = match value {
        Value::Number(number) => Json::from(*number),
        Value::Count(count) => Json::from(*count),
        Value::Numbers(numbers) => Json::from(numbers.clone()),
        Value::Window(window) => serde_json::to_value(window).map_err(|error| fails(error.to_string()))?,
        Value::Bounds(low, high) => {
            let mut bounds = old.clone();
            let pairs = bounds.get_mut("pairs").ok_or_else(|| fails("it takes no bounds".into()))?;
            *pairs = Json::from(vec![vec![*low, *high]]);
            bounds
        }
        _ => return Err(fails("an option of a basis is a number, numbers, bounds or a window".into())),
    };
    let mut part = serde_json::to_value(basis.part(label)?).map_err(|error| fails(error.to_string()))?;
    let functions = &mut part["node"]["Functions"];
    let of_family = functions["kind"].as_object_mut().and_then(|kind| kind.values_mut().next());
    match of_family.and_then(|family| family.get_mut(option)) {
        Some(slot) => *slot = new,
        None => functions[option] = new,
    }
    let part: Basis = serde_json::from_value(part).map_err(|error| fails(error.to_string()))?;
    Ok(basis.replace(label, part)?)
}

impl<O: ObservationModel, L: InverseLink> Searchable for Pipeline<PopulationGlm<O, L>> {}

impl<O: ObservationModel, L: InverseLink> Searchable for Pipeline<Glm<O, L>> {}

impl<M: End> sealed::Sealed for Pipeline<M>
where
    Pipeline<M>: Tunable,
{
    type Fitted = FittedPipeline<M::Fitted>;

    #[allow(private_interfaces)]
    fn evaluate<B: Backend>(candidates: &[Self], data: &Data<'_, B>, scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        let mut left: Vec<usize> = (0..candidates.len()).collect();
        while let Some(&first) = left.first() {
            let like = |candidate: &usize| {
                let (a, b) = (&candidates[first], &candidates[*candidate]);
                (&a.basis, &a.routes, &a.standard) == (&b.basis, &b.routes, &b.standard)
            };
            let (group, rest): (Vec<usize>, Vec<usize>) = left.into_iter().partition(like);
            left = rest;
            let models: Vec<_> = group.iter().map(|&candidate| candidates[candidate].model.to_population()).collect();
            let mut of_group = |evaluated: Vec<(usize, Evaluated)>| {
                done(evaluated.into_iter().map(|(place, evaluated)| (group[place], evaluated)).collect())
            };
            match Features::new(&candidates[first], data) {
                Ok(features) => batch::evaluate(&models, &features.pieces(data)?, scoring, &mut of_group)?,
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
        let same =
            |pipeline: &&&Self| (&pipeline.basis, &pipeline.routes, &pipeline.standard) == (&first.basis, &first.routes, &first.standard);
        if !(chosen.iter().all(|pipeline| same(&pipeline)) && models.iter().all(|model| differ_in_strength(&models[0], model))) {
            return Ok(None);
        }
        let inputs = first.routes.route(&first.basis, inputs)?;
        let features = first.learn(&inputs)?.design(Ready(&inputs))?;
        let model = merged(
            &features.to_design(),
            models.len(),
            models.iter().enumerate().map(|(neuron, model)| (model, neuron)),
        )?;
        Ok(Some(Pipeline {
            model: M::with_population(model),
            ..(*first).clone()
        }))
    }

    fn restricted<B: Backend>(&self, neurons: &[usize], n_neurons: usize, inputs: &[Design<'_, B>]) -> Result<Self, Error> {
        let inputs = self.routes.route(&self.basis, inputs)?;
        let features = self.learn(&inputs)?.design(Ready(&inputs))?;
        let design = features.to_design();
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
}

/// The same failure for another candidate.
fn again(error: &Error) -> Error {
    match error {
        Error::Glm(error) => Error::Glm(error.clone()),
        Error::Basis(error) => Error::Basis(error.clone()),
        other => Error::Inputs { what: other.to_string() },
    }
}

/// The features of a pipeline on the rows of a search.
enum Features<'a, B: Backend> {
    /// The same in all folds: they are one batch.
    Shared(BasisDesign<'a, B>),
    /// Those of training rows and those of test rows, in each fold.
    OfFolds(Vec<OfFold<'a, B>>),
}

struct OfFold<'a, B: Backend> {
    train: BasisDesign<'a, B>,
    test: BasisDesign<'a, B>,
    standard: Standardized,
}

impl<'a, B: Backend> Features<'a, B> {
    fn new<M: End>(pipeline: &Pipeline<M>, data: &Data<'a, B>) -> Result<Self, Error> {
        let inputs = pipeline.routes.route(&pipeline.basis, &data.inputs)?;
        if pipeline.basis.is_rowwise() && pipeline.standard == Standard::AsTheyAre {
            return Ok(Features::Shared(pipeline.basis.design(Ready(&inputs))?));
        }
        let of_fold = |split: &crate::Split| {
            let rows = |rows: &[usize]| inputs.iter().map(|input| input.select_rows(rows)).collect::<Result<Vec<_>, _>>();
            let (train, test) = (rows(split.train())?, rows(split.test())?);
            let basis = pipeline.learn(&train)?;
            let (train, test) = (basis.design(Ready(&train))?, basis.design(Ready(&test))?);
            let standard = pipeline.standard.learn(&train.to_design())?;
            Ok(OfFold { standard, train, test })
        };
        data.splits.iter().map(of_fold).collect::<Result<_, Error>>().map(Features::OfFolds)
    }

    fn pieces<'s>(&'s self, data: &'s Data<'_, B>) -> Result<Vec<Piece<'s, B>>, Error> {
        match self {
            Features::Shared(features) => batch::pieces(&features.to_design(), &data.counts, &data.splits),
            Features::OfFolds(folds) => {
                let piece = |(fold, of_fold): (usize, &'s OfFold<'a, B>)| {
                    let split = data.splits.get(fold);
                    let design = of_fold.standard.apply(&of_fold.train.to_design())?;
                    let test = of_fold.standard.apply(&of_fold.test.to_design())?;
                    Ok(Piece {
                        folds: vec![fold],
                        design,
                        counts: data.counts.select_rows(split.train())?,
                        classes: None,
                        tests: vec![(test, data.counts.select_rows(split.test())?)],
                    })
                };
                folds.iter().enumerate().map(piece).collect()
            }
        }
    }
}

impl<F> FittedPipeline<F> {
    /// A basis with the bounds of the training rows, and the model that was fitted to its features: from a file, for one.
    pub fn from_parts(basis: impl Into<Basis>, model: F) -> Self {
        FittedPipeline {
            basis: basis.into(),
            model,
            routes: Routes::default(),
        }
    }

    /// The basis, with the bounds of the training rows.
    pub fn basis(&self) -> &Basis {
        &self.basis
    }

    /// The model of its features.
    pub fn model(&self) -> &F {
        &self.model
    }
}

impl<O: ObservationModel, L: InverseLink> FittedPipeline<FittedPopulationGlm<O, L>> {
    /// The expected counts: one row per row of the inputs, under the neurons' names.
    ///
    /// # Errors
    /// If inputs do not suit the basis or their routes.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        predict(self, &self.model, inputs)
    }

    /// How well the pipeline describes counts.
    ///
    /// # Errors
    /// As [`predict`](FittedPipeline::predict), and as [`FittedPopulationGlm::score`].
    pub fn score<'a, B: Backend>(
        &self,
        inputs: impl Inputs<'a, B>,
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        scored(self, &self.model, inputs, (counts.to_design(), score))
    }
}

impl<O: ObservationModel, L: InverseLink> FittedPipeline<FittedGlm<O, L>> {
    /// The expected counts: one row per row of the inputs.
    ///
    /// # Errors
    /// If inputs do not suit the basis or their routes.
    pub fn predict<'a, B: Backend>(&self, inputs: impl Inputs<'a, B>) -> Result<Design<'static, B>, Error> {
        predict(self, self.model.population(), inputs)
    }

    /// How well the pipeline describes counts.
    ///
    /// # Errors
    /// As [`predict`](FittedPipeline::predict), and as [`FittedGlm::score`].
    pub fn score<'a, B: Backend>(
        &self,
        inputs: impl Inputs<'a, B>,
        counts: &(impl ToDesign<B> + ?Sized),
        score: Score,
    ) -> Result<f64, Error> {
        scored(self, self.model.population(), inputs, (counts.to_design(), score))
    }
}

fn predict<'a, B: Backend, F, O: ObservationModel, L: InverseLink>(
    pipeline: &FittedPipeline<F>,
    model: &FittedPopulationGlm<O, L>,
    inputs: impl Inputs<'a, B>,
) -> Result<Design<'static, B>, Error> {
    let inputs = pipeline.routes.route(&pipeline.basis, &inputs.designs())?;
    let features = pipeline.basis.design(Ready(&inputs))?;
    Ok(model.predict(&features)?)
}

fn scored<'a, B: Backend, F, O: ObservationModel, L: InverseLink>(
    pipeline: &FittedPipeline<F>,
    model: &FittedPopulationGlm<O, L>,
    inputs: impl Inputs<'a, B>,
    (counts, score): (Design<'_, B>, Score),
) -> Result<f64, Error> {
    let inputs = pipeline.routes.route(&pipeline.basis, &inputs.designs())?;
    let features = pipeline.basis.design(Ready(&inputs))?;
    Ok(model.score(&features, &counts, score)?)
}

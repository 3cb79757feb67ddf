//! What can be searched: models of one neuron and of many, and pipelines.

use nemos_core::{Backend, Design, Names};
use nemos_glm::{
    FeatureMask, FittedGlm, FittedPopulationGlm, Glm, InverseLink, ObservationModel, Options, PopulationGlm, Regularizer, Strength,
};

use crate::batch::{self, Evaluated, differ_in_strength, merged};
use crate::splits::Splits;
use crate::tunable::{strength, strength_mut};
use crate::{Error, Folds, Scoring, Tunable};

/// A specification that can be fitted on some rows and scored on others. The models of `nemos-glm`, classifiers included, and
/// [`Pipeline`](crate::Pipeline) are.
///
/// What fitting one gives is its `Fitted`: a [`FittedGlm`] of a [`Glm`].
pub trait Searchable: Tunable + sealed::Sealed {}

/// Data that candidates are fitted to: inputs (a model has one, its design), counts, and how rows are cut.
pub(crate) struct Data<'a, B: Backend> {
    pub(crate) inputs: Vec<Design<'a, B>>,
    pub(crate) counts: Design<'a, B>,
    pub(crate) splits: Splits,
}

/// Inputs and counts with as many rows, and how they are cut.
pub(crate) fn data<'a, B: Backend>(inputs: Vec<Design<'a, B>>, counts: Design<'a, B>, folds: &Folds) -> Result<Data<'a, B>, Error> {
    let Some(first) = inputs.first() else {
        return Err(Error::Inputs {
            what: "there are no inputs; give the design, or the inputs of a basis".into(),
        });
    };
    if counts.n_columns() == 0 {
        return Err(Error::Inputs {
            what: "there are no neurons: the counts have no column".into(),
        });
    }
    for input in &inputs {
        input.check_whole("a search")?;
    }
    let others = inputs[1..].iter().chain([&counts]);
    if let Some(other) = others.into_iter().find(|other| other.n_rows() != first.n_rows()) {
        return Err(nemos_core::Error::RowsDiffer {
            left_name: "the first input",
            left: first.n_rows(),
            right_name: "another input, or the counts",
            right: other.n_rows(),
        }
        .into());
    }
    // Whichever knows times and segments says where rows may be cut.
    let knows = |design: &&Design<'_, B>| design.times().is_some() || design.segments().ranges().len() > 1;
    let all = || inputs.iter().chain([&counts]);
    let splits: Splits = folds.cut(all().find(knows).unwrap_or(first))?;
    Ok(Data { inputs, counts, splits })
}

/// Hears of candidates, by their numbers, when they are done.
pub(crate) type Done<'d> = dyn FnMut(Vec<(usize, Evaluated)>) -> Result<(), Error> + 'd;

pub(crate) mod sealed {
    use super::{Backend, Data, Design, Done, Error, Scoring};

    /// What a search asks of a specification.
    pub trait Sealed: Clone {
        /// What fitting gives.
        type Fitted: Clone + std::fmt::Debug;

        /// Fits and scores candidates.
        #[allow(private_interfaces)]
        fn evaluate<B: Backend>(candidates: &[Self], data: &Data<'_, B>, scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error>;

        /// Fits to all rows.
        fn refit<B: Backend>(&self, inputs: &[Design<'_, B>], counts: &Design<'_, B>) -> Result<Self::Fitted, Error>;

        /// One specification for neurons that chose different ones, where these differ in strengths alone.
        /// Provided for models of one neuron.
        fn joined<B: Backend>(chosen: &[&Self], _inputs: &[Design<'_, B>]) -> Result<Option<Self>, Error> {
            Ok(chosen.first().map(|&only| only.clone()))
        }

        /// The same specification of some of the neurons. Provided for models of one.
        fn restricted<B: Backend>(&self, _neurons: &[usize], _n_neurons: usize, _inputs: &[Design<'_, B>]) -> Result<Self, Error> {
            Ok(self.clone())
        }

        /// How strong the penalty is, on average.
        fn strength(&self) -> f64;

        /// All of its options: specifications that print alike are the same.
        fn printed(&self) -> String;
    }
}

impl<O: ObservationModel, L: InverseLink> Searchable for PopulationGlm<O, L> {}

impl<O: ObservationModel, L: InverseLink> sealed::Sealed for PopulationGlm<O, L> {
    type Fitted = FittedPopulationGlm<O, L>;

    #[allow(private_interfaces)]
    fn evaluate<B: Backend>(candidates: &[Self], data: &Data<'_, B>, scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        let pieces = batch::pieces(design(&data.inputs)?, &data.counts, &data.splits)?;
        batch::evaluate(candidates, &pieces, scoring, done)
    }

    fn refit<B: Backend>(&self, inputs: &[Design<'_, B>], counts: &Design<'_, B>) -> Result<Self::Fitted, Error> {
        Ok(self.fit(design(inputs)?, counts)?)
    }

    fn joined<B: Backend>(chosen: &[&Self], inputs: &[Design<'_, B>]) -> Result<Option<Self>, Error> {
        let Some(first) = chosen.first() else { return Ok(None) };
        if !chosen.iter().all(|model| differ_in_strength(first, model)) {
            return Ok(None);
        }
        let problems = chosen.iter().enumerate().map(|(neuron, &model)| (model, neuron));
        merged(design(inputs)?, chosen.len(), problems).map(Some)
    }

    fn restricted<B: Backend>(&self, neurons: &[usize], n_neurons: usize, inputs: &[Design<'_, B>]) -> Result<Self, Error> {
        let design = design(inputs)?;
        restrict(self.options(), neurons, n_neurons, (design.names(), design.n_columns())).map(|options| self.clone().with_options(options))
    }

    fn strength(&self) -> f64 {
        mean_strength(self.penalty())
    }

    fn printed(&self) -> String {
        format!(
            "{:?} {:?} {}",
            self.observation_model(),
            self.inverse_link(),
            options_in_print(self.options())
        )
    }
}

impl<O: ObservationModel, L: InverseLink> Searchable for Glm<O, L> {}

impl<O: ObservationModel, L: InverseLink> sealed::Sealed for Glm<O, L> {
    type Fitted = FittedGlm<O, L>;

    #[allow(private_interfaces)]
    fn evaluate<B: Backend>(candidates: &[Self], data: &Data<'_, B>, scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        let n_neurons = data.counts.n_columns();
        if n_neurons > 1 {
            return Err(nemos_glm::Error::SeveralNeurons { n_neurons }.into());
        }
        let populations: Vec<PopulationGlm<O, L>> = candidates.iter().map(|model| model.population().clone()).collect();
        PopulationGlm::evaluate(&populations, data, scoring, done)
    }

    fn refit<B: Backend>(&self, inputs: &[Design<'_, B>], counts: &Design<'_, B>) -> Result<Self::Fitted, Error> {
        Ok(self.fit(design(inputs)?, counts)?)
    }

    fn strength(&self) -> f64 {
        sealed::Sealed::strength(self.population())
    }

    fn printed(&self) -> String {
        self.population().printed()
    }
}

/// As they are saved: `Debug` would cut long arrays short.
pub(crate) fn options_in_print(options: &Options) -> String {
    serde_json::to_string(options).unwrap_or_else(|_| format!("{options:?}"))
}

/// A model has one input: its design.
pub(crate) fn design<'d, 'a, B: Backend>(inputs: &'d [Design<'a, B>]) -> Result<&'d Design<'a, B>, Error> {
    match inputs {
        [design] => Ok(design),
        _ => Err(Error::Inputs {
            what: format!(
                "a model takes one design, and got {} inputs; a Pipeline makes one of several",
                inputs.len()
            ),
        }),
    }
}

/// Options of some of the neurons.
pub(crate) fn restrict(
    options: &Options,
    neurons: &[usize],
    n_neurons: usize,
    (names, n_features): (&Names, usize),
) -> Result<Options, Error> {
    let mut options = options.clone();
    match strength_mut(&mut options.regularizer) {
        Some(Strength::PerNeuron(strengths)) if strengths.len() == n_neurons => {
            *strengths = neurons.iter().map(|&neuron| strengths[neuron]).collect();
        }
        Some(Strength::PerCoefficient(strengths)) if strengths.ncols() == n_neurons => {
            *strengths = strengths.select(ndarray::Axis(1), neurons);
        }
        _ => {}
    }
    if let Some(mask) = &options.mask {
        let mask = mask.resolve(names, n_features, n_neurons)?;
        options.mask = Some(FeatureMask::from(mask.select(ndarray::Axis(1), neurons)));
    }
    if let Some(start) = options.start.as_ref().filter(|start| start.n_problems() == n_neurons) {
        options.start = Some(start.select(neurons));
    }
    Ok(options)
}

pub(crate) fn mean_strength(regularizer: &Regularizer) -> f64 {
    let mean = |strengths: &[f64]| strengths.iter().sum::<f64>() / strengths.len().max(1) as f64;
    match strength(regularizer) {
        None => 0.0,
        Some(Strength::Shared(strength)) => *strength,
        Some(Strength::PerNeuron(strengths) | Strength::PerFeature(strengths) | Strength::PerGroup(strengths)) => mean(strengths),
        Some(Strength::PerCoefficient(strengths)) => strengths.mean().unwrap_or(0.0),
        Some(Strength::PerBlock(blocks)) => mean(&blocks.iter().map(|(_, strength)| *strength).collect::<Vec<_>>()),
        Some(_) => 0.0,
    }
}

//! Classifiers in searches.

use nemos_core::{Backend, Design};
use nemos_glm::{ClassifierGlm, ClassifierPopulationGlm, FittedClassifierGlm, FittedClassifierPopulationGlm, Status};

use crate::batch::{self, Evaluated, Piece, Scored};
use crate::searchable::{Data, Done, Searchable, design, mean_strength, options_in_print, restrict, sealed};
use crate::tunable::{options_with, parameters_of};
use crate::{Error, Scoring, Settings, Tunable, Value};

impl Tunable for ClassifierPopulationGlm {
    fn parameters(&self) -> Settings {
        parameters_of(self.options())
    }

    fn with(&self, path: &str, value: &Value) -> Result<Self, Error> {
        Ok(self.clone().with_options(options_with(self.options(), path, value)?))
    }
}

impl Tunable for ClassifierGlm {
    fn parameters(&self) -> Settings {
        self.population().parameters()
    }

    fn with(&self, path: &str, value: &Value) -> Result<Self, Error> {
        self.population().with(path, value).map(ClassifierGlm::from)
    }
}

impl Searchable for ClassifierPopulationGlm {}

impl Searchable for ClassifierGlm {}

impl sealed::Sealed for ClassifierPopulationGlm {
    type Fitted = FittedClassifierPopulationGlm;

    #[allow(private_interfaces)]
    fn evaluate<B: Backend>(candidates: &[Self], data: &Data<'_, B>, scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        let pieces = batch::pieces(design(&data.inputs)?, &data.counts, &data.splits)?;
        evaluate(candidates, &pieces, scoring, done)
    }

    fn refit<B: Backend>(&self, inputs: &[Design<'_, B>], labels: &Design<'_, B>) -> Result<Self::Fitted, Error> {
        Ok(self.fit(design(inputs)?, labels)?)
    }

    fn joined<B: Backend>(_chosen: &[&Self], _inputs: &[Design<'_, B>]) -> Result<Option<Self>, Error> {
        Ok(None)
    }

    fn restricted<B: Backend>(&self, neurons: &[usize], n_neurons: usize, inputs: &[Design<'_, B>]) -> Result<Self, Error> {
        let design = design(inputs)?;
        let options = restrict(self.options(), neurons, n_neurons, (design.names(), design.n_columns()))?;
        Ok(self.clone().with_options(options))
    }

    fn strength(&self) -> f64 {
        mean_strength(self.penalty())
    }

    fn printed(&self) -> String {
        format!("{} classes {}", self.n_classes(), options_in_print(self.options()))
    }
}

/// Every candidate on every fold by itself: classes of a neuron are one problem, and share no pass with others.
pub(crate) fn evaluate<B: Backend>(
    candidates: &[ClassifierPopulationGlm],
    pieces: &[Piece<'_, B>],
    scoring: &Scoring,
    done: &mut Done<'_>,
) -> Result<(), Error> {
    let mut folds: Vec<(usize, Fold<'_, B>)> = Vec::new();
    for piece in pieces {
        for (place, (&fold, test)) in piece.folds.iter().zip(&piece.tests).enumerate() {
            folds.push((fold, [piece.training_rows(place)?, test.clone()]));
        }
    }
    folds.sort_by_key(|(fold, _)| *fold);
    for (place, candidate) in candidates.iter().enumerate() {
        let evaluated: Evaluated = folds
            .iter()
            .map(|(number, fold)| of_fold(candidate, fold, scoring).map_err(|error| error.in_fold(*number)))
            .collect();
        done(vec![(place, evaluated)])?;
    }
    Ok(())
}

/// Design and labels to train on, and those to test on.
type Fold<'a, B> = [(Design<'a, B>, Design<'a, B>); 2];

fn of_fold<B: Backend>(candidate: &ClassifierPopulationGlm, [train, test]: &Fold<'_, B>, scoring: &Scoring) -> Result<Scored, Error> {
    let fitted = candidate.fit(&train.0, &train.1)?;
    let (score, by_neuron) = scoring.of_classes(&fitted, (&test.0, &test.1))?;
    let coef = fitted.coef();
    let size = |neuron: usize| {
        coef.index_axis(ndarray::Axis(1), neuron)
            .iter()
            .filter(|coef| **coef != 0.0)
            .count() as f64
    };
    Ok(Scored {
        score,
        by_neuron,
        sizes: (0..fitted.neurons().len()).map(size).collect(),
        n_unconverged: fitted.outcome().statuses().filter(|status| *status != Status::Converged).count(),
    })
}

impl sealed::Sealed for ClassifierGlm {
    type Fitted = FittedClassifierGlm;

    #[allow(private_interfaces)]
    fn evaluate<B: Backend>(candidates: &[Self], data: &Data<'_, B>, scoring: &Scoring, done: &mut Done<'_>) -> Result<(), Error> {
        let n_neurons = data.counts.n_columns();
        if n_neurons > 1 {
            return Err(nemos_glm::Error::SeveralNeurons { n_neurons }.into());
        }
        let populations: Vec<ClassifierPopulationGlm> = candidates.iter().map(|model| model.population().clone()).collect();
        ClassifierPopulationGlm::evaluate(&populations, data, scoring, done)
    }

    fn refit<B: Backend>(&self, inputs: &[Design<'_, B>], labels: &Design<'_, B>) -> Result<Self::Fitted, Error> {
        Ok(self.fit(design(inputs)?, labels)?)
    }

    fn strength(&self) -> f64 {
        sealed::Sealed::strength(self.population())
    }

    fn printed(&self) -> String {
        self.population().printed()
    }
}

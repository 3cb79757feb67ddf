//! A fitted classifier, as inference asks for it.

use std::sync::Arc;

use ndarray::Array2;
use nemos_core::{Backend, Design, Names};
use nemos_glm::{Exp, FittedClassifierPopulationGlm, GlmObjective, Options, Problems, Scale, Score, Support};
use nemos_solvers::{Outcome, Parameters};

use crate::Error;
use crate::described::{AtRows, Described, HostLink, Kind, OnBackend};

impl<B: Backend> Described<B> for FittedClassifierPopulationGlm {
    fn kind(&self) -> Kind {
        let n_classes = self.specification().n_classes();
        Kind {
            title: format!("classifier GLM, {n_classes} classes"),
            built_in: Some("Categorical".into()),
            scale: Scale::Fixed(1.0),
            support: Support::Classes(n_classes),
            is_exponential_family: true,
        }
    }

    fn n_predictors(&self) -> usize {
        self.specification().n_classes()
    }

    fn parameters(&self) -> &Parameters {
        self.parameters()
    }

    fn outcome(&self) -> &Outcome {
        self.outcome()
    }

    fn scale(&self) -> Vec<f64> {
        vec![1.0; self.neurons().len()]
    }

    fn features(&self) -> &Names {
        self.features()
    }

    fn neurons(&self) -> &[String] {
        self.neurons()
    }

    fn options(&self) -> &Options {
        self.specification().options()
    }

    /// From logarithms of odds to odds.
    fn link(&self) -> Arc<dyn HostLink> {
        Arc::new(OnBackend::<B, Exp>::new(Exp))
    }

    /// There is no scale.
    fn at_scale(&self, _scale: Vec<f64>) -> Result<Box<dyn Described<B>>, Error> {
        Ok(Box::new(self.clone()))
    }

    fn objective<'a>(&self, problems: Problems, design: Design<'a, B>, labels: Design<'a, B>) -> Result<GlmObjective<'a, B>, Error> {
        Ok(self.objective(problems, design, labels)?)
    }

    fn training<'a>(&self, problems: Problems, design: &'a Design<'_, B>, labels: &'a Design<'_, B>) -> Result<GlmObjective<'a, B>, Error> {
        Ok(self.specification().objective_of(problems, design, labels)?)
    }

    fn refit(&self, options: Options, design: &Design<'_, B>, labels: &Design<'_, B>) -> Result<Box<dyn Described<B>>, Error> {
        Ok(Box::new(self.specification().clone().with_options(options).fit(design, labels)?))
    }

    fn log_likelihood(&self, design: &Design<'_, B>, labels: &Design<'_, B>) -> Result<Vec<f64>, Error> {
        Ok(self.score_by_neuron(design, labels, Score::LogLikelihood)?)
    }

    fn deviances(&self, design: &Design<'_, B>, labels: &Design<'_, B>) -> Result<[Vec<f64>; 2], Error> {
        Ok(self.deviances(design, labels)?)
    }

    fn deviance(&self, design: &Design<'_, B>, labels: &Design<'_, B>) -> Result<Vec<f64>, Error> {
        Ok(self.deviance(design, labels)?)
    }

    fn pearson_chi2(&self, design: &Design<'_, B>, labels: &Design<'_, B>) -> Result<Vec<f64>, Error> {
        Ok(self.pearson_chi2(design, labels)?)
    }

    fn at_rows(&self, _: Array2<f64>, _: Array2<f64>) -> Result<AtRows, Error> {
        Err(Error::NotForClassifiers {
            what: "a residual of each row",
            why: "a label is no number; look at the probabilities of the classes",
        })
    }
}

//! What inference asks of a fitted classifier: its parameters, its loss on any data, and how far it is from the labels.

use std::sync::Arc;

use nemos_core::{Backend, Design, ToDesign};
use nemos_solvers::Parameters;

use crate::classifier::categorical::Targets;
use crate::engine::measure::{Described, From, Quantity};
use crate::engine::model::Model;
use crate::engine::survey::Survey;
use crate::fit::task::{self, Task};
use crate::fitted::null;
use crate::{Error, FittedClassifierPopulationGlm, GlmObjective, Options, Problems};

impl FittedClassifierPopulationGlm {
    /// `[n_classes · (n_features + 1), n_neurons]`: for each neuron, class after class, the coefficients and then the intercept.
    pub fn parameters(&self) -> &Parameters {
        &self.fit().parameters
    }

    /// The loss that the fit minimised, less the penalty, on any data: what informations and scores are taken of. No coefficient is
    /// held, and the features are not surveyed.
    ///
    /// # Errors
    /// If design and labels do not fit each other or, in shape or by name, the model, or the problems do not fit the labels.
    pub fn objective<'a, B: Backend>(
        &self,
        problems: Problems,
        design: Design<'a, B>,
        labels: Design<'a, B>,
    ) -> Result<GlmObjective<'a, B>, Error> {
        self.check_data(&design, &labels)?;
        let model = Arc::new(self.specification().model(Targets::Labels));
        let task = Task {
            model,
            design,
            counts: labels,
        };
        task.objective(&Options::default(), Some(problems), Survey::CountsOnly)
    }

    /// `[n_neurons]`: the deviances, `−2 ln p(label)`, summed over samples; for weighted rows, as if the weights were one on average.
    ///
    /// # Errors
    /// If design and labels do not fit each other or, in shape or by name, the model.
    pub fn deviance<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<f64>, Error> {
        self.described((design.to_design(), labels.to_design()), |mut described| {
            Ok(described.sum(Quantity::Deviance, From::Parameters(self.parameters()))?.totals())
        })
    }

    /// `[n_neurons]` each: the deviances of the model, and those of a model that gives each class its share of the labels.
    ///
    /// # Errors
    /// If design and labels do not fit each other or, in shape or by name, the model.
    pub fn deviances<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<[Vec<f64>; 2], Error> {
        self.described((design.to_design(), labels.to_design()), |mut described| {
            null::deviances(&mut described, self.parameters())
        })
    }

    /// `[n_neurons]`: Pearson's χ², `Σₖ (yₖ − pₖ)² / pₖ` summed over samples; for weighted rows, as if the weights were one on average.
    ///
    /// # Errors
    /// If design and labels do not fit each other or, in shape or by name, the model.
    pub fn pearson_chi2<B: Backend>(
        &self,
        design: &(impl ToDesign<B> + ?Sized),
        labels: &(impl ToDesign<B> + ?Sized),
    ) -> Result<Vec<f64>, Error> {
        let (design, labels) = (design.to_design(), labels.to_design());
        self.check_data(&design, &labels)?;
        let model: Arc<dyn Model<B::Burn>> = Arc::new(self.specification().model(Targets::Labels));
        let problems = Problems::one_per_response(self.neurons().len());
        task::pearson_chi2(&*model, self.fit(), problems, (design, labels))
    }

    /// What `of` makes of the model beside data that suit it.
    pub(super) fn described<B: Backend, R>(
        &self,
        (design, labels): (Design<'_, B>, Design<'_, B>),
        of: impl FnOnce(Described<'_, '_, B>) -> Result<R, Error>,
    ) -> Result<R, Error> {
        self.check_data(&design, &labels)?;
        let model: Arc<dyn Model<B::Burn>> = Arc::new(self.specification().model(Targets::Labels));
        of(Described::new(&*model, &self.fit().scale, (design, labels))?)
    }

    fn check_data<B: Backend>(&self, design: &Design<'_, B>, labels: &Design<'_, B>) -> Result<(), Error> {
        self.fit().check_design(design, self.n_features())?;
        self.fit().check_counts("labels", labels)
    }
}

//! The suites `glm` and `population`: models of one neuron, and of many that share a design.

use ndarray::Array2;
use nemos::core::{Backend, Cpu, Matrix};
use nemos::glm::{InverseLink, ObservationModel, PopulationGlm, Regularizer, Score};
use nemos::solvers::Stopping;
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

use crate::model::{Run, any_model, regularizer, with_model};
use crate::ranks::shared;

/// Fits one case in both precisions and compares what the fits give.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    with_model(known(case)?, Compare { case: Case::new(case) })
}

/// The same in single precision on a backend of its own kind.
#[allow(dead_code, reason = "not all programs that share this file need it")]
pub(crate) fn run_on<B: Backend>(case: &Value) -> Result<(), String> {
    let compare = Compare { case: known(case)? };
    compare.compare::<B, _, _>(&compare.penalised(any_model(compare.case)?)?, &Closeness::single())
}

fn known(case: &Value) -> Result<Case<'_>, String> {
    let case = Case::new(case);
    case.only_fields(&[
        "name",
        "X",
        "y",
        "observation",
        "inverse_link",
        "observation_scale",
        "regularizer",
        "strength",
        "groups",
        "feature_mask",
        "fitted",
    ])?;
    Ok(case)
}

/// Coefficients this close need a fit stopped far below the default tolerance.
pub(crate) fn stopping() -> Stopping {
    Stopping::new().tolerance(1e-20)
}

/// How close fits in one precision must be.
struct Closeness {
    fit: Tolerance,
    score: Tolerance,
    stopping: Stopping,
}

impl Closeness {
    fn single() -> Self {
        Closeness {
            fit: Tolerance::SINGLE,
            score: Tolerance::SINGLE_SCORE,
            stopping: Stopping::new(),
        }
    }
}

#[derive(Copy, Clone)]
struct Compare<'a> {
    case: Case<'a>,
}

impl Run for Compare<'_> {
    fn run<O: ObservationModel, L: InverseLink>(self, model: PopulationGlm<O, L>) -> Result<(), String> {
        let model = self.penalised(model)?;
        let fit = match model.penalty() {
            Regularizer::Unregularized | Regularizer::Ridge(_) => Tolerance::SMOOTH_FIT,
            _ => Tolerance::LASSO_FIT,
        };
        let double = Closeness {
            fit,
            score: Tolerance::SCORE,
            stopping: stopping(),
        };
        self.compare::<Cpu, O, L>(&model, &double)?;
        self.compare::<Cpu<f32>, O, L>(&model, &Closeness::single())
            .map_err(|why| format!("in f32, {why}"))
    }
}

impl Compare<'_> {
    /// The model with the penalty and the mask of the case.
    fn penalised<O: ObservationModel, L: InverseLink>(self, model: PopulationGlm<O, L>) -> Result<PopulationGlm<O, L>, String> {
        let model = model.regularizer(regularizer(self.case)?);
        Ok(match self.case.field("feature_mask").is_ok_and(|mask| !mask.is_null()) {
            true => model.feature_mask(self.case.matrix("feature_mask")?.mapv(|flag| flag == 1.0)),
            false => model,
        })
    }

    fn compare<B: Backend, O: ObservationModel, L: InverseLink>(
        self,
        model: &PopulationGlm<O, L>,
        close: &Closeness,
    ) -> Result<(), String> {
        let counts = self.case.array("y")?;
        let n_neurons = if counts.ndim() == 1 { 1 } else { counts.shape()[1] };
        let shape = (counts.shape()[0], n_neurons);
        let counts: Array2<f64> = counts.into_shape_with_order(shape).map_err(|error| error.to_string())?;
        let (design, counts) = (
            Matrix::<B>::from_array(self.case.matrix("X")?.view()),
            Matrix::from_array(counts.view()),
        );
        let expected = self.case.part("fitted")?;
        expected.only_fields(&[
            "coef",
            "intercept",
            "scale",
            "dof_resid",
            "rate",
            "log-likelihood",
            "pseudo-r2-McFadden",
            "pseudo-r2-Cohen",
            "neuron_scores",
        ])?;
        let text = |error: nemos::glm::Error| error.to_string();
        let first = design.rows(0..10).map_err(|error| error.to_string())?;
        let (design, counts) = shared(&design, &counts)?;
        let fitted = model.clone().stopping(close.stopping).fit(&design, &counts).map_err(text)?;
        let flat = |name| Ok::<_, String>(expected.array(name)?.iter().copied().collect::<Vec<f64>>());
        let per_neuron = |name| Ok::<_, String>(each(flat(name)?, n_neurons));
        close
            .fit
            .check("coef", &fitted.coef().iter().copied().collect::<Vec<_>>(), &flat("coef")?)?;
        close.fit.check("intercept", &fitted.intercept().to_vec(), &flat("intercept")?)?;
        close
            .fit
            .check("rate", &fitted.predict(&first).map_err(text)?.to_vec(), &flat("rate")?)?;
        close.score.check("scale", fitted.scale(), &per_neuron("scale")?)?;
        if fitted.dof_resid() != per_neuron("dof_resid")? {
            return Err(format!("dof_resid is {:?}, not {:?}", fitted.dof_resid(), flat("dof_resid")?));
        }
        for (name, kind) in SCORES {
            let got = fitted.score(&design, &counts, kind).map_err(text)?;
            close.score.check(name, &[got], &[expected.number(name)?])?;
        }
        if expected.field("neuron_scores").is_err() {
            return Ok(());
        }
        let by_neuron = fitted.score_by_neuron(&design, &counts, Score::McFadden).map_err(text)?;
        close.score.check("neuron_scores", &by_neuron, &flat("neuron_scores")?)
    }
}

/// A number that is the same for all neurons may stand once.
fn each(values: Vec<f64>, n_neurons: usize) -> Vec<f64> {
    match values[..] {
        [shared] => vec![shared; n_neurons],
        _ => values,
    }
}

/// The scores of a case and their names.
const SCORES: [(&str, Score); 3] = [
    ("log-likelihood", Score::LogLikelihood),
    ("pseudo-r2-McFadden", Score::McFadden),
    ("pseudo-r2-Cohen", Score::Cohen),
];

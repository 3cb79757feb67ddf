//! The suite `observation`: observation models on their own, at given rates.

use ndarray::{Array2, Axis};
use nemos::core::{Backend, Cpu, Matrix};
use nemos::glm::{InverseLink, ObservationModel, PopulationGlm, Scale, Score};
use nemos::solvers::{Objective, Order, Request};
use nemos_testkit::{Case, Tolerance};
use serde_json::{Value, json};

use crate::model::{Run, with_model};

/// Compares one model at the rates of one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    Case::new(case).only_fields(&[
        "name",
        "observation",
        "scale",
        "y",
        "rate",
        "negative_log_likelihood",
        "log_likelihood",
        "deviance",
        "pseudo-r2-McFadden",
        "pseudo-r2-Cohen",
        "estimate_scale",
    ])?;
    // A model whose predictor is the rate.
    let mut named = case.clone();
    named["inverse_link"] = json!("identity");
    named["observation_scale"] = named["scale"].clone();
    with_model(Case::new(&named), Compare { case: Case::new(case) })
}

struct Compare<'a> {
    case: Case<'a>,
}

impl Run for Compare<'_> {
    fn run<O: ObservationModel, L: InverseLink>(self, model: PopulationGlm<O, L>) -> Result<(), String> {
        let text = |error: nemos::glm::Error| error.to_string();
        let (rate, counts) = (self.case.matrix("rate")?, self.case.matrix("y")?);
        let (n_rows, n_neurons) = counts.dim();
        let scale = match model
            .with_parameters(&Array2::eye(n_neurons), &vec![0.0; n_neurons])
            .map_err(text)?
            .observation()
            .scale()
        {
            Scale::Pearson => self.case.number("scale")?,
            known => known.start(),
        };
        let dof = (n_rows - 4) as f64;
        let fitted = model
            .with_parameters(&Array2::eye(n_neurons), &vec![0.0; n_neurons])
            .and_then(|fitted| fitted.with_scale(vec![scale; n_neurons], vec![dof; n_neurons]))
            .map_err(text)?;
        let (design, y) = (Matrix::<Cpu>::from_array(rate.view()), Matrix::from_array(counts.view()));
        let tolerance = Tolerance::FORMULA;

        // Losses are summed over neurons.
        let columns: Vec<usize> = (0..n_neurons).collect();
        let objective = model.objective(&design, &y).map_err(text)?;
        let mut at = objective.start();
        for neuron in 0..n_neurons {
            at.column_mut(neuron).fill(0.0);
            at.column_mut(neuron)[neuron] = 1.0;
        }
        let request = Request {
            columns: &columns,
            rows: None,
            order: Order::Gradient,
        };
        let losses = objective.evaluate(&at, request).map_err(|error| error.to_string())?.values;
        let score = |kind| fitted.score(&design, &y, kind).map_err(text);
        let log_likelihood = score(Score::LogLikelihood)? * n_neurons as f64;
        for (name, got) in [
            ("negative_log_likelihood", losses.iter().sum()),
            ("log_likelihood", log_likelihood),
            ("pseudo-r2-McFadden", score(Score::McFadden)?),
            ("pseudo-r2-Cohen", score(Score::Cohen)?),
        ] {
            tolerance.check(name, &[got], &[self.case.number(name)?])?;
        }

        // Deviances are at scale one here.
        let device = (Cpu::<f64>::device(), Cpu::<f64>::DTYPE);
        let scales = nemos::core::tensor::Tensor::full([1, n_neurons], scale, (&device.0, device.1));
        let deviance = fitted
            .observation()
            .deviance(y.clone().into_tensor(), design.clone().into_tensor(), scales);
        let divisor = if fitted.observation().scale() == Scale::Pearson {
            scale
        } else {
            1.0
        };
        let got: Vec<f64> = Matrix::<Cpu>::from_tensor(deviance).to_vec().iter().map(|d| d / divisor).collect();
        let expected: Vec<f64> = self.case.array("deviance")?.iter().copied().collect();
        tolerance.check("deviance", &got, &expected)?;

        let chi2 = fitted.pearson_chi2(&design, &y).map_err(text)?;
        let estimate: Vec<f64> = match fitted.observation().scale() {
            Scale::Pearson => chi2.iter().map(|chi2| chi2 / dof).collect(),
            known => vec![known.start(); n_neurons],
        };
        let expected: Vec<f64> = self.case.array("estimate_scale")?.iter().copied().collect();
        tolerance.check("estimate_scale", &estimate, &expected)?;

        // The total deviance of each neuron is the sum of its entries.
        let total = fitted.deviance(&design, &y).map_err(text)?;
        let sums = Array2::from_shape_vec((n_rows, n_neurons), got)
            .expect("one value per count")
            .sum_axis(Axis(0));
        tolerance.check("total deviance", &total, &sums.mapv(|sum| sum * divisor).to_vec())
    }
}

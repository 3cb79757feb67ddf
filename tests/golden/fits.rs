//! Fits of problems whose model, penalty, solver and precision are known when they are read: for the suite `field`, and
//! for programs that draw problems of their own.

use ndarray::Array2;
use nemos::core::{Backend, Cpu, Design, Matrix};
use nemos::glm::{
    Bernoulli, Exp, FittedPopulationGlm, Gamma, Gaussian, Groups, Identity, InverseLink, Logistic, NegativeBinomial, NormalCdf,
    ObservationModel, Poisson, PopulationGlm, Reciprocal, Regularizer, Score, Softplus, Strength,
};
use nemos::solvers::{
    Auto, Bfgs, GradientDescent, Lbfgs, ModelCurvature, Newton, NonlinearCg, Outcome, ProximalNewton, Solver, Stopping, Svrg,
};

/// A problem, in the words of the field cases.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    pub(crate) design: Array2<f64>,
    /// `[n_samples, n_neurons]`
    pub(crate) counts: Array2<f64>,
    pub(crate) family: String,
    pub(crate) link: String,
    pub(crate) dispersion: Option<f64>,
    pub(crate) regularizer: Regularizer,
    pub(crate) weights: Option<Array2<f64>>,
    pub(crate) offset: Option<Array2<f64>>,
    /// `[n_features, n_neurons]`
    pub(crate) mask: Option<Array2<bool>>,
}

/// How it is fitted.
#[derive(Clone, Debug)]
pub(crate) struct How {
    pub(crate) solver: String,
    pub(crate) single: bool,
    pub(crate) stopping: Stopping,
    pub(crate) scores: bool,
}

/// What came out.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// `[n_features, n_neurons]`
    pub(crate) coef: Array2<f64>,
    pub(crate) intercept: Vec<f64>,
    pub(crate) scale: Vec<f64>,
    pub(crate) dof_resid: Vec<f64>,
    pub(crate) outcome: Outcome,
    /// By name, one value per neuron, where scores were asked for.
    pub(crate) scores: Vec<(&'static str, Result<Vec<f64>, String>)>,
}

/// The penalty of this name.
pub(crate) fn regularizer(
    name: &str,
    strength: impl Into<Strength>,
    share: f64,
    groups: Option<Vec<Vec<usize>>>,
) -> Result<Regularizer, String> {
    let strength = strength.into();
    Ok(match name {
        "none" => Regularizer::Unregularized,
        "ridge" => Regularizer::Ridge(strength),
        "lasso" => Regularizer::Lasso(strength),
        "net" | "enet" => Regularizer::ElasticNet {
            strength,
            lasso_share: share,
        },
        "group" => {
            let groups = groups.map_or(Groups::All, Groups::Features);
            Regularizer::GroupLasso { strength, groups }
        }
        other => return Err(format!("the penalty {other} is not understood")),
    })
}

fn solver(name: &str) -> Result<Box<dyn Solver>, String> {
    Ok(match name {
        "Auto" => Box::new(Auto::new()),
        "Bfgs" => Box::new(Bfgs::new()),
        // Without a penalty that has no gradient, the two of each pair are one.
        "GradientDescent" | "ProximalGradient" => Box::new(GradientDescent::new()),
        "Lbfgs" => Box::new(Lbfgs::new()),
        "Newton" => Box::new(Newton::new()),
        "NonlinearCg" => Box::new(NonlinearCg::new()),
        "ProximalNewton" => Box::new(ProximalNewton::new()),
        "ProximalNewtonExact" => Box::new(ProximalNewton::new().curvature(ModelCurvature::Exact)),
        "ProximalNewtonFromGradients" => Box::new(ProximalNewton::new().curvature(ModelCurvature::FromGradients)),
        "Svrg" | "ProxSvrg" => Box::new(Svrg::new()),
        other => return Err(format!("the solver {other} is not understood")),
    })
}

/// Fits.
pub(crate) fn fit(problem: &Problem, how: &How) -> Result<Found, String> {
    match how.single {
        true => with_family::<Cpu<f32>>(problem, how),
        false => with_family::<Cpu>(problem, how),
    }
}

fn with_family<B: Backend>(problem: &Problem, how: &How) -> Result<Found, String> {
    match problem.family.as_str() {
        "Poisson" => with_link::<B, _>(Poisson, problem, how),
        "Gaussian" => with_link::<B, _>(Gaussian, problem, how),
        "Bernoulli" => with_link::<B, _>(Bernoulli, problem, how),
        "Gamma" => with_link::<B, _>(Gamma, problem, how),
        "NB" => match problem.dispersion {
            Some(scale) => with_link::<B, _>(NegativeBinomial::new(scale), problem, how),
            None => with_link::<B, _>(NegativeBinomial::estimated(), problem, how),
        },
        other => Err(format!("the family {other} is not understood")),
    }
}

fn with_link<B: Backend, O: ObservationModel>(observation: O, problem: &Problem, how: &How) -> Result<Found, String> {
    match problem.link.as_str() {
        "exp" => run::<B, _, _>(observation, Exp, problem, how),
        "softplus" => run::<B, _, _>(observation, Softplus, problem, how),
        "identity" => run::<B, _, _>(observation, Identity, problem, how),
        "logistic" => run::<B, _, _>(observation, Logistic, problem, how),
        "probit" => run::<B, _, _>(observation, NormalCdf, problem, how),
        "reciprocal" => run::<B, _, _>(observation, Reciprocal, problem, how),
        other => Err(format!("the link {other} is not understood")),
    }
}

fn run<B: Backend, O: ObservationModel, L: InverseLink>(observation: O, link: L, problem: &Problem, how: &How) -> Result<Found, String> {
    let mut model = PopulationGlm::new(observation)
        .link(link)
        .regularizer(problem.regularizer.clone())
        .stopping(how.stopping);
    if let Some(mask) = &problem.mask {
        model = model.feature_mask(mask.clone());
    }
    let matrix = |values: &Array2<f64>| Matrix::<B>::from_array(values.view());
    let mut design = Design::from(matrix(&problem.design));
    if let Some(weights) = &problem.weights {
        design = design.with_weights(matrix(weights)).map_err(text)?;
    }
    if let Some(offset) = &problem.offset {
        design = design.with_offset(matrix(offset)).map_err(text)?;
    }
    let counts = matrix(&problem.counts);
    let fitted = model.fit_with(&*solver(&how.solver)?, &design, &counts).map_err(text)?;
    Ok(Found {
        coef: fitted.coef().to_owned(),
        intercept: fitted.intercept().to_vec(),
        scale: fitted.scale().to_vec(),
        dof_resid: fitted.dof_resid().to_vec(),
        outcome: fitted.outcome().clone(),
        scores: if how.scores {
            scores(&fitted, &design, &counts)
        } else {
            Vec::new()
        },
    })
}

fn scores<B: Backend, O: ObservationModel, L: InverseLink>(
    fitted: &FittedPopulationGlm<O, L>,
    design: &Design<'_, B>,
    counts: &Matrix<B>,
) -> Vec<(&'static str, Result<Vec<f64>, String>)> {
    let score = |score| fitted.score_by_neuron(design, counts, score).map_err(text);
    vec![
        ("ll", score(Score::LogLikelihood)),
        ("mcfadden", score(Score::McFadden)),
        ("cohen", score(Score::Cohen)),
        ("deviance", fitted.deviance(design, counts).map_err(text)),
        ("chi2", fitted.pearson_chi2(design, counts).map_err(text)),
    ]
}

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

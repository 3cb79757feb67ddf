//! The suite `hmm`: hidden Markov models whose observations are generalized linear models.

use ndarray::{Array1, Array2, Array3, ArrayD, Ix2, Ix3};
use nemos::core::{Cpu, Design, Matrix, Segments};
use nemos::glm::{Bernoulli, Exp, Gamma, Gaussian, Logistic, NegativeBinomial, NormalCdf, Poisson, Softplus};
use nemos::hmm::{Drive, FittedGlmHmm, GlmHmm, HmmParameters, Part, StateGlm, StateModel, Transitions};
use nemos_testkit::{Case, Tolerance};
use rand::SeedableRng;
use serde_json::Value;

/// Runs one case.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    let n_states = case.number("n_states")? as usize;
    match (case.text("observation")?, case.text("inverse_link")?) {
        ("Bernoulli", "logistic") => run_with(case, GlmHmm::new(n_states, Bernoulli).link(Logistic)),
        ("Bernoulli", "normal-cdf") => run_with(case, GlmHmm::new(n_states, Bernoulli).link(NormalCdf)),
        ("Poisson", "exp") => run_with(case, GlmHmm::new(n_states, Poisson).link(Exp)),
        ("Poisson", "softplus") => run_with(case, GlmHmm::new(n_states, Poisson).link(Softplus)),
        ("Gaussian", "identity") => run_with(case, GlmHmm::new(n_states, Gaussian)),
        ("Gamma", "exp") => run_with(case, GlmHmm::new(n_states, Gamma).link(Exp)),
        ("NegativeBinomial", "exp") => run_with(case, GlmHmm::new(n_states, NegativeBinomial::estimated())),
        ("Categorical", "log_softmax") => run_with(case, GlmHmm::of_classes(n_states, case.number("n_classes")? as usize)),
        other => Err(format!("no model for {other:?}")),
    }
}

const COMMON: [&str; 11] = [
    "name",
    "kind",
    "note",
    "observation",
    "inverse_link",
    "n_states",
    "n_classes",
    "X",
    "y",
    "session_starts",
    "transition_design",
];

/// The data of a case.
struct Seen {
    design: Design<'static, Cpu>,
    counts: Matrix<Cpu>,
    drive: Option<Matrix<Cpu>>,
}

fn run_with<S: StateModel>(case: Case<'_>, model: GlmHmm<S>) -> Result<(), String> {
    let design = Matrix::<Cpu>::from_array(case.matrix("X")?.view());
    let starts = case.vector("session_starts")?;
    let n_rows = design.dims()[0];
    let ends = starts.iter().skip(1).copied().chain([n_rows as f64]);
    let segments = Segments::from_lengths(starts.iter().zip(ends).map(|(start, end)| (end - start) as usize));
    let counts = case.array("y")?;
    let n_neurons = if counts.ndim() == 1 { 1 } else { counts.shape()[1] };
    let counts = counts
        .into_shape_with_order((n_rows, n_neurons))
        .map_err(|error| error.to_string())?;
    let drive = match case.field("transition_design")? {
        Value::Null => None,
        _ => Some(Matrix::from_array(case.matrix("transition_design")?.view())),
    };
    let seen = Seen {
        design: Design::from(design).with_segments(segments).map_err(|error| error.to_string())?,
        counts: Matrix::from_array(counts.view()),
        drive,
    };
    match case.text("kind")? {
        "inference" => inference(case, &model, &seen),
        "em_step" => em_step(case, model, &seen),
        "em" => em(case, model, &seen),
        "score" => score(case, &model, &seen),
        kind => Err(format!("no kind {kind:?}")),
    }
}

fn text(error: nemos::hmm::Error) -> String {
    error.to_string()
}

/// Parameters of a case, or of a part of one.
fn parameters(case: Case<'_>) -> Result<HmmParameters, String> {
    let transitions = match case.field("transition")? {
        Value::Object(_) => {
            let driven = case.part("transition")?;
            driven.only_fields(&["form", "baseline", "weights"])?;
            let weights = driven.array("weights")?;
            let (drive, weights) = match driven.text("form")? {
                "per_state" => (Drive::PerState, weights),
                "shared" => (Drive::Shared, weights.insert_axis(ndarray::Axis(0))),
                form => return Err(format!("no form {form:?}")),
            };
            let weights: Array3<f64> = weights.into_dimensionality::<Ix3>().map_err(|error| error.to_string())?;
            Transitions::driven(drive, &driven.matrix("baseline")?, &weights)
        }
        _ => {
            let mut rows = case.matrix("transition")?;
            // Rows of numbers that were rounded in a text sum to one to fifteen digits.
            for mut row in rows.rows_mut() {
                let total = row.sum();
                row /= total;
            }
            Transitions::fixed(&rows)
        }
    }
    .map_err(text)?;
    let states = case.field("states")?.as_array().ok_or("states are no list")?;
    let states = states
        .iter()
        .map(|state| state_of(Case::new(state)))
        .collect::<Result<Vec<_>, String>>()?;
    HmmParameters::new(case.vector("initial")?.to_vec(), transitions, &states).map_err(text)
}

fn state_of(state: Case<'_>) -> Result<StateGlm, String> {
    state.only_fields(&["coef", "intercept", "scale"])?;
    let coef = state.array("coef")?;
    let coef: Array2<f64> = match coef.ndim() {
        1 => coef.insert_axis(ndarray::Axis(1)),
        _ => coef,
    }
    .into_dimensionality::<Ix2>()
    .map_err(|error| error.to_string())?;
    let intercept = state.array("intercept")?.iter().copied().collect::<Vec<_>>();
    let scale = match state.field("scale")? {
        Value::Null => vec![1.0],
        _ => state.array("scale")?.iter().copied().collect(),
    };
    let scale = if state.field("scale")?.is_null() && intercept.len() != 1 {
        vec![1.0; intercept.len()]
    } else {
        scale
    };
    Ok(StateGlm { coef, intercept, scale })
}

/// Classifiers have one scale for all classes of a neuron.
fn fix_classes(parameters: HmmParameters, n_predictors: usize) -> Result<HmmParameters, String> {
    if n_predictors == 1 {
        return Ok(parameters);
    }
    let states: Vec<StateGlm> = (0..parameters.n_states())
        .map(|state| StateGlm {
            scale: vec![1.0],
            ..parameters.state(state)
        })
        .collect();
    HmmParameters::new(parameters.initial().to_vec(), parameters.transitions().clone(), &states).map_err(text)
}

fn flat(array: ArrayD<f64>) -> Vec<f64> {
    array.iter().copied().collect()
}

const INFERENCE: Tolerance = Tolerance::HIDDEN_STATES;

fn inference<S: StateModel>(case: Case<'_>, model: &GlmHmm<S>, seen: &Seen) -> Result<(), String> {
    let expected = [
        "parameters",
        "log_emissions",
        "log_likelihood",
        "session_log_likelihood",
        "evidence",
        "predicted",
        "filtered",
        "smoothed",
        "expected_transitions",
        "predictive_mean",
        "smoothed_mean",
        "viterbi_path",
        "viterbi_log_probability",
        "path_probability",
    ];
    case.only_fields(&[&COMMON[..], &expected].concat())?;
    let parameters = fix_classes(parameters(case.part("parameters")?)?, model.states().n_predictors())?;
    let mut model = model.clone();
    if let Some(drive) = parameters.transitions().drive() {
        model = model.driven(drive, 1.0);
    }
    let fitted = model.with_parameters(parameters).map_err(text)?;
    let inferred = match &seen.drive {
        None => fitted.on(&seen.design, &seen.counts),
        Some(drive) => fitted.on_driven(&seen.design, &seen.counts, drive),
    }
    .map_err(text)?;
    let first = |array: &Array2<f64>, n: usize| array.iter().take(n * array.ncols()).copied().collect::<Vec<f64>>();
    let check = |name: &str, got: &[f64]| INFERENCE.check(name, got, &flat(case.array(name)?));
    let emissions = inferred.log_emissions().to_owned();
    check("log_emissions", &first(&emissions, case.array("log_emissions")?.shape()[0]))?;
    check("log_likelihood", &[inferred.log_likelihood().map_err(text)?])?;
    check("session_log_likelihood", &inferred.session_log_likelihoods().map_err(text)?)?;
    check("evidence", &inferred.log_predictive().map_err(text)?)?;
    for (name, law) in [
        ("predicted", inferred.predicted_array()),
        ("filtered", inferred.filtered_array()),
        ("smoothed", inferred.smoothed_array()),
        ("expected_transitions", inferred.expected_transitions()),
    ] {
        check(name, &flat(law.map_err(text)?.into_dyn()))?;
    }
    for (name, mean) in [
        ("predictive_mean", inferred.predicted_mean()),
        ("smoothed_mean", inferred.smoothed_mean()),
    ] {
        let mean = mean.map_err(text)?.to_matrix().map_err(|error| error.to_string())?.to_array();
        check(name, &first(&mean, case.array(name)?.shape()[0]))?;
    }
    let decoded = inferred.decoded().map_err(text)?;
    check("viterbi_log_probability", &[decoded.log_probability])?;
    let path: Vec<f64> = decoded.path.iter().map(|&state| state as f64).collect();
    if path != case.vector("viterbi_path")?.to_vec() {
        return Err("the decoded path is another".into());
    }
    match case.field("path_probability") {
        Err(_) => Ok(()),
        Ok(_) => drawn_paths(&inferred, case.part("path_probability")?),
    }
}

/// Frequencies of drawn paths against the probability of every path.
fn drawn_paths(inferred: &nemos::hmm::Inferred<'_, Design<'static, Cpu>, Cpu>, expected: Case<'_>) -> Result<(), String> {
    expected.only_fields(&["paths", "probability"])?;
    let (paths, law) = (expected.matrix("paths")?, expected.vector("probability")?);
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(3);
    let n = 40_000;
    let mut counts = vec![0.0; law.len()];
    for _ in 0..n {
        let path = inferred.draw_path(&mut rng).map_err(text)?;
        let is_drawn = |row: ndarray::ArrayView1<'_, f64>| row.iter().zip(&path).all(|(a, b)| *a == *b as f64);
        counts[paths.rows().into_iter().position(is_drawn).ok_or("a path that is not listed")?] += 1.0;
    }
    for (place, (count, p)) in counts.iter().zip(&law).enumerate() {
        // Five standard errors of a frequency.
        if (count / f64::from(n) - p).abs() > 5.0 * (p * (1.0 - p) / f64::from(n)).sqrt() {
            return Err(format!("path {place} was drawn {count} times of {n}, its probability is {p}"));
        }
    }
    Ok(())
}

/// The model of a case with its priors, started where it says.
fn with_options<S: StateModel>(case: Case<'_>, model: GlmHmm<S>) -> Result<GlmHmm<S>, String> {
    let options = case.part("options")?;
    options.only_fields(&[
        "ridge",
        "dirichlet_initial",
        "dirichlet_transition",
        "transition_ridge",
        "shared_columns",
        "scale_is_fitted",
    ])?;
    let start = fix_classes(parameters(case.part("start")?)?, model.states().n_predictors())?;
    let ridge = options.number("ridge")?;
    let mut model = if ridge > 0.0 {
        model.prior_sd(1.0 / ridge.sqrt())
    } else {
        model.flat_prior()
    };
    if let Some(drive) = start.transitions().drive() {
        let ridge = options.number("transition_ridge")?;
        model = model.driven(drive, if ridge > 0.0 { 1.0 / ridge.sqrt() } else { f64::INFINITY });
    }
    let is_scale_held = options.field("scale_is_fitted")? == &Value::Bool(false);
    let shared: Vec<usize> = options.array("shared_columns")?.iter().map(|&column| column as usize).collect();
    Ok(model
        .initial_concentration(options.vector("dirichlet_initial")?.to_vec())
        .transition_concentration(flat(options.array("dirichlet_transition")?))
        .share_columns(shared)
        .hold(is_scale_held.then_some(Part::Scale))
        .start_from(start))
}

fn fit<S: StateModel>(model: &GlmHmm<S>, seen: &Seen) -> Result<FittedGlmHmm<S>, String> {
    match &seen.drive {
        None => model.fit(&seen.design, &seen.counts),
        Some(drive) => model.fit_driven(&seen.design, &seen.counts, drive),
    }
    .map_err(text)
}

/// Compares parameters, those of observations but for classes, whose probabilities tell.
fn compare(got: &HmmParameters, expected: Case<'_>, seen: &Seen, tolerance: Tolerance) -> Result<(), String> {
    tolerance.check("initial", got.initial(), &expected.vector("initial")?.to_vec())?;
    match got.transitions().drive() {
        None => {
            let matrix = got.transitions().matrix(&[]).map_err(text)?;
            tolerance.check("transition", &flat(matrix.into_dyn()), &flat(expected.array("transition")?))?;
        }
        Some(_) => {
            let rows = expected.vector("transition_rows")?;
            let drive = seen.drive.as_ref().ok_or("nothing drives the transitions")?.to_array();
            let mut all = Vec::new();
            for row in rows {
                let matrix = got.transitions().matrix(&drive.row(row as usize).to_vec()).map_err(text)?;
                all.extend(matrix);
            }
            tolerance.check("transition_matrices", &all, &flat(expected.array("transition_matrices")?))?;
        }
    }
    let states = expected.field("states")?.as_array().ok_or("states are no list")?;
    if got.n_predictors() > 1 {
        let mut all = Vec::new();
        let features = seen.design.to_matrix().map_err(|error| error.to_string())?.to_array();
        for row in 0..5 {
            for k in 0..got.n_states() {
                let state = got.state(k);
                let predictors: Array1<f64> = features.row(row).dot(&state.coef) + Array1::from(state.intercept);
                let highest = predictors.fold(f64::NEG_INFINITY, |a, b| a.max(*b));
                let total = highest + predictors.mapv(|x| (x - highest).exp()).sum().ln();
                all.extend(predictors.iter().map(|x| x - total));
            }
        }
        return tolerance.check("log_probability", &all, &flat(expected.array("log_probability")?));
    }
    let (mut coef, mut expected_coef) = (Vec::new(), Vec::new());
    let (mut intercept, mut expected_intercept) = (Vec::new(), Vec::new());
    let (mut scale, mut expected_scale) = (Vec::new(), Vec::new());
    for (k, state) in states.iter().enumerate() {
        let (got, expected) = (got.state(k), state_of(Case::new(state))?);
        coef.extend(got.coef);
        expected_coef.extend(expected.coef);
        intercept.extend(got.intercept);
        expected_intercept.extend(expected.intercept);
        scale.extend(got.scale);
        expected_scale.extend(expected.scale);
    }
    tolerance.check("coef", &coef, &expected_coef)?;
    tolerance.check("intercept", &intercept, &expected_intercept)?;
    tolerance.check("scale", &scale, &expected_scale)
}

fn em_step<S: StateModel>(case: Case<'_>, model: GlmHmm<S>, seen: &Seen) -> Result<(), String> {
    case.only_fields(&[&COMMON[..], &["options", "start", "before", "after"]].concat())?;
    let model = with_options(case, model)?.newton_steps(100);
    let fields = [
        "objective",
        "log_likelihood",
        "initial",
        "transition",
        "states",
        "transition_matrices",
        "transition_rows",
        "log_probability",
    ];
    for (name, iterations) in [("before", 0), ("after", 1)] {
        let fitted = fit(&model.clone().max_iterations(iterations), seen)?;
        let expected = case.part(name)?;
        expected.only_fields(&fields)?;
        Tolerance::FORMULA.check(
            &format!("objective {name}"),
            &[fitted.objective()],
            &[expected.number("objective")?],
        )?;
        Tolerance::FORMULA.check(
            &format!("log_likelihood {name}"),
            &[fitted.log_likelihood()],
            &[expected.number("log_likelihood")?],
        )?;
        if name == "after" || expected.field("states").is_ok() {
            compare(fitted.parameters(), expected, seen, Tolerance::SMOOTH_FIT)?;
        }
    }
    Ok(())
}

fn em<S: StateModel>(case: Case<'_>, model: GlmHmm<S>, seen: &Seen) -> Result<(), String> {
    case.only_fields(&[&COMMON[..], &["options", "start", "end"]].concat())?;
    let fitted = fit(&with_options(case, model)?.tolerance(1e-13).max_iterations(5000), seen)?;
    let end = case.part("end")?;
    end.only_fields(&[
        "objective",
        "log_likelihood",
        "initial",
        "transition",
        "states",
        "n_parameters",
        "n_observed_rows",
        "aic",
        "bic",
        "transition_matrices",
        "transition_rows",
        "log_probability",
    ])?;
    if !fitted.is_converged() {
        return Err(format!("{fitted}"));
    }
    if fitted.history().windows(2).any(|pair| pair[1] < pair[0] - 1e-10 * pair[0].abs()) {
        return Err("the objective fell".into());
    }
    for (name, got) in [
        ("objective", fitted.objective()),
        ("log_likelihood", fitted.log_likelihood()),
        ("aic", fitted.aic()),
        ("bic", fitted.bic()),
    ] {
        // The log-likelihood without the priors is not flat at the end: it takes the error of the parameters.
        let tolerance = if name == "objective" {
            Tolerance::CLOSED_FORM
        } else {
            Tolerance::SCORE
        };
        tolerance.check(name, &[got], &[end.number(name)?])?;
    }
    for (name, got) in [
        ("n_parameters", fitted.n_parameters()),
        ("n_observed_rows", fitted.n_observed_rows()),
    ] {
        if got as f64 != end.number(name)? {
            return Err(format!("{name} is {got}, not {}", end.number(name)?));
        }
    }
    compare(fitted.parameters(), end, seen, Tolerance::HIDDEN_FIT)
}

fn score<S: StateModel>(case: Case<'_>, model: &GlmHmm<S>, seen: &Seen) -> Result<(), String> {
    case.only_fields(&[&COMMON[..], &["parameters", "test_sessions", "score"]].concat())?;
    let expected = case.part("score")?;
    expected.only_fields(&[
        "log_likelihood",
        "baseline_log_likelihood",
        "n_observations",
        "bits_per_observation",
        "bits_per_spike",
        "n_parameters",
    ])?;
    let fitted = model.with_parameters(parameters(case.part("parameters")?)?).map_err(text)?;
    let sessions: Vec<usize> = case.vector("test_sessions")?.iter().map(|&session| session as usize).collect();
    let held_out = fitted.held_out(&seen.design, &seen.counts, &sessions).map_err(text)?;
    for (name, got) in [
        ("log_likelihood", held_out.log_likelihood),
        ("baseline_log_likelihood", held_out.baseline_log_likelihood),
        ("n_observations", held_out.n_observations),
        ("bits_per_observation", held_out.bits_per_observation()),
        ("n_parameters", fitted.n_parameters() as f64),
    ] {
        INFERENCE.check(name, &[got], &[expected.number(name)?])?;
    }
    match expected.field("bits_per_spike")? {
        Value::Null => Ok(()),
        _ => INFERENCE.check(
            "bits_per_spike",
            &[held_out.bits_per_spike()],
            &[expected.number("bits_per_spike")?],
        ),
    }
}

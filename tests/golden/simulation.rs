//! The suite `simulation`: filters, and the first rates of recurrent networks.

use ndarray::Ix3;
use nemos::glm::{Exp, Poisson, Softplus};
use nemos::sim::{Coupling, DifferenceOfGammas, Recurrent, Simulation, feedforward, regress_filter};
use nemos_testkit::{Case, Tolerance};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// Runs one function and compares.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    match case.text("function")? {
        "difference_of_gammas" => difference_of_gammas(case),
        "regress_filter" => regress(case),
        "simulate_recurrent_first_rate" => first_rate(case),
        other => Err(format!("the function {other} is not understood")),
    }
}

fn difference_of_gammas(case: Case<'_>) -> Result<(), String> {
    case.only_fields(&["name", "function", "ws", "inhib_a", "inhib_b", "excit_a", "excit_b", "output"])?;
    let filter = DifferenceOfGammas::new()
        .inhibition(case.number("inhib_a")?, case.number("inhib_b")?)
        .excitation(case.number("excit_a")?, case.number("excit_b")?)
        .filter(case.number("ws")? as usize)
        .map_err(text)?;
    Tolerance::FORMULA.check("output", &filter, &case.vector("output")?.to_vec())
}

fn regress(case: Case<'_>) -> Result<(), String> {
    case.only_fields(&["name", "function", "filters", "basis_matrix", "output"])?;
    let filters = case.array("filters")?.into_dimensionality::<Ix3>().map_err(text)?;
    let coef = regress_filter(filters.view(), case.matrix("basis_matrix")?.view()).map_err(text)?;
    let expected = case.array("output")?;
    if coef.shape() != expected.shape() {
        return Err(format!("output has shape {:?}, not {:?}", coef.shape(), expected.shape()));
    }
    Tolerance::FORMULA.check("output", &flat(&coef), &flat(&expected))
}

fn first_rate(case: Case<'_>) -> Result<(), String> {
    case.only_fields(&[
        "name",
        "function",
        "coupling_coef",
        "feedforward_coef",
        "intercepts",
        "feedforward_input",
        "coupling_basis_matrix",
        "init_y",
        "inverse_link",
        "rates",
    ])?;
    let three = |name: &str| case.array(name)?.into_dimensionality::<Ix3>().map_err(text);
    let coupling = Coupling::new(three("coupling_coef")?.view(), case.matrix("coupling_basis_matrix")?.view()).map_err(text)?;
    let drive = feedforward(case.matrix("feedforward_coef")?.view(), three("feedforward_input")?.view()).map_err(text)?;
    let network = Recurrent::new(Poisson, coupling, case.vector("intercepts")?.to_vec()).history(case.matrix("init_y")?);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let simulation: Simulation = match case.text("inverse_link")? {
        "exp" => network.link(Exp).run(drive.view(), &mut rng),
        "softplus" => network.link(Softplus).run(drive.view(), &mut rng),
        other => return Err(format!("the link {other} is not understood")),
    }
    .map_err(text)?;
    Tolerance::FORMULA.check("rates", &flat(&simulation.rates), &flat(&case.matrix("rates")?))
}

fn flat<D: ndarray::Dimension>(array: &ndarray::Array<f64, D>) -> Vec<f64> {
    array.iter().copied().collect()
}

fn text(error: impl std::fmt::Display) -> String {
    error.to_string()
}

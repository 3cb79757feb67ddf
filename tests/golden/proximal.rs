//! The suite `proximal`: proximal maps of the penalties.

use ndarray::Axis;
use nemos::solvers::{Groups, Regularizer, Strength};
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

/// Applies one proximal map and compares.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    case.only_fields(&["name", "operator", "x", "strength", "scaling", "ratio", "groups", "output"])?;
    let strength = Strength::Shared(case.number("strength")?);
    let regularizer = match case.text("operator")? {
        "ridge" => Regularizer::Ridge(strength),
        "lasso" => Regularizer::Lasso(strength),
        "elastic-net" => Regularizer::ElasticNet {
            strength,
            lasso_share: case.number("ratio")?,
        },
        "group-lasso" => Regularizer::GroupLasso {
            strength,
            groups: Groups::Features(members(case)?),
        },
        other => return Err(format!("the operator {other} is not understood")),
    };
    let mut coef = case.vector("x")?.insert_axis(Axis(1));
    regularizer.proximal(coef.view_mut(), 0, case.number("scaling")?);
    Tolerance::FORMULA.check("output", &coef.column(0).to_vec(), &case.vector("output")?.to_vec())
}

/// The features of each group: `groups` is `[n_groups, n_features]` of 0 and 1.
fn members(case: Case<'_>) -> Result<Vec<Vec<usize>>, String> {
    let groups = case.matrix("groups")?;
    let features = |group: ndarray::ArrayView1<'_, f64>| (0..group.len()).filter(|&feature| group[feature] == 1.0).collect();
    Ok(groups.rows().into_iter().map(features).collect())
}

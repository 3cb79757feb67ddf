//! The suite `select`: searches of scikit-learn's `GridSearchCV` over NeMoS.

use ndarray::Array2;
use nemos::basis::{BSpline, Basis, RaisedCosineLinear};
use nemos::core::{Cpu, Design, Matrix};
use nemos::glm::{
    Bernoulli, FittedPopulationGlm, Groups, InverseLink, ObservationModel, Poisson, PopulationGlm, Regularizer, Score, Strength,
};
use nemos::select::{FittedPipeline, Folds, Grid, GridSearch, Pipeline, Search, Searchable, Settings, Split};
use nemos_testkit::{Case, Tolerance};
use serde_json::Value;

use crate::glm::stopping;

/// Searches, and compares the scores of every split, the choice and the refitted model.
pub(crate) fn run(case: &Value) -> Result<(), String> {
    let case = Case::new(case);
    case.only_fields(&[
        "name",
        "X",
        "y",
        "folds",
        "grid",
        "split_scores",
        "mean_scores",
        "best_index",
        "coef",
        "intercept",
        "observation",
        "inverse_link",
        "regularizer",
        "score",
        "group_masks",
        "groups_of_rows",
        "pairs",
        "basis",
    ])?;
    match (case.text("observation")?, case.text("inverse_link")?) {
        ("Poisson", "exp") => with_model(case, PopulationGlm::new(Poisson)),
        ("Bernoulli", "logistic") => with_model(case, PopulationGlm::new(Bernoulli)),
        other => Err(format!("the model {other:?} is not understood")),
    }
}

fn with_model<O: ObservationModel, L: InverseLink>(case: Case<'_>, model: PopulationGlm<O, L>) -> Result<(), String> {
    let model = model.regularizer(regularizer(case)?).stopping(stopping());
    let Ok(basis) = case.part("basis") else {
        return compare(case, model, "", |fitted: &FittedPopulationGlm<O, L>| fitted.clone());
    };
    let bounds = basis.vector("bounds")?;
    let basis: Basis = match basis.text("kind")? {
        "bspline" => BSpline::new(5).bounds(bounds[0], bounds[1]).into(),
        "raised_cosine" => RaisedCosineLinear::new(5).bounds(bounds[0], bounds[1]).into(),
        other => return Err(format!("the basis {other} is not understood")),
    };
    let label = basis.labels().map_err(text)?[0].clone();
    let fitted = |fitted: &FittedPipeline<FittedPopulationGlm<O, L>>| fitted.model().clone();
    compare(case, Pipeline::new(basis, model), &label, fitted)
}

fn regularizer(case: Case<'_>) -> Result<Regularizer, String> {
    let strength: Strength = 1.0.into();
    Ok(match case.text("regularizer")? {
        "ridge" => Regularizer::Ridge(strength),
        "lasso" => Regularizer::Lasso(strength),
        "elastic_net" => Regularizer::ElasticNet {
            strength,
            lasso_share: 0.5,
        },
        "group_lasso" => {
            let members = |row: ndarray::ArrayView1<'_, f64>| (0..row.len()).filter(|&feature| row[feature] == 1.0).collect();
            let groups = case.matrix("group_masks")?.rows().into_iter().map(members).collect();
            Regularizer::GroupLasso {
                strength,
                groups: Groups::Features(groups),
            }
        }
        other => return Err(format!("regularizer {other} is not understood")),
    })
}

/// The candidates of a case, as a grid: a part for each.
fn grid(case: Case<'_>, label: &str) -> Result<Grid, String> {
    if let Ok(pairs) = case.matrix("pairs") {
        let one = |pair: ndarray::ArrayView1<'_, f64>| Grid::new().over("strength", [pair[0]]).over("lasso_share", [pair[1]]);
        return Ok(pairs.rows().into_iter().map(one).reduce(Grid::or).unwrap_or_default());
    }
    let candidates = case.field("grid")?.as_array().ok_or("grid is no list")?;
    let one = |candidate: &Value| {
        let values = candidate.as_object().ok_or("a candidate is no object")?;
        values.iter().try_fold(Grid::new(), |grid, (name, value)| {
            let number = value.as_f64().ok_or(format!("{name} is no number"))?;
            match name.as_str() {
                "regularizer_strength" | "glm__regularizer_strength" => Ok(grid.over("strength", [number])),
                "basis__n_basis_funcs" => Ok(grid.over(format!("{label}.n_functions"), [number as usize])),
                other => Err(format!("the parameter {other} is not understood")),
            }
        })
    };
    let parts = candidates.iter().map(one).collect::<Result<Vec<Grid>, String>>()?;
    Ok(parts.into_iter().reduce(Grid::or).unwrap_or_default())
}

/// The folds of a case, made here as scikit-learn makes them, and compared with its own.
fn folds(case: Case<'_>, design: &Design<'_, Cpu>) -> Result<Folds, String> {
    let rows = |fold: &Value, which: &str| -> Result<Vec<usize>, String> {
        let rows = fold[which].as_array().ok_or("folds hold lists of rows")?;
        rows.iter()
            .map(|row| row.as_u64().map(|row| row as usize).ok_or("a row is a whole number".into()))
            .collect()
    };
    let given = case.field("folds")?.as_array().ok_or("folds is no list")?;
    let given = given.iter().map(|fold| Ok(Split::new(rows(fold, "train")?, rows(fold, "test")?)));
    let given = given.collect::<Result<Vec<Split>, String>>()?;
    let n = given.len();
    let made = match (case.text("name")?, case.vector("groups_of_rows")) {
        (_, Ok(groups)) => Folds::by_group(n, groups.iter().map(|&group| group as usize).collect::<Vec<_>>()),
        (name, _) if name.ends_with("time_series_split") => Folds::time_series(n),
        _ => Folds::k(n),
    };
    let theirs = Folds::given(given);
    // Folds of groups of equal size may come in another order: what counts is that they are the same ones.
    let sorted = |folds: &Folds| {
        let splits = folds.cut(design).map_err(text)?;
        let mut tests: Vec<(Vec<usize>, Vec<usize>)> = splits.iter().map(|split| (split.test().to_vec(), split.train().to_vec())).collect();
        tests.sort();
        Ok::<_, String>(tests)
    };
    if sorted(&made)? != sorted(&theirs)? {
        return Err("the folds are not those of scikit-learn".into());
    }
    Ok(theirs)
}

fn compare<S, F, O, L>(case: Case<'_>, specification: S, label: &str, fitted: F) -> Result<(), String>
where
    S: Searchable + std::fmt::Debug,
    F: Fn(&S::Fitted) -> FittedPopulationGlm<O, L>,
    O: ObservationModel,
    L: InverseLink,
{
    let score = match case.text("score")? {
        "log-likelihood" => Score::LogLikelihood,
        "pseudo-r2-McFadden" => Score::McFadden,
        other => return Err(format!("the score {other} is not understood")),
    };
    let design = Matrix::<Cpu>::from(case.matrix("X")?);
    let counts = case.array("y")?;
    let n_rows = counts.shape()[0];
    let counts = Matrix::<Cpu>::from_vec(counts.iter().copied().collect(), [n_rows, counts.len() / n_rows]).map_err(text)?;
    let folds = folds(case, &Design::from(&design))?;
    let search: Search<S> = GridSearch::new(specification, grid(case, label)?)
        .folds(folds)
        .scoring(score)
        .fit(&design, &counts)
        .map_err(text)?;
    let rows = search.table().rows();
    let split_scores = Array2::from_shape_fn((rows[0].scores().len(), rows.len()), |(fold, row)| rows[row].scores()[fold]);
    check(
        Tolerance::SCORE,
        "split_scores",
        split_scores.iter().copied(),
        case.matrix("split_scores")?.iter().copied(),
    )?;
    let means = rows.iter().map(nemos::select::Row::mean);
    check(Tolerance::SCORE, "mean_scores", means, case.vector("mean_scores")?)?;
    let best = case.number("best_index")? as usize;
    if search.best_index() != best {
        return Err(format!("candidate {} was chosen and not {best}", search.best_index()));
    }
    let fitted = fitted(search.fitted());
    check(
        Tolerance::LASSO_FIT,
        "coef",
        fitted.coef().iter().copied(),
        case.array("coef")?.iter().copied(),
    )?;
    check(
        Tolerance::LASSO_FIT,
        "intercept",
        fitted.intercept().iter().copied(),
        case.array("intercept")?.iter().copied(),
    )?;
    let settings: &Settings = search.best().settings();
    if settings.iter().next().is_none() {
        return Err("the chosen candidate has no settings".into());
    }
    Ok(())
}

fn check(
    tolerance: Tolerance,
    what: &str,
    got: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = f64>,
) -> Result<(), String> {
    let all = |values: &mut dyn Iterator<Item = f64>| values.collect::<Vec<f64>>();
    tolerance.check(what, &all(&mut got.into_iter()), &all(&mut expected.into_iter()))
}

fn text(error: impl std::error::Error) -> String {
    error.to_string()
}

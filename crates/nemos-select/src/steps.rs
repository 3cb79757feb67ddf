//! The steps of a pipeline, what they learnt of training rows, and the way back.

use std::sync::Arc;

use ndarray::{Array1, Array2, Axis};
use nemos_basis::{Intercept, identifiable_columns};
use nemos_core::{Backend, Design, Names, row_chunks};

use crate::stepped::Stepped;
use crate::{Error, Linear, Step, Value};

/// Named steps, in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps(Vec<(String, Kind)>);

#[derive(Clone, Debug)]
enum Kind {
    Standardized,
    Identifiable,
    Own(Arc<dyn Step>),
}

/// Steps of one's own are the same where they print alike.
impl PartialEq for Steps {
    fn eq(&self, other: &Self) -> bool {
        format!("{self:?}") == format!("{other:?}")
    }
}

/// The value that leaves a step out.
pub(crate) const PASS: &str = "passthrough";

const CHUNK: usize = 1 << 14;

impl Steps {
    pub(crate) fn standardized(&mut self) {
        self.0.push(("standardized".into(), Kind::Standardized));
    }

    pub(crate) fn identifiable(&mut self) {
        self.0.push(("identifiable".into(), Kind::Identifiable));
    }

    pub(crate) fn own(&mut self, name: String, step: Arc<dyn Step>) {
        self.0.push((name, Kind::Own(step)));
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Paths of all steps and their options, with values.
    pub(crate) fn parameters(&self) -> Vec<(String, Value)> {
        let of_step = |(name, kind): &(String, Kind)| {
            let step = (name.clone(), Value::Name("as given".into()));
            let options = match kind {
                Kind::Own(step) => step.parameters(),
                _ => crate::Settings::default(),
            };
            let options = options.iter().map(|(option, value)| (format!("{name}.{option}"), value.clone()));
            std::iter::once(step).chain(options).collect::<Vec<_>>()
        };
        self.0.iter().flat_map(of_step).collect()
    }

    /// The steps where the one that a path names is left out, or has another option; nothing if the path names none.
    pub(crate) fn with(&self, path: &str, value: &Value) -> Option<Result<Self, Error>> {
        let refuse = |why: &str| Err(crate::tunable::refused(path, value, why));
        for (place, (name, kind)) in self.0.iter().enumerate() {
            let mut made = self.clone();
            if name == path {
                return Some(match value {
                    Value::Name(word) if word == PASS => {
                        made.0.remove(place);
                        Ok(made)
                    }
                    Value::Name(word) if word == "as given" => Ok(made),
                    _ => refuse("a step is left out by \"passthrough\"; name an option of it to set that"),
                });
            }
            if let Some(option) = path.strip_prefix(name.as_str()).and_then(|rest| rest.strip_prefix('.')) {
                let changed = match kind {
                    Kind::Own(step) => step.with(option, value),
                    _ => None,
                };
                return Some(match changed {
                    Some(step) => {
                        made.0[place].1 = Kind::Own(step);
                        Ok(made)
                    }
                    None => refuse("the step has no such option, or it cannot take the value"),
                });
            }
        }
        None
    }

    /// Learns from a design, each step from what the one before makes of it.
    pub(crate) fn learn<B: Backend>(&self, design: &Design<'_, B>) -> Result<Learned, Error> {
        let mut maps = Vec::with_capacity(self.0.len());
        let mut made = design.clone();
        for (_, kind) in &self.0 {
            let map = kind.learn(&made)?;
            made = Stepped::design(&made, &map)?;
            maps.push(map);
        }
        Ok(Learned {
            maps,
            n_features: design.n_columns(),
            names: design.names().clone(),
        })
    }
}

impl Kind {
    fn learn<B: Backend>(&self, design: &Design<'_, B>) -> Result<Linear, Error> {
        match self {
            Kind::Standardized => standardize(design),
            Kind::Identifiable => Ok(Linear::Chosen(identifiable_columns(design, Intercept::Fitted)?)),
            Kind::Own(step) => {
                let rows = design.to_matrix()?.to_array();
                let complete: Vec<usize> = (0..rows.nrows()).filter(|&row| !rows.row(row).iter().any(|x| x.is_nan())).collect();
                step.learn(rows.select(Axis(0), &complete).view())
            }
        }
    }
}

/// Means and standard deviations of the complete rows of a design; a feature that does not vary keeps its scale.
fn standardize<B: Backend>(design: &Design<'_, B>) -> Result<Linear, Error> {
    let n_features = design.n_columns();
    let (mut n, mut shift, mut squares) = (0.0, Array1::<f64>::zeros(n_features), Array1::<f64>::zeros(n_features));
    for rows in row_chunks(design.n_rows(), CHUNK) {
        for row in design.chunk(rows)?.to_array().rows() {
            if row.iter().any(|x| x.is_nan()) {
                continue;
            }
            // Welford's running mean and sum of squares.
            n += 1.0;
            let before = &row - &shift;
            shift += &(&before / n);
            squares += &(&before * &(&row - &shift));
        }
    }
    let scale = squares.mapv(|squares| match (squares / n).sqrt() {
        deviation if deviation > 0.0 => deviation,
        _ => 1.0,
    });
    Ok(Linear::Scaled { shift, scale })
}

/// What steps have learnt.
#[derive(Clone, Debug)]
pub(crate) struct Learned {
    maps: Vec<Linear>,
    /// Of the features that the first step takes.
    n_features: usize,
    names: Names,
}

impl Learned {
    /// The features that the steps make.
    pub(crate) fn apply<'a, B: Backend>(&self, design: &Design<'a, B>) -> Result<Design<'a, B>, Error> {
        self.maps.iter().try_fold(design.clone(), |made, map| Stepped::design(&made, map))
    }

    /// The names of the features that the first step takes.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.maps.is_empty()
    }

    /// The coefficients and intercepts, one column for each predictor, of the features that the first step takes.
    pub(crate) fn undo(&self, mut coef: Array2<f64>, mut intercept: Array1<f64>) -> (Array2<f64>, Array1<f64>) {
        for (place, map) in self.maps.iter().enumerate().rev() {
            coef = match map {
                Linear::Scaled { scale, .. } => &coef / &scale.view().insert_axis(Axis(1)),
                Linear::Chosen(features) => {
                    let mut all = Array2::zeros((self.n_before(place), coef.ncols()));
                    for (&feature, row) in features.iter().zip(coef.rows()) {
                        all.row_mut(feature).assign(&row);
                    }
                    all
                }
                Linear::Mixed { matrix, .. } => matrix.dot(&coef),
            };
            if let Linear::Scaled { shift, .. } | Linear::Mixed { shift, .. } = map {
                intercept -= &shift.dot(&coef);
            }
        }
        (coef, intercept)
    }

    /// Features that a step takes.
    fn n_before(&self, place: usize) -> usize {
        self.maps[..place].iter().fold(self.n_features, |n, map| match map {
            Linear::Scaled { .. } => n,
            Linear::Chosen(features) => features.len(),
            Linear::Mixed { matrix, .. } => matrix.ncols(),
        })
    }
}

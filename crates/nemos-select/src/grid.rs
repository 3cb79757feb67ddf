//! Grids: which values parameters take.

use std::fmt;

use crate::Value;

/// Parameters and the values that they take, by path: every combination is a candidate, the last parameter fastest.
///
/// Paths are those of the specification that is searched: `"strength"` of a model, `"basis.place.n_functions"` of a pipeline; see
/// [`Tunable`](crate::Tunable).
///
/// # Example
/// ```
/// use nemos_glm::Regularizer;
/// use nemos_select::Grid;
/// let grid = Grid::new()
///     .over("regularizer", [Regularizer::Ridge(1.0.into()), Regularizer::Lasso(1.0.into())])
///     .over("strength", [0.01, 0.1, 1.0]);
/// assert_eq!(grid.candidates().len(), 6);
/// // And one candidate more.
/// let grid = grid.or(Grid::new().over("regularizer", [Regularizer::Unregularized]));
/// assert_eq!(grid.candidates().len(), 7);
/// ```
#[doc(alias("param_grid", "ParameterGrid"))]
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Grid {
    parts: Vec<Vec<(String, Vec<Value>)>>,
}

/// The values that one candidate has, by path. Prints as `path = value, path = value`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Settings(Vec<(String, Value)>);

impl Default for Grid {
    fn default() -> Self {
        Grid::new()
    }
}

impl Grid {
    /// One candidate: the specification as it is.
    pub fn new() -> Self {
        Grid { parts: vec![Vec::new()] }
    }

    /// Every candidate with each of these values of a parameter.
    pub fn over<V: Into<Value>>(mut self, path: impl Into<String>, values: impl IntoIterator<Item = V>) -> Self {
        let path = path.into();
        let values: Vec<Value> = values.into_iter().map(Into::into).collect();
        for part in &mut self.parts {
            part.push((path.clone(), values.clone()));
        }
        self
    }

    /// The candidates of this grid, and those of another.
    pub fn or(mut self, other: Grid) -> Self {
        self.parts.extend(other.parts);
        self
    }

    /// Every candidate.
    pub fn candidates(&self) -> Vec<Settings> {
        let of_part = |part: &Vec<(String, Vec<Value>)>| {
            part.iter().fold(vec![Settings::default()], |candidates, (path, values)| {
                let with = |settings: &Settings, value: &Value| settings.clone().and(path, value.clone());
                candidates
                    .iter()
                    .flat_map(|settings| values.iter().map(|value| with(settings, value)).collect::<Vec<_>>())
                    .collect()
            })
        };
        self.parts.iter().flat_map(of_part).collect()
    }
}

impl Settings {
    /// With one more value. Of several at one path, the last one counts.
    #[must_use]
    pub fn and(mut self, path: impl Into<String>, value: impl Into<Value>) -> Self {
        self.0.push((path.into(), value.into()));
        self
    }

    /// Paths and values, in the order of the grid.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.0.iter().map(|(path, value)| (path.as_str(), value))
    }

    /// The value at a path.
    pub fn get(&self, path: &str) -> Option<&Value> {
        self.0.iter().rev().find(|(known, _)| known == path).map(|(_, value)| value)
    }
}

impl fmt::Display for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("as it is");
        }
        for (place, (path, value)) in self.iter().enumerate() {
            let comma = if place == 0 { "" } else { ", " };
            write!(f, "{comma}{path} = {value}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_parameter_changes_fastest() {
        let grid = Grid::new().over("n", [5, 7]).over("strength", [0.1, 1.0]);
        let printed: Vec<String> = grid.candidates().iter().map(Settings::to_string).collect();
        assert_eq!(
            printed,
            [
                "n = 5, strength = 0.1",
                "n = 5, strength = 1",
                "n = 7, strength = 0.1",
                "n = 7, strength = 1"
            ]
        );
    }

    #[test]
    fn a_parameter_without_values_leaves_no_candidates() {
        assert!(Grid::new().over("n", Vec::<f64>::new()).candidates().is_empty());
        assert_eq!(Grid::new().candidates().len(), 1);
        assert_eq!(Grid::new().candidates()[0].to_string(), "as it is");
    }
}

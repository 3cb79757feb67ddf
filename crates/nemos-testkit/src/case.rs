//! Reference cases: arrays and numbers by name, read from JSON.

use ndarray::{Array1, Array2, ArrayD, Ix1, Ix2, IxDyn};
use serde_json::Value;

/// One reference case, or a part of one.
///
/// Arrays are nested lists, time first; NaN is `null`, infinities are the strings `"inf"` and `"-inf"`. Every method
/// fails with a sentence that names the field.
#[derive(Clone, Copy, Debug)]
pub struct Case<'a>(&'a Value);

impl<'a> Case<'a> {
    /// A case from its JSON object.
    pub fn new(value: &'a Value) -> Self {
        Case(value)
    }

    /// The field of this name, as it stands.
    ///
    /// # Errors
    /// If there is none.
    pub fn field(&self, name: &str) -> Result<&'a Value, String> {
        self.0.get(name).ok_or_else(|| format!("there is no field {name:?}"))
    }

    /// A field that is an object itself.
    ///
    /// # Errors
    /// If there is none.
    pub fn part(&self, name: &str) -> Result<Case<'a>, String> {
        self.field(name).map(Case)
    }

    /// A text.
    ///
    /// # Errors
    /// If the field is something else.
    pub fn text(&self, name: &str) -> Result<&'a str, String> {
        self.field(name)?.as_str().ok_or_else(|| format!("{name} is not a text"))
    }

    /// A number; a list of one number is one too.
    ///
    /// # Errors
    /// If the field is something else.
    pub fn number(&self, name: &str) -> Result<f64, String> {
        let array = self.array(name)?;
        match array.as_slice() {
            Some([number]) => Ok(*number),
            _ => Err(format!("{name} has shape {:?} and is not one number", array.shape())),
        }
    }

    /// A list of numbers.
    ///
    /// # Errors
    /// If the field is something else.
    pub fn vector(&self, name: &str) -> Result<Array1<f64>, String> {
        let array = self.array(name)?;
        let shape = array.shape().to_vec();
        array
            .into_dimensionality::<Ix1>()
            .map_err(|_| format!("{name} has shape {shape:?} and is not a vector"))
    }

    /// Rows and columns of numbers.
    ///
    /// # Errors
    /// If the field is something else.
    pub fn matrix(&self, name: &str) -> Result<Array2<f64>, String> {
        let array = self.array(name)?;
        let shape = array.shape().to_vec();
        array
            .into_dimensionality::<Ix2>()
            .map_err(|_| format!("{name} has shape {shape:?} and is not a matrix"))
    }

    /// Numbers of any number of axes.
    ///
    /// # Errors
    /// If the field holds something else.
    pub fn array(&self, name: &str) -> Result<ArrayD<f64>, String> {
        numbers(self.field(name)?).map_err(|why| format!("{name}: {why}"))
    }

    /// Fails on fields that are not in `known`: what a test does not read, it does not check.
    ///
    /// # Errors
    /// If there is one, or the case is no object.
    pub fn only_fields(&self, known: &[&str]) -> Result<(), String> {
        let fields = self.0.as_object().ok_or("the case is not an object")?;
        match fields.keys().find(|field| !known.contains(&field.as_str())) {
            Some(field) => Err(format!("the field {field:?} is not understood")),
            None => Ok(()),
        }
    }
}

/// The numbers of nested lists.
///
/// # Errors
/// If lists of one level differ in length, or hold something other than numbers.
pub fn numbers(value: &Value) -> Result<ArrayD<f64>, String> {
    let mut shape = Vec::new();
    let mut first = value;
    while let Value::Array(items) = first {
        shape.push(items.len());
        match items.first() {
            Some(item) => first = item,
            None => break,
        }
    }
    let mut values = Vec::new();
    collect(value, &shape, &mut values)?;
    ArrayD::from_shape_vec(IxDyn(&shape), values).map_err(|error| error.to_string())
}

fn collect(value: &Value, shape: &[usize], values: &mut Vec<f64>) -> Result<(), String> {
    match (value, shape) {
        (Value::Array(items), [length, inner @ ..]) if items.len() == *length => {
            items.iter().try_for_each(|item| collect(item, inner, values))
        }
        (Value::Array(items), _) => Err(format!("a list of {} values does not fit shape {shape:?}", items.len())),
        (_, []) => {
            values.push(number(value)?);
            Ok(())
        }
        _ => Err(format!("{value} stands where a list should")),
    }
}

fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Null => Ok(f64::NAN),
        Value::Bool(flag) => Ok(f64::from(u8::from(*flag))),
        Value::String(text) if text == "inf" => Ok(f64::INFINITY),
        Value::String(text) if text == "-inf" => Ok(f64::NEG_INFINITY),
        _ => value.as_f64().ok_or_else(|| format!("{value} is not a number")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;
    use serde_json::json;

    #[test]
    fn null_is_nan_and_infinities_are_words() {
        let value = json!({"x": [[1, null], ["inf", "-inf"]]});
        let x = Case::new(&value).matrix("x").unwrap();
        assert!(x[(0, 1)].is_nan());
        assert_eq!([x[(0, 0)], x[(1, 0)], x[(1, 1)]], [1.0, f64::INFINITY, f64::NEG_INFINITY]);
    }

    #[test]
    fn one_number_may_stand_in_a_list() {
        let value = json!({"scale": [0.5], "dof": 3, "two": [1, 2]});
        let case = Case::new(&value);
        assert_eq!(case.number("scale"), Ok(0.5));
        assert_eq!(case.number("dof"), Ok(3.0));
        assert!(case.number("two").unwrap_err().contains("two"));
        assert_eq!(case.vector("two").unwrap(), array![1.0, 2.0]);
    }

    #[test]
    fn ragged_lists_texts_and_unknown_fields_are_errors() {
        let value = json!({"ragged": [[1, 2], [3]], "deep": [1, [2]], "text": ["a"]});
        let case = Case::new(&value);
        for name in ["ragged", "deep", "text", "absent"] {
            assert!(case.array(name).unwrap_err().contains(name));
        }
        assert!(case.only_fields(&["ragged", "deep"]).unwrap_err().contains("text"));
        assert!(case.only_fields(&["ragged", "deep", "text"]).is_ok());
    }
}

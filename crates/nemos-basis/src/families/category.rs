//! One column for each category.

use nemos_core::tensor::{Tensor, TensorData, backend::Backend as BurnBackend};
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::spec::{Evaluate, Spec};
use crate::strided::{Pointwise, Strided};

/// What becomes of a value that is none of the categories.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Unknown {
    /// It gives a row of zeros.
    #[default]
    Zeros,
    /// It is an error.
    Refused,
}

/// One column for each category: one where the sample is that category, zero elsewhere.
///
/// Categories are numbers, or names that [`encode`](Category::encode) turns into numbers. Columns follow their sorted order.
///
/// # Shapes
/// `[n_samples, n_columns]` give `[n_samples, n_columns · n_categories]`.
///
/// # Options
/// | option | default | |
/// |---|---|---|
/// | `unknown` | `Zeros` | what a value that is no category gives; NaN is such a value |
///
/// # Errors
/// [`Error::NoCategories`] where they are to be [learned](Category::learned) and were not; [`Error::DuplicateCategory`] for one that is listed twice; [`Error::UnknownCategory`] for a value that is none, where refused.
///
/// # Example
/// ```
/// use nemos_basis::{Category, Family};
/// use nemos_core::{Cpu, Matrix};
/// let choice = Category::named(["left", "right"]);
/// let samples = Matrix::<Cpu>::from_column(choice.encode(&["right", "left", "neither"])?);
/// assert_eq!(choice.compute_features(&samples)?.to_vec(), [0.0, 1.0, 1.0, 0.0, 0.0, 0.0]);
/// # Ok::<(), nemos_basis::Error>(())
/// ```
#[doc(alias("OneHotEncoder", "one-hot"))]
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
#[must_use]
pub struct Category {
    values: Vec<f64>,
    /// Sorted names, one per value, or none.
    names: Vec<String>,
    unknown: Unknown,
    /// Whether the values are still to come, from training data.
    learns: bool,
}

/// A category as it is written: what its constructors take, so that numbers and names cannot part.
#[derive(Serialize, Deserialize)]
struct Saved {
    categories: Categories,
    unknown: Unknown,
}

#[derive(Serialize, Deserialize)]
enum Categories {
    Numbers(Vec<f64>),
    Names(Vec<String>),
    Learned,
}

impl From<Saved> for Category {
    fn from(saved: Saved) -> Self {
        let category = match saved.categories {
            Categories::Numbers(values) => Category::numbered(values),
            Categories::Names(names) => Category::named(names),
            Categories::Learned => Category::learned(),
        };
        category.unknown(saved.unknown)
    }
}

impl From<Category> for Saved {
    fn from(category: Category) -> Self {
        let categories = if category.learns {
            Categories::Learned
        } else if category.names.is_empty() {
            Categories::Numbers(category.values)
        } else {
            Categories::Names(category.names)
        };
        Saved {
            categories,
            unknown: category.unknown,
        }
    }
}

impl Category {
    /// The numbers from 0 up to, but without, `n_categories`.
    pub fn new(n_categories: usize) -> Self {
        Category::numbered((0..n_categories).map(|value| value as f64))
    }

    /// These numbers.
    pub fn numbered(values: impl IntoIterator<Item = f64>) -> Self {
        let mut values: Vec<f64> = values.into_iter().collect();
        values.sort_unstable_by(f64::total_cmp);
        Category {
            values,
            names: Vec::new(),
            unknown: Unknown::Zeros,
            learns: false,
        }
    }

    /// The numbers that training data hold, once they are seen ([`Basis::with_bounds_from`](crate::Basis::with_bounds_from)): numbers that
    /// come later are unknown.
    ///
    /// # Example
    /// ```
    /// use nemos_basis::{Basis, Category};
    /// use nemos_core::{Cpu, Matrix};
    /// let training = Matrix::<Cpu>::from_column(vec![3.0, 1.0, 3.0]);
    /// let basis = Basis::from(Category::learned()).with_bounds_from(&training)?;
    /// assert_eq!(basis, Category::numbered([1.0, 3.0]).into());
    /// # Ok::<(), nemos_basis::Error>(())
    /// ```
    pub fn learned() -> Self {
        Category {
            learns: true,
            ..Category::numbered([])
        }
    }

    /// These names, which become the numbers 0, 1, … in sorted order.
    pub fn named<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let mut names: Vec<String> = names.into_iter().map(Into::into).collect();
        names.sort_unstable();
        Category {
            values: (0..names.len()).map(|value| value as f64).collect(),
            names,
            unknown: Unknown::Zeros,
            learns: false,
        }
    }

    /// Sets what becomes of a value that is none of the categories.
    pub fn unknown(mut self, unknown: Unknown) -> Self {
        self.unknown = unknown;
        self
    }

    /// The numbers that stand for these names; NaN for a name that is no category, unless that is refused.
    ///
    /// # Errors
    /// [`Error::UnknownCategory`] for a name that is none of the categories, if such are refused.
    pub fn encode<N: AsRef<str>>(&self, names: &[N]) -> Result<Vec<f64>, Error> {
        let code = |(row, name): (usize, &N)| match self.names.binary_search_by(|known| known.as_str().cmp(name.as_ref())) {
            Ok(index) => Ok(self.values[index]),
            Err(_) if self.unknown == Unknown::Zeros => Ok(f64::NAN),
            Err(_) => Err(self.unknown_category(name.as_ref().into(), row)),
        };
        names.iter().enumerate().map(code).collect()
    }

    /// The categories, as they are written in names of columns.
    fn labels(&self) -> Vec<String> {
        if self.names.is_empty() {
            self.values.iter().map(f64::to_string).collect()
        } else {
            self.names.clone()
        }
    }

    fn find(&self, sample: f64) -> Option<usize> {
        self.values.iter().position(|&value| value == sample)
    }

    fn unknown_category(&self, value: String, row: usize) -> Error {
        Error::UnknownCategory {
            value,
            row,
            available: self.labels(),
        }
    }
}

impl Spec for Category {
    fn name(&self) -> &'static str {
        "Category"
    }

    fn validate(&self) -> Result<(), Error> {
        if self.learns {
            return Err(Error::NoCategories);
        }
        let same_names = self.names.windows(2).position(|pair| pair[0] == pair[1]);
        let same = same_names.or_else(|| self.values.windows(2).position(|pair| pair[0] == pair[1]));
        match same {
            Some(index) => Err(Error::DuplicateCategory {
                category: self.labels()[index].clone(),
            }),
            None => Ok(()),
        }
    }

    fn n_functions(&self) -> usize {
        self.values.len()
    }

    fn function_names(&self) -> Vec<String> {
        self.labels()
    }

    fn learns_values(&self) -> bool {
        self.learns
    }

    fn set_values(&mut self, values: Vec<f64>) {
        let unknown = self.unknown;
        *self = Category::numbered(values).unknown(unknown);
    }

    fn is_selective(&self) -> bool {
        self.unknown == Unknown::Refused
    }

    fn check_samples(&self, samples: &[f64], n_columns: usize, first_row: usize) -> Result<(), Error> {
        match samples.iter().position(|&sample| self.find(sample).is_none()) {
            Some(index) => Err(self.unknown_category(samples[index].to_string(), first_row + index / n_columns)),
            None => Ok(()),
        }
    }

    fn check_filter(&self, _window: usize) -> Result<(), Error> {
        Err(Error::NotAFilter { what: self.name() })
    }

    fn grid(&self) -> Option<&[f64]> {
        Some(&self.values)
    }

    fn evaluate(&self, _spans: &[f64]) -> Evaluate<'_> {
        Evaluate::EachSample(Box::new(self.clone()))
    }

    fn tensor<T: BurnBackend>(&self, samples: Tensor<T, 2>) -> Option<Tensor<T, 2>> {
        let (device, precision) = (samples.device(), samples.dtype());
        let values = TensorData::new(self.values.clone(), [1, self.values.len()]).convert_dtype(precision);
        let [rows, columns] = [samples.dims()[0], self.values.len()];
        let values = Tensor::<T, 2>::from_data(values, (&device, precision)).expand([rows, columns]);
        Some(samples.expand([rows, columns]).equal(values).float().cast(precision))
    }
}

impl Pointwise for Category {
    fn write(&self, samples: &[&[f64]], out: &mut Strided<'_>) {
        for (row, &sample) in samples[0].iter().enumerate() {
            if let Some(category) = self.find(sample) {
                out.row(row, self.values.len())[category] = 1.0;
            }
        }
    }
}

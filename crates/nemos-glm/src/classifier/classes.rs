//! Labels of any kind as the numbers that classifiers take.

use nemos_core::{Backend, Matrix};

use crate::Error;

/// The distinct labels, in order: the number of a class is its place among them.
///
/// # Example
/// ```
/// use nemos_core::Cpu;
/// use nemos_glm::Classes;
/// let choices = ["right", "left", "right", "stay"];
/// let classes = Classes::new(&choices);
/// let labels = classes.encode::<Cpu>(&choices)?;
/// assert_eq!(labels.to_vec(), [1.0, 0.0, 1.0, 2.0]);
/// assert_eq!(classes.decode(&labels), [Some(&"right"), Some(&"left"), Some(&"right"), Some(&"stay")]);
/// # Ok::<(), nemos_glm::Error>(())
/// ```
#[doc(alias("LabelEncoder", "classes_"))]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes<T>(Vec<T>);

impl<T: Ord + Clone> Classes<T> {
    /// The distinct labels among these.
    pub fn new(labels: &[T]) -> Self {
        let mut distinct = labels.to_vec();
        distinct.sort();
        distinct.dedup();
        Classes(distinct)
    }

    /// The labels, in order.
    pub fn labels(&self) -> &[T] {
        &self.0
    }

    /// How many classes there are.
    pub fn n_classes(&self) -> usize {
        self.0.len()
    }

    /// `[n_labels, 1]`: the number of the class of each label.
    ///
    /// # Errors
    /// [`Error::UnknownLabel`] with the row of a label that is not among the classes.
    pub fn encode<B: Backend>(&self, labels: &[T]) -> Result<Matrix<B>, Error> {
        let number = |(row, label): (usize, &T)| match self.0.binary_search(label) {
            Ok(class) => Ok(class as f64),
            Err(_) => Err(Error::UnknownLabel { row }),
        };
        let numbers = labels.iter().enumerate().map(number).collect::<Result<_, _>>()?;
        Ok(Matrix::from_column(numbers))
    }

    /// The labels of numbers of classes; nothing where a number is missing or no class.
    pub fn decode<B: Backend>(&self, numbers: &Matrix<B>) -> Vec<Option<&T>> {
        let label = |number: f64| if number >= 0.0 { self.0.get(number as usize) } else { None };
        numbers.to_vec().into_iter().map(label).collect()
    }
}

//! Features: named blocks of columns, so that coefficients come back under the names of what they belong to.

use std::ops::Range;

use crate::{Backend, Design, Error, Matrix, Names, Rows, Samples, ToDesign, first_time_apart};

/// Named blocks of columns, side by side, of anything that is a design.
///
/// Times and segments are those of the first block that has some. A block that is itself made of named blocks (a basis of
/// several terms) becomes one block; [`beside`](Features::beside) keeps its names.
///
/// # Example
/// ```
/// use nemos_core::{Cpu, Features, Matrix, ToDesign};
/// let speed = Matrix::<Cpu>::from_column(vec![0.1, 0.2]);
/// let place = Matrix::<Cpu>::from_vec(vec![1.0, 0.0, 0.0, 1.0], [2, 2])?;
/// let features = Features::new().with("speed", &speed)?.with("place", &place)?;
/// assert_eq!(features.to_design().columns("place")?, 1..3);
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[doc(alias = "FeaturePytree")]
#[derive(Clone, Debug, Default)]
#[must_use]
pub struct Features<'a, B: Backend> {
    parts: Vec<Design<'a, B>>,
    names: Names,
}

impl<'a, B: Backend> Features<'a, B> {
    /// No features yet.
    pub fn new() -> Self {
        Features {
            parts: Vec::new(),
            names: Names::none(),
        }
    }

    /// Adds columns to the right, as a block of this name.
    ///
    /// # Errors
    /// [`Error::DuplicateName`] if the name is taken, [`Error::RowsDiffer`] if its rows are not those of the other blocks,
    /// [`Error::TimesDiffer`] if its times are not.
    pub fn with(self, name: impl Into<String>, block: impl Into<Design<'a, B>>) -> Result<Self, Error> {
        let (name, block) = (name.into(), block.into());
        let n_columns = block.n_columns();
        let channels = match block.names().blocks() {
            [only] => only.channels().to_vec(),
            _ => Vec::new(),
        };
        let columns = match block.names().columns() {
            [] if n_columns == 1 => vec![name.clone()],
            [] => (0..n_columns).map(|column| format!("{name}[{column}]")).collect(),
            names => names.to_vec(),
        };
        let names = Names::new(columns).with_block(name, n_columns, channels.iter().map(String::as_str))?;
        self.add(block, &names)
    }

    /// Adds columns to the right, under the names that their blocks have.
    ///
    /// # Errors
    /// As [`with`](Features::with), and [`Error::NoNames`] if they have none.
    pub fn beside(self, blocks: impl Into<Design<'a, B>>) -> Result<Self, Error> {
        let blocks = blocks.into();
        let names = blocks.names().clone();
        if names.blocks().is_empty() {
            return Err(Error::NoNames {
                asked: "blocks to put beside the others".into(),
            });
        }
        self.add(blocks, &names)
    }

    fn add(mut self, part: Design<'a, B>, names: &Names) -> Result<Self, Error> {
        let taken = |name: &str| self.names.blocks().iter().any(|block| block.name() == name);
        if let Some(block) = names.blocks().iter().find(|block| taken(block.name())) {
            return Err(Error::DuplicateName { name: block.name().into() });
        }
        part.check_whole("a block of features")?;
        if let Some(first) = self.parts.first()
            && first.n_rows() != part.n_rows()
        {
            return Err(Error::RowsDiffer {
                left_name: "the first block",
                left: first.n_rows(),
                right_name: "the new block",
                right: part.n_rows(),
            });
        }
        let known = self.parts.iter().find_map(Design::times);
        if let (Some(left), Some(right)) = (known, part.times())
            && let Some(row) = first_time_apart(left, right)
        {
            return Err(Error::TimesDiffer {
                left_name: "the blocks before",
                left: left[row],
                right_name: "the new block",
                right: right[row],
                row,
            });
        }
        self.names = self.names.clone().beside(self.n_columns(), names, part.n_columns());
        self.parts.push(part);
        Ok(self)
    }

    /// The names of blocks and columns.
    pub fn names(&self) -> &Names {
        &self.names
    }
}

impl<B: Backend> Rows<B> for Features<'_, B> {
    fn is_held(&self) -> bool {
        self.parts.iter().all(|part| part.rows().is_held())
    }

    fn n_rows(&self) -> usize {
        self.parts.first().map_or(0, Design::n_rows)
    }

    fn n_columns(&self) -> usize {
        self.parts.iter().map(Design::n_columns).sum()
    }

    fn chunk(&self, rows: Range<usize>) -> Result<Matrix<B>, Error> {
        let parts = self.parts.iter().map(|part| part.chunk(rows.clone()));
        Matrix::beside(parts.collect::<Result<Vec<_>, _>>()?)
    }

    fn chunk_of(&self, rows: Range<usize>, columns: &[usize]) -> Result<Matrix<B>, Error> {
        // What each part is asked for, and where it goes.
        let (mut parts, mut order) = (Vec::new(), Vec::new());
        let mut start = 0;
        for part in &self.parts {
            let own = start..start + part.n_columns();
            start = own.end;
            let places: Vec<usize> = (0..columns.len()).filter(|&place| own.contains(&columns[place])).collect();
            if !places.is_empty() {
                let wanted: Vec<usize> = places.iter().map(|&place| columns[place] - own.start).collect();
                parts.push(part.rows().chunk_of(rows.clone(), &wanted)?);
                order.extend(places);
            }
        }
        if order.len() < columns.len() || parts.is_empty() {
            // Some column does not exist, or none is asked for.
            return self.chunk(rows)?.select_columns(columns);
        }
        let beside = Matrix::beside(parts)?;
        if order.is_sorted() {
            return Ok(beside);
        }
        let mut at = vec![0; order.len()];
        order.iter().enumerate().for_each(|(from, &to)| at[to] = from);
        beside.select_columns(&at)
    }

    fn gather(&self, rows: &[usize]) -> Result<Matrix<B>, Error> {
        let parts = self.parts.iter().map(|part| part.rows().gather(rows));
        Matrix::beside(parts.collect::<Result<Vec<_>, _>>()?)
    }
}

impl<B: Backend> ToDesign<B> for Features<'_, B> {
    fn to_design(&self) -> Design<'_, B> {
        let segments = self.parts.iter().map(Design::segments);
        // Blocks that say nothing of segments follow one that does.
        let segments = segments.reduce(|known, other| if known.ranges().len() > 1 { known } else { other });
        let times = self.parts.iter().find_map(Design::times);
        Design::assembled(self, self.names.clone(), times, segments)
    }
}

impl<B: Backend> Samples<B> for Features<'_, B> {
    type Output = Design<'static, B>;

    fn wrap(&self, values: Matrix<B>, names: Names) -> Design<'static, B> {
        self.to_design().wrap(values, names)
    }
}

#[cfg(all(test, feature = "cpu"))]
mod tests {
    use super::*;
    use crate::{Cpu, Segments};

    fn column(values: &[f64]) -> Matrix<Cpu> {
        Matrix::from_column(values.to_vec())
    }

    #[test]
    fn blocks_stand_side_by_side_under_their_names() {
        let wide = Matrix::<Cpu>::from_vec(vec![1.0, 2.0, 3.0, 4.0], [2, 2]).unwrap();
        let features = Features::new()
            .with("a", column(&[7.0, 8.0]))
            .and_then(|features| features.with("b", &wide))
            .unwrap();
        let design = features.to_design();
        assert_eq!(design.to_matrix().unwrap().to_vec(), [7.0, 1.0, 2.0, 8.0, 3.0, 4.0]);
        assert_eq!(design.columns("b").unwrap(), 1..3);
        assert_eq!(design.rows().chunk_of(0..2, &[2, 0]).unwrap().to_vec(), [2.0, 7.0, 4.0, 8.0]);
        assert_eq!(design.rows().chunk_of(0..1, &[0, 2]).unwrap().to_vec(), [7.0, 2.0]);
        assert!(design.rows().chunk_of(0..1, &[3]).is_err());
        assert_eq!(design.names().columns(), ["a", "b[0]", "b[1]"]);
        assert!(matches!(design.columns("c"), Err(Error::UnknownName { .. })));
    }

    #[test]
    fn names_rows_and_times_must_fit() {
        let features = || Features::new().with("a", column(&[1.0, 2.0])).unwrap();
        assert!(matches!(
            features().with("a", column(&[1.0, 2.0])),
            Err(Error::DuplicateName { .. })
        ));
        assert!(matches!(features().with("b", column(&[1.0])), Err(Error::RowsDiffer { .. })));
        assert!(matches!(features().beside(column(&[1.0, 2.0])), Err(Error::NoNames { .. })));
        let at = |times: [f64; 2]| Design::from(column(&[0.0; 2])).with_times(times.to_vec()).unwrap();
        let timed = features().with("b", at([0.0, 0.1])).unwrap();
        assert!(matches!(
            timed.clone().with("c", at([0.0, 0.2])),
            Err(Error::TimesDiffer { row: 1, .. })
        ));
        assert_eq!(timed.to_design().times(), Some(&[0.0, 0.1][..]));
    }

    #[test]
    fn times_and_segments_of_a_block_are_those_of_all() {
        let timed = Design::from(column(&[0.0; 3])).with_times(vec![0.0, 0.1, 5.0]).unwrap();
        let timed = timed.with_segments(Segments::from_lengths([2, 1])).unwrap();
        let features = Features::new().with("a", column(&[1.0; 3])).unwrap().with("b", timed).unwrap();
        assert_eq!(features.to_design().segments().ranges().len(), 2);
        assert!(features.to_design().times().is_some());
    }
}

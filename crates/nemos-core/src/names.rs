//! Names of columns, and of the blocks that they fall into.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::Error;

/// A named block of columns: the features of one term of a basis, of one input.
///
/// The columns of a block come channel after channel, as many for each: the features of the spikes of one neuron, then
/// those of the next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    name: String,
    columns: Range<usize>,
    channels: Vec<String>,
}

impl Block {
    /// The name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The columns that the block takes, and its coefficients in a fitted model.
    pub fn columns(&self) -> Range<usize> {
        self.columns.clone()
    }

    /// Names of the channels: those of the columns of the input that the features were made of. One without a name,
    /// where there is one.
    pub fn channels(&self) -> &[String] {
        &self.channels
    }

    /// The columns of each channel, in order.
    pub fn by_channel(&self) -> impl Iterator<Item = Range<usize>> + use<> {
        let (start, n) = (self.columns.start, self.channels.len().max(1));
        let width = self.columns.len() / n;
        (0..n).map(move |channel| start + channel * width..start + (channel + 1) * width)
    }

    /// The columns of the channel of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] if there is none.
    pub fn channel(&self, name: &str) -> Result<Range<usize>, Error> {
        let place = self.channels.iter().position(|channel| channel == name);
        let columns = place.and_then(|place| self.by_channel().nth(place));
        columns.ok_or_else(|| Error::UnknownName {
            name: name.into(),
            of: "channel",
            available: self.channels.clone(),
        })
    }
}

/// Names of columns, and of the blocks that they fall into; either may be missing.
///
/// # Example
/// ```
/// use nemos_core::Names;
/// let names = Names::new(["x", "y", "speed"]).with_block("place", 2, [])?.with_block("speed", 1, [])?;
/// assert_eq!(names.block("place")?.columns(), 0..2);
/// assert!(names.block("plaice").unwrap_err().to_string().contains("\"place\""));
/// # Ok::<(), nemos_core::Error>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Names {
    columns: Vec<String>,
    blocks: Vec<Block>,
}

impl Names {
    /// One name for each column, and no blocks.
    pub fn new<S: Into<String>>(columns: impl IntoIterator<Item = S>) -> Self {
        Names {
            columns: columns.into_iter().map(Into::into).collect(),
            blocks: Vec::new(),
        }
    }

    /// Nothing has a name.
    pub fn none() -> Self {
        Names::default()
    }

    /// With another block to the right of those that there are; `channels` are the names of its channels, or empty
    /// where there is one.
    ///
    /// # Errors
    /// [`Error::DuplicateName`] if there is a block of this name, [`Error::Channels`] unless each channel has as many
    /// columns.
    pub fn with_block<'s>(
        mut self,
        name: impl Into<String>,
        n_columns: usize,
        channels: impl IntoIterator<Item = &'s str>,
    ) -> Result<Self, Error> {
        let name = name.into();
        if self.blocks.iter().any(|block| block.name == name) {
            return Err(Error::DuplicateName { name });
        }
        let channels: Vec<String> = channels.into_iter().map(Into::into).collect();
        if !channels.is_empty() && !n_columns.is_multiple_of(channels.len()) {
            return Err(Error::Channels {
                name,
                columns: n_columns,
                channels: channels.len(),
            });
        }
        let start = self.blocks.last().map_or(0, |block| block.columns.end);
        self.blocks.push(Block {
            name,
            columns: start..start + n_columns,
            channels,
        });
        Ok(self)
    }

    /// The names of the columns; none where they have none.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The names of `n_columns` columns: their numbers, from 0, where they have none.
    pub fn columns_or_numbers(&self, n_columns: usize) -> Vec<String> {
        if self.columns.is_empty() {
            (0..n_columns).map(|column| column.to_string()).collect()
        } else {
            self.columns.clone()
        }
    }

    /// What to call each of `n_columns` columns: its name; where it has none, its place in its block, as in `place[3]`; its number else.
    pub fn labels(&self, n_columns: usize) -> Vec<String> {
        if !self.columns.is_empty() || self.blocks.is_empty() {
            return self.columns_or_numbers(n_columns);
        }
        let of_block = |block: &Block| {
            let name = block.name.clone();
            (0..block.columns().len()).map(move |place| format!("{name}[{place}]"))
        };
        self.blocks.iter().flat_map(of_block).collect()
    }

    /// The blocks, from left to right; none where columns fall into no blocks.
    pub fn blocks(&self) -> &[Block] {
        &self.blocks
    }

    /// The names of the blocks, from left to right.
    pub fn block_names(&self) -> Vec<String> {
        self.blocks.iter().map(|block| block.name.clone()).collect()
    }

    /// The block of this name.
    ///
    /// # Errors
    /// [`Error::NoNames`] where columns fall into no blocks, [`Error::UnknownName`] where none has this name.
    pub fn block(&self, name: &str) -> Result<&Block, Error> {
        if self.blocks.is_empty() {
            return Err(Error::NoNames { asked: name.into() });
        }
        self.blocks
            .iter()
            .find(|block| block.name == name)
            .ok_or_else(|| Error::UnknownName {
                name: name.into(),
                of: "block of features",
                available: self.block_names(),
            })
    }

    /// The number of the column of this name.
    ///
    /// # Errors
    /// [`Error::UnknownName`] where none has this name.
    pub fn column(&self, name: &str) -> Result<usize, Error> {
        let place = self.columns.iter().position(|column| column == name);
        place.ok_or_else(|| Error::UnknownName {
            name: name.into(),
            of: "column",
            available: self.columns.clone(),
        })
    }

    /// Checks that there are as many names as columns, or none.
    ///
    /// # Errors
    /// [`Error::NamesDoNotFit`] otherwise.
    pub fn check(&self, n_columns: usize) -> Result<(), Error> {
        let in_blocks = self.blocks.last().map_or(n_columns, |block| block.columns.end);
        let named = if self.columns.is_empty() { n_columns } else { self.columns.len() };
        for (got, what) in [(named, "names of columns"), (in_blocks, "columns in named blocks")] {
            if got != n_columns {
                return Err(Error::NamesDoNotFit {
                    what,
                    got,
                    columns: n_columns,
                });
            }
        }
        Ok(())
    }

    /// Checks that `given`, the names of `what`, mean the same columns. Where both have blocks, these have the same names and columns, and
    /// their channels, or else their columns, the same names; elsewhere columns have. What has no name, or only a number where the other
    /// has a name, is not compared.
    ///
    /// # Errors
    /// [`Error::NamesDiffer`] at the first that differs.
    pub fn check_same(&self, what: &'static str, given: &Names) -> Result<(), Error> {
        let differ = |of: &str, place: usize, got: &str, expected: &str| Error::NamesDiffer {
            what,
            place: format!("{of} {place}").into(),
            got: got.into(),
            expected: expected.into(),
        };
        let compare = |of, first: usize, got: &[String], expected: &[String]| match first_apart(got, expected) {
            None => Ok(()),
            Some(place) => Err(differ(of, first + place, &got[place], &expected[place])),
        };
        if self.blocks.is_empty() || given.blocks.is_empty() {
            return compare("column", 0, &given.columns, &self.columns);
        }
        for (place, (mine, other)) in self.blocks.iter().zip(&given.blocks).enumerate() {
            if mine.name != other.name {
                return Err(differ("block", place, &other.name, &mine.name));
            }
            if mine.columns != other.columns {
                let [got, expected] = [other, mine].map(|block| format!("{} of columns {:?}", block.name, block.columns));
                return Err(differ("block", place, &got, &expected));
            }
            compare("channel", 0, &other.channels, &mine.channels)?;
            if mine.channels.is_empty() && other.channels.is_empty() && !self.columns.is_empty() && !given.columns.is_empty() {
                let columns = mine.columns();
                compare("column", columns.start, &given.columns[columns.clone()], &self.columns[columns])?;
            }
        }
        Ok(())
    }

    /// These blocks and columns, and those of `other` to their right.
    pub(crate) fn beside(mut self, n_columns: usize, other: &Names, n_others: usize) -> Self {
        if !self.columns.is_empty() || !other.columns.is_empty() {
            self.columns = self.columns_or_numbers(n_columns);
            self.columns.extend(other.columns_or_numbers(n_others));
        }
        self.blocks.extend(other.blocks.iter().map(|block| Block {
            columns: block.columns.start + n_columns..block.columns.end + n_columns,
            ..block.clone()
        }));
        self
    }
}

/// The first place where names are not the same; nothing where one of the two has none. Numbers stand for names that were not given: of
/// `0..n`, or of numbers beside words, only another order of the same ones is told.
fn first_apart(given: &[String], expected: &[String]) -> Option<usize> {
    let place = given.iter().zip(expected).position(|(given, expected)| given != expected)?;
    let is_number = |name: &String| name.parse::<u64>().is_ok();
    let are_places = |names: &[String]| names.iter().enumerate().all(|(place, name)| *name == place.to_string());
    let may_be_unnamed = are_places(given) || are_places(expected) || given.iter().all(is_number) != expected.iter().all(is_number);
    let sorted = |names: &[String]| {
        let mut names = names.to_vec();
        names.sort_unstable();
        names
    };
    (!may_be_unnamed || sorted(given) == sorted(expected)).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_cut_a_block_into_equal_parts() {
        let names = Names::none()
            .with_block("speed", 1, [])
            .and_then(|names| names.with_block("spikes", 6, ["3", "7"]))
            .unwrap();
        let spikes = names.block("spikes").unwrap();
        assert_eq!(spikes.by_channel().collect::<Vec<_>>(), [1..4, 4..7]);
        assert_eq!(spikes.channel("7").unwrap(), 4..7);
        assert!(spikes.channel("5").is_err());
        assert_eq!(names.block("speed").unwrap().by_channel().collect::<Vec<_>>(), vec![0..1]);
        assert!(Names::none().with_block("spikes", 7, ["3", "7"]).is_err());
        assert!(names.with_block("speed", 1, []).is_err());
    }

    #[test]
    fn columns_without_names_are_called_by_their_blocks() {
        let blocks = Names::none()
            .with_block("speed", 1, [])
            .and_then(|names| names.with_block("place", 2, []))
            .unwrap();
        assert_eq!(blocks.labels(3), ["speed[0]", "place[0]", "place[1]"]);
        assert_eq!(Names::none().labels(2), ["0", "1"]);
        assert_eq!(Names::new(["a", "b"]).labels(2), ["a", "b"]);
    }

    fn says(fitted: &Names, given: &Names, what: &str) {
        let text = fitted.check_same("design", given).unwrap_err().to_string();
        assert!(text.contains(what), "{text}");
    }

    #[test]
    fn columns_in_another_order_or_under_other_names_are_told() {
        let fitted = Names::new(["x", "y"]);
        says(
            &fitted,
            &Names::new(["y", "x"]),
            "column 0 of the design is \"y\", and the model was fitted with \"x\"",
        );
        says(&fitted, &Names::new(["x", "z"]), "\"z\"");
        says(&Names::new(["0", "1", "2"]), &Names::new(["2", "1", "0"]), "column 0");
        says(&Names::new(["3", "7"]), &Names::new(["3", "8"]), "\"8\"");
        // Numbers are what columns without names are called.
        for unnamed in [Names::none(), Names::new(["0", "1"]), Names::new(["4", "5"])] {
            fitted.check_same("design", &unnamed).unwrap();
            unnamed.check_same("design", &fitted).unwrap();
        }
        Names::new(["0", "1"]).check_same("design", &Names::new(["3", "7"])).unwrap();
    }

    #[test]
    fn blocks_are_compared_with_their_columns_and_channels() {
        let of = |blocks: &[(&str, usize, &[&str])]| {
            let with = |names: Names, (name, n, channels): &(&str, usize, &[&str])| names.with_block(*name, *n, channels.iter().copied());
            blocks.iter().try_fold(Names::none(), with).unwrap()
        };
        let fitted = of(&[("place", 2, &[]), ("spikes", 4, &["a", "b"])]);
        says(
            &fitted,
            &of(&[("spikes", 4, &["a", "b"]), ("place", 2, &[])]),
            "block 0 of the design is \"spikes\"",
        );
        says(&fitted, &of(&[("place", 4, &[]), ("spikes", 2, &["a", "b"])]), "columns 0..4");
        says(
            &fitted,
            &of(&[("place", 2, &[]), ("spikes", 4, &["b", "a"])]),
            "channel 0 of the design is \"b\"",
        );
        fitted
            .check_same("design", &of(&[("place", 2, &[]), ("spikes", 4, &["0", "1"])]))
            .unwrap();
        let inside = |columns: [&str; 2]| Names::new(columns).with_block("place", 2, []).unwrap();
        says(&inside(["x", "y"]), &inside(["y", "x"]), "column 0");
        // Columns of channels are called by them.
        let spikes = |columns: [&str; 2], channels: [&str; 2]| Names::new(columns).with_block("spikes", 2, channels).unwrap();
        let unnamed = spikes(["spikes[0]", "spikes[1]"], ["0", "1"]);
        spikes(["spikes[a]", "spikes[b]"], ["a", "b"])
            .check_same("design", &unnamed)
            .unwrap();
    }

    #[test]
    fn asking_for_a_name_where_there_are_none_is_an_error_that_says_so() {
        let error = Names::none().block("place").unwrap_err();
        assert!(matches!(error, Error::NoNames { .. }), "{error}");
        assert!(Names::new(["a", "b"]).check(3).is_err());
        assert!(Names::new(["a", "b"]).check(2).is_ok() && Names::none().check(5).is_ok());
    }
}

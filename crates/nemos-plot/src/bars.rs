//! Bars: histograms and raw tuning curves between edges, and values that have names.

use crate::canvas::Canvas;
use crate::error::rising;
use crate::frame::{Extent, Frame};
use crate::mark::{Draw, Mark, Swatch, labelled};
use crate::{Color, Error};

/// One bar for each height, standing on zero; a NaN leaves a gap.
///
/// [`new`](Bars::new) puts them between edges. [`named`](Bars::named) puts each above its name; several sets over the same names
/// in one panel stand beside each other.
///
/// # Shapes
/// `edges`: `[n_bins + 1]`, rising; `heights`: `[n_bins]`; or `names` and `heights`: `[n_names]`.
///
/// # Example
/// ```
/// use nemos_plot::{Axis, Bars, Figure, Panel};
/// let inputs = ["shared", "private"];
/// let panel = Panel::new()
///     .y(Axis::new("coefficient"))
///     .mark(Bars::named(inputs, [0.8, 0.4]).label("true"))
///     .mark(Bars::named(inputs, [0.7, 0.5]).label("fitted"));
/// assert!(Figure::new().panel(panel).to_svg()?.contains(">private<"));
/// # Ok::<(), nemos_plot::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
#[must_use]
pub struct Bars {
    place: Place,
    heights: Vec<f64>,
    label: String,
    color: Option<Color>,
}

#[derive(Clone, Debug, PartialEq)]
enum Place {
    /// Between each two neighbours.
    Edges(Vec<f64>),
    /// Around whole numbers from zero, as one of several sets.
    Names { names: Vec<String>, set: usize, n_sets: usize },
}

impl Bars {
    /// Bars of these heights between each two neighbouring edges.
    pub fn new(edges: impl Into<Vec<f64>>, heights: impl Into<Vec<f64>>) -> Self {
        Bars::at(Place::Edges(edges.into()), heights)
    }

    /// Bars of these heights above names, which the horizontal axis shows unless it has ticks of its own.
    pub fn named<T: Into<String>>(names: impl IntoIterator<Item = T>, heights: impl Into<Vec<f64>>) -> Self {
        let names = names.into_iter().map(Into::into).collect();
        let (set, n_sets) = (0, 1);
        Bars::at(Place::Names { names, set, n_sets }, heights)
    }

    fn at(place: Place, heights: impl Into<Vec<f64>>) -> Self {
        Bars {
            place,
            heights: heights.into(),
            label: String::new(),
            color: None,
        }
    }

    /// Their name in the legend.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Their colour.
    pub fn color(mut self, color: Color) -> Self {
        self.color = Some(color);
        self
    }

    /// The names that they stand above, if they do.
    pub(crate) fn names(&self) -> Option<&[String]> {
        match &self.place {
            Place::Names { names, .. } => Some(names),
            Place::Edges(_) => None,
        }
    }

    /// Both sides of the bar of this index.
    fn sides(&self, index: usize) -> [f64; 2] {
        /// What a group of bars takes of the distance between two names.
        const GROUP: f64 = 0.8;
        match &self.place {
            Place::Edges(edges) => [edges[index], edges[index + 1]],
            Place::Names { set, n_sets, .. } => {
                let width = GROUP / *n_sets as f64;
                let left = index as f64 - 0.5 * GROUP + *set as f64 * width;
                [left, left + width]
            }
        }
    }

    /// Every bar that there is, on the canvas.
    fn rectangles(&self, frame: &Frame) -> impl Iterator<Item = [f64; 4]> {
        let there = self
            .heights
            .iter()
            .enumerate()
            .filter(|(_, height)| height.is_finite() && **height != 0.0);
        there.map(|(index, &height)| frame.rectangle(self.sides(index), [0.0, height]))
    }
}

/// Tells sets of named bars how many they are, and which each of them is.
pub(crate) fn stand_beside(marks: &mut [Mark]) {
    let sets = marks.iter_mut().filter_map(|mark| match mark {
        Mark::Bars(bars) => match &mut bars.place {
            Place::Names { set, n_sets, .. } => Some((set, n_sets)),
            Place::Edges(_) => None,
        },
        _ => None,
    });
    let sets: Vec<_> = sets.collect();
    let count = sets.len();
    for (index, (set, n_sets)) in sets.into_iter().enumerate() {
        (*set, *n_sets) = (index, count);
    }
}

impl Draw for Bars {
    fn validate(&self) -> Result<(), Error> {
        const MARK: &str = "a set of bars";
        if self.heights.is_empty() {
            let what = "heights";
            return Err(Error::Empty { mark: MARK, what });
        }
        let lengths = |left_name, left, rule| {
            Err(Error::LengthsDiffer {
                mark: MARK,
                left_name,
                left,
                right_name: "heights",
                right: self.heights.len(),
                rule,
            })
        };
        let edges = match &self.place {
            Place::Names { names, .. } if names.len() != self.heights.len() => {
                return lengths("names", names.len(), "as many of one as of the other");
            }
            Place::Edges(edges) if edges.len() != self.heights.len() + 1 => {
                return lengths("edges", edges.len(), "one edge more than it has heights");
            }
            Place::Names { .. } => return Ok(()),
            Place::Edges(edges) => edges,
        };
        edges.windows(2).try_for_each(|pair| rising("an edge of bars", [pair[0], pair[1]]))
    }

    fn extend(&self, x: &mut Extent, y: &mut Extent) {
        match &self.place {
            Place::Edges(edges) => x.include(edges),
            Place::Names { names, .. } => x.include(&[-0.5, names.len() as f64 - 0.5]),
        }
        y.include(self.heights.iter().chain(&[0.0]));
    }

    fn color(&self) -> Option<Color> {
        self.color
    }

    fn legend(&self) -> Option<(&str, Swatch)> {
        labelled(&self.label, Swatch::Box(1.0))
    }

    fn covered(&self, frame: &Frame) -> Vec<[f64; 2]> {
        self.rectangles(frame).flat_map(|bar| frame.filled(bar)).collect()
    }

    fn draw(&self, frame: &Frame, canvas: &mut Canvas, color: Color) {
        for [left, top, right, bottom] in self.rectangles(frame) {
            // A hair of background between bars, as long as they are wide enough to spare it.
            let gap = if right - left > 4.0 { 0.5 } else { 0.0 };
            canvas.rectangle([left + gap, top, right - gap, bottom], color, 1.0);
        }
    }
}

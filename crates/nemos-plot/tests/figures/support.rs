//! What every figure must satisfy as a document.

use std::collections::HashSet;

use nemos_plot::{Figure, Panel};
use roxmltree::{Document, Node};

/// The figure as a document, which can be parsed, defines every name that it refers to, once, and has no number that is not finite.
pub(crate) fn checked(figure: &Figure) -> String {
    let svg = figure.to_svg().expect("a figure that can be drawn");
    check(&svg);
    svg
}

/// Checks a document.
pub(crate) fn check(svg: &str) {
    let document = Document::parse(svg).expect("well-formed XML");
    let names: Vec<&str> = document.descendants().filter_map(|node| node.attribute("id")).collect();
    let defined: HashSet<&str> = names.iter().copied().collect();
    assert_eq!(names.len(), defined.len(), "a name is defined twice: {names:?}");
    for node in document.descendants() {
        for attribute in node.attributes() {
            let value = attribute.value();
            let reference = value
                .strip_prefix("url(#")
                .and_then(|rest| rest.strip_suffix(')'))
                .or(value.strip_prefix('#'));
            let is_color = attribute.name() == "fill" || attribute.name() == "stroke";
            if let Some(name) = reference.filter(|_| !is_color) {
                assert!(defined.contains(name), "{name} is referred to but not defined");
            }
            let is_number = !value.starts_with("data:") && attribute.name() != "font-family";
            assert!(
                !is_number || !(value.contains("NaN") || value.contains("inf")),
                "{}={value}",
                attribute.name()
            );
        }
    }
}

/// Left, top, right and bottom of what the marks of the first panel are cut off at, a pixel outside its frame.
#[cfg(feature = "png")]
pub(crate) fn clip_of(svg: &str) -> [f64; 4] {
    let document = Document::parse(svg).expect("well-formed XML");
    let clip = document
        .descendants()
        .find(|node| node.has_tag_name("clipPath"))
        .expect("a clip path");
    let shape = clip.first_element_child().expect("a shape");
    let side = |name: &str| shape.attribute(name).and_then(|text| text.parse::<f64>().ok()).expect("a number");
    let [x, y, width, height] = ["x", "y", "width", "height"].map(side);
    [x, y, x + width, y + height]
}

/// How many shapes are cut off at a frame.
pub(crate) fn n_clipped_shapes(panel: Panel) -> usize {
    let svg = checked(&Figure::new().panel(panel));
    let document = Document::parse(&svg).expect("well-formed XML");
    let is_clipped = |node: &Node<'_, '_>| node.ancestors().any(|above| above.attribute("clip-path").is_some());
    document
        .descendants()
        .filter(|node| node.is_element() && !node.has_tag_name("g") && is_clipped(node))
        .count()
}

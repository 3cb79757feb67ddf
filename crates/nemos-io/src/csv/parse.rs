//! Comma-separated text: rows of cells, and columns of them.

use std::borrow::Cow;

/// What separates cells: a comma, or what the first line has instead.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Separator(u8);

impl Separator {
    /// That of a line of names.
    pub(crate) fn of(line: &str) -> Self {
        let outside_quotes = line.split('"').step_by(2).collect::<String>();
        let first = [b',', b';', b'\t']
            .into_iter()
            .find(|&byte| outside_quotes.as_bytes().contains(&byte));
        Separator(first.unwrap_or(b','))
    }

    /// A cell as a number, NaN where it is missing; nothing if it is neither. Beside semicolons a comma is a point.
    pub(crate) fn number(self, cell: &str) -> Option<f64> {
        match cell {
            "" | "NA" | "N/A" | "NULL" | "null" => Some(f64::NAN),
            cell if self.0 == b';' && cell.contains(',') => cell.replace(',', ".").parse().ok(),
            cell => cell.parse().ok(),
        }
    }

    /// The cells of a line. Within quotes a separator is a letter, and two quotes are one.
    pub(crate) fn cells(self, line: &str) -> impl Iterator<Item = Cow<'_, str>> {
        let mut rest = Some(line);
        std::iter::from_fn(move || {
            let text = rest?;
            let bytes = text.as_bytes();
            let mut is_quoted = false;
            let end = (0..bytes.len()).find(|&at| {
                is_quoted ^= bytes[at] == b'"';
                bytes[at] == self.0 && !is_quoted
            });
            rest = end.map(|end| &text[end + 1..]);
            Some(unquoted(&text[..end.unwrap_or(text.len())]))
        })
    }
}

fn unquoted(cell: &str) -> Cow<'_, str> {
    let cell = cell.trim();
    match cell.strip_prefix('"').and_then(|cell| cell.strip_suffix('"')) {
        Some(inside) if inside.contains("\"\"") => Cow::Owned(inside.replace("\"\"", "\"")),
        Some(inside) => Cow::Borrowed(inside),
        None => Cow::Borrowed(cell),
    }
}

/// Lines that hold something, with their numbers from 1: neither empty nor a comment. A break within quotes does not end one.
pub(crate) fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let (mut rest, mut number) = (text, 1);
    std::iter::from_fn(move || {
        loop {
            if rest.is_empty() {
                return None;
            }
            let mut is_quoted = false;
            let end = rest.bytes().position(|byte| {
                is_quoted ^= byte == b'"';
                byte == b'\n' && !is_quoted
            });
            // A quote that is never closed ends with its line.
            let end = end.or_else(|| rest.find('\n'));
            let (line, after) = end.map_or((rest, ""), |end| (&rest[..end], &rest[end + 1..]));
            let at = number;
            number += 1 + line.bytes().filter(|&byte| byte == b'\n').count();
            rest = after;
            let line = line.trim_end_matches('\r');
            if !line.trim().is_empty() && !line.starts_with('#') {
                return Some((at, line));
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str) -> Vec<String> {
        Separator::of(line).cells(line).map(Cow::into_owned).collect()
    }

    #[test]
    fn separators_within_quotes_are_letters() {
        assert_eq!(cells("time,\"x, or y\", \"a \"\"b\"\"\" ,"), ["time", "x, or y", "a \"b\"", ""]);
        assert_eq!(cells("a;b,c"), ["a;b", "c"]);
        assert_eq!(cells("\"a,b\";c"), ["a,b", "c"]);
        assert_eq!(cells("t\tx"), ["t", "x"]);
        assert_eq!(cells(""), [""]);
    }

    #[test]
    fn lines_are_numbered_as_an_editor_numbers_them() {
        let found: Vec<_> = lines("# by hand\nt,x\r\n\n0,\"a\nb\"\n1,2").collect();
        assert_eq!(found, [(2, "t,x"), (4, "0,\"a\nb\""), (6, "1,2")]);
        // A quote that is never closed spoils its own line only.
        assert_eq!(lines("a,\"b\n1\n").count(), 2);
    }

    #[test]
    fn numbers_are_read_as_they_are_written() {
        let comma = Separator::of("a,b");
        assert_eq!(
            [comma.number("1e-3"), comma.number("three"), comma.number("1,5")],
            [Some(1e-3), None, None]
        );
        assert!(comma.number("NA").is_some_and(f64::is_nan) && comma.number("").is_some_and(f64::is_nan));
        assert_eq!(Separator::of("a;b").number("1,5"), Some(1.5));
    }
}

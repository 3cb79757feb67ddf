//! Zarr folders: those that zarr-python wrote, and our own.

use std::path::{Path, PathBuf};

use ndarray::{Array2, Axis, s};
use nemos_core::{Cpu, Matrix, Rows};
use nemos_glm::{Glm, Poisson};
use nemos_io::{Error, ZarrRows, write_zarr};

/// As `tests/interop/zarr_arrays.py` writes them.
fn written() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/zarr")
}

/// What its arrays hold.
fn numbers() -> Array2<f64> {
    Array2::from_shape_fn((23, 5), |(row, column)| ((row * 7 + column * 3) % 120) as f64)
}

fn folder(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("nemos_zarr_{}_{name}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    folder
}

fn chunk(rows: &ZarrRows, range: std::ops::Range<usize>) -> Array2<f64> {
    Rows::<Cpu>::chunk(rows, range).unwrap().to_array()
}

fn assert_holds(rows: &ZarrRows, expected: &Array2<f64>, name: &str) {
    let (n, width) = expected.dim();
    assert_eq!(rows.dims(), [n, width], "{name}");
    for range in [0..n, 0..1, 9..11, 3..3, 5..22, n - 1..n] {
        assert_eq!(chunk(rows, range.clone()), expected.slice(s![range, ..]), "{name}");
    }
    let gathered = Rows::<Cpu>::gather(rows, &[22, 0, 1, 10, 0]).unwrap().to_array();
    assert_eq!(gathered, expected.select(Axis(0), &[22, 0, 1, 10, 0]), "{name}");
    assert!(Rows::<Cpu>::chunk(rows, 0..n + 1).is_err(), "{name}");
    assert!(Rows::<Cpu>::chunk_of(rows, 0..1, &[width]).is_err(), "{name}");
    if width > 1 {
        for columns in [&[3, 1][..], &[4], &[0, 4, 2], &[]] {
            let some = Rows::<Cpu>::chunk_of(rows, 8..21, columns).unwrap().to_array();
            assert_eq!(some, expected.select(Axis(1), columns).slice(s![8..21, ..]), "{name}");
        }
    }
}

#[test]
fn arrays_of_zarr_python_are_read() {
    for name in ["bytes", "shorts", "integers", "long", "singles", "doubles", "shards", "older"] {
        let rows = ZarrRows::open(written(), name).unwrap();
        assert_holds(&rows, &numbers(), name);
    }
    let flags = numbers().mapv(|number| number % 2.0);
    assert_holds(&ZarrRows::open(written(), "flags").unwrap(), &flags, "flags");
    let column = numbers().slice(s![.., ..1]).to_owned();
    assert_holds(&ZarrRows::open(written(), "/column").unwrap(), &column, "column");
    // As a folder of its own, and within a group.
    assert_holds(&ZarrRows::open(written().join("bytes"), "").unwrap(), &numbers(), "bytes");
    assert_holds(&ZarrRows::open(written(), "group/inside").unwrap(), &numbers(), "inside");
}

#[test]
fn chunks_that_were_never_written_hold_the_fill_value() {
    let mut expected = numbers();
    expected.slice_mut(s![10..20, ..]).fill(3.5);
    assert_holds(&ZarrRows::open(written(), "sparse").unwrap(), &expected, "sparse");
}

#[test]
fn what_is_written_comes_back() {
    let numbers = numbers();
    let folder = match std::env::var_os("NEMOS_REWRITTEN_DIR") {
        Some(folder) => PathBuf::from(folder).join("zarr"),
        None => folder("written"),
    };
    let _ = std::fs::remove_dir_all(&folder);
    for (name, values) in [
        ("bytes", numbers.clone()),
        ("shorts", &numbers * 300.0),
        ("doubles", &numbers - 0.5),
        ("whole", numbers.mapv(|number| number * 1e5)),
        ("missing", numbers.mapv(|number| if number == 7.0 { f64::NAN } else { -number })),
    ] {
        for chunk_rows in [1, 10, 23, 50] {
            let folder = if chunk_rows == 10 {
                folder.join(name)
            } else {
                folder.join(format!("{name}_{chunk_rows}"))
            };
            write_zarr::<Cpu>(&folder, &values, chunk_rows).unwrap();
            let rows = ZarrRows::open(&folder, "").unwrap();
            let bits = |values: &Array2<f64>| values.iter().map(|value| value.to_bits()).collect::<Vec<_>>();
            assert_eq!(bits(&chunk(&rows, 0..23)), bits(&values), "{name}");
            let metadata = std::fs::read_to_string(folder.join("zarr.json")).unwrap();
            let expected = match name {
                "bytes" => "\"uint8\"",
                "shorts" => "\"uint16\"",
                _ => "\"float64\"",
            };
            assert!(metadata.contains(expected), "{metadata}");
            assert!(matches!(write_zarr::<Cpu>(&folder, &values, 10), Err(Error::Zarr { .. })));
        }
    }
    let singles = Matrix::<Cpu<f32>>::from_array((&numbers - 0.5).view());
    write_zarr(folder.join("singles"), &singles, 10).unwrap();
    assert_holds(&ZarrRows::open(&folder, "singles").unwrap(), &(&numbers - 0.5), "singles");
    for dims in [(0, 3), (3, 0)] {
        let empty = folder.join(format!("empty_{}", dims.0));
        write_zarr::<Cpu>(&empty, &Array2::<f64>::zeros(dims), 10).unwrap();
        let rows = ZarrRows::open(&empty, "").unwrap();
        assert_eq!(chunk(&rows, 0..dims.0).dim(), dims);
    }
    if std::env::var_os("NEMOS_REWRITTEN_DIR").is_none() {
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn a_fit_of_a_folder_is_that_of_what_it_holds() {
    let folder = folder("fit");
    let features = Array2::from_shape_fn((3000, 4), |(row, column)| (0.01 * (row * (column + 2)) as f64).sin());
    let counts = Array2::from_shape_fn((3000, 1), |(row, _)| (row * row % 11 % 4) as u8);
    write_zarr::<Cpu>(folder.join("features"), &features, 700).unwrap();
    write_zarr::<Cpu>(folder.join("counts"), &counts, 1000).unwrap();
    let expected = Glm::new(Poisson).fit::<Cpu>(&Matrix::from(features), &counts).unwrap();
    let features = ZarrRows::open(&folder, "features").unwrap();
    let counts = ZarrRows::open(&folder, "counts").unwrap();
    let fitted = Glm::new(Poisson).fit::<Cpu>(&features, &counts).unwrap();
    assert_eq!(fitted.coef(), expected.coef());
    std::fs::remove_dir_all(folder).unwrap();
}

fn refusal(folder: &Path, array: &str) -> String {
    ZarrRows::open(folder, array).unwrap_err().to_string()
}

#[test]
fn what_cannot_be_read_says_why() {
    assert!(refusal(&written(), "nothing").contains("no zarr.json"));
    assert!(refusal(Path::new("no such folder"), "").contains("no zarr.json"));
    assert!(refusal(&written(), "../zarr/none").contains("no zarr.json"));
    let group = refusal(&written(), "group");
    assert!(group.contains("group"), "{group}");
    let blosc = refusal(&written(), "blosc");
    assert!(blosc.contains("blosc"), "{blosc}");
    let complex = ZarrRows::open(written(), "complex").unwrap_err();
    assert!(matches!(complex, Error::UnsupportedType { .. }), "{complex}");
    let cube = ZarrRows::open(written(), "cube").unwrap_err();
    assert!(matches!(&cube, Error::NotRows { shape, .. } if shape == &[23, 5, 1]), "{cube}");
}

/// A copy of an array of zarr-python whose metadata or first chunk are changed.
fn damaged(name: &str, change: impl FnOnce(&Path)) -> PathBuf {
    let (from, to) = (written().join(name), folder(&format!("damaged_{name}")));
    std::fs::create_dir_all(to.join("c/0")).unwrap();
    for file in ["zarr.json", "c/0/0", "c/1/0"] {
        if from.join(file).exists() {
            std::fs::create_dir_all(to.join(file).parent().unwrap()).unwrap();
            std::fs::copy(from.join(file), to.join(file)).unwrap();
        }
    }
    change(&to);
    to
}

#[test]
fn damaged_folders_are_errors() {
    let replace = |from: &'static str, to: &'static str| {
        move |folder: &Path| {
            let file = folder.join("zarr.json");
            let text = std::fs::read_to_string(&file).unwrap();
            assert!(text.contains(from), "{text}");
            std::fs::write(file, text.replacen(from, to, 1)).unwrap();
        }
    };
    for (from, to) in [
        ("{", ""),
        ("23", "-1"),
        ("23", "9223372036854775807"),
        ("\"regular\"", "\"hexagonal\""),
        ("\"uint8\"", "\"tiny\""),
        ("\"zarr_format\": 3", "\"zarr_format\": 9"),
        ("10", "0"),
        ("10", "1000000000000000"),
    ] {
        let folder = damaged("bytes", replace(from, to));
        let opened = ZarrRows::open(&folder, "");
        assert!(opened.is_err(), "{from} -> {to}: {opened:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
    for change in [0, 1, 5] {
        for name in ["bytes", "shorts", "singles", "shards", "integers"] {
            let folder = damaged(name, |folder| {
                let file = folder.join("c/0/0");
                let bytes = std::fs::read(&file).unwrap();
                std::fs::write(&file, &bytes[..bytes.len() * change / 8]).unwrap();
            });
            let rows = ZarrRows::open(&folder, "").unwrap();
            let error = Rows::<Cpu>::chunk(&rows, 0..23).unwrap_err().to_string();
            assert!(error.contains("rows 0..23"), "{error}");
            // The others are not damaged.
            assert_eq!(chunk(&rows, 10..20), numbers().slice(s![10..20, ..]));
            std::fs::remove_dir_all(folder).unwrap();
        }
    }
}

use ndarray::{Array1, array};

use super::*;

/// A file of version 1 with this header and these data.
fn npy(header: &str, data: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(data);
    bytes
}

fn header(descr: &str, fortran: &str, shape: &str) -> String {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n")
}

fn read(bytes: &[u8]) -> Result<ArrayD<f64>, Error> {
    read_array(bytes, "x")
}

#[test]
fn every_number_type_arrives_as_f64() {
    let cases: [(&str, &[u8], f64); 9] = [
        ("|b1", &[1], 1.0),
        ("|i1", &[0xff], -1.0),
        ("|u1", &[0xff], 255.0),
        ("<i2", &[0xfe, 0xff], -2.0),
        (">u2", &[1, 0], 256.0),
        ("<i8", &(-3_i64).to_le_bytes(), -3.0),
        (">u4", &7_u32.to_be_bytes(), 7.0),
        ("<f4", &0.5_f32.to_le_bytes(), 0.5),
        (">f8", &0.25_f64.to_be_bytes(), 0.25),
    ];
    for (descr, data, expected) in cases {
        let got = read(&npy(&header(descr, "False", "(1,)"), data)).unwrap();
        assert_eq!(got, array![expected].into_dyn(), "{descr}");
    }
}

#[test]
fn fortran_order_and_row_order_agree() {
    let columns = npy(&header("|u1", "True", "(2, 3)"), &[1, 4, 2, 5, 3, 6]);
    let rows = npy(&header("|u1", "False", "(2, 3)"), &[1, 2, 3, 4, 5, 6]);
    let got = read(&columns).unwrap();
    assert_eq!(got, read(&rows).unwrap());
    assert!(got.is_standard_layout());
}

#[test]
fn a_number_without_axes_and_an_empty_array_are_arrays() {
    assert_eq!(read(&npy(&header("|u1", "False", "()"), &[9])).unwrap().shape(), [0_usize; 0]);
    assert_eq!(read(&npy(&header("<f8", "False", "(0, 4)"), &[])).unwrap().shape(), [0, 4]);
}

#[test]
fn what_is_written_is_read_back() {
    let path = std::env::temp_dir().join(format!("nemos_npy_{}.npy", std::process::id()));
    let table = array![[1.0, f64::NAN, 3.0], [-4.0, 5.0, f64::INFINITY]];
    write_npy(&path, table.t()).unwrap();
    let got = read_npy(&path).unwrap();
    assert_eq!(got.shape(), [3, 2]);
    assert!(got.iter().zip(table.t()).all(|(a, b)| a.to_bits() == b.to_bits()));
    let column = Array1::from(vec![1.0, 2.0]);
    write_npy(&path, column.view()).unwrap();
    assert_eq!(read_npy(&path).unwrap(), column.into_dyn());
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn promises_that_the_data_do_not_keep_are_errors() {
    let short = read(&npy(&header("<f8", "False", "(3,)"), &[0; 20])).unwrap_err();
    assert!(matches!(short, Error::Truncated { expected: 3, got: 2, .. }), "{short}");
    // 8 TB promised, 8 bytes held.
    let huge = read(&npy(&header("<f8", "False", "(1000000, 1000000)"), &[0; 8])).unwrap_err();
    assert!(matches!(huge, Error::Truncated { got: 1, .. }), "{huge}");
    for shape in ["(9223372036854775808, 4)", "(0, 9223372036854775807, 4)", "(99999999999999999999,)"] {
        let error = read(&npy(&header("<f8", "False", shape), &[])).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. }), "{shape}: {error}");
    }
    let long = read(&npy(&header("|u1", "False", "(2,)"), &[1, 2, 3])).unwrap_err();
    assert!(matches!(long, Error::Damaged { .. }), "{long}");
}

#[test]
fn a_damaged_header_is_an_error() {
    let mut endless = b"\x93NUMPY\x02\x00".to_vec();
    endless.extend(u32::MAX.to_le_bytes());
    for bytes in [
        &b""[..],
        b"\x93NUMPY",
        b"no array at all",
        &endless,
        &npy("{}", &[]),
        &npy("((", &[]),
    ] {
        assert!(matches!(read(bytes).unwrap_err(), Error::Header { .. }));
    }
}

#[test]
fn structures_and_deep_brackets_are_refused_at_once() {
    let record = "{'descr': [('a', '<f8'), ('b', '<i4')], 'fortran_order': False, 'shape': (1,), }";
    for header in [record, &format!("{{'descr': {}, 'shape': (1,)}}", "[".repeat(4_000))] {
        assert!(matches!(read(&npy(header, &[0; 12])).unwrap_err(), Error::UnsupportedType { .. }));
    }
}

#[test]
fn text_and_objects_are_refused_by_name() {
    for descr in ["<U4", "|O", "|S3", "<c16", "<f16", "<M8[ns]"] {
        let error = read(&npy(&header(descr, "False", "(1,)"), &[0; 16])).unwrap_err();
        assert!(error.to_string().contains(descr), "{error}");
    }
}

#[test]
fn halves_arrive_as_f64() {
    // 1, −2, the smallest above zero, and infinity, in both orders of bytes.
    let little = [0x00, 0x3c, 0x00, 0xc0, 0x01, 0x00, 0x00, 0x7c];
    let big: Vec<u8> = little.chunks(2).flat_map(|pair| [pair[1], pair[0]]).collect();
    for (descr, bytes) in [("<f2", little.to_vec()), (">f2", big)] {
        let array = read(&npy(&header(descr, "False", "(4,)"), &bytes)).unwrap();
        assert_eq!(
            array.into_iter().collect::<Vec<_>>(),
            [1.0, -2.0, 2.0_f64.powi(-24), f64::INFINITY],
            "{descr}"
        );
        let cut = read(&npy(&header(descr, "False", "(4,)"), &bytes[..7])).unwrap_err();
        assert!(matches!(cut, Error::Truncated { got: 3, expected: 4, .. }), "{cut}");
    }
}

#[test]
fn a_missing_file_is_named() {
    assert!(
        read_npy("no/such/file.npy")
            .unwrap_err()
            .to_string()
            .starts_with("no/such/file.npy")
    );
}

#[test]
fn lengths_that_overflow_are_refused_however_the_shape_is_quoted() {
    for key in ["'shape'", "\"shape\"", "\"sh\\x61pe\""] {
        let header = format!("{{'descr': '<f8', 'fortran_order': False, {key}: (4294967296, 4294967296), }}");
        let error = read(&npy(&header, &[])).unwrap_err();
        assert!(matches!(error, Error::TooLarge { .. } | Error::Header { .. }), "{error}");
    }
}

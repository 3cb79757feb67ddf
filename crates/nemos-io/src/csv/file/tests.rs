use super::*;
use nemos_core::Cpu;

fn open(name: &str, text: &[u8]) -> Result<CsvFile, Error> {
    let path = std::env::temp_dir().join(format!("nemos_csv_{}_{name}.csv", std::process::id()));
    std::fs::write(&path, text).unwrap();
    let file = CsvFile::open(&path);
    std::fs::remove_file(path).unwrap();
    file
}

fn read(name: &str, text: &[u8]) -> Result<TsdFrame<Cpu>, Error> {
    open(name, text)?.frame()
}

#[test]
fn numbers_names_and_missing_values_are_read() {
    let frame = read(
        "good",
        "\u{feff}\"t\", \"left paw\",y\r\n0,1e-3,nan\r\n\r\n 2.5 ,NA,-7\r\n".as_bytes(),
    )
    .unwrap();
    assert_eq!(frame.column_names(), ["left paw", "y"]);
    assert_eq!(frame.sample_times(), [0.0, 2.5]);
    let values = frame.values().to_vec();
    assert_eq!((values[0], values[3]), (1e-3, -7.0));
    assert!(values[1].is_nan() && values[2].is_nan());
    assert!(read("empty", b"t,x\n").unwrap().is_empty());
}

#[test]
fn errors_name_the_line_and_the_column() {
    let place = |name: &str, text: &[u8]| match read(name, text) {
        Err(Error::Csv { line, column, .. }) => (line, column),
        other => panic!("{other:?}"),
    };
    assert_eq!(place("word", b"t,x,y\n0,1,2\n1,2,three\n"), (3, 3));
    assert_eq!(place("short", b"t,x,y\n0,1\n"), (2, 3));
    assert_eq!(place("long", b"t,x\n0,1,2\n"), (2, 3));
    assert_eq!(place("time", b"t,x\n0,1\n\n,2\n"), (4, 1));
    assert_eq!(place("headless", b"0,1\n1,2\n"), (1, 1));
    assert_eq!(place("nothing", b""), (1, 1));
    assert_eq!(place("latin", b"t,x\n0,\xe9\n"), (2, 1));
    assert_eq!(place("order", b"t,x\n1,1\n0,1\n"), (3, 1));
    let error = read("named", b"t,x\n1,1\n0,1\n").unwrap_err().to_string();
    assert!(
        error.contains("line 3") && error.contains("_named.csv") && error.contains("lenient"),
        "{error}"
    );
    let twice = read("twice", b"time,x,x\n0,1,2\n").unwrap_err().to_string();
    assert!(twice.contains("_twice.csv") && twice.contains("\"x\""), "{twice}");
}

#[test]
fn an_index_without_a_name_is_no_time() {
    // As pandas writes it: row numbers, the times, a signal.
    let frame = read("index", b",time,x\n0,0.0,5\n1,0.1,6\n").unwrap();
    assert_eq!(
        (frame.column_names(), frame.sample_times()),
        (vec!["x".to_owned()], [0.0, 0.1].as_slice())
    );
    let again = read("again", b"Unnamed: 0,x,Time (s)\n0,5,0.0\n1,6,0.1\n").unwrap();
    assert_eq!(
        (again.column_names(), again.sample_times()),
        (vec!["x".to_owned()], [0.0, 0.1].as_slice())
    );
    let error = read("nameless", b",a,b\n0,0.0,5\n").unwrap_err();
    assert!(
        matches!(error, Error::CsvColumns { .. }) && error.to_string().contains("with_times"),
        "{error}"
    );
    for name in ["time_ms", "Time (ms)", "timestamps [us]"] {
        let error = read("other_unit", format!("{name},x\n0,1\n").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("in seconds"), "{error}");
    }
    assert!(read("other_name", b"latency_ms,x\n0,1\n").is_ok());
    let named = open("with_times", b",a,b\n0,0.0,5\n1,0.1,6\n").unwrap().with_times("a").unwrap();
    assert_eq!(named.frame::<Cpu>().unwrap().sample_times(), [0.0, 0.1]);
    let error = named.with_times("c").unwrap_err();
    assert!(
        matches!(error, Error::NoEntry { .. }) && error.to_string().contains("has no column named \"c\""),
        "{error}"
    );
}

#[test]
fn texts_are_metadata_and_columns_of_a_table() {
    let file = open("texts", b"time,x,label\n0,1,a\n1,2,\"b, c\"\n").unwrap();
    assert_eq!(file.frame::<Cpu>().unwrap().column_names(), ["x"]);
    let table = file.table().unwrap();
    assert_eq!(table.texts("label").unwrap(), ["a", "b, c"]);
    assert_eq!(table.numbers("time").unwrap(), [0.0, 1.0]);
    let trials = open(
        "trials",
        b"onset,duration,choice,rt\n5,1,left,0.2\n0,2,right,\n1,3,left,0.1\n7,0,none,1\n",
    )
    .unwrap();
    let found = trials.lenient(CsvFile::intervals).unwrap();
    let ends: Vec<(f64, f64)> = found.value.intervals().iter().map(|at| (at.start, at.end)).collect();
    assert_eq!(ends, [(0.0, 4.0), (5.0, 6.0)]);
    assert_eq!(found.value.metadata().texts("choice").unwrap(), ["right|left", "left"]);
    let reasons: Vec<(Reason, Vec<usize>)> = found.left_out.into_iter().map(|left| (left.reason, left.rows)).collect();
    assert_eq!(reasons, [(Reason::NoInterval, vec![5]), (Reason::Merged, vec![3, 4])]);
}

#[test]
fn rows_of_units_and_times_are_a_group() {
    let units = open("units", b"unit,time\n12,0.5\n7,0.1\n12,0.2\n").unwrap().units().unwrap();
    assert_eq!(units.ids(), [7, 12]);
    assert_eq!(units.unit(12).unwrap().times(), [0.2, 0.5]);
    let named = open("named_units", b"spike_times,neuron\n0.5,b\n0.1,a\n").unwrap().units().unwrap();
    assert_eq!(named.metadata().texts("name").unwrap(), ["a", "b"]);
    // As signals they would be times that run backwards, and the error says what they are.
    let error = read("as_frame", b"unit,time\n12,0.5\n7,0.1\n").unwrap_err().to_string();
    assert!(error.contains("CsvFile::units"), "{error}");
    let error = open("bad_unit", b"unit,time\n-1,0.5\n").unwrap().units().unwrap_err();
    assert!(matches!(error, Error::Csv { line: 2, column: 1, .. }), "{error}");
    assert!(matches!(
        open("no_unit", b"a,time\n1,2\n").unwrap().units(),
        Err(Error::CsvColumns { .. })
    ));
    assert_eq!(open("events", b"time\n1\n0\n").unwrap().events().unwrap().times(), [0.0, 1.0]);
}

#[test]
fn trials_are_no_signal_and_stop_after_they_start() {
    // A start would pass for a time, and a stop for a signal.
    let error = read("trials_as_frame", b"start,stop\n1,2\n3,4\n").unwrap_err().to_string();
    assert!(error.contains("CsvFile::intervals"), "{error}");
    assert!(
        open("named_times", b"start,stop\n1,2\n")
            .unwrap()
            .with_times("start")
            .unwrap()
            .frame::<Cpu>()
            .is_ok()
    );
    // Columns under each other's names would give no trials, without a word.
    let swapped = open("swapped", b"start,stop\n2,1\n4,3\n").unwrap();
    assert!(matches!(swapped.intervals(), Err(Error::Csv { line: 2, column: 2, .. })));
    assert!(swapped.lenient(CsvFile::intervals).unwrap().value.is_empty());
    let broken_off = open("broken_off", b"start,stop\n1,2\n3,\n").unwrap();
    assert_eq!((broken_off.intervals().unwrap().len(), broken_off.left_out().len()), (1, 1));
    assert!(open("no_trials", b"start,stop\n").unwrap().intervals().unwrap().is_empty());
}

#[test]
fn what_is_left_out_is_told() {
    let file = open("damaged", b"t,x\n0,1\nnan,2\n1,oops\n2,4\n1.5,5\n3,6\n").unwrap();
    assert!(file.frame::<Cpu>().is_err());
    let found = file.lenient(CsvFile::frame::<Cpu>).unwrap();
    assert_eq!(found.value.sample_times(), [0.0, 2.0, 3.0]);
    let rows: Vec<(Reason, Vec<usize>)> = found.left_out.into_iter().map(|left| (left.reason, left.rows)).collect();
    let expected = [
        (Reason::NotANumber, vec![4]),
        (Reason::TimeNotFinite, vec![3]),
        (Reason::TimeBackwards, vec![6]),
    ];
    assert_eq!(rows, expected);
}

#[test]
fn other_separators_and_comments_are_read() {
    let frame = read("semicolons", b"# recorded 2020\ntime;x\n0;1,5\n1;2,5\n").unwrap();
    assert_eq!(frame.values().to_vec(), [1.5, 2.5]);
    assert_eq!(read("tabs", b"time\tx\n0\t1\n").unwrap().values().to_vec(), [1.0]);
    assert_eq!(read("trailing", b"time,x,\n0,1,\n1,2,\n").unwrap().column_names(), ["x"]);
    let error = read("thousand", b"time,x\n0,\"1,000\"\n").unwrap_err();
    assert!(matches!(error, Error::CsvColumns { .. }), "{error}");
}

//! Figures of all kinds: drawn twice, read back, and looked at where a folder for that is given.

use super::*;

fn percentiles() -> Panel {
    let names = ["ChargeCard", "ReserveStock", "Überprüfung der Bestellung", "Notify <customer> & \"friends\"", &"Very".repeat(20)];
    let rows = (1..).zip(names).map(|(number, name)| {
        let base = 20.0 * f64::from(number * number * number);
        let values = [1.0, 2.1, 3.0, 9.0].map(|factor| Some(base * factor)).to_vec();
        Row { label: name.to_owned(), values, note: format!("{} visits", number * 1200) }
    });
    let series = ["p50", "p90", "p95", "p99"].map(Series::new).to_vec();
    let axis = Axis::logarithmic("from entered to exited, logarithmic", Unit::Milliseconds);
    Panel {
        title: "Percentiles per state".to_owned(),
        chart: Chart::Rows(Rows { axis, series, style: RowStyle::Marks, rows: rows.collect() }),
    }
}

fn costs() -> Panel {
    let row = |label: &str, values: [f64; 3]| Row {
        label: label.to_owned(),
        values: values.map(Some).to_vec(),
        note: format!("${:.4}", values.iter().sum::<f64>()),
    };
    let rows =
        vec![row("CheckStatus", [0.0134, 0.002, 0.071]), row("WaitForJob", [0.0134, 0.0, 0.071]), row("Submit", [0.0134, 0.0081, 0.0])];
    let series = vec![
        Series::colored("first attempts", Hue::Blue),
        Series::colored("retries", Hue::Vermilion),
        Series::colored("polling", Hue::Orange),
    ];
    let axis = Axis::linear("list price of the transitions", Unit::Dollars);
    Panel { title: "Cost per state".to_owned(), chart: Chart::Rows(Rows { axis, series, style: RowStyle::Stacked, rows }) }
}

const START: f64 = 1_795_161_600_000_000.0; // 2026-11-20T08:00:00Z

fn over_time() -> Panel {
    let line = |name: &str, base: f64, jump: f64| Line {
        series: Series::new(name),
        points: (0..30)
            .map(|hour| {
                let x = START + f64::from(hour) * 3600e6;
                let wave = 1.0 + 0.2 * (f64::from(hour) / 3.0).sin();
                (x, (hour != 12).then_some(base * wave * if hour > 18 { jump } else { 1.0 }))
            })
            .collect(),
        shape: LineShape::Straight,
    };
    let lines = vec![line("p50", 300.0, 1.1), line("p95", 900.0, 3.0), line("p99", 1400.0, 3.5)];
    let marks = vec![Mark { x: START + 18.5 * 3600e6, label: "version 7".to_owned() }];
    let chart = Lines { x: Axis::linear("", Unit::Moment), y: Axis::linear("duration of ChargeCard", Unit::Milliseconds), lines, marks };
    Panel { title: "Percentiles over time".to_owned(), chart: Chart::Lines(chart) }
}

fn histogram() -> Panel {
    let columns = (0..36)
        .map(|bin| {
            let from = 10.0 * 1.25_f64.powi(bin);
            let height = 800.0 * (-((f64::from(bin) - 12.0) / 5.0).powi(2)).exp() + if bin > 26 { 60.0 } else { 0.0 };
            Column { from, to: from * 1.25, values: vec![height.round()] }
        })
        .collect();
    let marks = [("p50 148 ms", 148.0), ("p90 1.2 s", 1200.0), ("p95 8 s", 8000.0), ("p99 14 s", 14_000.0)];
    let marks = marks.map(|(label, x)| Mark { x, label: label.to_owned() }).to_vec();
    let x = Axis::logarithmic("duration, logarithmic", Unit::Milliseconds);
    let chart =
        Columns { x, y: Axis::linear("visits", Unit::Count), series: vec![Series::new("visits")], columns, marks, bands: Vec::new() };
    Panel { title: "Durations of ChargeCard".to_owned(), chart: Chart::Columns(chart) }
}

fn days() -> Panel {
    let columns = (0..14)
        .map(|day| {
            let from = START + f64::from(day - 1) * 86_400e6 + 57_600e6;
            Column { from, to: from + 86_400e6, values: vec![2.4 + f64::from(day % 5) * 0.2, if day == 9 { 1.9 } else { 0.1 }, 0.7] }
        })
        .collect();
    let series = vec![
        Series::colored("first attempts", Hue::Blue),
        Series::colored("retries", Hue::Vermilion),
        Series::colored("polling", Hue::Orange),
    ];
    let chart = Columns {
        x: Axis::linear("", Unit::Moment),
        y: Axis::linear("USD per day", Unit::Dollars),
        series,
        columns,
        marks: Vec::new(),
        bands: Vec::new(),
    };
    Panel { title: "Cost per day".to_owned(), chart: Chart::Columns(chart) }
}

fn figure(panels: Vec<Panel>) -> Figure {
    Figure {
        title: "OrderFulfilment: latency and cost".to_owned(),
        subtitle: "1,734 executions, Nov 20 08:00 to Nov 21 14:00 UTC".to_owned(),
        panels,
        notes: vec!["List price, eu-west-1, table of 2026-11; Lambda, logs and data transfer are not included.".to_owned()],
    }
}

fn svg(figure: &Figure) -> String {
    String::from_utf8(draw(figure, PlotFormat::Svg).expect("a plot")).expect("text")
}

/// Tags that were opened and not closed, or what is wrong.
fn unclosed(svg: &str) -> Result<Vec<String>, String> {
    let mut open = Vec::new();
    for part in svg.split('<').skip(1) {
        let (tag, text) = part.split_once('>').ok_or("a tag without an end")?;
        if text.contains('>') || tag.matches('"').count() % 2 != 0 {
            return Err(format!("not escaped: {part}"));
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        match (tag.starts_with('/'), tag.ends_with('/')) {
            (true, _) if open.pop().as_deref() != Some(name) => return Err(format!("</{name}> closes nothing")),
            (false, false) => open.push(name.to_owned()),
            _ => {}
        }
    }
    Ok(open)
}

#[test]
fn svg_is_well_formed_and_holds_the_texts() {
    let text = svg(&figure(vec![percentiles(), costs(), over_time(), histogram(), days()]));
    assert_eq!(unclosed(&text), Ok(Vec::new()));
    for label in [
        "OrderFulfilment: latency and cost",
        "ChargeCard",
        "Überprüfung der Bestellung",
        "p99",
        "10 ms",
        "$0.06",
        "Nov 20",
        "Notify &lt;customer&gt; &amp;",
        "version 7",
    ] {
        assert!(text.contains(label), "{label}");
    }
    assert!(text.contains("…"), "a name of 80 characters is cut");
    assert!(text.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"960\""));
}

#[test]
fn the_same_figure_gives_the_same_bytes() {
    let figure = figure(vec![percentiles(), over_time()]);
    assert_eq!(svg(&figure), svg(&figure));
    let png = draw(&figure, PlotFormat::Png).expect("a plot");
    assert_eq!(png, draw(&figure, PlotFormat::Png).expect("a plot"));
    assert_eq!(&png[..8], b"\x89PNG\r\n\x1a\n");
    assert_eq!(u32::from_be_bytes([png[16], png[17], png[18], png[19]]), 1920);
}

#[test]
fn control_characters_and_scripts_without_letters_here_do_no_harm() {
    let row =
        Row { label: "evil\u{1b}[2J\u{202e}\u{ffff}状态 🚚".to_owned(), values: vec![Some(f64::NAN), None], note: "\n".to_owned() };
    let axis = Axis::linear("", Unit::Count);
    let series = vec![Series::new("a"), Series::new("b")];
    for style in [RowStyle::Marks, RowStyle::Stacked] {
        let rows = Rows { axis: axis.clone(), series: series.clone(), style, rows: vec![row.clone()] };
        let figure = figure(vec![Panel { title: String::new(), chart: Chart::Rows(rows) }]);
        let text = svg(&figure);
        assert_eq!(unclosed(&text), Ok(Vec::new()));
        assert!(text.contains("evil\\u{1b}[2J\\u{202e}\u{fffd}状态"));
        assert!(!text.contains(char::is_control) || text.lines().all(|line| !line.contains(char::is_control)));
        draw(&figure, PlotFormat::Png).expect("a plot");
    }
}

#[test]
fn nothing_to_show_is_a_figure_too() {
    let axis = || Axis::linear("", Unit::Moment);
    let empty = vec![
        Chart::Rows(Rows { axis: axis(), series: Vec::new(), style: RowStyle::Stacked, rows: Vec::new() }),
        Chart::Lines(Lines { x: axis(), y: Axis::logarithmic("", Unit::Count), lines: Vec::new(), marks: Vec::new() }),
        Chart::Columns(Columns { x: axis(), y: axis(), series: Vec::new(), columns: Vec::new(), marks: Vec::new(), bands: Vec::new() }),
    ];
    let panels = empty.into_iter().map(|chart| Panel { title: String::new(), chart }).collect();
    assert_eq!(unclosed(&svg(&figure(panels))), Ok(Vec::new()));
    assert_eq!(unclosed(&svg(&Figure::default())), Ok(Vec::new()));
}

#[test]
fn the_ending_says_what_is_written() {
    assert_eq!(PlotFormat::of(Path::new("a/b.PNG")).ok(), Some(PlotFormat::Png));
    assert_eq!(PlotFormat::of(Path::new("b.svg")).ok(), Some(PlotFormat::Svg));
    let wrong = PlotFormat::of(Path::new("b.pdf")).expect_err("not written").to_string();
    assert_eq!(wrong, "`b.pdf` ends in neither .svg nor .png");
}

#[test]
fn a_band_is_shaded_where_the_chart_is_and_a_scale_reaches_what_it_is_told() {
    let bar = |to: f64| Columns {
        x: Axis::linear("", Unit::Count),
        y: Axis::linear("", Unit::Count).reaching(60.0),
        series: vec![Series::new("retries")],
        columns: (0..10).map(|at| Column { from: f64::from(at), to: f64::from(at) + 1.0, values: vec![3.0] }).collect(),
        marks: Vec::new(),
        bands: vec![Band { from: -5.0, to, label: "down for 5 s".to_owned() }],
    };
    let drawn = |to: f64| svg(&figure(vec![Panel { title: String::new(), chart: Chart::Columns(bar(to)) }]));
    let text = drawn(f64::INFINITY);
    assert_eq!(unclosed(&text), Ok(Vec::new()));
    assert!(text.contains("down for 5 s") && text.lines().any(|line| line == "60"), "{text}");
    assert!(!drawn(f64::NAN).contains("down"));
}

/// `STEPSCOPE_PLOTS=DIR cargo test --lib plots_to_look_at` leaves them there.
#[test]
fn plots_to_look_at() {
    let Some(folder) = std::env::var_os("STEPSCOPE_PLOTS") else { return };
    let figures = [("latency", vec![percentiles(), over_time(), histogram()]), ("cost", vec![costs(), days()])];
    for (name, panels) in figures {
        for (ending, format) in [("svg", PlotFormat::Svg), ("png", PlotFormat::Png)] {
            let file = Path::new(&folder).join(format!("{name}.{ending}"));
            std::fs::write(file, draw(&figure(panels.clone()), format).expect("a plot")).expect("written");
        }
    }
}

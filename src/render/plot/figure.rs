//! What a plot shows, as plain values: no pixels, no colours beyond a choice of hue.

/// A drawing: a title, what it rests on, and one or more panels below each other.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figure {
    /// What is shown, in a few words.
    pub title: String,
    /// Which executions, which time; may be empty.
    pub subtitle: String,
    /// From top to bottom.
    pub panels: Vec<Panel>,
    /// What has to be known to read it: one line each, small, at the foot.
    pub notes: Vec<String>,
}

/// One chart of a figure.
#[derive(Debug, Clone, PartialEq)]
pub struct Panel {
    /// What this chart shows; may be empty.
    pub title: String,
    /// The chart.
    pub chart: Chart,
}

/// The kinds of charts.
#[derive(Debug, Clone, PartialEq)]
pub enum Chart {
    /// A row for each thing: stacked bars, or several marks on one scale.
    Rows(Rows),
    /// Values along x: lines and steps.
    Lines(Lines),
    /// Columns from a value of x to another: a histogram, or amounts per day.
    Columns(Columns),
}

/// Horizontal bars or marks, a row for each thing.
#[derive(Debug, Clone, PartialEq)]
pub struct Rows {
    /// The scale of all rows.
    pub axis: Axis,
    /// What a row's values are, in their order.
    pub series: Vec<Series>,
    /// How a row's values are drawn.
    pub style: RowStyle,
    /// From top to bottom.
    pub rows: Vec<Row>,
}

/// How the values of a row are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RowStyle {
    /// One after the other, as the parts of a bar; the scale is linear.
    Stacked,
    /// Each as a mark at its place, light to dark, on a line from the first to the last: percentiles.
    Marks,
}

/// A row of [`Rows`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Row {
    /// What the row is of; long ones are cut in the middle.
    pub label: String,
    /// One for each series; `None` draws nothing.
    pub values: Vec<Option<f64>>,
    /// Written behind the row: a total, a count; may be empty.
    pub note: String,
}

/// Values along x.
#[derive(Debug, Clone, PartialEq)]
pub struct Lines {
    /// The scale from left to right.
    pub x: Axis,
    /// The scale from bottom to top.
    pub y: Axis,
    /// Drawn in this order, each labelled at its end.
    pub lines: Vec<Line>,
    /// Moments or values of x that something is said of.
    pub marks: Vec<Mark>,
}

/// One line.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its name and colour.
    pub series: Series,
    /// x and y, by x; a missing y interrupts the line.
    pub points: Vec<(f64, Option<f64>)>,
    /// How points are connected.
    pub shape: LineShape,
}

/// How the points of a line are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineShape {
    /// Straight from point to point, with a dot on each where there are few.
    Straight,
    /// Each value holds until the next x.
    Step,
}

/// Columns side by side.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    /// The scale from left to right.
    pub x: Axis,
    /// The scale from bottom to top.
    pub y: Axis,
    /// What a column's values are, from the bottom upwards.
    pub series: Vec<Series>,
    /// By x.
    pub columns: Vec<Column>,
    /// Values of x that something is said of: percentiles on a histogram.
    pub marks: Vec<Mark>,
    /// Stretches of x that something is said of: an outage.
    pub bands: Vec<Band>,
}

/// Something said of a stretch of x: shaded, with words at its upper left.
#[derive(Debug, Clone, PartialEq)]
pub struct Band {
    /// Where it begins.
    pub from: f64,
    /// Where it ends; it is cut where the chart ends.
    pub to: f64,
    /// A few words; may be empty.
    pub label: String,
}

/// A column of [`Columns`].
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Where it begins on x.
    pub from: f64,
    /// Where it ends on x.
    pub to: f64,
    /// One for each series, stacked.
    pub values: Vec<f64>,
}

/// Something said of a value of x: a thin upright line with words at its top.
#[derive(Debug, Clone, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// A word or two.
    pub label: String,
}

/// A name with a colour.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// In the legend, or at the end of the line.
    pub name: String,
    /// `None` takes the next of the palette.
    pub hue: Option<Hue>,
}

impl Series {
    /// A series with the next colour of the palette.
    pub fn new(name: &str) -> Self {
        Self { name: name.to_owned(), hue: None }
    }

    /// A series with a colour that means something.
    pub fn colored(name: &str, hue: Hue) -> Self {
        Self { name: name.to_owned(), hue: Some(hue) }
    }
}

/// Colours that people who see red and green alike tell apart (Okabe and Ito), a little calmer for areas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the colours are their names")]
pub enum Hue {
    Blue,
    Orange,
    Green,
    Vermilion,
    Purple,
    Sky,
    Grey,
}

/// A scale, what it counts, and its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Axis {
    /// Its name, written beside it; may be empty.
    pub label: String,
    /// What its numbers are.
    pub unit: Unit,
    /// How numbers become places.
    pub scale: Scale,
    /// A value that the scale reaches, whether or not there is one so large: charts below each other can be compared then.
    pub reaches: Option<f64>,
}

impl Axis {
    /// A linear scale.
    pub fn linear(label: &str, unit: Unit) -> Self {
        Self { label: label.to_owned(), unit, scale: Scale::Linear, reaches: None }
    }

    /// The same scale, reaching this value.
    #[must_use]
    pub fn reaching(self, value: f64) -> Self {
        Self { reaches: Some(value), ..self }
    }

    /// A logarithmic scale.
    pub fn logarithmic(label: &str, unit: Unit) -> Self {
        Self { label: label.to_owned(), unit, scale: Scale::Logarithmic, reaches: None }
    }
}

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Things: 1,200.
    Count,
    /// Durations: 10 ms, 1 s, 2 min.
    Milliseconds,
    /// US dollars: $0.01.
    Dollars,
    /// 0 to 100.
    Percent,
    /// Microseconds since 1970 in UTC: 08:00, Nov 20.
    Moment,
}

/// How numbers become places.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// Equal differences are equal distances. Begins at zero, except for moments.
    Linear,
    /// Equal ratios are equal distances. What is not above zero is drawn at the lower end. Not for moments.
    Logarithmic,
}

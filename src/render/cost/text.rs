//! The report of `cost` as text: what it comes to, by machine and state, and what the amounts rest on.

use std::io::{self, Write};

use super::table::{Row, charge_row, lines, percent, table};
use crate::analysis::cost::{self, CostReport, Express, Item, MachineCost, PeriodLength, Quote, StateCost};
use crate::model::facts::WorkflowType;
use crate::model::{Micros, StateMachineArn, Usd, execution_name, thousands};
use crate::render::columns::many;
use crate::render::page::Page;
use crate::render::redact::Redactor;
use crate::render::styles::{Styles, paint};

/// What the rows of a report are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// Each machine with its states, and the other type of workflow.
    Whole,
    /// A row for each machine.
    Machines,
    /// A row for each state of all machines.
    States,
    /// A row for each execution.
    Executions,
    /// A row for each day or hour.
    Periods,
}

/// Writes the report as text.
pub fn text(report: &CostReport, view: View, styles: &Styles, redactor: &Redactor, width: usize, out: &mut dyn Write) -> io::Result<()> {
    let mut page = Page::new(styles, redactor, width, out);
    summary(report, &mut page)?;
    match view {
        View::Whole => {
            for machine in &report.machines {
                whole_machine(machine, &mut page)?;
            }
        }
        View::Machines => machines(report, &mut page)?,
        View::States => states(report, &mut page)?,
        View::Executions => executions(report, &mut page)?,
        View::Periods => periods(report, &mut page)?,
    }
    basis(report, &mut page)
}

fn moment(moment: Micros) -> String {
    moment.timestamp().strftime("%Y-%m-%d %H:%M").to_string()
}

fn share_of(part: Usd, whole: Usd) -> String {
    percent(cost::percent(part, whole))
}

fn summary(report: &CostReport, page: &mut Page<'_>) -> io::Result<()> {
    let total = &report.total;
    let executions = many(report.coverage.executions, "execution");
    let title = format!("{executions} of {} cost {}", many(report.machines.len() as u64, "machine"), total.cost_usd.shown());
    writeln!(page.out, "{}", paint(page.styles.heading, title))?;
    if let Some(window) = report.window {
        let text = format!("started {} to {} UTC", moment(window.from), moment(window.to));
        writeln!(page.out, "{}", paint(page.styles.dim, text))?;
    }
    writeln!(page.out)?;
    let plain = anstyle::Style::new();
    match report.rate {
        Some(rate) => {
            let text = format!("{} a day, {} in 30 days", rate.per_day_usd.shown(), rate.per_month_usd.shown());
            page.fact("rate", plain, &text)?;
        }
        None => page.fact("rate", page.styles.dim, "none: they started within less than an hour, which tells nothing about a day")?,
    }
    if total.retries > 0 {
        page.fact("retries", page.styles.caught, &part(total.retries, total.retries_usd, total.cost_usd))?;
    }
    if total.failed_attempts > 0 {
        let share = share_of(total.failed_attempts_usd, total.cost_usd);
        let text = format!("{}, {} ({share})", many(total.failed_attempts, "attempt"), total.failed_attempts_usd.shown());
        page.fact("failed", page.styles.caught, &text)?;
    }
    if total.polling > 0 {
        page.fact("polling", page.styles.caught, &part(total.polling, total.polling_usd, total.cost_usd))?;
    }
    if total.redriven > 0 {
        page.fact("redrives", plain, &part(total.redriven, total.redriven_usd, total.cost_usd))?;
    }
    for account in &report.accounts {
        let several = report.accounts.len() > 1;
        let whose = account.account.as_deref().filter(|_| several).map(|account| format!("account {account}: ")).unwrap_or_default();
        let free = thousands(account.free_transitions_per_month);
        let mut text = match (account.free_usd, account.per_month_usd) {
            (Some(worth), Some(month)) if !worth.is_zero() => {
                format!("{whose}{free} transitions a month, worth {}: leaves {}", worth.shown(), month.shown())
            }
            (None, _) if account.transitions > 0 => format!("{whose}{free} transitions a month and account, not taken off above"),
            _ => continue,
        };
        if let Some(tiers) = account.tiers_usd.filter(|tiers| !tiers.is_zero()) {
            text.extend([format!(" (with {} less for duration beyond the first tier)", tiers.shown())]);
        }
        page.fact("free", page.styles.dim, &text)?;
    }
    Ok(())
}

fn part(count: u64, cost: Usd, whole: Usd) -> String {
    format!("{}, {} ({})", many(count, "transition"), cost.shown(), share_of(cost, whole))
}

fn whole_machine(machine: &MachineCost, page: &mut Page<'_>) -> io::Result<()> {
    let name = name_of(machine, page);
    page.heading(&name)?;
    let mut words = vec![
        format!("{}{}", machine.workflow_type.name(), if machine.type_assumed { " (assumed)" } else { "" }),
        many(machine.executions, "execution"),
        format!("{} ({})", machine.charge.cost_usd.shown(), percent(machine.share_percent)),
        format!("{} each", machine.per_execution_usd.shown()),
    ];
    if let Some(month) = machine.per_month_usd {
        words.push(format!("{} in 30 days", month.shown()));
    }
    if machine.map_children > 0 {
        words.push(format!("{} of a Distributed Map", thousands(machine.map_children)));
    }
    page.paragraph(page.styles.dim, &words.join(", "))?;
    if let Some(express) = &machine.express {
        let text = express_words(express);
        page.paragraph(page.styles.dim, &text)?;
    }
    writeln!(page.out)?;
    let rows: Vec<Row> = machine.states.iter().map(|state| state_row(state, state_name(state, page))).collect();
    table("state", &rows, machine.workflow_type == WorkflowType::Express, page)?;
    let comparison = &machine.comparison;
    writeln!(page.out)?;
    let style = if comparison.possible { page.styles.ok } else { page.styles.dim };
    let verdict = page.clean(&sentence(&comparison.verdict));
    page.paragraph(style, &verdict)?;
    // The first reason stands in the verdict.
    let told = comparison.conditions.iter().find(|condition| condition.blocks).map(|condition| &condition.text);
    let blocked = told.is_some();
    for condition in comparison.conditions.iter().filter(|condition| Some(&condition.text) != told && condition.blocks == blocked) {
        let text = page.clean(&condition.text);
        page.item(page.styles.dim, &text)?;
    }
    Ok(())
}

/// What an Express machine is billed by, and what that rests on.
fn express_words(express: &Express) -> String {
    let mut words = vec![
        format!("{} {}", many(express.requests, "request"), express.requests_usd.shown()),
        format!("{} GB-seconds {}", express.gb_seconds.round_sf(4).unwrap_or(express.gb_seconds).normalize(), express.duration_usd.shown()),
    ];
    let estimated = format!("estimated from duration at {} MB", express.memory_mb);
    let known = [
        (express.billed_executions, "billed by the service"),
        (express.estimated_executions, estimated.as_str()),
        (express.unmeasured_executions, "without a duration, charged as requests only"),
    ];
    words.extend(known.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{} {what}", thousands(*count))));
    words.join(", ")
}

fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| format!("{}{}.", first.to_uppercase(), characters.as_str()))
}

fn name_of(machine: &MachineCost, page: &Page<'_>) -> String {
    machine.name.as_deref().or(machine.state_machine.as_deref()).map_or_else(|| "machine not known".to_owned(), |name| page.clean(name))
}

fn state_name(state: &StateCost, page: &Page<'_>) -> String {
    if state.state.is_empty() { "(not told)".to_owned() } else { page.clean(&state.state) }
}

fn state_row(state: &StateCost, name: String) -> Row {
    let inside = |state: &StateCost| {
        let together = state.charge.cost_usd + state.inside_usd;
        format!("{} inside it, {} together", many(state.inside_transitions, "transition"), together.shown())
    };
    Row {
        name,
        count: state.charge.transitions,
        retries: state.charge.retries,
        polling: state.charge.polling,
        failed: state.charge.failed_attempts,
        cost: state.charge.cost_usd,
        share: state.share_percent,
        below: (state.inside_transitions > 0 && !state.inside_usd.is_zero()).then(|| inside(state)),
    }
}

fn machines(report: &CostReport, page: &mut Page<'_>) -> io::Result<()> {
    writeln!(page.out)?;
    let row = |machine: &MachineCost| charge_row(name_of(machine, page), &machine.charge, report);
    let rows: Vec<Row> = report.machines.iter().map(row).collect();
    table("machine", &rows, false, page)
}

fn states(report: &CostReport, page: &mut Page<'_>) -> io::Result<()> {
    writeln!(page.out)?;
    let several = report.machines.len() > 1;
    let mut rows = Vec::new();
    for machine in &report.machines {
        for state in &machine.states {
            let name = state_name(state, page);
            let name = if several { format!("{} / {name}", name_of(machine, page)) } else { name };
            rows.push(charge_row(name, &state.charge, report));
        }
    }
    rows.sort_by(|one, other| other.cost.cmp(&one.cost).then_with(|| one.name.cmp(&other.name)));
    table("state", &rows, false, page)
}

fn executions(report: &CostReport, page: &mut Page<'_>) -> io::Result<()> {
    writeln!(page.out)?;
    let mut rows: Vec<Row> = report
        .executions
        .iter()
        .map(|execution| charge_row(page.clean(execution_name(execution.execution())), &execution.charge, report))
        .collect();
    rows.sort_by(|one, other| other.cost.cmp(&one.cost).then_with(|| one.name.cmp(&other.name)));
    table("execution", &rows, false, page)
}

fn periods(report: &CostReport, page: &mut Page<'_>) -> io::Result<()> {
    writeln!(page.out)?;
    let (title, form) = match report.period {
        PeriodLength::Day => ("day (UTC)", "%Y-%m-%d"),
        PeriodLength::Hour => ("hour (UTC)", "%Y-%m-%d %H:%M"),
    };
    let rows: Vec<Row> = report
        .periods
        .iter()
        .map(|period| charge_row(period.start.timestamp().strftime(form).to_string(), &period.charge, report))
        .collect();
    lines(title, &rows, rows.len(), false, page)
}

fn basis(report: &CostReport, page: &mut Page<'_>) -> io::Result<()> {
    page.heading("Basis")?;
    let basis = &report.basis;
    let dim = page.styles.dim;
    let whose = match &basis.file {
        Some(file) => format!("prices of {} before the list prices", page.clean(file)),
        None => "list prices".to_owned(),
    };
    let used = |quote: &Quote| {
        let is_charged = |machine: &MachineCost| machine.workflow_type == WorkflowType::Standard && machine.region == quote.region;
        quote.item == Item::Transition && report.machines.iter().any(is_charged)
    };
    let mut lines =
        vec![format!("{whose} in {}, table of {}; not included: {}", basis.currency, basis.compiled, basis.not_included.join(", "))];
    for quote in basis.prices.iter().filter(|quote| used(quote)) {
        let region = quote.region.as_deref().unwrap_or("region not known");
        let assumed = if quote.region.as_deref() == Some(quote.priced_as.as_str()) {
            String::new()
        } else {
            format!(" ({} assumed)", quote.priced_as)
        };
        lines.push(format!("{}{assumed}: {} a state transition", page.clean(region), quote.usd.shown()));
    }
    lines.extend(express_prices(report));
    for missing in &report.not_counted {
        let machine = missing.state_machine.as_deref().and_then(|arn| arn.parse::<StateMachineArn>().ok());
        let machine = machine.as_ref().map_or("", StateMachineArn::name);
        let text = format!(
            "not counted: the children of {} of the Distributed Map {} in {machine}; they are not among the executions",
            many(missing.map_runs, "run"),
            missing.state
        );
        lines.push(page.clean(&text));
    }
    let incomplete = report.coverage.incomplete;
    if incomplete > 0 {
        lines.push(format!(
            "{} incomplete, whose missing events are not counted",
            if incomplete == 1 { "1 history is".to_owned() } else { format!("{} histories are", thousands(incomplete)) }
        ));
    }
    for line in lines {
        page.item(dim, &line)?;
    }
    Ok(())
}

/// The prices of Express by which machines are priced or compared, a line for each region whose prices they are.
fn express_prices(report: &CostReport) -> Vec<String> {
    let mut bills = report.machines.iter().filter_map(|machine| machine.express.as_ref().or(machine.comparison.express.as_ref()));
    let Some(memory) = bills.next().map(|bill| bill.memory_mb) else { return Vec::new() };
    let quotes = |item: Item| report.basis.prices.iter().filter(move |quote| quote.item == item);
    let mut lines: Vec<String> = quotes(Item::Request)
        .filter_map(|request| {
            let hour = quotes(Item::GbHour).find(|hour| hour.region == request.region)?;
            let assumed = if request.region.as_deref() == Some(request.priced_as.as_str()) { "" } else { " assumed" };
            let (region, request, hour) = (&request.priced_as, request.usd.shown(), hour.usd.shown());
            Some(format!(
                "Express ({region}{assumed}): {request} a request, {hour} a GB-hour, {memory} MB where nothing tells what was billed"
            ))
        })
        .collect();
    lines.dedup();
    lines
}

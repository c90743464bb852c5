//! The table of prices: what is in the program (`prices.toml`), and what a file says in its place.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize};
use thiserror::Error;

use crate::model::Usd;

const BUILT_IN: &str = include_str!("prices.toml");
const SCHEMA: &str = "stepscope.prices/1";
/// How many of [`MemoryTime`]'s units are one GB-hour: 3600 s / 0.1 s × 1024 MB / 64 MB.
const UNITS_IN_GB_HOUR: u64 = 576_000;

/// Duration times memory, as Express workflows are billed: in units of 100 ms × 64 MB, both rounded up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct MemoryTime(pub u64);

impl MemoryTime {
    /// Of one execution.
    pub fn of(milliseconds: u64, megabytes: u64) -> Self {
        Self(milliseconds.div_ceil(100).saturating_mul(megabytes.max(1).div_ceil(64)))
    }

    /// In GB-seconds, exact.
    pub fn gb_seconds(self) -> Decimal {
        (Decimal::from(self.0) * Decimal::new(625, 5)).normalize()
    }
}

/// What is charged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Item {
    /// One state transition of a Standard workflow.
    Transition,
    /// One execution of an Express workflow.
    Request,
    /// A GB-hour of an Express workflow, in the first tier.
    GbHour,
    /// A GB of log records.
    LogsGb,
}

/// A price as it was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Quote {
    /// What is charged for.
    pub item: Item,
    /// The region of the executions; null when nothing tells it.
    pub region: Option<String>,
    /// For one.
    pub usd: Usd,
    /// The region whose price it is: another one where the table has none for `region`.
    pub priced_as: String,
    /// Since when it is charged, where that is known.
    pub effective: Option<String>,
    /// Where the price was read.
    pub source: Option<String>,
}

/// Prices of all regions.
#[derive(Debug, Clone)]
pub struct Prices {
    /// When the table was put together; of a file, what that says.
    pub compiled: String,
    /// The file whose entries go before those in the program.
    pub file: Option<String>,
    /// Transitions that an account has free in a month.
    pub free_transitions: u64,
    assumed_region: String,
    regions: BTreeMap<String, Region>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Region {
    transition: Option<Entry>,
    request: Option<Entry>,
    gb_hour: Option<Vec<Entry>>,
    logs_gb: Option<Entry>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Of a tier: where it ends, in GB-hours of a month.
    up_to: Option<u64>,
    #[serde(deserialize_with = "amount")]
    usd: Usd,
    effective: Option<String>,
    source: Option<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    schema: String,
    compiled: Option<String>,
    currency: Option<String>,
    assumed_region: Option<String>,
    free_transitions_per_month: Option<u64>,
    #[serde(default)]
    regions: BTreeMap<String, Region>,
}

impl Region {
    fn entries(&self, item: Item) -> Option<&[Entry]> {
        let one = match item {
            Item::Transition => &self.transition,
            Item::Request => &self.request,
            Item::LogsGb => &self.logs_gb,
            Item::GbHour => return self.gb_hour.as_deref(),
        };
        one.as_ref().map(std::slice::from_ref)
    }
}

/// Why a file of prices cannot be used.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PricesError {
    /// No TOML, or not of the form of the table.
    #[error("{file} line {line}: {message}")]
    Syntax {
        /// Its name.
        file: String,
        /// From 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// Of the form, and nothing that could be a price.
    #[error("{file}: {message}")]
    Content {
        /// Its name.
        file: String,
        /// What is wrong.
        message: String,
    },
}

fn amount<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Usd, D::Error> {
    use serde::de::Error;
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Amount {
        Text(String),
        Whole(u64),
        Other(toml::Value),
    }
    match Amount::deserialize(deserializer)? {
        Amount::Whole(whole) => Ok(Usd(Decimal::from(whole))),
        Amount::Text(text) => match Decimal::from_str_exact(&text) {
            Ok(amount) if amount.is_sign_negative() && !amount.is_zero() => {
                Err(D::Error::custom(format!("a price of {text} is below zero")))
            }
            Ok(amount) => Ok(Usd(amount)),
            Err(_) => Err(D::Error::custom(format!("`{text}` is no amount; write it as \"0.000025\""))),
        },
        Amount::Other(value) => Err(D::Error::custom(format!("write the amount {value} in quotes, so that it stays exact: \"0.000025\""))),
    }
}

impl Prices {
    /// The table in the program.
    pub fn built_in() -> Self {
        let table = parse("prices.toml", BUILT_IN).expect("the table in the program is sound, as a test shows");
        Self {
            compiled: table.compiled.unwrap_or_default(),
            file: None,
            free_transitions: table.free_transitions_per_month.unwrap_or_default(),
            assumed_region: table.assumed_region.unwrap_or_default(),
            regions: table.regions,
        }
    }

    /// The table in the program with the entries of a file in place of its own. `name` is the file's name, `text` its content.
    pub fn overridden(name: &str, text: &str) -> Result<Self, PricesError> {
        let table = parse(name, text)?;
        let mut prices = Self::built_in();
        if let Some(region) = table.assumed_region {
            if !table.regions.contains_key(&region) && !prices.regions.contains_key(&region) {
                return Err(content(name, format!("assumed_region is {region}, for which there are no prices")));
            }
            prices.assumed_region = region;
        }
        for (region, entries) in table.regions {
            let known = prices.regions.entry(region).or_default();
            known.transition = entries.transition.or(known.transition.take());
            known.request = entries.request.or(known.request.take());
            known.gb_hour = entries.gb_hour.or(known.gb_hour.take());
            known.logs_gb = entries.logs_gb.or(known.logs_gb.take());
        }
        prices.free_transitions = table.free_transitions_per_month.unwrap_or(prices.free_transitions);
        prices.compiled = table.compiled.unwrap_or(prices.compiled);
        prices.file = Some(name.to_owned());
        Ok(prices)
    }

    /// The price of one in a region; of GB-hours that of the first tier.
    pub fn quote(&self, item: Item, region: Option<&str>) -> Quote {
        let (entries, priced_as) = self.entries(item, region);
        let entry = entries.first();
        Quote {
            item,
            region: region.map(str::to_owned),
            usd: entry.map_or(Usd::ZERO, |entry| entry.usd),
            priced_as: priced_as.to_owned(),
            effective: entry.and_then(|entry| entry.effective.clone()),
            source: entry.and_then(|entry| entry.source.clone()),
        }
    }

    /// What duration times memory costs that comes to this in a month, by tiers.
    pub fn duration(&self, amount: MemoryTime, region: Option<&str>) -> Usd {
        let (tiers, _) = self.entries(Item::GbHour, region);
        let mut cost = Usd::ZERO;
        let mut begin = 0;
        for tier in tiers {
            let end = tier.up_to.map_or(u64::MAX, |hours| hours.saturating_mul(UNITS_IN_GB_HOUR));
            let inside = amount.0.min(end).saturating_sub(begin);
            cost += tier.usd.share(inside, UNITS_IN_GB_HOUR);
            begin = end;
        }
        cost
    }

    /// The same at the price of the first tier: what a part of a month's use is charged with.
    pub fn duration_in_first_tier(&self, amount: MemoryTime, region: Option<&str>) -> Usd {
        self.quote(Item::GbHour, region).usd.share(amount.0, UNITS_IN_GB_HOUR)
    }

    fn entries(&self, item: Item, region: Option<&str>) -> (&[Entry], &str) {
        // The assumed region of the built-in table has all entries, that of a file may lack one.
        [region.unwrap_or(&self.assumed_region), &self.assumed_region, "us-east-1"]
            .into_iter()
            .find_map(|name| {
                let (name, region) = self.regions.get_key_value(name)?;
                Some((region.entries(item)?, name.as_str()))
            })
            .unwrap_or((&[], ""))
    }
}

fn content(file: &str, message: String) -> PricesError {
    PricesError::Content { file: file.to_owned(), message }
}

fn parse(file: &str, text: &str) -> Result<Table, PricesError> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        PricesError::Syntax { file: file.to_owned(), line, message: error.message().trim_end().replace('\n', ", ") }
    })?;
    if table.schema != SCHEMA {
        return Err(content(file, format!("schema is `{}`, and this program knows `{SCHEMA}`", table.schema)));
    }
    if let Some(currency) = table.currency.as_ref().filter(|currency| *currency != "USD") {
        return Err(content(file, format!("prices are in {currency}; only USD is understood")));
    }
    for (name, region) in &table.regions {
        let looks_right = name.split('-').count() >= 3 && name.ends_with(|last: char| last.is_ascii_digit());
        if !looks_right {
            return Err(content(file, format!("`{name}` is no region; regions are written as eu-west-1")));
        }
        let single = [("transition", &region.transition), ("request", &region.request), ("logs_gb", &region.logs_gb)];
        if let Some((item, _)) = single.iter().find(|(_, entry)| entry.as_ref().is_some_and(|entry| entry.up_to.is_some())) {
            return Err(content(file, format!("{name}: {item} has up_to, which only tiers of gb_hour have")));
        }
        if let Some(tiers) = &region.gb_hour {
            let ends: Vec<Option<u64>> = tiers.iter().map(|tier| tier.up_to).collect();
            let sound = ends.last().is_some_and(Option::is_none)
                && ends.windows(2).all(|pair| pair[0].is_some() && (pair[1].is_none() || pair[0] < pair[1]));
            if !sound {
                let text = format!("{name}: the tiers of gb_hour must go up by up_to, and the last has none");
                return Err(content(file, text));
            }
        }
    }
    Ok(table)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(text: &str) -> Usd {
        Usd(Decimal::from_str_exact(text).expect("an amount"))
    }

    fn cents(amount: Usd) -> String {
        amount.0.round_dp(2).to_string()
    }

    /// What a month of transitions costs an account.
    fn month(transitions: u64) -> Usd {
        let prices = Prices::built_in();
        prices.quote(Item::Transition, Some("us-east-1")).usd.times(transitions.saturating_sub(prices.free_transitions))
    }

    #[test]
    fn the_worked_examples_of_standard_workflows_come_out() {
        // 100,000 executions of eight states, two retries each; a Map of 500 items, three states each; ten states, 1,000 a day.
        assert_eq!(cents(month(100_000 * (8 + 2))), "24.90");
        let price = Prices::built_in().quote(Item::Transition, Some("us-east-1")).usd;
        assert_eq!(price.times(1 + 500 * 3), usd("0.037525"));
        assert_eq!(cents(month(10 * 1000 * 30)), "7.40");
    }

    #[test]
    fn the_worked_examples_of_express_workflows_come_out() {
        let prices = Prices::built_in();
        let request = prices.quote(Item::Request, None).usd;
        let once = MemoryTime::of(180, 55);
        assert_eq!(once.gb_seconds(), Decimal::new(125, 4));
        let million = request.times(1_000_000) + prices.duration_in_first_tier(MemoryTime(once.0 * 1_000_000), None);
        assert_eq!(cents(million), "1.21");
        let many = MemoryTime(MemoryTime::of(10_000, 64).0 * 100_000_000);
        assert_eq!(many.gb_seconds(), Decimal::from(62_500_000));
        assert_eq!(cents(prices.duration(many, None)), "382.97");
        assert_eq!(cents(request.times(100_000_000) + prices.duration(many, None)), "482.97");
    }

    #[test]
    fn a_gigabyte_of_logs_has_a_price() {
        // A million executions of twelve events of 1.2 KB: 14.4 GB.
        assert_eq!(cents(Usd(Prices::built_in().quote(Item::LogsGb, None).usd.0 * Decimal::new(144, 1))), "7.20");
    }

    #[test]
    fn a_region_without_a_price_is_priced_as_another_and_says_so() {
        let prices = Prices::built_in();
        let quote = prices.quote(Item::Transition, Some("mx-central-1"));
        assert_eq!((quote.priced_as.as_str(), quote.usd), ("us-east-1", usd("0.000025")));
        let dear = prices.quote(Item::Transition, Some("sa-east-1"));
        assert_eq!((dear.priced_as.as_str(), dear.usd), ("sa-east-1", usd("0.0000375")));
        assert_eq!(prices.quote(Item::GbHour, Some("eu-west-1")).priced_as, "us-east-1");
    }

    #[test]
    fn a_file_takes_the_place_of_single_entries() {
        let file = "schema = \"stepscope.prices/1\"\ncompiled = \"2027-01\"\n[regions.eu-west-1]\ntransition = { usd = \"0.00002\" }\n";
        let prices = Prices::overridden("ours.toml", file).expect("sound");
        assert_eq!(prices.quote(Item::Transition, Some("eu-west-1")).usd, usd("0.00002"));
        assert_eq!(prices.quote(Item::Transition, Some("us-east-1")).usd, usd("0.000025"));
        assert_eq!((prices.compiled.as_str(), prices.free_transitions), ("2027-01", 4000));
    }

    #[test]
    fn what_is_wrong_with_a_file_is_said_with_its_line() {
        let refusal = |text: &str| {
            Prices::overridden("p.toml", &format!("schema = \"stepscope.prices/1\"\n{text}")).expect_err("refused").to_string()
        };
        let entry = |text: &str| refusal(&format!("[regions.eu-west-1]\n{text}\n"));
        assert_eq!(entry("transition = { usd = \"cheap\" }"), "p.toml line 3: `cheap` is no amount; write it as \"0.000025\"");
        assert_eq!(entry("transition = { usd = \"-1\" }"), "p.toml line 3: a price of -1 is below zero");
        assert!(entry("transition = { usd = 0.000025 }").starts_with("p.toml line 3: write the amount 0.000025 in quotes"));
        assert!(entry("transitions = { usd = \"1\" }").starts_with("p.toml line 3: unknown field `transitions`"));
        assert!(entry("gb_hour = [{ usd = \"1\", up_to = 5 }]").contains("the tiers of gb_hour must go up"));
        assert!(refusal("[regions.Ireland]\n").contains("`Ireland` is no region"));
        assert!(refusal("currency = \"EUR\"\n").contains("only USD"));
        assert!(refusal("assumed_region = \"xx-west-1\"\n").contains("no prices"));
        assert!(Prices::overridden("p.toml", "schema = \"x\"").expect_err("refused").to_string().contains("this program knows"));
        assert!(Prices::overridden("p.toml", "{\"json\": 1}").is_err());
    }
}

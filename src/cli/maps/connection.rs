//! The API, once it is needed.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::Context;
use tokio::runtime::Runtime;

use crate::cli::aws_settings;
use crate::cli::global::GlobalArgs;
use crate::sources::aws::AwsSource;

/// Connections by region.
pub struct Connection {
    global: GlobalArgs,
    runtime: Option<Arc<Runtime>>,
    by_region: HashMap<String, AwsSource>,
}

/// One of them, with what drives it.
#[derive(Clone)]
pub struct Aws {
    runtime: Arc<Runtime>,
    pub source: AwsSource,
}

impl Aws {
    /// Waits for an answer.
    pub fn wait<F: Future>(&self, answer: F) -> F::Output {
        self.runtime.block_on(answer)
    }
}

impl Connection {
    pub fn new(global: &GlobalArgs) -> Self {
        Self { global: global.clone(), runtime: None, by_region: HashMap::new() }
    }

    /// The connection for the region of an ARN, or for the one that is set up.
    pub fn to(&mut self, region: Option<&str>) -> anyhow::Result<Aws> {
        if self.runtime.is_none() {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            self.runtime = Some(Arc::new(runtime.context("failed to start the network runtime")?));
        }
        let runtime = self.runtime.as_ref().context("the runtime was made above")?;
        let key = region.unwrap_or_default();
        if !self.by_region.contains_key(key) {
            let settings = aws_settings::resolve(&self.global, |name| std::env::var(name).ok())?;
            let source = runtime.block_on(AwsSource::connect(&settings, region)).context("failed to reach AWS")?;
            self.by_region.insert(key.to_owned(), source);
        }
        Ok(Aws { runtime: Arc::clone(runtime), source: self.by_region[key].clone() })
    }
}

//! Log lines and metrics: one JSON object a line on standard output, which Lambda hands to CloudWatch.
//!
//! A line is a sentence (`message`) and flat fields: those of the event, then those of the spans around it (`correlation_id`, `company_id`),
//! then `function` and `cold_start`. Units stand at the end of a field's name. Never logged: tokens, passwords, amounts, names, tax numbers,
//! e-mail addresses, bodies.
//!
//! Metrics are lines too, in the embedded metric format: CloudWatch makes figures of them and no request leaves the function.

use std::fmt;
use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry};
use tracing_subscriber::util::SubscriberInitExt;

use crate::clock;

/// The namespace of every metric.
const NAMESPACE: &str = "Cierre";

/// True until the first invocation of this process has ended.
static COLD: AtomicBool = AtomicBool::new(true);

/// Starts logging for the function of this name. `LOG_LEVEL` (default `info`) is a level, or levels of modules as `tracing` writes them:
/// `info,cierre_billing=debug`.
pub fn init(function: &'static str) {
    let filter = wanted(std::env::var("LOG_LEVEL").ok().as_deref());
    let lines = JsonLines {
        function,
        write: std::io::stdout,
    };
    // A second call, as in tests, changes nothing.
    let _ = Registry::default().with(filter).with(lines).try_init();
}

/// What is logged. Not by the library's filter for spans and fields: it brings regular expressions into every function.
/// A word that is no level would be read as the name of a module, and everything else would be silent: what names no level of its own gets
/// `info`.
fn wanted(level: Option<&str>) -> Targets {
    let wanted: Targets = level
        .and_then(|level| level.parse().ok())
        .unwrap_or_default();
    match wanted.default_level() {
        Some(_) => wanted,
        None => wanted.with_default(LevelFilter::INFO),
    }
}

/// The invocation that ends here is the last one that counts as a cold start.
pub fn warmed_up() {
    COLD.store(false, Ordering::Relaxed);
}

/// How long this invocation may still run.
pub fn time_left(context: &lambda_runtime::Context) -> Duration {
    let now = u64::try_from(clock::now().as_millis()).unwrap_or_default();
    Duration::from_millis(context.deadline.saturating_sub(now))
}

/// The most memory that this process has held at once, in KiB; none where the system does not tell.
pub fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse().ok()
}

/// A figure's unit, as CloudWatch spells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// How many.
    Count,
    /// How long.
    Milliseconds,
    /// How much.
    Bytes,
}

impl Unit {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "Count",
            Self::Milliseconds => "Milliseconds",
            Self::Bytes => "Bytes",
        }
    }
}

/// Records figures of one occurrence under one set of dimensions (low in number of values: a function, a stage, an outcome; never an id).
pub fn metrics(dimensions: &[(&str, &str)], figures: &[(&str, u64, Unit)]) {
    let line = metrics_line(clock::now().as_millis(), dimensions, figures);
    write_line(&mut std::io::stdout(), &line);
}

fn metrics_line(
    at_millis: i64,
    dimensions: &[(&str, &str)],
    figures: &[(&str, u64, Unit)],
) -> Value {
    let names: Vec<&str> = dimensions.iter().map(|(name, _)| *name).collect();
    let declared: Vec<Value> = figures
        .iter()
        .map(|(name, _, unit)| json!({ "Name": name, "Unit": unit.as_str() }))
        .collect();
    let declaration = json!({ "Namespace": NAMESPACE, "Dimensions": [names], "Metrics": declared });
    let mut line = Map::new();
    line.insert(
        "_aws".to_owned(),
        json!({ "Timestamp": at_millis, "CloudWatchMetrics": [declaration] }),
    );
    line.extend(
        dimensions
            .iter()
            .map(|(name, value)| ((*name).to_owned(), json!(value))),
    );
    line.extend(
        figures
            .iter()
            .map(|(name, figure, _)| ((*name).to_owned(), json!(figure))),
    );
    Value::Object(line)
}

fn write_line(out: &mut impl Write, line: &Value) {
    // One write for line and break: lines of parallel tasks never mix. A log that cannot be written has nowhere to complain to.
    let _ = out.write_all(format!("{line}\n").as_bytes());
}

/// The layer that writes the lines.
struct JsonLines<W> {
    function: &'static str,
    write: W,
}

/// Fields of one span, kept with it.
struct SpanFields(Map<String, Value>);

impl<S, W, O> Layer<S> for JsonLines<W>
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    W: Fn() -> O + 'static,
    O: Write,
{
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(SpanFields(fields.0));
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        values.record(&mut fields);
        if let Some(span) = context.span(id)
            && let Some(known) = span.extensions_mut().get_mut::<SpanFields>()
        {
            known.0.extend(fields.0);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = fields.0;
        // From the inside out: what is nearer to the event wins.
        for span in context.event_scope(event).into_iter().flatten() {
            if let Some(SpanFields(known)) = span.extensions().get::<SpanFields>() {
                for (name, value) in known {
                    line.entry(name.clone()).or_insert_with(|| value.clone());
                }
            }
        }
        line.insert("timestamp".to_owned(), clock::now().to_string().into());
        line.insert("level".to_owned(), event.metadata().level().as_str().into());
        line.insert("target".to_owned(), event.metadata().target().into());
        line.insert("function".to_owned(), self.function.into());
        line.insert("cold_start".to_owned(), COLD.load(Ordering::Relaxed).into());
        write_line(&mut (self.write)(), &Value::Object(line));
    }
}

/// Collects fields as JSON.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut next = value.source();
        while let Some(cause) = next {
            text.push_str(": ");
            text.push_str(&cause.to_string());
            next = cause.source();
        }
        self.insert(field, text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Captured(Arc<Mutex<Vec<u8>>>);

    impl Write for Captured {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn captured(act: impl FnOnce()) -> Vec<Value> {
        let captured = Captured::default();
        let write = {
            let captured = captured.clone();
            move || captured.clone()
        };
        let subscriber = Registry::default().with(JsonLines {
            function: "api-test",
            write,
        });
        tracing::subscriber::with_default(subscriber, act);
        let bytes = captured.0.lock().unwrap().clone();
        String::from_utf8(bytes)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn a_line_is_a_sentence_with_the_fields_of_event_and_spans() {
        let lines = captured(|| {
            let span = tracing::info_span!(
                "request",
                correlation_id = "c-1",
                company_id = tracing::field::Empty
            );
            let _in_span = span.enter();
            span.record("company_id", "demo");
            tracing::info!(duration_ms = 12_u64, "request answered");
        });
        let [line] = lines.as_slice() else {
            panic!("one line expected, not {lines:?}")
        };
        for (field, value) in [
            ("message", json!("request answered")),
            ("level", json!("INFO")),
            ("duration_ms", json!(12)),
            ("correlation_id", json!("c-1")),
            ("company_id", json!("demo")),
            ("function", json!("api-test")),
        ] {
            assert_eq!(line[field], value, "{field}");
        }
        assert!(line["cold_start"].is_boolean());
    }

    #[test]
    fn the_level_is_a_word_or_a_word_per_module() {
        for (level, module, shown) in [
            (None, "aws_config", tracing::Level::INFO),
            (Some("warn"), "aws_config", tracing::Level::WARN),
            (
                Some("info,cierre_billing=debug"),
                "cierre_billing::engine",
                tracing::Level::DEBUG,
            ),
            (
                Some("cierre_billing=debug"),
                "aws_config",
                tracing::Level::INFO,
            ),
            (Some("inof"), "aws_config", tracing::Level::INFO),
            (Some("a=b=c"), "aws_config", tracing::Level::INFO),
        ] {
            let wanted = wanted(level);
            assert!(wanted.would_enable(module, &shown), "{level:?}");
            assert!(
                !wanted.would_enable(module, &tracing::Level::TRACE),
                "{level:?}"
            );
        }
    }

    #[test]
    fn a_text_with_line_breaks_stays_on_one_line() {
        assert_eq!(captured(|| tracing::info!(text = "a\nb", "c\nd")).len(), 1);
    }

    #[test]
    fn a_metric_names_its_dimensions_figures_and_units() {
        let line = metrics_line(
            1_700_000_000_000,
            &[("function", "f")],
            &[
                ("invoices", 3, Unit::Count),
                ("duration", 9, Unit::Milliseconds),
            ],
        );
        assert_eq!(
            line,
            json!({
                "_aws": {
                    "Timestamp": 1_700_000_000_000_i64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Cierre",
                        "Dimensions": [["function"]],
                        "Metrics": [{ "Name": "invoices", "Unit": "Count" }, { "Name": "duration", "Unit": "Milliseconds" }],
                    }],
                },
                "function": "f",
                "invoices": 3,
                "duration": 9,
            })
        );
    }
}
